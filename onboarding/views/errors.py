"""Error pages (400, 403, 404, 500, 503, CSRF, unsent mail): what happened, what to do, a reference."""

from __future__ import annotations

import sys
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template import loader
from django.utils.translation import gettext_lazy

from onboarding import bounds
from onboarding.bounds import Bound
from onboarding.models import SecurityEvent
from onboarding.monitoring import security_log
from onboarding.monitoring.database_outage import is_outage
from onboarding.notifications.mail import AddressRefused, NotSent
from onboarding.questions import ANSWER
from onboarding.views.vendor_trip.leaving import may_leave
from vendors.contract import is_secret_name

# Of each bound: what is so, and the next thing.
BOUNDS = {
    Bound.OPEN_SHOPS: (
        gettext_lazy("Your business has %(most)d shops that are not finished."),
        gettext_lazy("Finish or remove one first."),
    ),
    Bound.OPEN_SHOPS_OF_PERSON: (
        gettext_lazy("You have begun %(most)d shops that are not finished."),
        gettext_lazy("Finish or remove one first, in any of your businesses."),
    ),
    Bound.ATTEMPTS: (
        gettext_lazy("You have begun %(most)d times within an hour."),
        gettext_lazy("Nothing was begun now. Wait a while, then try again."),
    ),
    Bound.BUSINESSES: (
        gettext_lazy("You own %(most)d businesses, and cannot add another."),
        gettext_lazy("Write to us if you need more."),
    ),
    Bound.NEW_BUSINESSES: (
        gettext_lazy("You have added %(most)d businesses within a day."),
        gettext_lazy("You can add another one tomorrow."),
    ),
}
CSRF_FIELD = "csrfmiddlewaretoken"
RETRY_AFTER = 10  # seconds


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return render(request, "400.html", status=400)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    return render(request, "403.html", status=403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return render(request, "404.html", status=404)


def unavailable(request: HttpRequest) -> HttpResponse:
    """Something of ours is missing that staff have to put back; nothing was written."""
    return render(request, "503.html", status=503)


def server_error(request: HttpRequest) -> HttpResponse:
    """A bug, or an outage of the database that a middleware met."""
    if is_outage(sys.exc_info()[1]):
        return database_away(request)
    return _alone(request, "500.html", 500)


def database_away(request: HttpRequest) -> HttpResponse:
    """The database is away, locked or full: nothing was saved, and a moment later all may be well."""
    page = _alone(request, "database_away.html", 503, is_form=request.method == "POST")
    page["Retry-After"] = str(RETRY_AFTER)
    return page


def _alone(request: HttpRequest, template: str, status: int, **more: object) -> HttpResponse:
    """Rendered without context processors and the database: they may be what is broken."""
    context: dict[str, object] = {
        "brand_name": settings.BRAND_NAME,
        "support_email": settings.SUPPORT_EMAIL,
        "reference": getattr(request, "reference", ""),
        **more,
    }
    return HttpResponse(loader.get_template(template).render(context), status=status)


def unsent_mail(request: HttpRequest, exception: NotSent) -> HttpResponse:
    """A mail that the page needs, such as one with a code, could not be sent."""
    refused = isinstance(exception, AddressRefused)
    status = 422 if refused else 503
    return render(request, "unsent_mail.html", {"refused": refused}, status=status)


def bound_reached(request: HttpRequest, reached: bounds.Reached) -> HttpResponse:
    """Nothing was begun: there is too much of it already."""
    security_log.record(SecurityEvent.Kind.REFUSED, request, detail=str(reached.bound.value))
    sentence, more = BOUNDS[reached.bound]
    is_passing = reached.bound in {Bound.ATTEMPTS, Bound.NEW_BUSINESSES}
    context = {"sentence": sentence % {"most": reached.most}, "more": more}
    page = render(request, "bound.html", context, status=429 if is_passing else 409)
    if is_passing:
        seconds = bounds.HOUR if reached.bound == Bound.ATTEMPTS else bounds.DAY
        page["Retry-After"] = str(int(seconds.total_seconds()))
    return page


def form_only(request: HttpRequest) -> HttpResponse:
    """Somebody opened an address that only takes what a form sends."""
    return render(request, "405.html", status=405)


def other_address(request: HttpRequest) -> HttpResponse:
    """A form was sent to another name of this site, where nobody is signed in."""
    return render(request, "other_address.html", {"site_url": settings.SITE_URL}, status=421)


@may_leave
def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """The CSRF check failed: the form was open too long, or somebody signed in in another tab.

    A form of our own can be sent again with one button, secrets aside. What another site sent cannot:
    such a button would let it act for the visitor after all.
    """
    if not _is_from_own_page(request):
        return render(request, "csrf.html", status=403)
    sent = [(name, value) for name, values in request.POST.lists() for value in values]
    kept = [field for field in sent if not is_secret_name(field[0])]
    context = {
        "fields": kept,
        "typed": [value for name, value in kept if value and _is_typed(name)],
        "has_secrets": any(is_secret_name(name) and name != CSRF_FIELD for name, _ in sent),
    }
    return render(request, "csrf_again.html", context, status=403)


def _is_from_own_page(request: HttpRequest) -> bool:
    """Whether the browser says that a page of this site sent this."""
    try:
        referer = urlsplit(request.headers.get("Referer", ""))
    except ValueError:
        return False
    origin = request.headers.get("Origin") or f"{referer.scheme}://{referer.netloc}"
    return origin in {settings.SITE_URL, f"{request.scheme}://{request.get_host()}"}


def _is_typed(name: str) -> bool:
    """Whether somebody types into a field of this name; all others are the page's own."""
    return name in {"name", "email", "login"} or name.startswith(ANSWER)
