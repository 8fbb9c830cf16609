"""Merchant actions on a shop's page: offered, asked about, confirmed, started."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from onboarding.models import Attempt, Connection
from tests.support.attempts import CONNECTED, begin_attempt, run_check, run_step
from tests.support.people import People, connector
from tests.support.scripted import Configurable
from tests.support.visit import LINK, OPEN, browser, visible_text
from vendors.contract import Action, Done, NeedsMerchant, Question, Refused, Unavailable, text

pytestmark = pytest.mark.usefixtures("inline_executor")
EXPLAIN = text("The lock is changed.")
TURN = Action(key="turn", label=text("Turn the key"), explain=EXPLAIN, who="merchant")
CUT = Action(
    key="cut",
    label=text("Cut a key"),
    explain=text("You say how long it is."),
    who="merchant",
    questions=(Question(key="length", label=text("Length of the key")),),
)
MELT = replace(TURN, key="melt", label=text("Melt the old key"), danger=True)
STAFFS = replace(TURN, key="staffs", label=text("Staff's own"), who="staff")
LOST = NeedsMerchant(code="lost", note=text("Your key is lost."))
TURNED = Done(here=text("The key is turned."), there=text("The lock has clicked."))


@pytest.fixture
def connection(people: People, configurable: Configurable) -> Connection:
    configurable.offers.extend([TURN, CUT, MELT, STAFFS])
    return run_step(begin_attempt(people), configurable, CONNECTED).connection


def act(connection: Connection, key: str) -> str:
    return reverse("act", args=[connection.account.merchant.reference, connection.reference, key])


def test_actions_stand_on_the_page_of_the_shop(people: People, connection: Connection) -> None:
    response = browser(people.bob).get(connection.get_absolute_url())
    for expected in ("Turn the key", "You say how long it is. Cut a key", "Melt the old key"):
        assert expected in visible_text(response)
    body = response.content.decode()
    assert f'action="{act(connection, "turn")}"' in body
    assert f'href="{act(connection, "cut")}"' in body
    assert f'href="{act(connection, "melt")}"' in body
    assert "Staff's own" not in visible_text(response)


def test_one_without_questions_is_one_button(
    people: People, connection: Connection, configurable: Configurable
) -> None:
    configurable.script.append(TURNED)
    response = browser(people.bob).post(act(connection, "turn"), follow=True)
    assert configurable.asked[-1][2] == ("turn", {})
    assert "“My shop” was updated The key is turned." in visible_text(response)
    said = visible_text(browser(people.bob).get(connection.get_absolute_url()))
    assert "Turn the key you" in said
    assert "The lock has clicked." in said
    assert Connection.objects.get().status == "connected"


def test_questions_are_asked_first(
    people: People, connection: Connection, configurable: Configurable
) -> None:
    bob = browser(people.bob)
    assert "Length of the key" in visible_text(bob.get(act(connection, "cut")))
    wrong = bob.post(act(connection, "cut"), {"answer_length": ""})
    assert "Answer this question: Length of the key" in visible_text(wrong)
    assert "act" not in configurable.calls
    configurable.script.append(OPEN)
    assert bob.post(act(connection, "cut"), {"answer_length": "9"})["Location"] == LINK
    assert configurable.asked[-1][2] == ("cut", {"length": "9"})


def test_danger_is_confirmed_on_a_page_of_its_own(
    people: People, connection: Connection, configurable: Configurable
) -> None:
    response = browser(people.bob).get(act(connection, "melt"))
    assert "This cannot be undone." in visible_text(response)
    assert "button--danger" in response.content.decode()
    assert "act" not in configurable.calls


def test_after_a_no_other_answers_count(
    people: People, connection: Connection, configurable: Configurable
) -> None:
    bob = browser(people.bob)
    configurable.script.append(Refused("9", who="merchant", note=text("Too long.")))
    said = visible_text(bob.post(act(connection, "cut"), {"answer_length": "9"}, follow=True))
    assert "Too long. To change what you entered, open the page of this shop" in said
    configurable.script.append(TURNED)
    bob.post(act(connection, "cut"), {"answer_length": "8"})
    assert configurable.asked[-1][2] == ("cut", {"length": "8"})
    assert Attempt.objects.filter(purpose="act", ended=None).count() == 0


def test_while_one_goes_on_no_other_is_begun(
    people: People, connection: Connection, configurable: Configurable
) -> None:
    bob = browser(people.bob)
    configurable.script.append(Unavailable())
    assert "Scripted is not answering" in visible_text(
        bob.post(act(connection, "turn"), follow=True)
    )
    assert "Cut a key" not in visible_text(bob.get(connection.get_absolute_url()))
    assert bob.post(act(connection, "melt"))["Location"] == connection.get_absolute_url()
    assert configurable.calls.count("act") == 1


def test_its_page_says_what_goes_on(
    people: People, connection: Connection, configurable: Configurable
) -> None:
    configurable.script.append(TURNED)
    browser(people.bob).post(act(connection, "turn"))
    Attempt.objects.filter(purpose="act").update(answer="progress", ended=None)
    attempt = Attempt.objects.get(purpose="act")
    said = visible_text(browser(people.bob).get(attempt.get_absolute_url()))
    assert "Changing “My shop” at Scripted" in said
    assert "Your room there is made" not in said


def test_an_action_may_repair_a_shop_that_needs_its_merchant(
    people: People, connection: Connection, configurable: Configurable
) -> None:
    run_check(connection, configurable, LOST)
    assert "Turn the key" in visible_text(browser(people.bob).get(connection.get_absolute_url()))
    configurable.script.append(CONNECTED)
    browser(people.bob).post(act(connection, "turn"))
    assert Connection.objects.get().status == "connected"


def test_nothing_is_offered_before_the_shop_was_connected(
    people: People, configurable: Configurable
) -> None:
    configurable.offers.append(TURN)
    connection = run_step(begin_attempt(people), configurable, LOST).connection
    assert "Turn the key" not in visible_text(
        browser(people.bob).get(connection.get_absolute_url())
    )
    assert browser(people.bob).post(act(connection, "turn")).status_code == 303
    assert "act" not in configurable.calls


@pytest.mark.parametrize("key", ["staffs", "nothing"])
def test_what_is_not_a_merchants_is_not_there(
    people: People, connection: Connection, key: str
) -> None:
    assert browser(people.bob).post(act(connection, key)).status_code == 404


def test_another_merchants_user_finds_nothing(people: People, connection: Connection) -> None:
    assert browser(people.charlie).post(act(connection, "turn")).status_code == 404


def test_an_action_that_ends_the_account_ends_its_shops(
    people: People, connection: Connection, configurable: Configurable
) -> None:
    configurable.script.append(replace(TURNED, ends=True))
    browser(people.bob).post(act(connection, "melt"))
    assert Connection.objects.get().status == "disconnected"


def test_a_task_of_staff_survives_it(
    people: People, connection: Connection, configurable: Configurable
) -> None:
    Connection.objects.update(task="Ring them up.")
    configurable.script.append(TURNED)
    browser(people.bob).post(act(connection, "turn"))
    assert Connection.objects.get().task == "Ring them up."


# -- what ends, what asks, what opens nothing ----------------------------------------------------


@pytest.mark.parametrize(
    ("left", "said"),
    [
        (timedelta(days=12, hours=1), "(12 days left)"),
        (timedelta(days=1, hours=1), "(1 day left)"),
        (timedelta(hours=3), "(less than a day left)"),
    ],
)
def test_a_shop_says_when_it_ends_and_what_is_left(
    people: People, connection: Connection, left: timedelta, said: str
) -> None:
    Connection.objects.update(expires_at=timezone.now() + left)
    found = visible_text(browser(people.bob).get(connection.get_absolute_url()))
    assert "Ends on" in found
    assert said in found


def test_what_has_ended_says_so(people: People, connection: Connection) -> None:
    Connection.objects.update(expires_at=timezone.now() - timedelta(days=1))
    found = visible_text(browser(people.bob).get(connection.get_absolute_url()))
    assert "Ended" in found
    assert "left)" not in found


def test_something_to_do_elsewhere_shows_its_link_beside_the_question(
    people: People, configurable: Configurable
) -> None:
    asks = replace(LOST, link="https://vendor.example/new", questions=CUT.questions)
    attempt = run_step(begin_attempt(people), configurable, asks)
    response = browser(people.alice).get(attempt.get_absolute_url())
    said = visible_text(response)
    assert "One more step at Scripted Your key is lost." in said
    assert "I have done it: continue" in said
    assert 'href="https://vendor.example/new"' in response.content.decode()


def test_a_page_that_is_asked_about_again_looks_by_itself(
    people: People, configurable: Configurable
) -> None:
    attempt = run_step(
        begin_attempt(people), configurable, replace(LOST, poll_every=timedelta(minutes=5))
    )
    assert "hx-get" in browser(people.alice).get(attempt.get_absolute_url()).content.decode()


def test_where_nothing_opens_nothing_is_announced(
    people: People, configurable: Configurable
) -> None:
    object.__setattr__(configurable, "host", "")
    page = reverse("connect", args=[people.acme.reference, connector("scripted").slug])
    said = visible_text(browser(people.alice).get(page))
    assert "You stay on our pages." in said
    assert "Connect scripted shop Through Scripted, for Acme" in said
