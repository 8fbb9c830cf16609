"""Error pages (400, 403, 404, 500, CSRF, unsent mail): what happened, what to do, a reference to quote."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template import loader

from onboarding.notifications.mail import AddressRefused, NotSent


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return render(request, "400.html", status=400)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    return render(request, "403.html", status=403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return render(request, "404.html", status=404)


def server_error(request: HttpRequest) -> HttpResponse:
    """Rendered without context processors and the database: they may be what is broken."""
    context: dict[str, object] = {
        "brand_name": settings.BRAND_NAME,
        "support_email": settings.SUPPORT_EMAIL,
        "reference": getattr(request, "reference", ""),
    }
    return HttpResponse(loader.get_template("500.html").render(context), status=500)


def unsent_mail(request: HttpRequest, exception: NotSent) -> HttpResponse:
    """A mail that the page needs, such as one with a code, could not be sent."""
    refused = isinstance(exception, AddressRefused)
    status = 422 if refused else 503
    return render(request, "unsent_mail.html", {"refused": refused}, status=status)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """The CSRF check failed: the form was open too long, or somebody signed in in another tab."""
    return render(request, "csrf.html", status=403)
