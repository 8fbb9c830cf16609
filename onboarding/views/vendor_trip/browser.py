"""The cookie that tells browsers apart: a return is taken from the browser that left for the vendor."""

from __future__ import annotations

import re
from datetime import timedelta

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.utils.crypto import get_random_string

from onboarding.models.connections import ATTEMPT_DAYS

COOKIE = f"{settings.COOKIE_PREFIX}browser"
LENGTH = 43  # 256 bits of letters and digits


def cookie_of(request: HttpRequest) -> str:
    """The value that this browser has brought; "" without one of ours."""
    value = request.COOKIES.get(COOKIE, "")
    return value if re.fullmatch(rf"[A-Za-z0-9]{{{LENGTH}}}", value) else ""


def ensure(request: HttpRequest) -> str:
    """The value of this browser, a new one if it has none. `remember` sends it."""
    if not cookie_of(request):
        request.COOKIES[COOKIE] = get_random_string(LENGTH)
    return request.COOKIES[COOKIE]


def remember(request: HttpRequest, response: HttpResponseBase) -> None:
    """Keep the cookie for as long as a return is taken: the days of an attempt, from now on."""
    response.set_cookie(
        COOKIE,
        ensure(request),
        max_age=timedelta(days=ATTEMPT_DAYS),
        secure=settings.HTTPS,
        httponly=True,
        samesite="Lax",
    )
