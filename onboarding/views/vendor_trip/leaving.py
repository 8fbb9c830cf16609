"""Redirects to vendors' pages: the only place where a browser is sent to another host."""

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
    """303 See Other: after a POST too, the browser follows with a GET."""

    status_code = 303


def leave(
    attempt: Attempt, user: User, *, back: bool = False, beside: bool = False
) -> HttpResponse:
    """Make the attempt's call; redirect to the vendor if it gives a link in time, else to our page.

    `back`: the user has just returned from the vendor. `beside`: the answer opens in a tab of its own. A
    vendor that sends nobody back opens only there, so that our page stays open beside it.
    """
    runner.hand_over(attempt, returned=back)
    attempt.refresh_from_db()
    response = redirect_to_vendor(journey.take_link(attempt, user, beside=beside))
    return response or SeeOther(attempt.get_absolute_url())


def redirect_to_vendor(url: str | None) -> HttpResponse | None:
    """Redirect to a vendor's link, whose host the journey has checked; None without a link.

    Without a Referer: the vendor does not learn which of our pages it was.
    """
    if url is None:
        return None
    response = SeeOther(url)
    response["Referrer-Policy"] = "no-referrer"
    response["Cache-Control"] = "no-store"
    return response


def may_leave(view: View) -> View:
    """Widen the CSP's form-action for pages with a form whose POST may end at a vendor.

    Browsers check every URL of the redirect chain against form-action and block without a message. A
    source without a port matches the default port alone.
    """

    @wraps(view)
    def inner(request: HttpRequest, **kwargs: str) -> HttpResponseBase:
        widened = csp_update({"form-action": form_targets()})
        return widened(partial(view, **kwargs))(request)

    return inner


def form_targets() -> list[str]:
    """CSP sources beside this site: any https, and plain http on this machine (the sandboxes)."""
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
