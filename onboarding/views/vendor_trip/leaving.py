"""Leaving for a vendor's pages: the one place where a browser is sent to another host."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial, wraps
from urllib.parse import urlsplit

from csp.decorators import csp_update
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect

from onboarding import journey
from onboarding.background import runner
from onboarding.models import Attempt, User
from onboarding.views.access import View
from vendors.contract import Vendor
from vendors.http.urls import is_loopback


class SeeOther(HttpResponseRedirect):
    """303: whatever the request was, the browser asks with GET."""

    status_code = 303


def leave(attempt: Attempt, user: User, *, back: bool = False) -> HttpResponse:
    """Have the call made; to the vendor if the link is there in time, else to our page."""
    runner.hand_over(attempt, returned=back)
    attempt.refresh_from_db()
    return away(journey.take_link(attempt, user)) or SeeOther(attempt.get_absolute_url())


def away(url: str | None) -> HttpResponse | None:
    """To a vendor's link, which the journey has compared with the vendor's hosts; None without one.

    The vendor does not learn which of our pages it was.
    """
    if url is None:
        return None
    response = SeeOther(url)
    response["Referrer-Policy"] = "no-referrer"
    response["Cache-Control"] = "no-store"
    return response


def may_leave(view: View) -> View:
    """For pages with a form whose POST may end at a vendor.

    Browsers check every address of the redirect chain against form-action, block in silence, and
    let a source without a port match no other port.
    """

    @wraps(view)
    def inner(request: HttpRequest, **kwargs: str) -> HttpResponseBase:
        widened = csp_update({"form-action": targets()})
        return widened(partial(view, **kwargs))(request)

    return inner


def targets() -> list[str]:
    """Where such a form may lead beside this site: any https, the plain http of this machine."""
    vendors = settings.VENDORS.offered.values()
    return ["https:", *sorted({source for vendor in vendors for source in _plain_http(vendor)})]


def _plain_http(vendor: Vendor) -> Iterator[str]:
    for url in vendor.addresses():
        if url.startswith("http:") and is_loopback(host := urlsplit(url).hostname or ""):
            yield f"http://{host}:*"
    for domain in vendor.domains():
        if is_loopback(host := urlsplit(f"//{domain.lstrip('.')}").hostname or ""):
            yield f"http://{host}:*"
        if domain.startswith(".") and is_loopback(host):
            yield f"http://*.{host}:*"
