"""Whose language a page is in: the person's, then what was chosen in this browser, then what the browser asks
for, then the site's.
"""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.contrib.auth import SESSION_KEY as USER_ID
from django.http import HttpRequest, HttpResponseBase
from django.utils import translation
from django.utils.cache import patch_vary_headers
from django.utils.translation import get_language_from_request

from onboarding.languages import is_offered
from onboarding.models import User

GetResponse = Callable[[HttpRequest], HttpResponseBase]
YEAR = 365 * 24 * 3600  # seconds
WHILE_SIGNING_IN = 15 * 60


def of_browser(get_response: GetResponse) -> GetResponse:
    """The language that this browser has chosen or asks for, from the first page that may be made.

    Each page says in which language it is, and caches keep those of different readers apart.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        _speak(request, get_language_from_request(request))
        response = get_response(request)
        if response.headers.get("Content-Type", "").startswith("text/html"):
            patch_vary_headers(response, ["Accept-Language", "Cookie"])
            response.headers.setdefault("Content-Language", str(request.LANGUAGE_CODE))
        return response

    return middleware


def of_person(get_response: GetResponse) -> GetResponse:
    """The language of whoever is signed in."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        if USER_ID in request.session and isinstance(request.user, User):
            _speak(request, request.user.language)
        return get_response(request)

    return middleware


def _speak(request: HttpRequest, code: str) -> None:
    if is_offered(code):
        translation.activate(code)
        request.LANGUAGE_CODE = code


def choose(request: HttpRequest, response: HttpResponseBase, code: str) -> None:
    """In this browser, and in all of the person's. Whoever is about to sign in keeps what they chose.

    A cookie remembers that for as long as signing in takes: a session would be a row for each stranger.
    """
    _speak(request, code)
    if isinstance(request.user, User):
        keep(request.user, code)
        response.delete_cookie(settings.CHOSEN_COOKIE_NAME, samesite="Lax")
    else:
        _set_cookie(response, settings.CHOSEN_COOKIE_NAME, code, WHILE_SIGNING_IN)
    _set_cookie(response, settings.LANGUAGE_COOKIE_NAME, code, YEAR)


def _set_cookie(response: HttpResponseBase, name: str, code: str, seconds: int) -> None:
    response.set_cookie(
        name,
        code,
        max_age=seconds,
        secure=settings.LANGUAGE_COOKIE_SECURE,
        httponly=settings.LANGUAGE_COOKIE_HTTPONLY,
        samesite="Lax",  # as LANGUAGE_COOKIE_SAMESITE, which has no type
    )


def note_sign_in(request: HttpRequest, user: User) -> None:
    """What was chosen on the way to signing in is the person's; so is the browser's where none is known."""
    keep(user, request.COOKIES.get(settings.CHOSEN_COOKIE_NAME, ""))
    if not user.language:
        keep(user, request.LANGUAGE_CODE)


def keep(user: User, code: str) -> None:
    """The person's language, on pages and in mails."""
    if is_offered(code) and user.language != code:
        user.language = code
        User.objects.filter(pk=user.pk, erased_at=None).update(language=code)
