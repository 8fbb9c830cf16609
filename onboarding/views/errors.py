"""Error pages (400, 403, 404, 413, 500, 503, CSRF, unsent mail): what happened, what to do, a reference."""

from __future__ import annotations

import sys
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template import loader
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext_lazy

from onboarding import bounds
from onboarding.bounds import Bound
from onboarding.conf import headers
from onboarding.models import SecurityEvent
from onboarding.monitoring import security_log
from onboarding.monitoring.database_outage import is_outage
from onboarding.notifications.mail import AddressRefused, NotSent, TooManyMails
from onboarding.people.limits import too_many_requests
from onboarding.questions import ANSWER
from onboarding.views.vendor_trip.leaving import may_leave
from vendors.contract import is_secret_name

TOO_LARGE = (RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent)
# Of each bound: what is so, and the next thing.
BOUNDS = {
    Bound.OPEN_SHOPS: (
        ngettext_lazy(
            "Your business has %(most)d unfinished shop.",
            "Your business has %(most)d unfinished shops.",
            "most",
        ),
        gettext_lazy("Finish or remove one first."),
    ),
    Bound.OPEN_SHOPS_OF_PERSON: (
        ngettext_lazy(
            "You have %(most)d unfinished shop.",
            "You have %(most)d unfinished shops.",
            "most",
        ),
        gettext_lazy("Finish or remove one first, in any of your businesses."),
    ),
    Bound.ATTEMPTS: (
        ngettext_lazy(
            "You have started connecting %(most)d time within an hour.",
            "You have started connecting %(most)d times within an hour.",
            "most",
        ),
        gettext_lazy("Wait a while, then try again."),
    ),
    Bound.BUSINESSES: (
        ngettext_lazy(
            "You own %(most)d business, the most that one person can have.",
            "You own %(most)d businesses, the most that one person can have.",
            "most",
        ),
        gettext_lazy("Write to us if you need more."),
    ),
    Bound.NEW_BUSINESSES: (
        ngettext_lazy(
            "You have added %(most)d business within a day.",
            "You have added %(most)d businesses within a day.",
            "most",
        ),
        gettext_lazy("You can add another one tomorrow."),
    ),
}
CSRF_FIELD = "csrfmiddlewaretoken"
RETRY_AFTER = 10  # seconds


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    if isinstance(exception, TOO_LARGE):
        return too_large(request)
    return render(request, "400.html", status=400)


def too_large(request: HttpRequest) -> HttpResponse:
    """More bytes or fields than any form of ours has, or a file."""
    return render(request, "413.html", status=413)


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
    return _alone(
        500,
        _("We have a problem on our side"),
        _("What you sent may not have been saved."),
        _("Try again in a minute. Your shops stay as they are."),
        getattr(request, "reference", ""),
    )


def database_away(request: HttpRequest) -> HttpResponse:
    """The database is away, locked or full: nothing was saved, and a moment later all may be well."""
    is_form = request.method == "POST"
    page = _alone(
        503,
        _("Not possible at the moment"),
        _("We cannot save anything at the moment. What you sent was not saved.")
        if is_form
        else _("We cannot show this page at the moment."),
        _("Try again in a minute. Your shops stay as they are."),
        getattr(request, "reference", ""),
    )
    page["Retry-After"] = str(RETRY_AFTER)
    return page


def unread(status: int) -> HttpResponse:
    """What the web server answers where there is no request: it could not be read, or not all of it came.

    Nobody has said which language it is to be in, so it is the site's.
    """
    with translation.override(settings.LANGUAGE_CODE):
        return _unread(status)


def _unread(status: int) -> HttpResponse:
    again = _("Go back and try again. If it happens again, write to us.")
    match status:
        case 408:
            heading, sentence = _("That took too long"), _("Your request did not arrive in time.")
        case 414:
            heading, sentence = _("This address is too long"), _("We cannot read all of it.")
        case 431:
            heading = _("Your browser sent too much data")
            sentence = _("Most likely it has too many cookies from this site.")
            again = _("Delete this site’s cookies in your browser, then try again.")
        case _ if status >= 500:
            heading, sentence = _("We have a problem on our side"), _("Your request was fine.")
        case _:
            heading = _("We could not read your request")
            sentence = _("Your browser sent something that we did not expect.")
    unchanged = _("Nothing was changed.")
    response = _alone(status, heading, f"{sentence} {unchanged}", again)
    response["Cache-Control"] = "no-store"
    headers.add_missing(response)
    return response


def _alone(
    status: int, heading: str, sentence: str, more: str, reference: str = ""
) -> HttpResponse:
    """Rendered without context processors and the database: they may be what is broken."""
    context: dict[str, object] = {
        "brand_name": settings.BRAND_NAME,
        "support_email": settings.SUPPORT_EMAIL,
        "heading": heading,
        "sentence": sentence,
        "more": more,
        "reference": reference,
    }
    return HttpResponse(loader.get_template("alone.html").render(context), status=status)


def unsent_mail(request: HttpRequest, exception: NotSent) -> HttpResponse:
    """A mail that the page needs, such as one with a code, could not be sent."""
    if isinstance(exception, TooManyMails):
        return too_many_requests(request, exception.seconds)
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
