"""What a merchant agrees to: the words on the page are the words that are kept, once a beginning."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings

import vendors
from onboarding.catalogue import refresh
from onboarding.consent import consent_of
from onboarding.models import Attempt, Connection, Connector, Consent
from tests.support.people import People
from tests.support.scripted import Scripted
from tests.support.staff import page, page_text, staff_client
from tests.support.visit import OPEN, browser, offer, url, visible_text
from vendors.contract import Done, Vendor, text

pytestmark = [pytest.mark.both, pytest.mark.usefixtures("inline_executor")]
DONE = Done(here=text("We no longer use it."), there=text("It stays."), todo=text("Remove it."))


def check_page(people: People) -> str:
    return reverse("connect", args=[people.acme.reference, offer().slug])


def shown_version(client: Client, path: str) -> str:
    found = re.search(r'name="consent" value="(\w+)"', client.get(path).content.decode())
    assert found, path
    return found[1]


def begin(people: People, scripted: Scripted, **form: str) -> Consent:
    """Alice reads the check page and continues."""
    alice, path = browser(people.alice), check_page(people)
    scripted.script.append(OPEN)
    sent = {"name": "eBay", "consent": shown_version(alice, path), **form}
    assert alice.post(path, sent).status_code == 303
    return Consent.objects.latest("pk")


def test_the_check_page_has_five_parts_what_opens_and_the_links(
    people: People, scripted: Scripted, settings: Settings
) -> None:
    settings.LEGAL_LINKS = [("Terms", "https://acme.example/terms")]
    said = visible_text(browser(people.alice).get(check_page(people)))
    for part in consent_of(offer(), scripted).parts:
        assert f"{part.title} {' '.join([*part.lines, *part.more])}" in said
    assert "Scripted opens in this tab: your browser’s address bar shows vendor.example" in said
    assert "By continuing you agree to this. You get a receipt. Terms" in said


def test_what_is_kept_is_what_was_shown(people: People, scripted: Scripted) -> None:
    said = visible_text(browser(people.alice).get(check_page(people)))
    consent = begin(people, scripted)
    lines = [line for part in consent.words["parts"] for line in part["lines"] + part["more"]]
    for line in [*lines, consent.words["summary"], consent.words["agreement"]]:
        assert line in said
    assert consent.person == {"name": "Alice", "email": "alice@example.org"}
    assert consent.about["business"]["name"] == "Acme"
    assert consent.about["shop"]["name"] == "eBay"
    assert (consent.user, consent.attempt) == (people.alice, Attempt.objects.get())


def test_staff_reword_a_part_and_an_older_consent_keeps_its_words(
    people: People, scripted: Scripted
) -> None:
    old = begin(people, scripted)
    Connector.objects.update(consent={"purpose": "To send your orders.\nEvery hour."})
    new = begin(people, scripted, name="Second", another="1")
    assert new.version != old.version
    assert new.words["parts"][2]["lines"] == ["To send your orders."]
    assert new.words["parts"][2]["more"] == ["Every hour."]
    old.refresh_from_db()
    assert "To send your orders." not in str(old.words)


def test_words_that_changed_after_the_page_was_shown_are_read_first(
    people: People, scripted: Scripted
) -> None:
    alice, path = browser(people.alice), check_page(people)
    seen = shown_version(alice, path)
    Connector.objects.update(consent={"reads": "Your orders, too."})
    answer = alice.post(path, {"name": "eBay", "consent": seen})
    assert "What you agree to has changed." in visible_text(answer)
    assert "Your orders, too." in visible_text(answer)
    assert not Connection.objects.exists()
    assert scripted.calls == []


def test_a_second_press_makes_no_second_consent(people: People, scripted: Scripted) -> None:
    begin(people, scripted)
    scripted.script.append(OPEN)
    browser(people.alice).post(check_page(people), {"name": "eBay"})
    assert Consent.objects.count() == 1


def test_a_shop_that_was_disconnected_asks_again(people: People, scripted: Scripted) -> None:
    first = begin(people, scripted)
    shop, alice = first.attempt.connection, browser(people.alice)
    scripted.script.append(DONE)
    alice.post(url("disconnect", shop))
    seen = shown_version(alice, shop.get_absolute_url())
    scripted.script.append(OPEN)
    alice.post(url("reconnect", shop), {"seen": first.attempt.reference, "consent": seen})
    newest, before = Consent.objects.all()
    assert before == first
    assert newest.attempt.connection == shop


def test_reconnecting_a_shop_that_works_asks_nothing(people: People, scripted: Scripted) -> None:
    first = begin(people, scripted)
    shop = first.attempt.connection
    Connection.objects.filter(pk=shop.pk).update(status="connected")
    Attempt.objects.update(ended=first.at, ending="connected")
    scripted.script.append(OPEN)
    browser(people.alice).post(url("reconnect", shop))
    assert Attempt.objects.count() == 2
    assert Consent.objects.count() == 1


# -- staff's words ---------------------------------------------------------------------------------


@pytest.fixture
def generic(people: People, scripted: Scripted) -> Connector:
    refresh.refresh_catalogue(scripted)
    return Connector.objects.get()


def given(**changes: Any) -> dict[str, Any]:
    return {"visible": "on", "name": "", "position": "5", "options": "{}", **changes}


def test_staff_write_plain_text_and_an_empty_part_has_its_default(generic: Connector) -> None:
    staff = staff_client()
    staff.post(page(generic), given(consent_reads=" Your <b>orders</b>.\r\n\r\nNothing else. "))
    assert Connector.objects.get().consent == {"reads": "Your <b>orders</b>.\nNothing else."}
    said = staff.get(page(generic))
    assert "Your &lt;b&gt;orders&lt;/b&gt;." in said.content.decode()
    staff.post(page(generic), given())
    assert Connector.objects.get().consent == {}


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("x" * 161, "The first line may have at most 160 characters."),
        ("x\n" * 301, "has at most 600 characters"),
    ],
)
def test_a_part_has_bounds(generic: Connector, typed: str, said: str) -> None:
    answer = staff_client().post(page(generic), given(consent_audience=typed))
    assert said in page_text(answer)
    assert Connector.objects.get().consent == {}


def test_markup_in_staffs_words_is_text_on_the_page(people: People, scripted: Scripted) -> None:
    path = check_page(people)
    Connector.objects.update(consent={"reads": "<script>alert(1)</script>"})
    assert "&lt;script&gt;alert(1)" in browser(people.alice).get(path).content.decode()


def test_the_list_of_connectors_leaves_the_words_alone(generic: Connector) -> None:
    Connector.objects.update(consent={"reads": "Orders."})
    form = {"form-TOTAL_FORMS": 1, "form-INITIAL_FORMS": 1, "form-0-id": generic.pk}
    sent = {**form, "form-0-position": 3, "_save": "Save"}
    staff_client().post("/admin/onboarding/connector/", sent)
    assert Connector.objects.get().consent == {"reads": "Orders."}


# -- before the press ------------------------------------------------------------------------------


def test_disconnecting_says_first_what_happens_here_and_at_the_vendor(
    people: People, scripted: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    def says(_: Scripted, *, last: bool) -> tuple[Any, ...]:
        return (text("Your last key is deleted." if last else "Your key stays."),)

    monkeypatch.setattr(Scripted, "on_disconnect", says)
    shop = begin(people, scripted).attempt.connection
    alice = browser(people.alice)
    said = visible_text(alice.get(url("disconnect", shop)))
    assert "Here We stop using and checking this shop at once." in said
    assert "At Scripted Your last key is deleted." in said
    begin(people, scripted, name="Second", another="1")
    assert "Your key stays." in visible_text(alice.get(url("disconnect", shop)))


def test_each_vendor_says_in_whole_sentences_what_stops_there() -> None:
    offered = vendors.load({"SANDBOX": "1", "SANDBOX_URL": "http://127.0.0.1:8001"}).offered
    assert offered.keys() == {vendor.slug for vendor in vendors.ALL}
    for vendor in offered.values():
        said = [*vendor.on_disconnect(last=True), *vendor.on_disconnect(last=False)]
        assert said != [*Vendor.on_disconnect(vendor, last=True)] * 2
        said += [*vendor.on_pause(last=True), *vendor.reads, *vendor.purpose]
        assert all(str(each).endswith(".") for each in said)
