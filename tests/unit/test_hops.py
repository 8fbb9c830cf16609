"""Hops and returns: a link is used once, a return is consumed once, and late answers undo nothing."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import connection as database
from django.utils import timezone

from onboarding import journey
from onboarding.journey import hops
from onboarding.models import Account, Attempt, Hop
from tests.support.attempts import CONNECTED, begin_attempt, reloaded, run_step
from tests.support.people import People
from tests.support.scripted import Scripted
from vendors.contract import Declined, Order, Progress, Redirect, Step, Waiting, text

pytestmark = pytest.mark.both

LINK = "https://vendor.example/go?secret=1"
WAIT = Waiting(note=text("…"), poll_every=timedelta(minutes=1), give_up_after=timedelta(hours=1))


@pytest.fixture
def ready(people: People, scripted: Scripted) -> Attempt:
    return run_step(begin_attempt(people), scripted, Redirect(url=LINK))


def test_a_link_is_taken_once_and_then_forgotten(people: People, ready: Attempt) -> None:
    assert hops.take_link(ready, people.alice, browser="b") == LINK
    assert hops.take_link(ready, people.alice, browser="b") is None
    assert Hop.objects.get(attempt=ready).url is None


def test_a_link_waits_encrypted(ready: Attempt) -> None:
    with database.cursor() as cursor:
        cursor.execute("SELECT url FROM onboarding_hop")
        assert "vendor.example" not in str(cursor.fetchall())


def test_a_link_is_for_the_member_it_was_made_for(people: People, ready: Attempt) -> None:
    assert hops.take_link(ready, people.bob, browser="b") is None
    assert hops.take_link(ready, people.alice, browser="b") == LINK


def test_an_expired_link_is_not_handed_out(people: People, scripted: Scripted) -> None:
    soon = timezone.now() + timedelta(minutes=20)
    ready = run_step(begin_attempt(people), scripted, Redirect(url=LINK, expires_at=soon))
    Hop.objects.update(expires_at=timezone.now())
    assert hops.take_link(ready, people.alice, browser="b") is None


def test_continue_mints_a_fresh_link_with_a_fresh_state(
    people: People, ready: Attempt, scripted: Scripted
) -> None:
    first = scripted.last.state
    hops.take_link(ready, people.alice, browser="b")
    journey.continue_attempt(ready, people.alice)
    run_step(ready, scripted, Redirect(url=LINK + "2"))
    assert scripted.last.state != first
    assert hops.take_link(reloaded(ready), people.alice, browser="b") == LINK + "2"


def test_a_repeated_call_gets_the_same_state(people: People, scripted: Scripted) -> None:
    run_step(begin_attempt(people), scripted, Progress(), Redirect(url=LINK))
    assert len({order.state for _, order, _ in scripted.asked}) == 1


def test_a_return_is_worked_on_once(people: People, ready: Attempt, scripted: Scripted) -> None:
    hop = hops.find_hop("scripted", scripted.last.state)
    assert hop is not None
    journey.record_return(hop, {"code": "c"}, people.alice)
    journey.record_return(hop, {"code": "other"}, people.alice)
    run_step(ready, scripted, CONNECTED)
    assert scripted.asked[-1][::2] == ("returned", {"code": "c"})


@pytest.mark.parametrize("state", ["", "made-up", "None"])
def test_a_return_without_our_state_finds_nothing(ready: Attempt, state: str) -> None:
    Hop.objects.update(state=None)
    assert hops.find_hop("scripted", state) is None


def test_a_state_of_one_vendor_is_nothing_to_another(ready: Attempt, scripted: Scripted) -> None:
    assert hops.find_hop("other", scripted.last.state) is None


def test_a_return_without_a_login_waits_for_its_user(
    people: People, ready: Attempt, scripted: Scripted
) -> None:
    hop = hops.find_hop("scripted", scripted.last.state)
    assert hop is not None
    journey.record_return(hop, {"code": "c"}, None)
    assert reloaded(ready).due_at is None
    assert not journey.claim_return(ready, people.bob)
    assert journey.claim_return(ready, people.alice)
    assert not journey.claim_return(ready, people.alice)
    run_step(ready, scripted, CONNECTED)
    assert scripted.calls[-1] == "returned"


def test_a_return_after_the_end_changes_nothing(
    people: People, ready: Attempt, scripted: Scripted
) -> None:
    hop = hops.find_hop("scripted", scripted.last.state)
    assert hop is not None
    Attempt.objects.update(ended=timezone.now(), ending="replaced")
    journey.record_return(hop, {"code": "c"}, people.alice)
    assert reloaded(ready).due_at is None


def test_a_late_answer_does_not_undo_a_return(people: People, scripted: Scripted) -> None:
    attempt = run_step(begin_attempt(people), scripted, Redirect(url=LINK))
    state = scripted.last.state
    hops.take_link(attempt, people.alice, browser="b")
    journey.continue_attempt(attempt, people.alice)

    def return_meanwhile(order: Order) -> Step:
        hop = hops.find_hop("scripted", state)
        assert hop is not None
        journey.record_return(hop, {"code": "c"}, people.alice)
        return Declined(connection={"kept": 1})

    row = run_step(attempt, scripted, return_meanwhile, WAIT)
    assert scripted.calls == ["start", "start", "returned"]
    assert (row.answer, scripted.last.memos.connection) == ("waiting", {"kept": 1})


def test_one_conversation_at_a_time(people: People, scripted: Scripted) -> None:
    attempt = begin_attempt(people)
    busy = []

    def meanwhile(order: Order) -> Step:
        other = threading.Thread(target=_carry, args=(attempt.pk,))
        other.start()
        other.join()
        busy.append(len(scripted.asked))
        return WAIT

    run_step(attempt, scripted, meanwhile)
    assert busy == [1]


def _carry(pk: int) -> None:
    journey.advance(pk)
    database.close()


def test_a_process_that_lost_its_lease_writes_nothing(people: People, scripted: Scripted) -> None:
    attempt = begin_attempt(people)

    def taken_over(order: Order) -> Step:
        Account.objects.update(lease_token="somebody else")
        return CONNECTED

    row = run_step(attempt, scripted, taken_over)
    assert (row.answer, row.ended) == ("progress", None)


def test_finishing_counts_only_at_a_page_that_does_not_redirect_back(
    people: People, scripted: Scripted
) -> None:
    attempt = run_step(begin_attempt(people), scripted, Redirect(url=LINK, returns=False))
    journey.report_finished(attempt, people.alice)
    assert reloaded(attempt).answer == "redirect"
    assert hops.take_link(attempt, people.alice, browser="b") is None
    assert hops.take_link(attempt, people.alice, browser="b", beside=True) == LINK
    journey.report_finished(attempt, people.alice)
    run_step(attempt, scripted, CONNECTED)
    assert scripted.asked[-1][::2] == ("returned", {})


def test_a_flood_of_parameters_is_cut() -> None:
    result = hops.bounded({f"p{n}": "x" * 9999 for n in range(999)})
    assert len(result) == 20
    assert max(map(len, result.values())) == 8190
