"""Asking for a shop system that is not offered: the board, its limits, and one mail when it is."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django.fixtures import Settings

from onboarding.background import retention, schedule
from onboarding.catalogue import requests
from onboarding.models import ConnectorRequest
from onboarding.rights import erasure, export
from tests.support.people import People, connector
from tests.support.scripted import Scripted
from tests.support.staff import listed, page_text, staff_client
from tests.support.still_you import asks
from tests.support.visit import browser, visible_text

pytestmark = pytest.mark.usefixtures("scripted", "db")
ASK = reverse("ask")


def ask(
    client: Client | None = None, name: str = "Oxid", email: str = "new@example.org", **more: str
) -> Any:  # a response of Django's test client
    form = {"name": name, "email": email, **more}
    return (client or browser()).post(ASK, form, follow=True)


def offer_it(platform: str = "oxid", name: str = "OXID eShop") -> None:
    connector("scripted", platform, vendor_name=name, platform=platform)


# -- asking --------------------------------------------------------------------------------------


def test_asking_notes_it_and_says_how_many_others_did() -> None:
    first = visible_text(ask(country="Germany"))
    assert "We’ll email you when you can connect “Oxid”. You are the first to ask." in first
    assert "1 other person has asked, too." in visible_text(ask(email="second@example.org"))
    row = ConnectorRequest.objects.earliest("pk")
    assert (row.name, row.key, row.email) == ("Oxid", "oxid", "new@example.org")
    assert (row.country, row.user) == ("Germany", None)


def test_other_spellings_are_the_same_request() -> None:
    for name in ("Oxid", "OXID eShop", "oxid-eshop", "Oxid 6"):
        ask(name=name)
    assert ConnectorRequest.objects.count() == 1
    said = visible_text(browser().get(reverse("catalogue") + "?q=oxid eshop"))
    assert "1 person has asked for “oxid eshop”." in said
    assert "1 person has asked for “OXID” so far." in visible_text(
        browser().get(f"{ASK}?name=OXID")
    )


def test_who_is_signed_in_finds_their_address_there(people: People) -> None:
    alice = browser(people.alice)
    assert 'value="alice@example.org"' in alice.get(f"{ASK}?name=Oxid").content.decode()
    ask(alice, email="alice@example.org")
    assert ConnectorRequest.objects.get().user == people.alice


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"name": ""}, "Enter the name of your shop system."),
        ({"name": "…!"}, "Enter the name of your shop system."),
        ({"name": "https://spam.example"}, "Leave out web addresses"),
        ({"name": "x" * 101}, "Use at most 100 characters."),
        ({"email": "nobody"}, "Enter an email address such as"),
        ({"country": "x" * 61}, "Use at most 60 characters."),
    ],
)
def test_a_wrong_form_says_what_is_wrong(form: dict[str, str], error: str) -> None:
    filled_in = {"name": "Oxid", "email": "new@example.org", **form}
    assert error in visible_text(browser().post(ASK, filled_in))
    assert not ConnectorRequest.objects.exists()


def test_what_is_offered_is_not_asked_for() -> None:
    offer_it()
    assert "You can connect OXID eShop now." in visible_text(browser().get(f"{ASK}?name=Oxid"))
    response = browser().post(ASK, {"name": "Oxid", "email": "new@example.org"})
    assert response["Location"] == "/connect/oxid/"
    assert not ConnectorRequest.objects.exists()


def test_nobody_fills_the_table_or_an_inbox(settings: Settings) -> None:
    few = settings.LOOPBACK_LIMITS["requests"] | {"ip": "3/h"}
    settings.LOOPBACK_LIMITS = settings.LOOPBACK_LIMITS | {"requests": few}
    answers = [ask(name=f"System {n}", email=f"{n}@example.org") for n in range(5)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
    assert ConnectorRequest.objects.count() == 3


def test_an_address_is_entered_ten_times_a_day_however_it_is_spelt(settings: Settings) -> None:
    spelt = ["new@gmail.com", "n.ew@gmail.com", "new+tag@gmail.com"]
    wide = {"address": settings.LOOPBACK_LIMITS["requests"]["address"]}
    settings.LOOPBACK_LIMITS = settings.LOOPBACK_LIMITS | {"requests": wide}
    answers = [ask(name=f"System {n}", email=spelt[n % 3]) for n in range(12)]
    assert [answer.status_code for answer in answers] == [200] * 10 + [429] * 2


# -- when it is offered --------------------------------------------------------------------------


@pytest.mark.both
def test_everybody_who_asked_is_mailed_once_with_the_link() -> None:
    ask(email="a@example.org"), ask(name="OXID eShop", email="b@example.org")
    ask(name="Gambio", email="c@example.org")
    schedule.mail()
    assert not mail.outbox
    offer_it()
    schedule.mail()
    schedule.mail()
    assert sorted(message.to[0] for message in mail.outbox) == ["a@example.org", "b@example.org"]
    assert mail.outbox[0].subject == "You can connect OXID eShop now"
    assert "http://localhost/connect/oxid/" in str(mail.outbox[0].body)
    assert "because this address was entered on" in str(mail.outbox[0].body)


def test_another_name_of_it_counts_and_an_address_gets_one_mail() -> None:
    ask(name="Adobe Commerce")
    ask(name="Our Magento fork")
    staff_says("Our Magento fork", "magento")
    offer_it("magento", "Magento")
    schedule.mail()
    assert [message.subject for message in mail.outbox] == ["You can connect Magento now"]
    assert not ConnectorRequest.objects.filter(mailed=None).exists()


def test_what_somebody_typed_is_not_in_the_mail() -> None:
    ask(name="Oxid – win a prize now")
    staff_says("Oxid – win a prize now", "oxid")
    offer_it()
    schedule.mail()
    assert "prize" not in f"{mail.outbox[0].subject}{mail.outbox[0].body}"


def test_who_asks_again_after_the_mail_waits_for_the_next_one() -> None:
    ask()
    ConnectorRequest.objects.update(mailed=timezone.now())
    ask()
    assert ConnectorRequest.objects.get().mailed is None


# -- staff ---------------------------------------------------------------------------------------


def staff_says(name: str, platform: str) -> None:
    row = ConnectorRequest.objects.filter(name=name).earliest("pk")
    page = reverse("admin:onboarding_connectorrequest_change", args=[row.pk])
    assert staff_client().post(page, {"platform": platform}).status_code == 302


@pytest.mark.both
def test_staff_see_the_demand_by_name_and_country() -> None:
    for number, country in enumerate(("Germany", "germany", "Sweden", "")):
        ask(email=f"{number}@example.org", country=country)
    ask(name="Gambio", email="0@example.org")
    shown = page_text(staff_client().get(listed("connectorrequest")))
    assert "Oxid 4 4 Germany 2, Sweden 1 –" in shown.replace("germany", "Germany")
    assert "Gambio 1 1 – –" in shown


def test_what_staff_say_holds_for_all_who_use_that_name() -> None:
    ask(name="Fork", email="a@example.org"), ask(name="fork", email="b@example.org")
    staff_says("Fork", "magento")
    ask(name="FORK", email="c@example.org")
    platforms = ConnectorRequest.objects.values_list("platform", flat=True)
    assert set(platforms) == {"magento"}


def test_staff_delete_a_request_after_they_have_shown_who_they_are() -> None:
    ask()
    row = ConnectorRequest.objects.get()
    page = reverse("admin:onboarding_connectorrequest_delete", args=[row.pk])
    response = staff_client().post(page, {"post": "yes"})
    assert not asks(response)
    assert not ConnectorRequest.objects.exists()


# -- rights --------------------------------------------------------------------------------------


def test_a_persons_requests_are_exported_and_erased(people: People) -> None:
    ask(browser(people.bob), email="other@example.org")
    ask(name="Gambio", email="bob@example.org")
    ask(name="JTL", email="stranger@example.org")
    asked = export.person(people.bob)["shop_systems_asked_for"]
    assert [(row["name"], row["email"]) for row in asked] == [
        ("Oxid", "other@example.org"),
        ("Gambio", "bob@example.org"),
    ]
    erasure.erase(people.bob)
    assert ConnectorRequest.objects.get().name == "JTL"


def test_a_request_is_deleted_when_it_is_old(settings: Settings) -> None:
    for number in range(3):
        requests.ask(f"System {number}", "new@example.org")
    old = timezone.now() - timedelta(days=settings.RETENTION_DAYS + 1)
    first, second, _ = ConnectorRequest.objects.order_by("pk")
    ConnectorRequest.objects.filter(pk=first.pk).update(created=old)
    ConnectorRequest.objects.filter(pk=second.pk).update(mailed=old)
    retention.run()
    assert ConnectorRequest.objects.get().name == "System 2"


def test_a_vendors_silence_keeps_no_mail_back(scripted: Scripted) -> None:
    ask()
    offer_it()
    schedule.mail()
    assert len(mail.outbox) == 1
    assert scripted.calls == []
