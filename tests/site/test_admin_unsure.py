"""Unsure creations in the admin: staff read the facts and press one of two buttons."""

from __future__ import annotations

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from pytest_django.fixtures import Settings

from onboarding.models import Account, Attempt
from tests.support.attempts import CONNECTED, begin_attempt, reloaded, run_step
from tests.support.people import People
from tests.support.scripted import Scripted, offered
from tests.support.staff import limited_client, page, page_text, staff_client
from tests.support.sweep import sweep
from vendors.contract import Progress, Refused, Unsure
from vendors.contract import text as words

pytestmark = pytest.mark.both

ANNOUNCE = Progress(announce="room")
LOST = Unsure("it may exist: a room for Acme", cause="unsure-room")
MADE = Progress(account={"room": "r-1"}, done=("room",), promote=True, account_key="r-1")
WRONG = Refused("no room has this id", who="staff", note=words("Please look again."))


@pytest.fixture
def attempt(people: People, scripted: Scripted) -> Attempt:
    return run_step(begin_attempt(people), scripted, ANNOUNCE, LOST, LOST)


@pytest.fixture
def staff(people: People) -> Client:
    return staff_client()


def press(client: Client, attempt: Attempt, answer: str, **more: str) -> str:
    """Press one of the buttons, as the account's page offers them now; what is read afterwards."""
    seen = client.get(page(attempt.connection.account)).context["unsure"].token
    sent = {"seen": seen, "answer": answer, **more}
    return page_text(client.post(page(attempt.connection.account, "resolve"), sent, follow=True))


def test_the_facts_stand_on_both_pages(attempt: Attempt, staff: Client) -> None:
    for row in (attempt.connection, attempt.connection.account):
        read = page_text(staff.get(page(row)))
        assert "Scripted’s answer was lost" in read
        for fact in ("A room for this merchant", "Acme", "My shop", "a room for Acme"):
            assert fact in read
        assert "It does not exist: create it again" in read


def test_it_exists_and_the_attempt_goes_on(
    attempt: Attempt, scripted: Scripted, staff: Client
) -> None:
    scripted.script.append(MADE)
    assert "Saved." in press(staff, attempt, "exists", found=" r-1 ")
    assert scripted.asked[-1][2] == "r-1"
    scripted.script.append(CONNECTED)
    sweep()
    assert reloaded(attempt).status == "connected"
    assert Account.objects.get().key == "r-1"


def test_it_does_not_exist_and_is_made_once_more(
    attempt: Attempt, scripted: Scripted, staff: Client
) -> None:
    scripted.script.append(Progress())
    assert "Saved." in press(staff, attempt, "missing")
    assert scripted.asked[-1][2] is None
    scripted.script.extend([ANNOUNCE, MADE, CONNECTED])
    sweep()
    assert scripted.calls[-3:] == ["start"] * 3
    assert Account.objects.get().unsure == ""


def test_a_wrong_id_is_an_error_at_the_field(
    attempt: Attempt, scripted: Scripted, staff: Client
) -> None:
    scripted.script.append(WRONG)
    read = press(staff, attempt, "exists", found="r-9")
    assert "Please look again. · no room has this id" in read
    assert Account.objects.get().unsure == "room"
    assert not LogEntry.objects.exists()


def test_what_was_typed_stays_after_an_error(
    attempt: Attempt, scripted: Scripted, staff: Client
) -> None:
    scripted.script.append(WRONG)
    account = attempt.connection.account
    seen = staff.get(page(account)).context["unsure"].token
    sent = {"seen": seen, "answer": "exists", "found": "r-9"}
    response = staff.post(page(account, "resolve"), sent)
    assert response.status_code == 422
    assert 'value="r-9"' in response.content.decode()
    assert 'aria-describedby="gw-problem"' in response.content.decode()


@pytest.mark.parametrize("found", ["", "  "])
def test_an_id_is_required(attempt: Attempt, scripted: Scripted, staff: Client, found: str) -> None:
    assert "Enter its ID at the vendor." in press(staff, attempt, "exists", found=found)
    assert scripted.calls[-1] == "start"


def test_a_button_of_an_old_page_decides_nothing(
    attempt: Attempt, scripted: Scripted, staff: Client
) -> None:
    account = attempt.connection.account
    old = staff.get(page(account)).context["unsure"].token
    scripted.script.append(Progress())
    press(staff, attempt, "missing")
    run_step(attempt, scripted, ANNOUNCE, LOST, LOST)
    again_pressed = staff.post(page(account, "resolve"), {"seen": old, "answer": "missing"})
    assert "Something has changed since you opened this page." in page_text(again_pressed)
    assert Account.objects.get().unsure == "room"


def test_the_second_press_finds_it_decided(
    attempt: Attempt, scripted: Scripted, staff: Client
) -> None:
    account = attempt.connection.account
    seen = staff.get(page(account)).context["unsure"].token
    scripted.script.append(Progress())
    press(staff, attempt, "missing")
    sent = {"seen": seen, "answer": "missing"}
    assert "There is nothing left to decide here." in page_text(
        staff.post(page(account, "resolve"), sent, follow=True)
    )
    assert scripted.calls.count("resolve") == 1


def test_a_decision_is_logged(attempt: Attempt, scripted: Scripted, staff: Client) -> None:
    scripted.script.append(MADE)
    press(staff, attempt, "exists", found="r-1")
    entry = LogEntry.objects.get()
    assert entry.get_change_message() == "Lost answer, room: it exists, its id is r-1."
    assert str(entry.user) == "erin@example.org"


def test_opening_the_page_decides_nothing(
    attempt: Attempt, scripted: Scripted, staff: Client
) -> None:
    asked = list(scripted.calls)
    staff.get(page(attempt.connection.account, "resolve"), {"answer": "missing"})
    staff.head(page(attempt.connection.account, "resolve"))
    assert scripted.calls == asked
    assert Account.objects.get().unsure == "room"


def test_a_press_needs_the_token_of_our_page(attempt: Attempt, people: People) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(staff_client().get("/admin/").context["user"])
    sent = {"answer": "missing"}
    assert strict.post(page(attempt.connection.account, "resolve"), sent).status_code == 403


def test_only_those_who_may_change_accounts_decide(attempt: Attempt, people: People) -> None:
    account = attempt.connection.account
    reader = limited_client("view_account", "view_connection")
    assert "It does not exist" not in page_text(reader.get(page(account)))
    assert reader.post(page(account, "resolve"), {"answer": "missing"}).status_code == 403
    merchant = Client()
    merchant.force_login(people.alice)
    assert merchant.post(page(account, "resolve")).headers["Location"].startswith("/admin/login/")


def test_a_vendor_that_is_switched_off_takes_no_answer(
    attempt: Attempt, settings: Settings, staff: Client
) -> None:
    settings.VENDORS = offered()
    assert "You cannot decide this here" in page_text(staff.get(page(attempt.connection.account)))
    assert "You cannot decide this here" in press(staff, attempt, "missing")
    assert Account.objects.get().unsure == "room"
