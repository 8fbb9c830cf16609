"""The table in the contract's docstring, row by row: what a merchant sees, and which call comes next."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

import vendors.contract
from onboarding import journey
from onboarding.journey import hops
from onboarding.models import Attempt, Event
from onboarding.models.status import Status
from tests.support.attempts import (
    CONNECTED,
    begin_attempt,
    close_pages,
    reloaded,
    run_check,
    run_step,
)
from tests.support.people import People
from tests.support.scripted import Answer, Scripted
from tests.support.visit import LINK, browser, url, visible_text
from vendors.contract import (
    Ask,
    Declined,
    Done,
    Garbled,
    NeedsMerchant,
    Order,
    Progress,
    Question,
    Redirect,
    Refused,
    StartOver,
    Step,
    Unavailable,
    Unsure,
    Waiting,
    text,
)

pytestmark = pytest.mark.usefixtures("inline_executor")
OLD = {"code": "1"}
WHICH = Question(key="shop", label=text("Shop"), choices=(("a", text("A")), ("b", text("B"))))
WAIT = Waiting(
    note=text("Not yet."), poll_every=timedelta(minutes=1), give_up_after=timedelta(hours=1)
)
NEEDS = NeedsMerchant(code="app", note=text("Install it."), poll_every=timedelta(minutes=5))
OVER = StartOver(note=text("The set-up there has run out."))
DONE = Done(here=text("Ended here."), there=text("Ended there."))
Call = tuple[str, Any]
SAME: Call = ("returned", OLD)


@dataclass(frozen=True, kw_only=True)
class Case:
    """`press`: the button; without one the sweep makes the call. `then` None: no call comes."""

    step: Answer
    press: str = ""
    then: Call | None = None
    data: Mapping[str, str] | None = None


CASES = {
    "Redirect(url)": Case(step=Redirect(url=LINK), press="continue", then=SAME),
    "Redirect(url) returns=False": Case(
        step=Redirect(url=LINK, returns=False), press="finish", then=("returned", {})
    ),
    'Redirect("")': Case(step=Redirect(url=""), press="continue", then=SAME),
    "Waiting": Case(step=WAIT, press="check-again", then=SAME),
    "Ask": Case(
        step=Ask(note=text("Which?"), questions=(WHICH,)),
        press="answer", data={"shop": "a"}, then=("answered", {"shop": "a"}),
    ),
    "NeedsMerchant": Case(step=NEEDS, press="check-again", then=SAME),
    "NeedsMerchant questions=(…)": Case(
        step=NeedsMerchant(code="app", note=text("Do it."), questions=(WHICH,)),
        press="answer", data={"shop": "b"}, then=("answered", {"shop": "b"}),
    ),
    "NeedsMerchant goes_on=True": Case(
        step=NeedsMerchant(code="more", note=text("Allow it."), goes_on=True),
        press="continue", then=SAME,
    ),
    "Declined": Case(step=Declined(), press="continue", then=("start", None)),
    "Refused(merchant)": Case(
        step=Refused(who="merchant"), press="continue", then=("start", None)
    ),
    "StartOver": Case(step=OVER, press="continue", then=("start", None)),
    "Connected": Case(step=CONNECTED),
    "Connected confirmed=False": Case(step=replace(CONNECTED, confirmed=False)),
    "Done": Case(step=DONE),
    "Unavailable": Case(step=Unavailable(), press="check-again", then=SAME),
    "Refused(staff)": Case(step=Refused(who="staff"), then=SAME),
    "Garbled": Case(step=Garbled(), then=SAME),
    "Unsure": Case(step=Unsure()),
}  # fmt: skip


def table() -> dict[str, tuple[str, str]]:
    """The rows of the docstring: what is seen, and what comes next."""
    rows, name = dict[str, tuple[str, str]](), ""
    lines = str(vendors.contract.__doc__).splitlines()
    first = next(n for n, line in enumerate(lines) if line.startswith("    -----"))
    for line in lines[first + 1 :]:
        if not line.strip():
            break
        cells = line[4:27].rstrip(), line[27:71].strip(), line[71:].strip()
        if cells[0].startswith("  "):
            name = f"{name.split()[0]} {cells[0].strip()}"
        elif cells[0]:
            name = cells[0]
        seen, following = rows.get(name, ("", ""))
        rows[name] = f"{seen} {cells[1]}".strip(), f"{following} {cells[2]}".strip()
    return rows


TABLE = table()


def back_from_the_vendor(people: People, scripted: Scripted) -> Attempt:
    """Alice has gone and come back with OLD; the vendor is to be asked."""
    attempt = run_step(begin_attempt(people), scripted, Redirect(url=LINK))
    hops.take_link(attempt, people.alice, browser="b")
    hop = hops.find_hop("scripted", scripted.last.state)
    assert hop is not None
    return journey.record_return(hop, OLD, people.alice)


def page(people: People, attempt: Attempt) -> str:
    said = visible_text(browser(people.alice).get(attempt.get_absolute_url()))
    return said.replace("’", "'")


def quoted(cell: str) -> list[str]:
    """The text that a cell quotes from the page; "…" stands for a name."""
    return [part.strip() for each in re.findall(r'"([^"]*)"', cell) for part in each.split("…")]


def press(people: People, attempt: Attempt, case: Case) -> None:
    given = {f"answer_{key}": value for key, value in (case.data or {}).items()}
    assert browser(people.alice).post(url(case.press, attempt), given).status_code == 303


def test_the_table_has_every_step_and_every_error() -> None:
    assert set(TABLE) == {*CASES, "Progress"}


@pytest.mark.parametrize("name", CASES)
def test_the_page_says_what_the_table_says(people: People, scripted: Scripted, name: str) -> None:
    row = run_step(back_from_the_vendor(people, scripted), scripted, CASES[name].step)
    if "returns=False" in name:
        hops.take_link(row, people.alice, browser="b", beside=True)
    seen, following = TABLE[name]
    said, status = page(people, row), Status(row.status).label.replace("’", "'")
    for phrase in quoted(seen) + quoted(following):
        assert phrase in said
    if not seen.startswith('"'):
        assert status in seen
    assert (row.ended is not None) == ("ended" in seen)


@pytest.mark.parametrize("name", CASES)
def test_the_next_call_is_the_one_of_the_table(
    people: People, scripted: Scripted, name: str
) -> None:
    case = CASES[name]
    row = run_step(back_from_the_vendor(people, scripted), scripted, case.step)
    asked, following = len(scripted.asked), TABLE[name][1]
    if case.press:
        scripted.script.append(WAIT)
        if "Redirect(url)" in name:
            assert hops.take_link(row, people.alice, browser="b", beside=True)
        press(people, row, case)
        assert scripted.last.present
    elif case.then:
        assert row.due_at is not None
        run_step(row, scripted, WAIT, present=False)
    assert not scripted.script
    assert [each[::2] for each in scripted.asked[asked:]] == ([case.then] if case.then else [])
    if case.then:
        expected = "the same call" if case.then is SAME else f"{case.then[0]}"
        assert expected in following
    else:
        assert reloaded(row).due_at is None


def test_progress_makes_the_same_call_at_once(people: People, scripted: Scripted) -> None:
    attempt, said = back_from_the_vendor(people, scripted), list[str]()

    def look(order: Order) -> Step:
        said.append(page(people, attempt))
        return WAIT

    run_step(attempt, scripted, Progress(), look)
    assert [each[::2] for each in scripted.asked[-2:]] == [SAME, SAME]
    for phrase in quoted(TABLE["Progress"][0]):
        assert phrase in said[0]


def test_while_nothing_was_minted_every_call_gets_the_same_state(
    people: People, scripted: Scripted
) -> None:
    attempt = begin_attempt(people)
    for answer in (Progress(), Unavailable(), WAIT, Redirect(url=""), Garbled(), Declined()):
        row = run_step(attempt, scripted, answer, *([WAIT] if isinstance(answer, Progress) else []))
        journey.continue_attempt(row, people.alice)
    run_step(attempt, scripted, Redirect(url=LINK))
    assert len({order.state for _, order, _ in scripted.asked}) == 1
    hops.take_link(reloaded(attempt), people.alice, browser="b")
    journey.continue_attempt(attempt, people.alice)
    run_step(attempt, scripted, WAIT)
    assert len({order.state for _, order, _ in scripted.asked}) == 2


def test_another_member_gets_a_state_of_their_own(people: People, scripted: Scripted) -> None:
    attempt = run_step(begin_attempt(people), scripted, WAIT)
    first = scripted.last.state
    journey.continue_attempt(attempt, people.bob)
    run_step(attempt, scripted, WAIT)
    assert scripted.last.state != first


# -- beginning again -----------------------------------------------------------------------------


def drafts(order: Order) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    return order.memos.account, order.memos.connection


@pytest.mark.parametrize("no", [Declined(), Refused(who="merchant")])
def test_after_a_no_the_accounts_draft_is_dropped_and_the_connections_stays(
    people: People, scripted: Scripted, no: Answer
) -> None:
    attempt = back_from_the_vendor(people, scripted)
    live = Progress(account={"room": 1}, promote=True)
    run_step(attempt, scripted, live, Progress(account={"user": 2}, connection={"shop": 3}), no)
    assert drafts(scripted.last) == ({"user": 2}, {"shop": 3})
    journey.continue_attempt(attempt, people.alice)
    run_step(attempt, scripted, WAIT)
    assert scripted.calls[-1] == "start"
    assert drafts(scripted.last) == ({"room": 1}, {"shop": 3})


@pytest.mark.parametrize(("memo", "left"), [(None, {}), ({"licence": "l"}, {"licence": "l"})])
def test_start_over_drops_both_drafts_but_what_it_gives(
    people: People, scripted: Scripted, memo: Mapping[str, Any] | None, left: Mapping[str, Any]
) -> None:
    attempt = back_from_the_vendor(people, scripted)
    live = Progress(account={"room": 1}, promote=True)
    drafted = Progress(account={"user": 2}, connection={"licence": "l", "step": 3})
    over = StartOver(note=text("It has run out."), connection=memo)
    row = run_step(attempt, scripted, live, drafted, over)
    assert (row.status, row.turn, row.answer) == ("action_needed", "merchant", "start_over")
    assert (row.due_at, row.ended, row.connection.status) == (None, None, "action_needed")
    journey.continue_attempt(attempt, people.alice)
    run_step(attempt, scripted, WAIT)
    assert scripted.asked[-1][::2] == ("start", None)
    assert drafts(scripted.last) == ({"room": 1}, left)


def test_start_over_is_no_refusal(people: People, scripted: Scripted) -> None:
    row = run_step(back_from_the_vendor(people, scripted), scripted, OVER)
    said = page(people, row)
    assert "The set-up there has run out." in said
    assert "did not accept" not in said
    assert Event.objects.filter(note__id="The set-up there has run out.").exists()


def test_start_over_from_a_check_lowers_no_connected_shop(
    people: People, scripted: Scripted
) -> None:
    connection = run_step(begin_attempt(people), scripted, CONNECTED).connection
    assert run_check(connection, scripted, OVER).status == Status.CONNECTED


def test_a_vendors_action_that_is_to_start_over_is_begun_again_with_new_answers(
    people: People, scripted: Scripted
) -> None:
    connection = run_step(begin_attempt(people), scripted, CONNECTED).connection
    first = journey.run_action(connection, people.alice, "mine", {"code": "1"})
    run_step(first, scripted, OVER)
    second = journey.run_action(connection, people.alice, "mine", {"code": "2"})
    run_step(second, scripted, DONE)
    assert second.pk != first.pk
    assert scripted.asked[-1][2] == ("mine", {"code": "2"})


# -- links ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("start", [True, False])
def test_no_link_twice_in_a_row_for_a_merchant_who_waits_is_a_clear_failure(
    people: People, scripted: Scripted, start: bool
) -> None:
    attempt = begin_attempt(people) if start else back_from_the_vendor(people, scripted)
    assert run_step(attempt, scripted, Redirect(url="")).answer == "redirect"
    journey.continue_attempt(attempt, people.alice)
    row = run_step(attempt, scripted, Redirect(url="", connection={"saved": 1}))
    assert (row.answer, row.turn, row.cause) == ("garbled", "staff", "no_progress")
    assert "named no link again" in row.detail
    assert row.connection_memo == {"saved": 1}


def test_no_link_is_right_while_no_merchant_waits_for_it(
    people: People, scripted: Scripted
) -> None:
    attempt = run_step(begin_attempt(people), scripted, Redirect(url=""))
    journey.continue_attempt(attempt, people.alice)
    close_pages()
    row = run_step(attempt, scripted, Redirect(url=""), present=False)
    assert not scripted.last.present
    assert row.answer == "redirect"


def test_no_link_again_is_right_after_a_link_or_another_answer(
    people: People, scripted: Scripted
) -> None:
    attempt = run_step(begin_attempt(people), scripted, Redirect(url=""))
    for answer in (WAIT, Redirect(url=LINK)):
        journey.continue_attempt(attempt, people.alice)
        run_step(attempt, scripted, answer)
        journey.continue_attempt(attempt, people.alice)
        assert run_step(attempt, scripted, Redirect(url="")).answer == "redirect"


def test_no_link_again_is_right_for_another_return(people: People, scripted: Scripted) -> None:
    attempt = run_step(begin_attempt(people), scripted, Redirect(url=LINK, returns=False))
    hops.take_link(attempt, people.alice, browser="b", beside=True)
    journey.report_finished(attempt, people.alice)
    run_step(attempt, scripted, Redirect(url="", returns=False))
    journey.report_finished(attempt, people.alice)
    assert run_step(attempt, scripted, Redirect(url="")).answer == "redirect"


def test_a_note_stands_in_for_the_sentence_of_the_ready_page(
    people: People, scripted: Scripted
) -> None:
    plain = run_step(begin_attempt(people), scripted, Redirect(url=LINK))
    assert "opens in this tab" in page(people, plain)
    note = text("Sign in as the user of %(shop)s.", shop="the first shop")
    noted = run_step(begin_attempt(people, "Second"), scripted, Redirect(url=LINK, note=note))
    said = page(people, noted)
    assert "Everything is ready" in said
    assert "Sign in as the user of the first shop." in said
    assert "opens in this window" not in said
    assert reloaded(noted).connection.sentence == "Sign in as the user of the first shop."


@pytest.mark.parametrize("named", [("", "7"), ("session", ""), ("state", "7")])
def test_a_return_that_could_not_be_found_is_garbled(
    people: People, scripted: Scripted, named: tuple[str, str]
) -> None:
    row = run_step(begin_attempt(people), scripted, Redirect(url=LINK, returned_by=named))
    assert (row.answer, row.turn) == ("garbled", "staff")
    assert "by which a return could be found" in row.detail


def test_no_secret_of_a_link_is_in_its_repr() -> None:
    step = Redirect(url="https://vendor.example/s3cret", returned_by=("session", "s3cret"))
    assert "s3cret" not in repr(step)


# -- creations that may be repeated --------------------------------------------------------------


def test_a_creation_with_an_idempotency_key_is_repeated_with_the_same_key(
    people: People, scripted: Scripted
) -> None:
    """Not announced: its lost answer is Unavailable, and staff have nothing to settle."""
    attempt = begin_attempt(people)
    keyed = Progress(connection={"key": "k-1"})
    row = run_step(attempt, scripted, keyed, Unavailable("lost"))
    assert (row.answer, row.turn, row.connection.account.unsure) == ("unavailable", "us", "")
    Attempt.objects.update(due_at=timezone.now())
    run_step(attempt, scripted, CONNECTED)
    keys = [order.memos.connection.get("key") for _, order, _ in scripted.asked]
    assert keys == [None, "k-1", "k-1"]
