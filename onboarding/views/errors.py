"""When something goes wrong: what happened, what to do, a reference to quote."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template import loader


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return render(request, "400.html", status=400)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    return render(request, "403.html", status=403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return render(request, "404.html", status=404)


def server_error(request: HttpRequest) -> HttpResponse:
    """Without context processors and the database: they may be what is broken."""
    context: dict[str, Any] = {
        "brand_name": settings.BRAND_NAME,
        "support_email": settings.SUPPORT_EMAIL,
        "reference": getattr(request, "reference", ""),
    }
    return HttpResponse(loader.get_template("500.html").render(context), status=500)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form that was open for too long, or in another tab while somebody signed in."""
    return render(request, "csrf.html", status=403)
