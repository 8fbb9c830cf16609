"""An exported document as a file, and its entry in the security log."""

from __future__ import annotations

import json

from django.http import HttpRequest, HttpResponse
from django.utils.text import slugify

from onboarding.models import Merchant, SecurityEvent, User
from onboarding.monitoring import security_log

from . import export

KIND = SecurityEvent.Kind.DATA_EXPORTED


def of_person(request: HttpRequest, user: User) -> HttpResponse:
    security_log.record(KIND, request, user=user, detail="person")
    return _file(export.person(user), f"person-{user.pk}")


def of_business(request: HttpRequest, merchant: Merchant) -> HttpResponse:
    security_log.record(KIND, request, merchant=merchant, detail="business")
    name = slugify(merchant.name) or "business"
    return _file(export.business(merchant), f"{name}-{merchant.reference}")


def as_text(document: export.Json) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False)


def _file(document: export.Json, name: str) -> HttpResponse:
    """Its name has no email address: file names end up in lists of downloads and backups."""
    response = HttpResponse(as_text(document), content_type="application/json; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}.json"'
    response["Cache-Control"] = "no-store"
    return response
