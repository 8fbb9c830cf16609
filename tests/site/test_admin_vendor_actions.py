"""Staff actions in the admin: staff's answers, actions at the vendor, and tasks."""

from __future__ import annotations

import pytest
from cryptography.fernet import Fernet
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django.fixtures import Settings

from onboarding import journey
from onboarding.models import Account, Alert, Connection, memo_key
from onboarding.models.memo import MemoUnreadable, Unread
from tests.support.attempts import CONNECTED, begin_attempt, run_step
from tests.support.people import People
from tests.support.scripted import Scripted, offered
from tests.support.staff import limited_client, listed, page, page_text, staff_client
from vendors.contract import Done, Refused
from vendors.contract import text as words

pytestmark = pytest.mark.both

SECRET = "c4n4ry-do-not-show"
WRONG = Refused("another code was typed", who="staff", note=words("This is not the code."))
BURNT = Done(
    here=words("Its shops are disconnected."),
    there=words("The room is burnt."),
    staff_task="Sweep the ashes of room r-1.",
    ends=True,
)


@pytest.fixture
def connection(people: People, scripted: Scripted) -> Connection:
    return run_step(begin_attempt(people), scripted, CONNECTED).connection


@pytest.fixture
def account(connection: Connection) -> Account:
    return connection.account


@pytest.fixture
def staff(people: People) -> Client:
    return staff_client()


def act(row: Account | Connection, key: str) -> str:
    return reverse(f"admin:onboarding_{row._meta.model_name}_act", args=[row.pk, key])


def logged() -> list[str]:
    return [entry.get_change_message() for entry in LogEntry.objects.order_by("pk")]


# -- what only staff know ------------------------------------------------------------------------


def test_staff_enter_what_only_they_know(account: Account, staff: Client) -> None:
    assert "Details that only staff can enter Door code · Floor" in page_text(
        staff.get(page(account))
    )
    assert "None is saved." in page_text(staff.get(page(account, "know")))
    given = {"answer_door_code": SECRET, "answer_floor": "3"}
    said = page_text(staff.post(page(account, "know"), given, follow=True))
    assert "Saved. We ask the vendor about these shops" in said
    assert Account.objects.get().staff_answers == {"door_code": SECRET, "floor": "3"}
    due = Connection.objects.get().due_at
    assert due is not None
    assert due <= timezone.now()
    assert logged() == ["Entered: Door code, Floor."]


def test_answers_that_cannot_be_read_are_never_overwritten(
    account: Account, staff: Client, settings: Settings
) -> None:
    Account.objects.update(staff_answers={"door_code": SECRET, "floor": "3"})
    memo_key.prove()
    right, settings.MEMO_KEYS = settings.MEMO_KEYS, [Fernet.generate_key().decode()]
    for given in ({"answer_door_code": "1", "answer_floor": "4"}, {"forget": "unreadable"}):
        answer = staff.post(page(account, "know"), given)
        assert (answer.status_code, "cannot be read" in page_text(answer)) == (422, True)
        assert "MEMO_KEYS lack a key" in page_text(answer)
    with pytest.raises(MemoUnreadable):
        journey.save_staff_answers(account.pk, {"floor": "4"})
    settings.MEMO_KEYS = right
    assert Account.objects.get().staff_answers == {"door_code": SECRET, "floor": "3"}


def test_answers_whose_key_is_lost_are_given_up_by_a_button_of_their_own(
    account: Account, staff: Client, settings: Settings
) -> None:
    memo_key.prove()
    settings.MEMO_KEYS = [Fernet.generate_key().decode()]
    memo_key.confirm_loss()
    assert "Answers that cannot be read" in page_text(staff.get(page(account, "know")))
    staff.post(page(account, "know"), {"answer_door_code": "1"})
    assert isinstance(Account.objects.get().staff_answers, Unread)
    staff.post(page(account, "know"), {"forget": "unreadable"})
    assert Account.objects.get().staff_answers == {}
    assert logged() == ["Gave up answers that no key opens."]


def test_a_secret_is_never_shown_again(account: Account, staff: Client) -> None:
    Account.objects.update(staff_answers={"door_code": SECRET, "floor": "3"})
    for address in (page(account), page(account, "know"), page(account, "history")):
        assert SECRET not in staff.get(address).content.decode()
    body = staff.get(page(account, "know")).content.decode()
    assert 'type="password"' in body
    assert 'value="3"' in body
    assert "One is saved." in body
    wrong = staff.post(page(account, "know"), {"answer_door_code": SECRET * 40})
    assert (wrong.status_code, SECRET in wrong.content.decode()) == (422, False)


def test_an_empty_field_keeps_the_secret_on_file(account: Account, staff: Client) -> None:
    Account.objects.update(staff_answers={"door_code": SECRET, "floor": "3"})
    staff.post(page(account, "know"), {"answer_door_code": "", "answer_floor": ""})
    assert Account.objects.get().staff_answers == {"door_code": SECRET, "floor": ""}


def test_what_is_required_and_not_on_file_is_asked_for(account: Account, staff: Client) -> None:
    response = staff.post(page(account, "know"), {"answer_floor": "3"})
    assert (response.status_code, Account.objects.get().staff_answers) == (422, {})
    assert "Answer this question: Door code" in page_text(response)
    assert 'value="3"' in response.content.decode()
    assert logged() == []


def test_a_secret_is_forgotten(account: Account, staff: Client) -> None:
    Account.objects.update(staff_answers={"door_code": SECRET})
    assert "Door code: one is saved." in page_text(staff.get(page(account, "know")))
    said = page_text(staff.post(page(account, "know"), {"forget": "door_code"}, follow=True))
    assert "None is saved." in said
    assert Account.objects.get().staff_answers == {"door_code": ""}
    assert logged() == ["Forgotten: Door code."]


