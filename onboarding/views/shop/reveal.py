"""Secrets that are shown until the merchant confirms that they have them: an API key, for example.

By POST only, so that no link, history or prefetch shows them; `for_connection` forbids every cache. Owners
see them, and members whom an owner has given the right.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import wraps

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.text import slugify
from django.utils.translation import gettext

from onboarding import journey, registry
from onboarding.models import Connection, SecurityEvent
from onboarding.models.memo import readable
from onboarding.monitoring import security_log
from onboarding.views.access import Request, for_connection, secret_owners
from onboarding.views.vendor_trip.leaving import SeeOther
from vendors.contract import Text, text

Kind = SecurityEvent.Kind


def for_trusted(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponseBase]:
    """Like `for_connection`, for owners and members with the right; others read who has it (403)."""

    @wraps(view)
    def inner(request: Request, connection: Connection) -> HttpResponse:
        owners = secret_owners(request.user, connection) if request.method == "POST" else []
        if not owners:
            return view(request, connection)
        merchant = connection.account.merchant
        context = {"connection": connection, "merchant": merchant, "secret_owners": owners}
        return render(request, "onboarding/secrets_owners_only.html", context, status=403)

    return for_connection(inner)


@for_trusted
def show(request: Request, connection: Connection) -> HttpResponse:
    """The page with the secrets: copy, download, confirm."""
    if request.method != "POST" or not connection.secret_waits:
        return _nothing_to_show(request, connection)
    _record(request, connection, text("You viewed the key and secret."))
    context = {
        "connection": connection,
        "merchant": connection.account.merchant,
        "vendor_name": registry.vendor_name(connection.vendor),
        "secrets": [
            (gettext(label), secret) for label, secret in readable(connection.reveal).items()
        ],
        "secrets_digest": secrets_digest(connection),
    }
    return render(request, "onboarding/reveal.html", context)


@for_trusted
def download(request: Request, connection: Connection) -> HttpResponse:
    """The secrets as a text file."""
    if request.method != "POST" or not connection.secret_waits:
        return _nothing_to_show(request, connection)
    _record(request, connection, text("You downloaded the key and secret."))
    lines = [f"{gettext(label)}: {secret}" for label, secret in readable(connection.reveal).items()]
    about = f"{connection.name} · {registry.vendor_name(connection.vendor)}"
    body = "\r\n".join([about, "", *lines, ""])
    response = HttpResponse(body, content_type="text/plain; charset=utf-8")
    name = slugify(connection.name) or "shop"
    response["Content-Disposition"] = f'attachment; filename="{name}-{connection.reference}.txt"'
    return response


@for_trusted
def confirm(request: Request, connection: Connection) -> HttpResponse:
    """ "I have saved them": delete the secrets here, unless there are newer ones than were shown."""
    if request.method != "POST" or not connection.secret_waits:
        return _nothing_to_show(request, connection)
    if _delete_shown(request, connection.pk):
        merchant = connection.account.merchant
        detail = f"shop {connection.reference}"
        security_log.record(Kind.SECRETS_FORGOTTEN, request, merchant=merchant, detail=detail)
        message = gettext("Saved. The key and secret are no longer stored here.")
        messages.success(request, message)
    else:
        message = gettext("There is a newer key and secret. View them first.")
        messages.warning(request, message)
    return SeeOther(connection.get_absolute_url())


def _delete_shown(request: Request, pk: int) -> bool:
    shown = request.POST.get("seen", "")
    return journey.confirm_secrets_received(
        pk,
        request.user,
        lambda connection: constant_time_compare(shown, secrets_digest(connection)),
    )


def secrets_digest(connection: Connection) -> str:
    """A keyed digest: it tells these secrets from newer ones, and reveals nothing of them."""
    sorted_text = json.dumps(connection.reveal, sort_keys=True)
    return salted_hmac("reveal", sorted_text, algorithm="sha256").hexdigest()


def _record(request: Request, connection: Connection, note: Text) -> None:
    journey.record(connection, note, user=request.user)
    merchant, detail = connection.account.merchant, f"shop {connection.reference}"
    security_log.record(Kind.SECRETS_SHOWN, request, merchant=merchant, detail=detail)


def _nothing_to_show(request: Request, connection: Connection) -> HttpResponse:
    if request.method == "POST":
        message = gettext(
            "There is nothing to show: the key and secret were saved, or they no longer work."
        )
        messages.info(request, message)
    return SeeOther(connection.get_absolute_url())
