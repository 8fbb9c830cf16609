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
from onboarding.views.access import Request, View
from vendors.contract import Vendor
from vendors.http.urls import is_loopback

from . import browser


class SeeOther(HttpResponseRedirect):
    """303 See Other: after a POST too, the browser follows with a GET."""

    status_code = 303


def leave(
    request: Request, attempt: Attempt, *, back: bool = False, beside: bool = False
) -> HttpResponse:
    """Make the attempt's call; redirect to the vendor if it gives a link in time, else to our page.

    `back`: the user has just returned from the vendor. `beside`: the answer opens in a tab of its own. A
    vendor that sends nobody back opens only there, so that our page stays open beside it.
    """
    runner.hand_over(attempt, returned=back)
    attempt.refresh_from_db()
    return take_link(request, attempt, beside=beside) or SeeOther(attempt.get_absolute_url())


def take_link(request: Request, attempt: Attempt, *, beside: bool) -> HttpResponse | None:
    """Redirect to the vendor's link, whose host the journey has checked; None without a link.

    The return is then taken from this browser alone. Without a Referer: the vendor does not learn which
    of our pages it was.
    """
    value = browser.ensure(request)
    url = journey.take_link(attempt, request.user, browser=value, beside=beside)
    if url is None:
        return None
    response = SeeOther(url)
    response["Referrer-Policy"] = "no-referrer"
    response["Cache-Control"] = "no-store"
    browser.remember(request, response)
    return response


def may_leave(view: View) -> View:
    """Widen the CSP's form-action for pages with a form whose POST may end at a vendor.

    Browsers check every URL of the redirect chain against form-action and block without a message. A
    source without a port matches the default port alone. The page also gives the browser its cookie: two
    tabs that leave at the same moment must not each get one of their own.
    """

    @wraps(view)
    def inner(request: HttpRequest, **kwargs: str) -> HttpResponseBase:
        widened = csp_update({"form-action": form_targets()})
        response: HttpResponseBase = widened(partial(view, **kwargs))(request)
        if isinstance(request.user, User) and not browser.cookie_of(request):
            browser.remember(request, response)
        return response

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