# -- what they have done at the vendor -----------------------------------------------------------


def test_an_action_stands_where_it_belongs(connection: Connection, staff: Client) -> None:
    on_account, on_shop = (
        page_text(staff.get(page(connection.account))),
        page_text(staff.get(page(connection))),
    )
    assert "Burn the room down For every shop in it." in on_account
    assert "Tidy the room For this shop." in on_shop
    assert "Tidy" not in on_account
    assert "Burn" not in on_shop
    assert "Hidden" not in on_account
    assert "Merchant's" not in on_account


def test_an_action_reports_its_result(
    connection: Connection, scripted: Scripted, staff: Client
) -> None:
    assert 'class="gw-danger"' in staff.get(act(connection.account, "burn")).content.decode()
    scripted.script.append(BURNT)
    given = {"answer_code": "r-1"}
    said = page_text(staff.post(act(connection.account, "burn"), given, follow=True))
    assert scripted.asked[-1][2] == ("burn", {"code": "r-1"})
    for expected in ("Its shops are disconnected.", "The room is burnt.", "Still to do: Sweep"):
        assert expected in said
    assert Connection.objects.get().status == "disconnected"
    assert logged() == ["Burn the room down: done."]


def test_a_task_is_one_task_however_many_shops_ended(
    people: People, connection: Connection, scripted: Scripted, staff: Client
) -> None:
    run_step(begin_attempt(people, "Second"), scripted, WRONG)
    scripted.script.append(BURNT)
    staff.post(act(connection.account, "burn"), {"answer_code": "r-1"})
    assert Connection.objects.exclude(task="").count() == 1
    assert Alert.objects.filter(cause="task", cleared=None).exists()


def test_an_action_without_questions_is_one_button(
    connection: Connection, scripted: Scripted, staff: Client
) -> None:
    asked = list(scripted.calls)
    staff.get(act(connection, "tidy"))
    assert scripted.calls == asked
    scripted.script.append(Done(here=words("Tidy."), there=words("Clean.")))
    assert "Clean." in page_text(staff.post(act(connection, "tidy"), follow=True))
    assert scripted.calls[-1] == "act"


def test_errors_are_shown_with_the_typed_values(
    connection: Connection, scripted: Scripted, staff: Client
) -> None:
    scripted.script.append(WRONG)
    response = staff.post(act(connection.account, "burn"), {"answer_code": "r-9"})
    assert response.status_code == 422
    assert "This is not the code. · another code was typed" in page_text(response)
    assert 'value="r-9"' in response.content.decode()
    assert staff.post(act(connection.account, "burn"), {}).status_code == 422
    assert scripted.calls.count("act") == 1
    assert logged() == []


@pytest.mark.parametrize("key", ["tidy", "then", "mine", "nothing"])
def test_what_is_not_offered_on_an_account_is_not_there(
    account: Account, scripted: Scripted, staff: Client, key: str
) -> None:
    assert staff.post(act(account, key), {"answer_code": "x"}).status_code == 404
    assert "act" not in scripted.calls


def test_a_vendor_that_is_switched_off_offers_nothing(
    connection: Connection, staff: Client, settings: Settings
) -> None:
    settings.VENDORS = offered()
    assert "What staff can do" not in page_text(staff.get(page(connection.account)))
    for address in (act(connection.account, "burn"), page(connection.account, "know")):
        assert staff.post(address).status_code == 404


def test_only_those_who_may_change_it_act(
    connection: Connection, scripted: Scripted, people: People
) -> None:
    reader = limited_client("view_account", "view_connection")
    assert (
        act(connection.account, "burn") not in reader.get(page(connection.account)).content.decode()
    )
    addresses = (
        act(connection.account, "burn"),
        act(connection, "tidy"),
        page(connection.account, "know"),
    )
    for address in (*addresses, page(connection, "done")):
        assert reader.post(address).status_code == 403
    merchant = Client()
    merchant.force_login(people.alice)
    assert merchant.post(addresses[0]).headers["Location"].startswith("/admin/login/")
    assert "act" not in scripted.calls


# -- tasks ---------------------------------------------------------------------------------------


def test_a_task_stands_on_the_shops_page_until_it_is_done(
    connection: Connection, staff: Client
) -> None:
    Connection.objects.update(task="Ask them: “Switch room r-1 off.”")
    assert "1 connection" in page_text(staff.get(listed("connection") + "?task=1"))
    assert "What staff still have to do Ask them: “Switch room r-1 off.”" in page_text(
        staff.get(page(connection))
    )
    given = {"task": "Ask them: “Switch room r-1 off.”"}
    assert "The task is done." in page_text(
        staff.post(page(connection, "done"), given, follow=True)
    )
    assert "What staff still have to do" not in page_text(staff.get(page(connection)))
    assert "0 connections" in page_text(staff.get(listed("connection") + "?task=1"))
    assert logged() == ["Task done: Ask them: “Switch room r-1 off.”"]


def test_a_newer_task_is_not_done_by_an_old_page(connection: Connection, staff: Client) -> None:
    Connection.objects.update(task="Switch it on.")
    given = {"task": "Switch it off."}
    said = page_text(staff.post(page(connection, "done"), given, follow=True))
    assert "The task has changed since you opened this page." in said
    assert Connection.objects.get().task == "Switch it on."
    assert staff.get(page(connection, "done")).status_code == 405
