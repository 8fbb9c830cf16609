"""From the catalogue to the vendor: choose the business, read the check page, and leave."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar

import pytest
from django.urls import reverse
from django.utils import timezone
from pytest_django.fixtures import Settings

from onboarding.models import Connection, Connector, Hop, Merchant, WaitlistEntry
from onboarding.questions import FEW
from tests.support.outages import begin_outage
from tests.support.people import People, business, person
from tests.support.scripted import Scripted, offered
from tests.support.visit import LINK, OPEN, browser, offer, start_attempt, url, visible_text
from vendors.contract import Question, Redirect, Unavailable, text

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
    way = browser().get(reverse("go", args=[offer().slug]))["Location"]
    assert way == f"{reverse('platform', args=[offer().platform])}?way={offer().slug}"
    assert browser(people.alice).get(way)["Location"] == page(people)


def platform() -> str:
    return reverse("platform", args=[offer().platform])


def test_who_is_signed_out_signs_in_on_the_page_and_comes_back(
    people: People, scripted: Scripted
) -> None:
    html = browser().get(platform()).content.decode()
    assert f'action="{reverse("account_login")}"' in html
    assert f'name="next" value="{platform()}"' in html
    assert re.search(r'<input[^>]*type="email"[^>]* autofocus', html)
    assert browser(people.alice).get(platform())["Location"] == page(people)


def test_a_newcomer_names_a_business_and_leaves_with_one_press(
    people: People, scripted: Scripted
) -> None:
    dora = browser(person("dora@team-shop.de", "Dora"))
    html = dora.get(platform()).content.decode()
    assert re.search(
        r'name="business"[^>]* value="Team Shop"|value="Team Shop"[^>]* name="bus', html
    )
    scripted.script.append(OPEN)
    assert dora.post(platform(), {"business": "Dora’s", "seen": ""})["Location"] == LINK
    merchant = Merchant.objects.get(name="Dora’s")
    assert merchant.memberships.get().role == "owner"
    assert Connection.objects.get().name == "scripted shop"


def test_without_a_business_or_an_answer_nothing_is_made(
    people: People, settings: Settings
) -> None:
    settings.VENDORS = offered(Asking())
    dora = browser(person("dora@example.org", "Dora"))
    for form, error in (
        ({"business": " ", "answer_size": "l"}, "Enter the name of your business."),
        ({"business": "Dora’s"}, "Choose an answer: How large is it?"),
        ({"business": "www.evil.example", "answer_size": "l"}, "Leave out web addresses"),
    ):
        assert error in visible_text(dora.post(platform(), form))
    assert not Merchant.objects.filter(memberships__user__email="dora@example.org").exists()


def test_a_newcomer_leaves_it_with_us_during_an_outage(people: People, scripted: Scripted) -> None:
    begin_outage()
    dora = browser(person("dora@example.org", "Dora"))
    assert 'name="leave-it"' in dora.get(platform()).content.decode()
    form = {"business": "Dora’s", "name": "Mine", "leave-it": "1"}
    said = visible_text(dora.post(platform(), form, follow=True))
    assert "We’ll email dora@example.org when Scripted is back." in said
    assert WaitlistEntry.objects.get().typed == {"name": "Mine"}


def test_who_was_signed_out_meanwhile_signs_in_first(people: People, scripted: Scripted) -> None:
    response = browser().post(platform(), {"business": "Dora’s"})
    assert response["Location"] == f"{reverse('account_login')}?next={platform()}"
    assert not Merchant.objects.filter(name="Dora’s").exists()


def test_who_is_invited_is_told_before_they_name_a_business(
    people: People, scripted: Scripted
) -> None:
    people.acme.invitations.create(email="dora@example.org", invited_by=people.alice)
    dora = browser(person("dora@example.org", "Dora"))
    assert "You’re invited to Acme." in visible_text(dora.get(platform()))


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
    second, alice = business("Second", owner=people.alice), browser(people.alice)
    assert {"Acme", "Second"} <= set(visible_text(alice.get(platform())).split())
    assert "Choose a business." in visible_text(alice.post(platform(), {}))
    scripted.script.append(OPEN)
    assert alice.post(platform(), {"business": second.reference})["Location"] == LINK
    assert Connection.objects.get().account.merchant == second
    assert "Second" in visible_text(alice.get(reverse("shops")))


def test_a_business_of_somebody_else_cannot_be_chosen(people: People, scripted: Scripted) -> None:
    business("Second", owner=people.alice)
    response = browser(people.alice).post(platform(), {"business": people.other.reference})
    assert "Choose a business." in visible_text(response)
    assert not Connection.objects.exists()


def test_a_shop_begun_in_the_chosen_business_is_asked_about(
    people: People, scripted: Scripted
) -> None:
    start_attempt(people, scripted, OPEN, name="eBay")
    business("Second", owner=people.alice)
    form = {"business": people.acme.reference, "name": "Other"}
    response = browser(people.alice).post(platform(), form)
    assert "You started connecting “eBay”" in visible_text(response)
    assert f'action="{page(people)}"' in response.content.decode()
    assert Connection.objects.count() == 1


@pytest.mark.parametrize("width", [FEW, FEW + 1])
def test_many_businesses_are_a_list(people: People, scripted: Scripted, width: int) -> None:
    for number in range(width - 1):
        business(f"No {number}", owner=people.alice)
    html = browser(people.alice).get(platform()).content.decode()
    assert ('<select name="business"' in html) == (width > FEW)


def test_an_expired_link_is_renewed_by_one_press(people: People, scripted: Scripted) -> None:
    later = Redirect(url="https://vendor.example/open?token=2")
    attempt = start_attempt(people, scripted, OPEN)
    Hop.objects.update(taken=None, expires_at=timezone.now() - timedelta(minutes=1))
    alice = browser(people.alice)
    said = visible_text(alice.get(attempt.get_absolute_url()))
    assert "Everything is ready" in said
    assert "expired" not in said
    scripted.script.append(later)
    assert alice.post(url("continue", attempt))["Location"] == later.url


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
    alice = browser(people.alice)
    assert "Without one, we call it “scripted shop 3”." in visible_text(alice.get(page(people)))
    scripted.script.append(OPEN)
    alice.post(page(people), {"name": "", "another": "1"})
    assert Connection.objects.filter(name="scripted shop 3").exists()


def test_a_name_in_use_is_an_error_at_its_field(people: People, scripted: Scripted) -> None:
    attempt = start_attempt(people, scripted, OPEN, name="eBay")
    Connection.objects.filter(pk=attempt.connection_id).update(shop_id="1")
    response = browser(people.alice).post(page(people), {"name": "ebay"})
    assert "already have a shop called “ebay”" in visible_text(response)
    html = response.content.decode()
    assert 'href="#id_name"' in html
    assert re.search(r'<details class="optional"\s+open>', html)
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
        ("same-tab", "opens in this tab: your browser’s address bar shows"),
        ("new-tab", "opens in a new tab, and this page stays open. The address bar there shows"),
        ("nothing", "Next you install an app on Scripted, in a new tab."),
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
