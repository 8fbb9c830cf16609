"""People with a second factor: an authenticator app whose codes the tests know, and recovery codes."""

from __future__ import annotations

import re
import time

from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value
from django.test import Client
from django.urls import reverse

from onboarding.models import User
from tests.support.codes import LOGIN, newest_code

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
STEP, STILL_YOU = reverse("mfa_authenticate"), reverse("mfa_reauthenticate")
PERIOD = 30  # seconds


def app_code(secret: str = SECRET, *, periods: int = 0) -> str:
    """What the app shows now, or some periods of 30 seconds later."""
    return str(format_hotp_value(hotp_value(secret, int(time.time()) // PERIOD + periods)))


def wrong_code(number: int = 0, secret: str = SECRET) -> str:
    """A code that the app shows in none of these minutes, another one for each number."""
    near = {app_code(secret, periods=each) for each in range(-4, 5)}
    return [f"{code:06}" for code in range(100) if f"{code:06}" not in near][number]


def add_app(user: User) -> None:
    TOTP.activate(user, SECRET)


def add_recovery_codes(user: User, *, saved: bool = True) -> list[str]:
    codes = RecoveryCodes.activate(user)
    if saved:
        codes.mark_as_viewed()
    return list(codes.generate_codes())


def enter_mailed_code(client: Client, email: str, *, to: str = "") -> str:
    """The first step; where it leads."""
    client.get(LOGIN)  # which tells this browser from others
    client.post(LOGIN, {"email": email, **({"next": to} if to else {})})
    answer = client.post(f"{LOGIN}code/confirm/", {"code": newest_code()})
    return str(answer.headers["Location"])


def sign_in(client: Client, user: User) -> None:
    """Both steps, with the app."""
    assert enter_mailed_code(client, user.email) == STEP
    client.post(STEP, {"code": app_code()})
    assert "_auth_user_id" in client.session


def kinds_of(user: User) -> list[str]:
    return [str(each) for each in _rows(user).values_list("type", flat=True).order_by("type")]


def _rows(user: User):  # type: ignore[no-untyped-def]  # allauth has no types
    return Authenticator.objects.filter(user=user)


def shown_secret(html: str) -> str:
    """The secret that the page of the app shows as text."""
    found = re.search(r"<code>([A-Z2-7 ]{32,})</code>", html)
    assert found, html
    return found[1].replace(" ", "")


def shown_codes(html: str) -> list[str]:
    return re.findall(r"<code>(\d{8})</code>", html)
