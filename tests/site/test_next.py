"""`next`: a request may say where to go on, but only to a page of this site."""

from __future__ import annotations

import re

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse

from onboarding.local_paths import is_local_path
from onboarding.people.sign_in import AFTER_ADDRESS, NEXT
from tests.support.people import People, person
from tests.support.visit import browser

NO_PAGE = [
    "foo", "account_email", "admin:index", "//evil.example/", "///evil.example/", "/\\evil.example",
    "\\\\evil.example", "https:evil.example", "https://evil.example/", "HTTPS:/evil.example",
    "javascript:alert(1)", "data:text/html,x", "/shops/\r\nSet-Cookie: a=b", "/shops/\0", "/\t/evil.example",
    " /shops/", "/shops/ x", "/shops/%0d%0aSet-Cookie:%20a=b/", "/%2f/evil.example", "/../evil/", ".", "..",
    "/shops", "/nowhere/", "/" + "x" * 10_000, "/shops/?" + "x" * 10_000, "?next=/shops/", "#", "\ud800",
    "[", "/[", "//[", "/accounts/login/code/confirm", "/shops/\u2028x",
]  # fmt: skip
PAGES = [
    "/",
    "/shops/",
    "/connect/ebay/?q=a%0d%0ab",
    "/go/shop/",
    "/accounts/email/#add",
    "/admin/",
]


def post_only(people: People) -> str:
    return f"/m/{people.acme.reference}/shops/any/resume/"


@pytest.mark.parametrize("target", NO_PAGE)
def test_what_is_no_page_of_this_site_is_no_target(target: str) -> None:
    assert not is_local_path(target)


@pytest.mark.parametrize("target", PAGES)
def test_a_page_of_this_site_is_a_target(target: str) -> None:
    assert is_local_path(target)


@pytest.mark.both
@pytest.mark.parametrize("target", [t for t in NO_PAGE if t != "\ud800"])
def test_a_new_business_leads_to_its_own_page_for_any_other_word(
    people: People, target: str
) -> None:
    dora = browser(person("dora@example.org", "Dora"))
    response = dora.post(reverse("welcome"), {"name": "Dora’s", "next": target})
    assert re.fullmatch(r"/m/[\w-]+/", response["Location"])
    assert dora.get(response["Location"]).status_code == 200


def test_an_address_that_takes_a_form_alone_is_no_target(people: People) -> None:
    alice = browser(people.alice)
    response = alice.post(reverse("welcome"), {"name": "Acme", "next": post_only(people)})
    assert response["Location"] == people.acme.get_absolute_url()


@pytest.mark.parametrize("target", ["foo", "account_email", "https:evil.example", "/nowhere/"])
def test_signing_in_leads_to_the_shops_for_any_other_word(people: People, target: str) -> None:
    client = Client()
    client.post(reverse("account_login"), {"email": "alice@example.org", "next": target})
    response = client.post(reverse("account_confirm_login_code"), {"code": code(), "next": target})
    assert response["Location"] == "/shops/"


def test_signing_out_leads_to_the_start_page_for_any_other_word(people: People) -> None:
    for target in ("foo", "account_email", "//evil.example/"):
        response = browser(people.alice).post(reverse("account_logout"), {"next": target})
        assert response["Location"] == "/"


@pytest.mark.parametrize("stored", ["foo", "account_email", "//evil.example/", 5, None])
def test_what_a_session_remembers_is_checked_again(people: People, stored: object) -> None:
    client = Client()
    client.post(reverse("account_login"), {"email": "alice@example.org"})
    remember(client, NEXT, stored)
    response = client.post(reverse("account_confirm_login_code"), {"code": code()})
    assert response["Location"] == "/shops/"


@pytest.mark.parametrize("stored", ["foo", "//evil.example/"])
def test_a_confirmed_address_leads_to_a_page_of_this_site(people: People, stored: str) -> None:
    alice = browser(people.alice)
    alice.post(reverse("account_email"), {"email": "a2@example.org", "action_add": "1"})
    remember(alice, AFTER_ADDRESS, stored)
    page = reverse("account_email_verification_sent")
    response = alice.post(page, {"code": code(r"\b[A-Z0-9-]{6,9}\b")})
    assert response["Location"] == "/shops/"


def remember(client: Client, name: str, value: object) -> None:
    session = client.session
    session[name] = value
    session.save()


def code(pattern: str = r"\b\d{6}\b") -> str:
    found = re.findall(pattern, str(mail.outbox[-1].body))
    assert found, mail.outbox[-1].body
    return str(found[0])
