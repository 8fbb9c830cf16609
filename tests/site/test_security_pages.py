"""Passwords, further addresses and passkeys: optional, on pages like all others."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.core.cache import cache
from django.test import Client

from onboarding.models import User

ANNA = "anna@shop.example"
EIGHT_LETTERS = "[A-Z]{4}-[A-Z]{4}"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def fresh_limits() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def known() -> User:
    user = User.objects.create_user(ANNA)
    EmailAddress.objects.create(user=user, email=ANNA, verified=True, primary=True)
    return user


def code(pattern: str) -> str:
    """The code in the newest mail, alone on its line."""
    found = re.search(f"^{pattern}$", str(mail.outbox[-1].body), re.MULTILINE)
    assert found, mail.outbox[-1].body
    return found.group()


def signed_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def test_a_password_works_for_those_who_set_one(client: Client, known: User) -> None:
    known.set_password("a long enough phrase")
    known.save()
    page = "/accounts/login/password/?next=/connect/ebay/"
    response = client.post(page, {"login": ANNA, "password": "a long enough phrase"})
    assert response.headers["Location"] == "/connect/ebay/"
    assert signed_in(client)


def test_a_wrong_password_names_the_way_with_a_code(client: Client, known: User) -> None:
    html = client.post("/accounts/login/password/", {"login": ANNA, "password": "x"})
    assert "do not match" in html.content.decode()
    assert "Send me a code instead" in html.content.decode()


def test_a_signed_in_user_sets_a_password_and_adds_an_address(client: Client, known: User) -> None:
    client.force_login(known)
    phrase = {"password1": "a long enough phrase", "password2": "a long enough phrase"}
    assert client.post("/accounts/password/set/", phrase).headers["Location"] == "/accounts/2fa/"
    client.post("/accounts/email/", {"action_add": "", "email": "second@shop.example"})
    client.post("/accounts/confirm-email/", {"code": code(EIGHT_LETTERS)})
    assert EmailAddress.objects.get(email="second@shop.example").verified


def test_a_forgotten_password_is_reset_by_a_code(client: Client, known: User) -> None:
    known.set_password("an old long phrase")
    known.save()
    client.post("/accounts/password/reset/", {"email": ANNA})
    client.post("/accounts/password/reset/confirm/", {"code": code(EIGHT_LETTERS)})
    phrase = {"password1": "a new long phrase", "password2": "a new long phrase"}
    client.post("/accounts/password/reset/complete/", phrase)
    assert signed_in(client)
    assert User.objects.get().check_password("a new long phrase")


@pytest.mark.parametrize(
    "path", ["2fa/", "2fa/webauthn/", "2fa/webauthn/add/", "email/", "password/set/", "logout/"]
)
def test_every_page_about_signing_in_is_ours(client: Client, known: User, path: str) -> None:
    client.force_login(known)
    html = client.get(f"/accounts/{path}").content.decode()
    assert 'class="site-header"' in html
    assert html.count("<h1") == 1
    assert " style=" not in html
