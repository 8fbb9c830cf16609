"""What happens to every request: a reference to quote, proxies believed or not, one host name."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.http.request import split_domain_port

from vendors.http.urls import is_loopback

from .monitoring import logs
from .views import health

GetResponse = Callable[[HttpRequest], HttpResponseBase]


def reference(get_response: GetResponse) -> GetResponse:
    """Gives each request a reference: `request.reference`, X-Request-Reference, every log line.

    Django logs a 404 after the middleware is done, so `forget` ends it when the answer is sent.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        found = logs.new_reference()
        request.reference = found  # type: ignore[attr-defined]
        logs.reference.set(found)
        response = get_response(request)
        response["X-Request-Reference"] = found
        return response

    return middleware


def machines(get_response: GetResponse) -> GetResponse:
    """Answers load balancers and monitoring, who ask by IP address and in plain http."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        view = health.view_of(request.path_info)
        return view(request) if view else get_response(request)

    return middleware


def proxies(get_response: GetResponse) -> GetResponse:
    """Believes X-Forwarded-For and -Proto as far as PROXY_COUNT proxies have written them.

    Each proxy appends to the right, so the n-th entry from the right is what the outermost of our
    own proxies saw; what stands left of it anybody may have invented.
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
    """The n-th entry from the right; the leftmost when there are fewer; empty when none."""
    entries = [entry.strip() for entry in header.split(",") if entry.strip()]
    return entries[-min(count, len(entries))] if entries else ""


def one_loopback_host(get_response: GetResponse) -> GetResponse:
    """On a developer's machine sends 127.0.0.1 to localhost (or what SITE_URL says).

    Cookies belong to a host name: a merchant who starts under one and returns under the other
    would be signed out.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        host = split_domain_port(request.get_host())[0].strip("[]")
        elsewhere = is_loopback(host) and host != settings.SITE_HOST
        if settings.LOOPBACK and elsewhere and request.method in {"GET", "HEAD"}:
            return HttpResponseRedirect(settings.SITE_URL + request.get_full_path())
        return get_response(request)

    return middleware
