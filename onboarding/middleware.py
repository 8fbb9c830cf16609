"""Middleware: request references, health checks, X-Forwarded headers, one host on loopback, unsent mails."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.http.request import split_domain_port

from vendors.http.urls import is_loopback

from .monitoring import logs
from .notifications.mail import NotSent
from .views import errors, health

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


def proxies(get_response: GetResponse) -> GetResponse:
    """Trust X-Forwarded-For and -Proto as far as our own PROXY_COUNT proxies have written them.

    Each proxy appends on the right, so the n-th entry from the right is what the outermost of our own
    proxies saw. Everything left of it may be forged.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        if count := settings.PROXY_COUNT:
            if address := nth_from_right(request.META.get("HTTP_X_FORWARDED_FOR", ""), count):
                request.META["REMOTE_ADDR"] = address
            scheme = nth_from_right(request.META.get("HTTP_X_FORWARDED_PROTO", ""), count)
            if scheme in {"http", "https"}:
                request.META["wsgi.url_scheme"] = scheme
        return get_response(request)

    return middleware


def nth_from_right(header: str, count: int) -> str:
    """The n-th entry from the right; the leftmost if there are fewer; empty if there is none."""
    entries = [entry.strip() for entry in header.split(",") if entry.strip()]
    return entries[-min(count, len(entries))] if entries else ""


def one_loopback_host(get_response: GetResponse) -> GetResponse:
    """On a developer's machine, redirect 127.0.0.1 to localhost (or to the host of SITE_URL).

    Cookies belong to a host name: a user who starts under one and returns under the other would be
    signed out.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        host = split_domain_port(request.get_host())[0].strip("[]")
        other_name = is_loopback(host) and host != settings.SITE_HOST
        if settings.LOOPBACK and other_name and request.method in {"GET", "HEAD"}:
            return HttpResponseRedirect(settings.SITE_URL + request.get_full_path())
        return get_response(request)

    return middleware


def unsent_mail(get_response: GetResponse) -> GetResponse:
    """A page that says so where a mail did not leave and no form is there to say it."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        return get_response(request)

    def process_exception(request: HttpRequest, exception: Exception) -> HttpResponseBase | None:
        return errors.unsent_mail(request, exception) if isinstance(exception, NotSent) else None

    middleware.process_exception = process_exception  # type: ignore[attr-defined]
    return middleware
