"""A form whose CSRF token had gone stale: what was typed is there again, for our own forms alone."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from onboarding.models import Merchant, User
from tests.support.people import People, person
from tests.support.scripted import Scripted
from tests.support.visit import browser, offer, visible_text

pytestmark = pytest.mark.usefixtures("inline_executor")
OURS = {"Origin": "http://localhost"}
FOREIGN = [
    {}, {"Origin": "https://evil.example"}, {"Origin": "null"}, {"Referer": "https://evil.example/"},
    {"Referer": "http://["}, {"Origin": "https://evil.example", "Referer": "http://localhost/"},
    {"Origin": "http://localhost.evil.example"}, {"Referer": "http://localhost@evil.example/"},
    {"Origin": "http://localhost:81"},
]  # fmt: skip


@pytest.fixture
def dora(transactional_db: None) -> User:
    return person("dora@example.org", "Dora")


def stale(user: User, path: str, form: dict[str, Any], **headers: str) -> tuple[Client, Any]:
    """Send a form with the token of before the sign-in."""
    client = browser(user, strict=True)
    client.get("/")
    return client, client.post(path, {**form, "csrfmiddlewaretoken": "x" * 64}, headers=headers)


def fields(page: Any) -> dict[str, str]:
    """Of the form in the page; the choice of a language is below it."""
    own = page.content.decode().partition("</main>")[0]
    inputs = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)"', own)
    return {name: html.unescape(value) for name, value in inputs}


@pytest.mark.parametrize("header", [OURS, {"Referer": "http://localhost/welcome/"}])
def test_what_was_typed_is_sent_again_with_one_button(dora: User, header: dict[str, str]) -> None:
    client, page = stale(
        dora, reverse("welcome"), {"name": 'Dora’s <"Shop">', "next": ""}, **header
    )
    assert page.status_code == 403
    assert 'You entered: Dora’s <"Shop">' in visible_text(page)
    assert "You are signed in as dora@example.org." in visible_text(page)
    again = client.post(reverse("welcome"), fields(page), headers=header)
    assert Merchant.objects.get().name == 'Dora’s <"Shop">'
    assert again["Location"] == Merchant.objects.get().get_absolute_url()


@pytest.mark.parametrize("header", FOREIGN)
def test_what_another_site_sends_gets_no_button(dora: User, header: dict[str, str]) -> None:
    _, page = stale(dora, reverse("welcome"), {"name": "Dora’s"}, **header)
    assert page.status_code == 403
    assert "Dora’s" not in page.content.decode()
    assert "This page was open for too long" in visible_text(page)


def test_no_secret_is_shown_again(dora: User) -> None:
    form = {
        "name": "Shop", "password": "s3cret", "password1": "s3cret", "code": "s3cret",
        "answer_api_key": "s3cret", "answer_door_code": "s3cret", "credential": "s3cret",
        "token": "s3cret", "Client_Secret": "s3cret",
    }  # fmt: skip
    _, page = stale(dora, reverse("welcome"), form, **OURS)
    assert "s3cret" not in page.content.decode()
    assert set(fields(page)) == {"name", "csrfmiddlewaretoken"}
    assert "We do not keep passwords and codes." in visible_text(page)


def test_the_button_may_lead_to_the_vendor(people: People, scripted: Scripted) -> None:
    check = reverse("connect", args=[people.acme.reference, offer().slug])
    _, page = stale(people.alice, check, {"name": "My shop"}, **OURS)
    assert "form-action 'self' https:" in page["Content-Security-Policy"]


def test_fields_with_several_values_keep_all_of_them(dora: User) -> None:
    _, page = stale(dora, reverse("welcome"), {"name": ["a", "b"], "ids": ["1", "2"]}, **OURS)
    assert page.content.decode().count('name="ids"') == 2
