"""Sign-up and sign-in in a browser: one form, one code page, one wording."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine
from allauth.account.models import EmailAddress
from django.core import mail
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from onboarding.models import User

LOGIN = "/accounts/login/"
CODE = "/accounts/login/code/confirm/"
ANNA = "anna@shop.example"

pytestmark = pytest.mark.django_db


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(timezone.now(), tick=False) as coordinates:
        yield coordinates


@pytest.fixture
def known() -> User:
    user = User.objects.create_user(ANNA)
    User.objects.update(last_login=timezone.now() - timedelta(days=1))
    EmailAddress.objects.create(user=user, email=ANNA, verified=True, primary=True)
    return user


def ask(client: Client, email: str = ANNA, **fields: str) -> str:
    """Sends the form; returns where the browser is sent."""
    response = client.post(LOGIN, {"email": email, **fields})
    assert response.status_code == 302, response.content.decode()
    return response.headers["Location"]


def code(which: int = -1) -> str:
    """The code in the newest mail, alone on its line."""
    found = re.search(r"^\d{6}$", str(mail.outbox[which].body), re.MULTILINE)
    assert found, mail.outbox[which].body
    return found.group()


def signed_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def page(client: Client, email: str) -> str:
    """The code page's text, without what differs by nature: the address and the form's token."""
    html = client.get(ask(client, email)).content.decode()
    return re.sub(r'value="[A-Za-z0-9]{64}"', "", html).replace(email, "")


def test_a_new_address_gets_a_code_and_is_signed_in_with_it(client: Client) -> None:
    assert ask(client) == CODE
    response = client.post(CODE, {"code": code()})
    assert (response.status_code, response.headers["Location"]) == (302, "/shops/")
    assert signed_in(client)
    assert EmailAddress.objects.get().verified
    assert not User.objects.get().has_usable_password()


def test_a_known_address_gets_a_code_and_is_signed_in_with_it(client: Client, known: User) -> None:
    ask(client, "Anna@Shop.example")
    client.post(CODE, {"code": code()})
    assert client.session["_auth_user_id"] == str(known.pk)
    assert User.objects.count() == 1


def test_a_half_signed_up_address_just_gets_another_code(
    client: Client, clock: time_machine.Traveller
) -> None:
    ask(Client())
    clock.shift(3600)
    ask(client)
    client.post(CODE, {"code": code()})
    assert signed_in(client)
    assert User.objects.count() == EmailAddress.objects.filter(verified=True).count() == 1


def test_a_user_made_by_staff_without_an_address_row_signs_in_with_one_code(client: Client) -> None:
    User.objects.create_user(ANNA)
    ask(client)
    response = client.post(CODE, {"code": code()})
    assert response.headers["Location"] == "/shops/"
    assert signed_in(client)
    assert len(mail.outbox) == 1


def test_after_a_closed_tab_the_same_address_gets_a_fresh_code(
    client: Client, clock: time_machine.Traveller
) -> None:
    ask(client, next="/connect/ebay/")
    clock.shift(60)
    assert client.get(LOGIN).status_code == 200
    ask(client)
    assert len(mail.outbox) == 2
    response = client.post(CODE, {"code": code()})
    assert response.headers["Location"] == "/connect/ebay/"


def test_a_second_try_within_ten_seconds_goes_to_the_code_page_and_says_so(
    client: Client, clock: time_machine.Traveller
) -> None:
    ask(client)
    sent = code()
    clock.shift(9)
    assert ask(client) == CODE
    assert "We have just sent a code." in client.get(CODE).content.decode()
    assert len(mail.outbox) == 1
    client.post(CODE, {"code": sent})
    assert signed_in(client)


def test_another_browser_gets_a_code_of_its_own_at_once(clock: time_machine.Traveller) -> None:
    first, second = Client(), Client()
    for browser in (first, second):
        browser.get(LOGIN)
        assert ask(browser) == CODE
    second.post(CODE, {"code": code()})
    assert signed_in(second)
    first.post(CODE, {"code": code(-2)})
    assert signed_in(first)


def test_new_known_and_closed_addresses_see_the_same_page(client: Client, known: User) -> None:
    User.objects.create_user("closed@shop.example", is_active=False)
    pages = {page(Client(), a) for a in (ANNA, "new@shop.example", "closed@shop.example")}
    assert len(pages) == 1
    assert ask(Client(), "other@shop.example") == CODE


def test_a_closed_account_gets_no_code(client: Client) -> None:
    User.objects.create_user(ANNA, is_active=False)
    ask(client)
    assert "no open account" in mail.outbox[-1].body
    assert client.post(CODE, {"code": "000000"}).status_code == 200
    assert not signed_in(client)


def test_a_wrong_code_is_an_error_at_the_field_and_the_right_one_still_works(
    client: Client,
) -> None:
    ask(client)
    html = client.post(CODE, {"code": wrong()}).content.decode()
    assert "<title>Error:" in html
    assert 'id="id_code_error"' in html
    client.post(CODE, {"code": f"{code()[:3]} {code()[3:]}"})
    assert signed_in(client)


def wrong() -> str:
    return "111111" if code() != "111111" else "222222"


def test_an_empty_box_costs_no_try(client: Client) -> None:
    ask(client)
    for _ in range(5):
        assert "Enter the code from our email." in client.post(CODE).content.decode()
    client.post(CODE, {"code": code()})
    assert signed_in(client)


def test_the_third_wrong_code_ends_it_and_offers_a_new_one(
    client: Client, clock: time_machine.Traveller
) -> None:
    ask(client, next="/connect/ebay/")
    pages = [client.post(CODE, {"code": wrong()}).content.decode() for _ in range(3)]
    assert "This code no longer works" in pages[-1]
    assert f'name="email" value="{ANNA}"' in pages[-1]
    assert "This code no longer works" in client.post(CODE, {"code": code()}).content.decode()
    assert not signed_in(client)
    clock.shift(11)
    ask(client)
    client.post(CODE, {"code": code()})
    assert signed_in(client)


def test_a_code_ends_after_ten_minutes(client: Client, clock: time_machine.Traveller) -> None:
    ask(client)
    clock.shift(10 * 60 + 1)
    response = client.post(CODE, {"code": code()}, follow=True)
    assert "no longer works" in response.content.decode()
    assert not signed_in(client)


def test_ten_codes_an_hour_are_enough_for_one_address(clock: time_machine.Traveller) -> None:
    for _ in range(10):
        ask(Client(REMOTE_ADDR="192.0.2.1"))
        clock.shift(61)
    response = Client(REMOTE_ADDR="192.0.2.1").post(LOGIN, {"email": ANNA})
    assert response.status_code == 429
    assert "Try again in 50 minutes." in response.content.decode()


def test_an_office_behind_one_address_is_not_locked_out(clock: time_machine.Traveller) -> None:
    for number in range(200):
        assert ask(Client(REMOTE_ADDR="192.0.2.1"), f"user{number}@office.example") == CODE
    refused = Client(REMOTE_ADDR="192.0.2.1").post(LOGIN, {"email": ANNA})
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "60")


@pytest.mark.parametrize("name", ["login", "signup"])
def test_the_connector_chosen_before_is_where_they_land(client: Client, name: str) -> None:
    start = client.get(f"/accounts/{name}/?next=/connect/ebay/", follow=True)
    assert 'name="next" value="/connect/ebay/"' in start.content.decode()
    where = ask(client, next="/connect/ebay/")
    response = client.post(where, {"code": code()})
    assert response.headers["Location"] == "/connect/ebay/"


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"]
)
def test_sign_in_never_redirects_to_another_host(client: Client, target: str) -> None:
    where = ask(client, next=target)
    assert "evil" not in where
    assert client.post(CODE, {"code": code(), "next": target}).headers["Location"] == "/shops/"


def test_the_code_is_in_the_mail_and_nowhere_else(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(0)
    where = ask(client)
    html = client.get(where).content.decode()
    client.post(CODE, {"code": code()})
    assert code() in mail.outbox[0].subject
    assert mail.outbox[0].to == [ANNA]
    assert not [text for text in (where, html, caplog.text) if code() in text]


def test_signing_out_is_a_post(client: Client, known: User) -> None:
    client.force_login(known)
    assert client.get("/accounts/logout/").status_code == 200
    assert signed_in(client)
    assert client.post("/accounts/logout/").headers["Location"] == "/"
    assert not signed_in(client)


def test_a_new_user_keeps_the_language_they_signed_up_in(
    client: Client, settings: Settings
) -> None:
    settings.LANGUAGES = [("en", "English"), ("de", "Deutsch")]
    client.post(LOGIN, {"email": ANNA}, headers={"accept-language": "de"})
    assert User.objects.get().language == "de"
