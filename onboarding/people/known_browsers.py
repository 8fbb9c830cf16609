"""Known browsers: where somebody has signed in before. Strangers cannot use up their limits.

A cookie names the browser, and the people who have signed in there, each with a keyed hash of the browser,
the person and their factors: a new password or passkey, or a reset by staff, makes every other browser a
stranger's. Nobody is signed in by this cookie.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import TypedDict

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponseBase
from django.utils.crypto import constant_time_compare, salted_hmac

from onboarding.models import User

GetResponse = Callable[[HttpRequest], HttpResponseBase]
SALT = "onboarding.people.known_browsers"
LASTS = 180 * 24 * 3600  # seconds
PEOPLE = 5  # who share a browser; the one who signed in longest ago is forgotten first
MARKED = "becomes_known_to"  # attribute of a request


class Contents(TypedDict):
    """Of the cookie: an id for the browser, and a hash by each person's key."""

    browser: str
    people: dict[str, str]


def id_for(request: HttpRequest, email: str) -> str:
    """The id of this browser, if the owner of this address has signed in there before; else empty."""
    contents = _read(request)
    if not contents["people"]:
        return ""
    addresses = EmailAddress.objects.filter(user__in=contents["people"], user__is_active=True)
    confirmed = addresses.filter(verified=True).select_related("user")
    # Compared here: what was typed may be no address, and no text that a database takes.
    owner = next((each.user for each in confirmed if each.email == email.lower()), None)
    if not owner:
        return ""
    known = constant_time_compare(contents["people"][str(owner.pk)], _hash(contents, owner))
    return contents["browser"] if known else ""


def mark(request: HttpRequest, user: User) -> None:
    """The answer to this request makes the browser known to this user."""
    setattr(request, MARKED, user)


def middleware(get_response: GetResponse) -> GetResponse:
    """Set the cookie where somebody has signed in, or has changed how they do."""

    def inner(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        if user := getattr(request, MARKED, None):
            user.refresh_from_db(fields=["password"])
            _write(response, _with(_read(request), user))
        return response

    return inner


def _read(request: HttpRequest) -> Contents:
    found = request.COOKIES.get(settings.KNOWN_COOKIE_NAME, "")
    try:
        contents: Contents = signing.loads(found, salt=SALT, max_age=LASTS)
    except signing.BadSignature:
        return {"browser": secrets.token_urlsafe(16), "people": {}}
    return contents


def _with(contents: Contents, user: User) -> Contents:
    others = {key: each for key, each in contents["people"].items() if key != str(user.pk)}
    newest = dict(list(others.items())[1 - PEOPLE :])
    return {**contents, "people": {**newest, str(user.pk): _hash(contents, user)}}


def _hash(contents: Contents, user: User) -> str:
    """Changes with the user's factors."""
    factors = Authenticator.objects.filter(user=user)
    factors = factors.exclude(type=Authenticator.Type.RECOVERY_CODES)
    keys = sorted(factors.values_list("pk", flat=True))
    text = "\n".join(map(str, [contents["browser"], user.pk, user.password, *keys]))
    return salted_hmac(SALT, text, algorithm="sha256").hexdigest()[:40]


def _write(response: HttpResponseBase, contents: Contents) -> None:
    response.set_cookie(
        settings.KNOWN_COOKIE_NAME,
        signing.dumps(contents, salt=SALT),
        max_age=LASTS,
        secure=settings.HTTPS,
        httponly=True,
        samesite="Lax",
    )
