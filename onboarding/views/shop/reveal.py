"""What is shown only once: a key, a secret. By POST, as often as needed, until it is confirmed.

Never by GET, so that no link, history or prefetch shows it; `for_connection` forbids every cache.
"""

from __future__ import annotations

import json

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.text import slugify
from django.utils.translation import gettext

from onboarding import journey, registry
from onboarding.models import Connection
from onboarding.views.access import Request, for_connection
from onboarding.views.vendor_trip.leaving import SeeOther
from vendors.contract import Text, text


@for_connection
def show(request: Request, connection: Connection) -> HttpResponse:
    """The page with the secrets, and three things to do with them."""
    if request.method != "POST" or not connection.secret_waits:
        return _away(request, connection)
    _record(request, connection, text("Opened what is shown only once."))
    context = {
        "connection": connection,
        "merchant": connection.account.merchant,
        "vendor_name": registry.vendor_name(connection.vendor),
        "secrets": [(gettext(label), secret) for label, secret in connection.reveal.items()],
        "seen": seen(connection),
    }
    return render(request, "onboarding/reveal.html", context)


@for_connection
def download(request: Request, connection: Connection) -> HttpResponse:
    """The same as a text file."""
    if request.method != "POST" or not connection.secret_waits:
        return _away(request, connection)
    _record(request, connection, text("Downloaded what is shown only once."))
    lines = [f"{gettext(label)}: {secret}" for label, secret in connection.reveal.items()]
    about = f"{connection.name} · {registry.vendor_name(connection.vendor)}"
    body = "\r\n".join([about, "", *lines, ""])
    response = HttpResponse(body, content_type="text/plain; charset=utf-8")
    name = slugify(connection.name) or "shop"
    response["Content-Disposition"] = f'attachment; filename="{name}-{connection.reference}.txt"'
    return response


@for_connection
def kept(request: Request, connection: Connection) -> HttpResponse:
    """ "I have kept them": forgotten here, unless there are newer ones than were shown."""
    if request.method != "POST" or not connection.secret_waits:
        return _away(request, connection)
    if _forget(request, connection.pk):
        said = gettext("Good. We have forgotten it: nobody can see it here any more.")
        messages.success(request, said)
    else:
        said = gettext("There is something newer than you have seen. Look at it first.")
        messages.warning(request, said)
    return SeeOther(connection.get_absolute_url())


def _forget(request: Request, pk: int) -> bool:
    shown = request.POST.get("seen", "")
    return journey.confirm_secrets_received(
        pk, request.user, lambda now: constant_time_compare(shown, seen(now))
    )


def seen(connection: Connection) -> str:
    """Names exactly these secrets without telling anything of them."""
    sorted_text = json.dumps(connection.reveal, sort_keys=True)
    return salted_hmac("reveal", sorted_text, algorithm="sha256").hexdigest()


def _record(request: Request, connection: Connection, said: Text) -> None:
    journey.record(connection, said, user=request.user)


def _away(request: Request, connection: Connection) -> HttpResponse:
    if request.method == "POST":
        said = gettext("Nothing is waiting to be shown: it was confirmed, or is no longer valid.")
        messages.info(request, said)
    return SeeOther(connection.get_absolute_url())
