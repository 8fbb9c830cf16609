"""What a merchant reads when a call went wrong: what happened, who looks at it, and nothing untrue."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.utils import timezone

import vendors
from onboarding.models import Attempt, Connection
from onboarding.models.status import Answer, shown
from onboarding.views.attempt.status_panel import panel_of
from tests.support.attempts import CONNECTED, begin_attempt, run_check, run_step
from tests.support.canned import RESET, http
from tests.support.hosts import UNAVAILABLE, host, rate_limited, step_that_calls
from tests.support.people import People
from tests.support.scripted import Scripted
from tests.support.visit import browser, visible_text
from vendors.contract import (
    Ask,
    Declined,
    Done,
    Garbled,
    NeedsMerchant,
    Progress,
    Redirect,
    Refused,
    StartOver,
    Unavailable,
    Unsure,
    UnsureNotes,
    Vendor,
    Waiting,
    Why,
    text,
)
from vendors.http.api import Reply

pytestmark = [pytest.mark.both, pytest.mark.usefixtures("inline_executor")]
HTML = http("<html>Bad gateway</html>")
OURS = "on our side"


class Thing(Reply):
    id: str


def sentence(people: People, scripted: Scripted, answer: bytes, **call: object) -> str:
    """What the page of an attempt says after this reply."""
    with host(answer) as server:
        step = step_that_calls(server, reply=Thing, **call)
        attempt = begin_attempt(people)
        if call.get("creates"):
            run_step(attempt, scripted, Progress(announce="room"), step, Unsure("it cannot look"))
        else:
            run_step(attempt, scripted, step)
    return visible_text(browser(people.alice).get(attempt.get_absolute_url()))


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (RESET, "The connection to Scripted broke off. We keep trying."),
        (UNAVAILABLE, "Scripted reports a problem on its side. We keep trying."),
        (
            http("{}", "408 Request Timeout"),
            "Scripted reports a problem on its side. We keep trying.",
        ),
        (rate_limited(3600), "Scripted asks us to wait until "),
        (http("{}", "429 Too Many"), "Scripted asks us to wait a moment."),
        (
            HTML,
            "We could not read the answer from Scripted. Our staff know and are looking into it.",
        ),
        (http(""), "We could not read the answer from Scripted."),
        (http("[]"), "We could not read the answer from Scripted."),
        (http("{}", "401 No"), "Scripted is not letting us sign in. Our staff know"),
        (http("{}", "404 Not Found"), "Scripted refused our request. Our staff know"),
    ],
)
def test_each_way_to_fail_has_its_sentence(
    people: People, scripted: Scripted, answer: bytes, says: str
) -> None:
    page = sentence(people, scripted, answer)
    assert says in page
    assert "is not answering" not in page
    assert OURS not in page


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (RESET, "has not told us whether your room was made."),
        (UNAVAILABLE, "has not told us whether your room was made."),
        (http("{}", "500 Oops"), "has not told us whether your room was made."),
        (HTML, "from Scripted. We are checking whether your room was made"),
        (http(""), "from Scripted. We are checking whether your room was made"),
    ],
)
def test_a_lost_answer_to_a_creation_says_what_is_checked(
    people: People, scripted: Scripted, monkeypatch: pytest.MonkeyPatch, answer: bytes, says: str
) -> None:
    notes = UnsureNotes(
        no_answer=text("Scripted has not told us whether your room was made."),
        unreadable=text(
            "We could not read the answer from Scripted. We are checking whether your room was made."
        ),
    )
    monkeypatch.setattr(Scripted, "unsure_notes", {"room": notes})
    page = sentence(people, scripted, answer, creates=True)
    assert says in page
    assert "We’ll email alice@example.org when it’s your turn again." in page
    assert OURS not in page


def test_nobody_there_is_no_answer(people: People, scripted: Scripted) -> None:
    with host() as server:
        pass
    attempt = run_step(begin_attempt(people), scripted, step_that_calls(server))
    assert attempt.sentence == "We cannot reach Scripted at the moment. We keep trying."


def test_the_time_to_wait_is_a_whole_minute_that_is_not_too_early(
    people: People, scripted: Scripted
) -> None:
    until = timezone.now().replace(second=1) + timedelta(hours=30)
    busy = Unavailable(why=Why.ASKED_TO_WAIT, asked_until=until)
    attempt = run_step(begin_attempt(people), scripted, busy)
    full = (until + timedelta(minutes=1)).strftime("%-d %b %Y, %H:%M (UTC)")
    assert f"asks us to wait until {full}." in attempt.sentence


def test_another_time_to_wait_is_no_news(people: People, scripted: Scripted) -> None:
    attempt = begin_attempt(people)
    for minutes in (1, 2, 3):
        until = timezone.now() + timedelta(minutes=minutes)
        run_step(attempt, scripted, Unavailable(why=Why.ASKED_TO_WAIT, asked_until=until))
    assert sum("asks us to wait" in str(event) for event in attempt.connection.events.all()) == 1


@pytest.mark.parametrize("kind", vendors.ALL)
def test_every_creation_has_sentences_of_its_own(kind: type[Vendor]) -> None:
    assert kind.unsure_notes.keys() == kind.creations.keys()
    for notes in kind.unsure_notes.values():
        assert "We are checking whether " in notes.no_answer.id
        assert "We are checking whether it created your " in notes.unreadable.id


# -- headings --------------------------------------------------------------------------------------

HOUR = timedelta(hours=1)
STEPS = [
    Redirect(url="https://vendor.example/"),
    Redirect(url=""),
    Waiting(note=text("It reads your shop."), poll_every=HOUR, give_up_after=HOUR),
    Ask(note=text("It lists several."), questions=()),
    NeedsMerchant(code="x", note=text("Install the app."), poll_every=HOUR),
    Declined(),
    StartOver(note=text("The set-up has run out.")),
    Refused(who="merchant"),
    Refused(who="staff"),
    Refused(who="staff", cause="credentials"),
    *(Unavailable(why=why) for why in Why),
    Garbled(),
    Garbled(why=Why.UNREADABLE),
    Unsure(),
    CONNECTED,
    Done(here=text("We no longer check it."), there=text("It stays there.")),
]


def words(said: str) -> set[str]:
    return set(re.findall(r"\w+", said.casefold()))


@pytest.mark.parametrize("step", STEPS, ids=lambda step: type(step).__name__)
def test_the_sentence_says_more_than_the_heading(
    people: People, scripted: Scripted, step: object
) -> None:
    attempt = run_step(begin_attempt(people), scripted, step)  # type: ignore[arg-type]
    panel = panel_of(attempt, people.alice)
    assert len(words(panel.sentence) - words(panel.heading)) >= 3
    assert not words(panel.sentence) <= words(panel.heading) | words(panel.more)


def test_the_heading_says_who_refused_what(people: People, scripted: Scripted) -> None:
    ours = Refused(who="merchant", heading=text("Choose another shop"), note=text("It is taken."))
    attempt = run_step(begin_attempt(people), scripted, ours)
    page = visible_text(browser(people.alice).get(attempt.get_absolute_url()))
    assert "Choose another shop It is taken." in page
    assert "did not accept this" not in page
    theirs = run_step(begin_attempt(people, "Two"), scripted, Refused(who="merchant"))
    assert "Scripted did not accept this" in panel_of(theirs, people.alice).heading


def test_a_heading_goes_with_its_refusal(people: People, scripted: Scripted) -> None:
    refused = Refused(who="merchant", heading=text("Choose another shop"))
    attempt = run_step(begin_attempt(people), scripted, refused)
    assert shown(Connection.objects.get().heading) == "Choose another shop"
    attempt = run_step(attempt, scripted, Unavailable())
    assert (attempt.answer, attempt.heading) == (Answer.UNAVAILABLE, {})


def test_who_cancels_while_reconnecting_is_still_connected(
    people: People, scripted: Scripted
) -> None:
    attempt = run_step(begin_attempt(people), scripted, CONNECTED)
    again = Attempt.objects.create(
        connection=attempt.connection, user=people.alice, purpose="reconnect"
    )
    again.answer, again.turn = Answer.DECLINED, "merchant"
    assert panel_of(again, people.alice).heading == "You cancelled at Scripted"


def test_a_check_keeps_the_sentence_of_a_connected_shop(people: People, scripted: Scripted) -> None:
    connection = run_step(begin_attempt(people), scripted, CONNECTED).connection
    connection = run_check(connection, scripted, Unavailable(why=Why.FAULT))
    assert connection.status == "connected"
    assert connection.sentence == "Scripted reports a problem on its side. We keep trying."
