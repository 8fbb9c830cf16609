"""Middleware: references, security headers, health checks, short bodies, X-Forwarded headers, sessions,
private pages, compression, time zones, MEMO_KEYS, one address, readable requests, “Is it still you?”, HEAD,
errors that have a page."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from functools import partial
from ipaddress import IPv6Address, ip_address
from urllib.parse import urlsplit

from allauth.core.exceptions import ReauthenticationRequired
from django.conf import settings
from django.contrib.auth import SESSION_KEY as USER_ID
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.middleware import get_user
from django.contrib.auth.models import AnonymousUser
from django.contrib.messages import get_messages
from django.contrib.messages.storage.base import BaseStorage
from django.contrib.sessions.exceptions import SessionInterrupted
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect, UnreadablePostError
from django.http.request import split_domain_port
from django.middleware.gzip import GZipMiddleware
from django.utils import timezone
from django.utils.cache import add_never_cache_headers
from django.utils.functional import SimpleLazyObject

from vendors.contract.characters import is_plain

from . import moments
from .bounds import Reached
from .conf import headers
from .local_paths import local_path, next_path
from .models import User, memo_key
from .monitoring import logs, security_log
from .monitoring.database_outage import is_outage
from .notifications.mail import NotSent
from .people import browsers, guards, time_zones
from .people.sessions import store_of
from .views import access, errors, health, polling

log = logging.getLogger(__name__)

GetResponse = Callable[[HttpRequest], HttpResponseBase]


def reference(get_response: GetResponse) -> GetResponse:
    """Give each request a reference: `request.reference`, X-Request-Reference, every log line.

    Django logs a 404 after the middleware is done, so `logs.forget_reference` clears it when the request is
    finished.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        new = logs.new_reference()
        request.reference = new  # type: ignore[attr-defined]
        logs.reference.set(new)
        response = get_response(request)
        response["X-Request-Reference"] = new
        return response

    return middleware


def health_checks(get_response: GetResponse) -> GetResponse:
    """Answer load balancers and monitoring before hosts and https are checked.

    They use an IP address and plain http.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        view = health.view_of(request.path_info)
        return view(request) if view else get_response(request)

    return middleware


def security_headers(get_response: GetResponse) -> GetResponse:
    """Every response has them: also a health check, a file, a redirect and an error page."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        headers.add_missing(response)
        return response

    return middleware


def small_bodies(get_response: GetResponse) -> GetResponse:
    """Refuse what is longer than any form of ours, has more fields or brings a file; 413 with a page.

    A body that is too long is refused before it is read, and a form before anything else looks at it.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        length = request.META.get("CONTENT_LENGTH") or ""
        if length.isdecimal() and int(length) > settings.LONGEST_BODY:
            return errors.too_large(request)
        try:
            request.POST  # noqa: B018  (parses the form)
        except errors.TOO_LARGE:
            request._mark_post_parse_error()  # type: ignore[attr-defined]  # as Django does with these
            return errors.too_large(request)
        except UnreadablePostError:
            pass  # the client is gone; the CSRF check says so
        return get_response(request)

    return middleware


def proxies(get_response: GetResponse) -> GetResponse:
    """Trust X-Forwarded-For and -Proto as far as our own PROXY_COUNT proxies have written them.

    Each proxy appends on the right, so the n-th entry from the right is what the outermost of our own
    proxies saw. Everything left of it may be forged. An entry that is no IP address leaves the address
    of the connection.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        if count := settings.PROXY_COUNT:
            forwarded = nth_from_right(request.META.get("HTTP_X_FORWARDED_FOR", ""), count)
            request.META["REMOTE_ADDR"] = address(forwarded) or request.META["REMOTE_ADDR"]
            scheme = nth_from_right(request.META.get("HTTP_X_FORWARDED_PROTO", ""), count).lower()
            if scheme in {"http", "https"}:
                request.META["wsgi.url_scheme"] = scheme
        return get_response(request)

    return middleware


def nth_from_right(header: str, count: int) -> str:
    """The n-th entry from the right; the leftmost if there are fewer; empty if there is none.

    Empty entries count: otherwise one of our own would move a forged one into its place.
    """
    entries = [entry.strip() for entry in header.split(",")]
    return entries[-min(count, len(entries))]


_ADDRESS = re.compile(r"""
    "?(?: \[ (?P<six>[0-9a-fA-F:.]+) (?:%[^\]]*)? \] (?::\d+)?   # [2001:db8::1]:4711
        | (?P<four>[0-9.]+) :\d+                                  # 192.0.2.1:4711
        | (?P<bare>[0-9a-fA-F:.]+) (?:%\S*)? )"?
    """, re.VERBOSE)  # fmt: skip


