"""The page of all shops: what needs the reader first, each with its cause and one button."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from django.urls import reverse

from onboarding.models import Attempt, Connection, Membership
from onboarding.models.status import Answer, Status, Turn
from tests.support.attempts import CONNECTED, WAIT, begin_attempt, run_check, run_step
from tests.support.outages import begin_outage, end_outage, join_waitlist
from tests.support.people import People
from tests.support.scripted import Scripted
from tests.support.visit import OPEN, browser, start_attempt, url, visible_text
from vendors.contract import Ask, Declined, NeedsMerchant, Question, Redirect, text

pytestmark = pytest.mark.usefixtures("inline_executor")
RED = Question(key="red", label=text("Red?"))


def shop(people: People, scripted: Scripted, name: str, **columns: Any) -> Connection:
    """A connected shop of this name, and then these columns."""
    step = replace(CONNECTED, shop_id=name)
    connection = run_step(begin_attempt(people, name), scripted, step).connection
    Connection.objects.filter(pk=connection.pk).update(**columns)
    return Connection.objects.select_related("account__merchant").get(pk=connection.pk)


def home(people: People, reader: str = "alice") -> Any:
    return browser(getattr(people, reader)).get(people.acme.get_absolute_url())


def row(page: Any, name: str) -> str:
    """What the list says about the shop of this name, with its HTML."""
    rows: list[str] = re.findall(r'<li class="task.*?</li>', page.content.decode(), re.DOTALL)
    [found] = [each for each in rows if f">{name}<" in each]
    return found


@pytest.mark.both
def test_what_needs_the_merchant_comes_first(people: People, scripted: Scripted) -> None:
    shop(people, scripted, "Gone", status=Status.DISCONNECTED)
    shop(people, scripted, "Resting", status=Status.PAUSED)
    shop(people, scripted, "Works")
    shop(people, scripted, "Secret", reveal={"Key": "c4n4ry"})
    shop(people, scripted, "Ours", status=Status.ON_IT, turn=Turn.STAFF)
    start_attempt(people, scripted, OPEN, name="Begun")
    start_attempt(people, scripted, Declined(), name="Stopped")
    order = ["Secret", "Stopped", "Begun", "Ours", "Works", "Resting", "Gone"]
    page = home(people)
    assert (
        re.findall(
            r'<a href="[^"]*"\s+id="[^"]*">(\w+)</a>\s*<span class="task-hint',
            page.content.decode(),
        )
        == order
    )
    titles = ["Your turn", "In progress", "Connected shops", "Paused shops", "Disconnected shops"]
    assert re.findall(r'<h2 class="section">([\w ]+)</h2>', page.content.decode()) == titles


@pytest.mark.parametrize(
    ("answer", "label"),
    [
        (OPEN, "Continue at Scripted"),
        (Declined(), "Start again at Scripted"),
        (Ask(note=text("Red or blue?"), questions=(RED,)), "Answer the question"),
        (NeedsMerchant(code="x", note=text("Allow it.")), "Finish at Scripted"),
    ],
)
def test_an_unfinished_shop_has_one_button_that_says_what_it_does(
    people: People, scripted: Scripted, answer: Any, label: str
) -> None:
    attempt = start_attempt(people, scripted, answer)
    found = row(home(people), "My shop")
    assert re.search(
        rf'href="{attempt.get_absolute_url()}"\s+aria-describedby="[^"]+">{label}<', found
    )
    assert found.count('class="button"') == 1


def test_a_shop_that_stopped_working_is_connected_again_from_here(
    people: People, scripted: Scripted
) -> None:
    connection = shop(people, scripted, "Mine")
    run_check(connection, scripted, NeedsMerchant(code="gone", note=text("It was removed there.")))
    found = row(home(people), "Mine")
    assert "It was removed there." in found
    assert "Remove from the list" not in found
    seen = re.search(r'action="(.*?)".*name="seen" value="(\w+)".*>Reconnect<', found, re.DOTALL)
    assert seen
    assert seen[1] == url("reconnect", connection)
    scripted.script.append(Redirect(url="https://vendor.example/again"))
    response = browser(people.alice).post(seen[1], {"seen": seen[2]})
    assert response["Location"] == "https://vendor.example/again"
    assert "Continue at Scripted" in row(home(people), "Mine")


def test_what_others_do_has_no_button(people: People, scripted: Scripted) -> None:
    slow = replace(WAIT, note=text("It works on it."))
    start_attempt(people, scripted, slow)
    found = row(home(people), "My shop")
    assert "It works on it." in found
    assert 'class="button"' not in found


def test_a_secret_is_saved_from_here_by_who_may_see_it(people: People, scripted: Scripted) -> None:
    connection = shop(people, scripted, "Mine", reveal={"Key": "c4n4ry"})
    page = home(people)
    assert "c4n4ry" not in page.content.decode()
    assert re.search(
        rf'action="{url("reveal", connection)}".*>Save your key<', row(page, "Mine"), re.DOTALL
    )
    assert "Save your key" not in row(home(people, "bob"), "Mine")
    Membership.objects.filter(user=people.bob).update(may_see_secrets=True)
    assert "Save your key" in row(home(people, "bob"), "Mine")


def test_what_never_was_connected_is_removed_right_there(
    people: People, scripted: Scripted
) -> None:
    shop(people, scripted, "Works")
    start_attempt(people, scripted, Declined(), name="Mistake")
    page = home(people)
    assert "Remove from the list" not in row(page, "Works")
    target = re.search(r'form="removal"\s+formaction="(.*?)"', row(page, "Mistake"))
    assert target
    assert '<form method="post" id="removal"' in page.content.decode()
    said = visible_text(browser(people.alice).post(target[1], follow=True))
    assert "“Mistake” was removed from your list." in said
    assert said.count("Mistake") == 1


def test_what_waits_for_a_vendor_stands_in_the_same_list(
    people: People, scripted: Scripted
) -> None:
    shop(people, scripted, "Works")
    begin_outage()
    join_waitlist(people)
    said = visible_text(home(people))
    assert said.index("In progress") < said.index("Waiting for Scripted.") < said.index("Works")
    end_outage()
    said = visible_text(home(people))
    assert said.index("Your turn") < said.index("Scripted is back.") < said.index("Works")


def test_of_a_business_without_shops_it_names_the_first_step(people: People) -> None:
    said = visible_text(home(people))
    assert "No shop yet" in said
    assert "Connect your first shop" in said
    assert "Connect another shop" not in said
    assert reverse("catalogue") in home(people).content.decode()


def test_a_pause_that_waits_for_staff_is_not_the_merchants_turn(
    people: People, scripted: Scripted
) -> None:
    shop(people, scripted, "Mine", answer=Answer.TASK)
    shop(people, scripted, "Works")
    said = visible_text(home(people))
    assert said.index("In progress") < said.index("Mine") < said.index("Works")
    assert not Attempt.objects.filter(ended=None).exists()
