"""A person who has asked for a code, for each kind of code: where it is entered, and what follows."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from allauth.account.models import EmailAddress
from django.core import mail
from django.db.models import Q
from django.http import HttpResponse
from django.test import Client

from onboarding.models import RateLimit, User
from tests.support.passkeys import add_passkey

ANNA, SECOND = "anna@shop.example", "second@shop.example"
LOGIN = "/accounts/login/"
ADDRESSES = "/accounts/email/"
RESET = "/accounts/password/reset/"
STILL_YOU = "/accounts/reauthenticate/code/"
PATTERN = re.compile(r"^(\d{6}|[A-Z]{4}-[A-Z]{4})$", re.MULTILINE)
SPENT = "This code no longer works"


def newest_code() -> str:
    """The code in the newest mail, alone on its line."""
    found = PATTERN.search(str(mail.outbox[-1].body))
    assert found, mail.outbox[-1].body
    return found[1]


def forget_mails() -> None:
    """As if the mails that were sent so far had been sent long ago. Guesses stay counted."""
    of_mails = Q(key__startswith="mails:") | Q(key__startswith="just sent:")
    RateLimit.objects.filter(of_mails).delete()


def wrong(code: str, number: int = 0) -> str:
    """A code like this one, and another for each number, but never this one."""
    if code.isdigit():
        return f"{(int(code) + 1 + number) % 1_000_000:06}"
    letters = "BCDFGHJKLMNPQRSTVWXZ"
    return "BBBB-BB" + letters[number // 20 % 20] + letters[number % 20]


def anna() -> User:
    """A user with a confirmed address."""
    user = User.objects.create_user(ANNA)
    EmailAddress.objects.create(user=user, email=ANNA, verified=True, primary=True)
    return user


def signed_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


@dataclass
class Kind:
    """One kind of code, asked for with a form at one address and entered on a page."""

    name: str
    page: str
    asking: str
    form: dict[str, str]
    worked: Callable[[Client], bool]
    prepare: Callable[[Client, User], None] = field(default=lambda client, user: None)

    def ask(self, client: Client) -> HttpResponse:
        return posted(client, self.asking, self.form)

    def enter(self, client: Client, code: str) -> HttpResponse:
        return posted(client, self.page, {"code": code})

    def __str__(self) -> str:
        return self.name


def posted(client: Client, path: str, form: dict[str, str]) -> HttpResponse:
    response = client.post(path, form)
    assert isinstance(response, HttpResponse)
    return response


def _sign_in_and_lose_passkey(client: Client, user: User) -> None:
    add_passkey(user)
    client.force_login(user, "allauth.account.auth_backends.AuthenticationBackend")


def _sign_in(client: Client, user: User) -> None:
    client.force_login(user, "allauth.account.auth_backends.AuthenticationBackend")


def _confirmed(client: Client) -> bool:
    return bool(EmailAddress.objects.filter(email=SECOND, verified=True).exists())


def _may_set_password(client: Client) -> bool:
    return bool(client.session.get("account_password_reset_verification", {}).get("code_confirmed"))


def _known_again(client: Client) -> bool:
    records = client.session.get("account_authentication_methods", [])
    return any(record.get("reauthenticated") for record in records)


KINDS = [
    Kind("sign-in", f"{LOGIN}code/confirm/", LOGIN, {"email": ANNA}, signed_in),
    Kind(
        "address",
        "/accounts/confirm-email/",
        ADDRESSES,
        {"action_add": "", "email": SECOND},
        _confirmed,
        _sign_in,
    ),
    Kind("new password", f"{RESET}confirm/", RESET, {"email": ANNA}, _may_set_password),
    Kind("still you", STILL_YOU, STILL_YOU, {"send": ""}, _known_again, _sign_in_and_lose_passkey),
]


def press(client: Client, page: HttpResponse, label: str) -> HttpResponse:
    """Press the button with this label: its form's fields, and the button's own name.

    A form without an action goes to its own page.
    """
    there = re.findall(r"<form\b.*?</form>", page.content.decode(), re.DOTALL)
    form = next(each for each in there if label in each)
    asked = page.request  # type: ignore[attr-defined]  # set by the test client
    here = f"{asked['PATH_INFO']}?{asked.get('QUERY_STRING', '')}"
    [action] = re.findall(r'<form[^>]*action="([^"]*)"', form) or [here]
    fields = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form))
    names = re.findall(r'<button[^>]*name="([^"]+)"', form)
    return posted(client, action, fields | dict.fromkeys(names, ""))