def address(entry: str) -> str:
    """The IP address of an entry, without port, brackets and zone; empty for anything else."""
    found = _ADDRESS.fullmatch(entry[:100])
    try:
        parsed = ip_address(found[found.lastgroup or 0]) if found else None
    except ValueError:
        return ""
    mapped = parsed.ipv4_mapped if isinstance(parsed, IPv6Address) else None
    return str(mapped or parsed or "")


def one_address(get_response: GetResponse) -> GetResponse:
    """Redirect the other names of this site to SITE_URL, and doubled slashes to single ones.

    Cookies and passkeys belong to a host name: a user who starts under one and comes back under another
    would be signed out. What a form sends to another name changes nothing, and gets a page that says so.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        own, path = is_own_address(request), re.sub("/{2,}", "/", request.path_info)
        if own and path == request.path_info:
            return get_response(request)
        if request.method in {"GET", "HEAD"}:
            request.path = path
            return HttpResponseRedirect(
                ("" if own else settings.SITE_URL) + request.get_full_path()
            )
        return get_response(request) if own else errors.other_address(request)

    return middleware


def is_own_address(request: HttpRequest) -> bool:
    """Whether the browser has opened the address of SITE_URL, as far as we can know.

    A proxy may rewrite Host and tell the browser's in X-Forwarded-Host. A port is compared only where
    nothing stands between: proxies, containers and tunnels change it, and cookies do not know it.
    """
    host = request.get_host().lower()
    name, port = split_domain_port(host)
    forwarded = request.META.get("HTTP_X_FORWARDED_HOST", "") if settings.PROXY_COUNT else ""
    names = {name, split_domain_port(forwarded.split(",")[0].strip())[0]}
    if settings.SITE_HOST not in {each.strip("[]") for each in names} or host.startswith(
        f"{name}."
    ):
        return False
    if settings.LOOPBACK or settings.HTTPS or settings.PROXY_COUNT:
        return True
    return int(port or 80) == (urlsplit(settings.SITE_URL).port or 80)


def reader_time_zone(get_response: GetResponse) -> GetResponse:
    """Show times in the zone of the reader's browser, which a cookie names; else in that of the site."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        with timezone.override(moments.zone_called(request.COOKIES.get(moments.COOKIE, ""))):
            return get_response(request)

    return middleware


def own_time_zone(get_response: GetResponse) -> GetResponse:
    """Whoever is signed in reads times in their own zone, from the moment that a view asks who it is."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        request.user = SimpleLazyObject(partial(_reader, request))  # type: ignore[assignment]
        return get_response(request)

    return middleware


def _reader(request: HttpRequest) -> AbstractBaseUser | AnonymousUser:
    user = get_user(request)
    if isinstance(user, User):
        time_zones.follow(user, request.COOKIES.get(moments.COOKIE, ""))
        timezone.activate(moments.zone_called(user.time_zone) or timezone.get_current_timezone())
    return user


# U+0000 and lone surrogates: no database stores them, and no page can be written with them.
_UNREADABLE = re.compile("[\0\ud800-\udfff]")


def readable_requests(get_response: GetResponse) -> GetResponse:
    """Refuse a query with characters that nobody types, and ignore such cookies; 400 with a page.

    A view with `takes_any_query` reads its query itself.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        request.COOKIES = {n: v for n, v in request.COOKIES.items() if is_plain(n) and is_plain(v)}
        return get_response(request)

    def process_view(request: HttpRequest, view: object, *_: object) -> HttpResponseBase | None:
        if getattr(view, "takes_any_query", False):
            return None
        texts = (text for name, values in request.GET.lists() for text in (name, *values))
        return errors.bad_request(request) if any(map(_UNREADABLE.search, texts)) else None

    middleware.process_view = process_view  # type: ignore[attr-defined]
    return middleware


