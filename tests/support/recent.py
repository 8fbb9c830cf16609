"""A browser in which somebody has just signed in, so that nothing asks “Is it still you?”."""

from __future__ import annotations

import time

from django.test import Client


def just_signed_in(client: Client) -> Client:
    """The same browser, whose user has shown a moment ago who they are."""
    session = client.session
    session["account_authentication_methods"] = [{"method": "code", "at": time.time()}]
    session["account_authentication_methods_user"] = session["_auth_user_id"]
    session.save()
    return client
