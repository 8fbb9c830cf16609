"""Every form and command that asks for an email address follows one rule, on both databases."""

from __future__ import annotations

import html
from collections.abc import Iterator

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings

from onboarding.models import Invitation, User
from onboarding.questions import QuestionsForm, plain
from tests.support.people import People, person
from tests.support.staff import staff_client
from tests.support.visit import browser
from vendors.celigo import licences

pytestmark = [pytest.mark.both, pytest.mark.django_db(transaction=True)]

MESSAGE = "Enter an email address such as name@example.com."
LABEL = "b" * 60
NONE = {
    "255 letters": f"{'k' * 69}@{LABEL}.{LABEL}.{LABEL}.co",
    "300 letters": f"{'k' * 50}@{LABEL}.{LABEL}.{LABEL}.{LABEL}.co",
    "321 letters": f"{'k' * 70}@{LABEL}.{LABEL}.{LABEL}.{LABEL}.co",
    "10,000 letters": f"{'k' * 9_900}@{LABEL}.co",
    "I with a dot": "\u0130pek@example.com",
    "long s": "\u017fam@example.com",
    "Kelvin sign": "\u212aai@example.com",
    "Kelvin sign in the domain": "kai@\u212aiosk.example",
    "full width": "kai@\uff45xample.com",
    "full width at": "kai\uff20example.com",
    "umlaut": "käthe@example.com",
    "Cyrillic a": "k\u0430i@example.com",
    "zero-width space inside": "k\u200bai@example.com",
    "soft hyphen inside": "kai@exam\u00adple.com",
    "NUL": "kai\u0000@example.com",
    "line end": "kai@example.com\r\nBcc: mia@example.com",
    "localhost": "kai@localhost",
    "IP address": "kai@[127.0.0.1]",
    "quoted": '"kai kai"@example.com',
    "no domain": "kai@",
}
odd = pytest.mark.parametrize("typed", NONE.values(), ids=NONE)


@pytest.fixture(autouse=True)
def _public_site(settings: Settings) -> Iterator[None]:
    settings.LOOPBACK = False
    cache.clear()
    yield
    cache.clear()


def refused(client: Client, page: str, field: str, **fields: str) -> None:
    """The message is at the field; nothing was made and nothing was mailed."""
    before = User.objects.count(), EmailAddress.objects.count(), Invitation.objects.count()
    response = client.post(page, fields)
    body = html.unescape(response.content.decode())
    assert response.status_code == 200, body
    assert MESSAGE in body.partition(f'id="id_{field}_error"')[2].partition("</div>")[0]
    assert body.count(MESSAGE) <= 2  # in the summary and at the field
    after = User.objects.count(), EmailAddress.objects.count(), Invitation.objects.count()
    assert (after, mail.outbox) == (before, [])


@odd
def test_signing_in(client: Client, typed: str) -> None:
    refused(client, "/accounts/login/", "email", email=typed)


@odd
def test_signing_in_with_a_password(client: Client, typed: str) -> None:
    refused(client, "/accounts/login/password/", "login", login=typed, password="x")


@odd
def test_a_new_password(client: Client, typed: str) -> None:
    refused(client, "/accounts/password/reset/", "email", email=typed)


@odd
def test_a_further_address(typed: str) -> None:
    client = browser(person("kai@example.org", ""))
    refused(client, "/accounts/email/", "email", action_add="", email=typed)


@odd
def test_an_invitation(people: People, typed: str) -> None:
    page = reverse("invite", args=[people.acme.reference])
    refused(browser(people.alice), page, "email", email=typed, role="member")


@odd
def test_a_user_made_by_staff(people: People, typed: str) -> None:
    users = User.objects.count()
    page = reverse("admin:onboarding_user_add")
    response = staff_client().post(page, {"email": typed, "name": "", "is_active": "on"})
    assert response.status_code == 200
    assert MESSAGE in html.unescape(response.content.decode())
    assert User.objects.count() == users + 1  # who asked


@odd
def test_a_member_of_staff_made_by_command(typed: str) -> None:
    with pytest.raises(CommandError, match="Enter an email address such as"):
        call_command("staff", typed)
    assert not User.objects.exists()


@pytest.mark.parametrize("typed", [NONE[it] for it in ("300 letters", "Kelvin sign", "localhost")])
def test_djangos_own_command_follows_it(typed: str) -> None:
    with pytest.raises(CommandError, match="Enter an email address such as"):
        call_command("createsuperuser", interactive=False, email=typed)
    assert not User.objects.exists()


def test_an_address_that_is_chosen_must_be_on_the_list(people: People) -> None:
    """Questions for an address, such as that of a licence, offer confirmed ones only."""
    question = plain(licences._email_question(["alice@example.org"], ""))
    for typed in ("\u212aai@example.com", "ALICE@example.org", "alice@example.org\u200b"):
        assert not QuestionsForm([question], {"answer_email": typed}).is_valid()
    assert QuestionsForm([question], {"answer_email": "alice@example.org"}).is_valid()


# -- what is taken ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        (" Kai@Example.com ", "kai@example.com"),
        ("kai@example.com\u200b", "kai@example.com"),
        ("\u00a0\ufeffkai@example.com", "kai@example.com"),
        ("kai@BÜCHER.example", "kai@bücher.example"),
        (f"{'k' * 68}@{LABEL}.{LABEL}.{LABEL}.co", f"{'k' * 68}@{LABEL}.{LABEL}.{LABEL}.co"),
    ],
)
def test_the_rest_signs_in(client: Client, typed: str, stored: str) -> None:
    client.post("/accounts/login/", {"email": typed})
    assert [sent.to for sent in mail.outbox] == [[stored]]
    code = mail.outbox[0].subject[:6]
    response = client.post("/accounts/login/code/confirm/", {"code": code})
    assert response.headers["Location"] == "/shops/"
    assert User.objects.get().email == stored == EmailAddress.objects.get(verified=True).email


def test_a_second_try_within_ten_seconds_knows_the_same_address(client: Client) -> None:
    client.post("/accounts/login/", {"email": "kai@example.com"})
    response = client.post("/accounts/login/", {"email": "KAI@example.com\u200b"})
    assert response.headers["Location"] == "/accounts/login/code/confirm/"
    assert len(mail.outbox) == 1


def test_on_a_loopback_site_local_addresses_work(client: Client, settings: Settings) -> None:
    settings.LOOPBACK = True
    client.post("/accounts/login/", {"email": "kai@localhost"})
    call_command("staff", "root@localhost")
    assert {user.email for user in User.objects.all()} == {"kai@localhost", "root@localhost"}
    assert mail.outbox[0].to == ["kai@localhost"]