def http_methods(get_response: GetResponse) -> GetResponse:
    """HEAD spends nothing of the session, and a GET of an address for forms gets a page that says so."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        if request.method == "HEAD":
            _spend_nothing(request)
        elif request.method == "GET" and response.status_code == 405:
            page = errors.form_only(request)
            page["Allow"] = response["Allow"]
            return page
        return response

    return middleware


def _spend_nothing(request: HttpRequest) -> None:
    """Neither the messages that the page would have shown, nor what it would have remembered."""
    shown = get_messages(request)
    if isinstance(shown, BaseStorage):
        shown.used = shown.added_new = False
    request.session.modified = False


# What a browser forgets when somebody signs out. Not the cookies: the session's goes anyway, and the others
# hold the language, the time zone and the message of the next page.
CLEAR_SITE_DATA = '"cache", "storage"'


class Sessions(SessionMiddleware):
    """Django's, for sessions that know where they are used, and that may end while a page is made."""

    def process_request(self, request: HttpRequest) -> None:
        super().process_request(request)
        session = store_of(request)
        session.address = security_log.address_of(request)
        session.browser = browsers.name_of(request.headers.get("User-Agent", ""))

    def process_view(self, request: HttpRequest, view: object, *_: object) -> None:
        store_of(request).counts_as_use = not polling.is_poll(request, view)

    def process_response(  # type: ignore[override]  # of all kinds, such as streaming ones
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        try:
            response = super().process_response(request, response)  # type: ignore[arg-type]
        except SessionInterrupted:
            return _without_session(request, response)
        session = store_of(request)
        if session.signed_out:
            response["Clear-Site-Data"] = CLEAR_SITE_DATA
        if session.ended_as and session.is_empty():
            # Django would delete the cookie. But another tab may have got a new one a moment ago, and the
            # sign-in page tells by the old one why it is shown.
            response.cookies.pop(settings.SESSION_COOKIE_NAME, None)
        elif session.accessed and not session.modified:
            session.touch()
        return response


def _without_session(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    """The session ended while this page was made, perhaps by signing in or out in another tab.

    The answer leads on, to a page or to the sign-in. The browser's cookie stays: it may be a newer one.
    """
    if response.status_code in {302, 303} and local_path(response.headers.get("Location")):
        return response
    here = request.get_full_path() if request.method == "GET" else ""
    return access.to_sign_in(request, next_path(request) or here)


def private_pages(get_response: GetResponse) -> GetResponse:
    """What somebody who is signed in gets is kept by no cache and no browser, unless its view says how long.

    Otherwise the Back button would show it after they have signed out.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        if not response.has_header("Cache-Control") and USER_ID in request.session:
            add_never_cache_headers(response)
        return response

    return middleware


# Pages with a secret that stays the same when they are loaded again. Compression would tell something about
# it by the length of the page, to whoever can have it loaded with words of their own (BREACH).
SHOWS_SECRETS = frozenset(
    {
        "reveal",
        "reveal-download",
        "mfa_activate_totp",
        "mfa_view_recovery_codes",
        "mfa_generate_recovery_codes",
        "mfa_download_recovery_codes",
        "admin:onboarding_account_know",
        "demo_mails",
        "demo_mail_html",
    }
)


class Compression(GZipMiddleware):
    """Django's, but for pages that show secrets (docs/security/web-server.md)."""

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        found = request.resolver_match
        if found is not None and found.view_name in SHOWS_SECRETS:
            return response
        return super().process_response(request, response)


class MemoKeys:
    """Nothing is written while a key is missing from MEMO_KEYS: a page says so, and staff know.

    A web server that started without its database proves the keys before its first page.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if memo_key.proof_is_due:
            try:
                memo_key.prove()
            except memo_key.MemoKeyMissing as error:
                return self.process_exception(request, error) or self.get_response(request)
            memo_key.proof_is_due = False
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponseBase | None:
        if not isinstance(error, memo_key.MemoKeyMissing):
            return None
        log.critical("%s", error)
        return errors.unavailable(request)


def still_you(get_response: GetResponse) -> GetResponse:
    """Ask “Is it still you?” before what people/guards.py lists, and where a view asks for it."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        return get_response(request)

    def process_view(request: HttpRequest, *_: object) -> HttpResponseBase | None:
        return guards.before_view(request)

    def process_exception(request: HttpRequest, error: Exception) -> HttpResponseBase | None:
        return guards.ask(request) if isinstance(error, ReauthenticationRequired) else None

    middleware.process_view = process_view  # type: ignore[attr-defined]
    middleware.process_exception = process_exception  # type: ignore[attr-defined]
    return middleware


def explained_errors(get_response: GetResponse) -> GetResponse:
    """A page that says what is wrong: a mail did not leave and no form is there to say it, somebody has
    begun too much, or the database is away, locked or full. (`errors.server_error` does the last for what
    the middleware itself meets.)"""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        return get_response(request)

    def process_exception(request: HttpRequest, exception: Exception) -> HttpResponseBase | None:
        if isinstance(exception, NotSent):
            return errors.unsent_mail(request, exception)
        if isinstance(exception, Reached):
            return errors.bound_reached(request, exception)
        if is_outage(exception):
            log.warning("a page needs the database, which fails: %s", logs.summary(exception))
            return errors.database_away(request)
        return None

    middleware.process_exception = process_exception  # type: ignore[attr-defined]
    return middleware
