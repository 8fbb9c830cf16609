"""An old session, and the way through “Is it still you?”."""

from __future__ import annotations

import html
import re
from typing import Any

from django.core.cache import cache
from django.test import Client

from tests.support.codes import STILL_YOU, newest_code

DAY = 24 * 3600
ASKS = "/accounts/reauthenticate/"


def age(client: Client, seconds: float = 10 * DAY) -> Client:
    """As if everything that this browser's session knows had been shown that long ago."""
    session = client.session
    for record in session.get("account_authentication_methods", []):
        record["at"] -= seconds
    session.modified = True
    session.save()
    return client


def asks(response: Any) -> bool:
    """Whether this answer leads to “Is it still you?”."""
    target: str = response.headers.get("HX-Redirect") or response.headers.get("Location", "")
    return target.startswith((ASKS, "/accounts/2fa/reauthenticate/"))


def confirm(client: Client, question: Any) -> Any:
    """Ask for the code with one press, and enter it: what the browser shows in the end."""
    assert asks(question), question
    cache.clear()  # an address gets one code in ten seconds
    page = client.get(question["Location"])
    sent = client.post(page.request["PATH_INFO"] + query(page), {"send": ""})
    form = hidden_fields(client.get(sent["Location"])) | {"code": newest_code()}
    return client.post(STILL_YOU, form, follow=True)


def query(page: Any) -> str:
    asked: str = page.request.get("QUERY_STRING", "")
    return f"?{asked}" if asked else ""


def hidden_fields(page: Any) -> dict[str, str]:
    """The hidden fields of the form that takes the code."""

    [form] = [
        each
        for each in re.findall(r"<form\b.*?</form>", page.content.decode(), re.DOTALL)
        if 'name="code"' in each
    ]
    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form)
    return {name: html.unescape(value) for name, value in found}
