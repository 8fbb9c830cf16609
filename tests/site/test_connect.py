"""From the catalogue to the vendor: choose the business, read the check page, and leave."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import pytest
from django.urls import reverse
from django.utils import timezone
from pytest_django.fixtures import Settings

from onboarding.models import Connection, Connector, Merchant
from tests.support.people import People, business, person
from tests.support.scripted import Scripted, offered
from tests.support.visit import LINK, OPEN, browser, offer, start_attempt, visible_text
from vendors.contract import Question, Unavailable, text

pytestmark = [pytest.mark.both, pytest.mark.usefixtures("inline_executor")]


@dataclass(frozen=True)
class Asking(Scripted):
    """Wants to know something before the merchant leaves."""

    slug: ClassVar[str] = "scripted"

    def questions(self, connector: str) -> tuple[Question, ...]:
        sizes = (("s", text("Small")), ("l", text("Large")))
        return (Question(key="size", label=text("How large is it?"), choices=sizes),)


def page(people: People) -> str:
    return reverse("connect", args=[people.acme.reference, offer().slug])


def test_the_connector_chosen_before_signing_in_is_kept(people: People, scripted: Scripted) -> None:
    go = reverse("go", args=[offer().slug])
    assert browser().get(go)["Location"] == f"{reverse('account_login')}?next={go}"
    assert browser(people.alice).get(go)["Location"] == page(people)


def test_a_newcomer_names_a_business_and_goes_on(people: People, scripted: Scripted) -> None:
    dora, go = browser(person("dora@example.org", "Dora")), reverse("go", args=[offer().slug])
    welcome = dora.get(go)["Location"]
    assert "What is your business called?" in visible_text(dora.get(welcome))
    assert dora.post(welcome, {"name": "Dora’s", "next": go})["Location"] == go
    merchant = Merchant.objects.get(name="Dora’s")
    assert merchant.memberships.get().role == "owner"
    assert merchant.reference in dora.get(go)["Location"]


def test_pressed_twice_a_business_is_made_once(people: People) -> None:
    dora = browser(person("dora@example.org", "Dora"))
    for _ in range(2):
        dora.post(reverse("welcome"), {"name": "Dora’s"})
    assert Merchant.objects.filter(name="Dora’s").count() == 1


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example/", "javascript:x"])
def test_naming_a_business_leads_nowhere_else(people: People, target: str) -> None:
    response = browser(people.alice).post(reverse("welcome"), {"name": "Acme", "next": target})
    assert response["Location"] == people.acme.get_absolute_url()


def test_who_has_several_businesses_chooses_one(people: People, scripted: Scripted) -> None:
    business("Second", owner=people.alice)
    response = browser(people.alice).get(reverse("go", args=[offer().slug]))
    assert {"Acme", "Second"} <= set(visible_text(response).split())
    assert page(people) in response.content.decode()
    assert "Second" in visible_text(browser(people.alice).get(reverse("shops")))


def test_the_check_page_says_what_is_shared_and_what_opens(
    people: People, scripted: Scripted
) -> None:
    said = visible_text(browser(people.alice).get(page(people)))
    for expected in (
        scripted.summary,
        *scripted.shared_data,
        "vendor.example",
        "Continue to Scripted",
    ):
        assert str(expected) in said
    assert scripted.calls == []


def test_continue_leaves_for_the_vendor_at_once(people: People, scripted: Scripted) -> None:
    scripted.script.append(OPEN)
    response = browser(people.alice).post(page(people), {"name": "eBay"})
    assert (response.status_code, response["Location"]) == (303, LINK)
    assert response["Referrer-Policy"] == "no-referrer"
    assert "no-store" in response["Cache-Control"]


def test_a_vendor_that_does_not_answer_leads_to_our_page(
    people: People, scripted: Scripted
) -> None:
    attempt = start_attempt(people, scripted, Unavailable())
    response = browser(people.alice).get(attempt.get_absolute_url())
    assert "Scripted is not answering" in visible_text(response)
    assert "Next try" in visible_text(response)


def test_a_name_is_proposed_that_is_free(people: People, scripted: Scripted) -> None:
    for number in ("", " 2"):
        start_attempt(people, scripted, OPEN, name=f"Scripted SHOP{number}")
    assert 'value="scripted shop 3"' in browser(people.alice).get(page(people)).content.decode()


def test_a_name_in_use_is_an_error_at_its_field(people: People, scripted: Scripted) -> None:
    attempt = start_attempt(people, scripted, OPEN, name="eBay")
    Connection.objects.filter(pk=attempt.connection_id).update(shop_id="1")
    response = browser(people.alice).post(page(people), {"name": "ebay"})
    assert "already have a shop called “ebay”" in visible_text(response)
    assert 'href="#id_name"' in response.content.decode()
    assert Connection.objects.count() == 1


def test_questions_of_the_vendor_are_asked_and_judged(people: People, settings: Settings) -> None:
    vendor = Asking()
    settings.VENDORS = offered(vendor)
    alice = browser(people.alice)
    wrong = alice.post(page(people), {"name": "Mine", "answer_size": "xxl"})
    assert "Choose an answer: How large is it?" in visible_text(wrong)
    assert 'value="Mine"' in wrong.content.decode()
    vendor.script.append(OPEN)
    assert alice.post(page(people), {"name": "Mine", "answer_size": "l"}).status_code == 303
    assert vendor.last.answers == {"size": "l"}


@pytest.mark.parametrize(
    "change", [{"visible": False}, {"gone": timezone.now()}, {"vendor": "switched-off"}]
)
def test_what_is_not_offered_cannot_be_connected(
    people: People, scripted: Scripted, change: dict[str, Any]
) -> None:
    connector = offer()
    Connector.objects.update(**change)
    address = reverse("connect", args=[people.acme.reference, connector.slug])
    assert browser(people.alice).post(address, {"name": "x"}).status_code == 404
    assert not Connection.objects.exists()


def test_a_leaving_form_may_lead_to_vendors_and_no_other_may(
    people: People, scripted: Scripted, settings: Settings
) -> None:
    settings.VENDORS = offered(Scripted(host="127.0.0.1:8001"))
    policy = browser(people.alice).get(page(people))["Content-Security-Policy"]
    assert "form-action 'self' https: http://127.0.0.1:*;" in policy + ";"
    elsewhere = browser(people.alice).get(reverse("welcome"))["Content-Security-Policy"]
    assert "form-action 'self';" in elsewhere + ";"


@pytest.mark.parametrize(
    ("opens", "says"),
    [
        ("same-tab", "in this tab."),
        ("new-tab", "in a new tab; this one stays open."),
        ("nothing", "What comes next Next you install an app on Scripted, in a new tab."),
    ],
)
def test_the_check_page_says_what_opens(
    people: People, scripted: Scripted, monkeypatch: pytest.MonkeyPatch, opens: str, says: str
) -> None:
    monkeypatch.setattr(Scripted, "opens", opens)
    step = text("Next you install an app on Scripted, in a new tab.")
    monkeypatch.setattr(Scripted, "next_step", step)
    path = reverse("connect", args=[people.acme.reference, offer().slug])
    assert says in visible_text(browser(people.alice).get(path))
