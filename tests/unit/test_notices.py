"""Mails that answer somebody's wait for an attempt: once, when it is their turn or it is done."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import time_machine
from django.conf import settings
from django.core import mail
from django.core.mail import EmailMessage
from django.utils import timezone

from onboarding import journey
from onboarding.background import schedule
from onboarding.models import Attempt, Notice, User
from onboarding.notifications import choices, notices
from tests.support.attempts import CONNECTED, WAIT, begin_attempt, run_step
from tests.support.notices import GRACE, readers, told, why_not
from tests.support.people import People
from tests.support.scripted import Scripted
from vendors.contract import (
    Done,
    Garbled,
    NeedsMerchant,
    Order,
    Progress,
    Redirect,
    Step,
    Unavailable,
    text,
)

pytestmark = pytest.mark.both
BROKEN = Garbled("odd")
TO_DO = NeedsMerchant(code="app", note=text("Install the app, by %(time)s.", time=timezone.now()))
STILL = replace(TO_DO, poll_every=GRACE, poll_first=GRACE)
LINK = Redirect(url="https://vendor.example/authorize")


@pytest.fixture
def attempt(people: People) -> Attempt:
    return begin_attempt(people)


@pytest.fixture
def staffs(attempt: Attempt, scripted: Scripted) -> Attempt:
    """An attempt for which staff have to do something."""
    return run_step(attempt, scripted, BROKEN)


def look(attempt: Attempt) -> None:
    """Its user opens its page."""
    attempt.refresh_from_db()
    journey.note_look(attempt, attempt.user)


# -- which occasion leads to which mail ------------------------------------------------------------


def test_ready_to_continue(attempt: Attempt, scripted: Scripted) -> None:
    run_step(attempt, scripted, WAIT)
    assert told() == []
    run_step(attempt, scripted, LINK)
    assert told() == told() == ["“My shop”: it is your turn at Scripted"]
    [sent] = mail.outbox
    assert sent.to == ["alice@example.org"]
    assert f"http://localhost{attempt.get_absolute_url()}\n" in str(sent.body)


def test_action_needed(attempt: Attempt, scripted: Scripted) -> None:
    run_step(attempt, scripted, WAIT)
    run_step(attempt, scripted, TO_DO)
    assert told() == ["“My shop”: it is your turn"]
    assert "Install the app, by " in str(mail.outbox[0].body)
    assert "today" not in str(mail.outbox[0].body)  # it may be read tomorrow


def test_connected(attempt: Attempt, scripted: Scripted) -> None:
    run_step(attempt, scripted, WAIT)
    run_step(attempt, scripted, CONNECTED)
    assert told() == told() == ["“My shop” is connected"]
    page = attempt.connection.get_absolute_url()
    assert f"http://localhost{page}\n" in str(mail.outbox[0].body)


def test_staff_have_done_their_part(staffs: Attempt, scripted: Scripted) -> None:
    assert told() == []
    run_step(staffs, scripted, TO_DO)
    assert told() == told() == ["“My shop”: it is your turn again"]
    assert f"http://localhost{staffs.get_absolute_url()}\n" in str(mail.outbox[0].body)


def test_a_shop_that_is_set_up_is_not_called_the_merchants_turn(
    staffs: Attempt, scripted: Scripted
) -> None:
    run_step(staffs, scripted, replace(CONNECTED, confirmed=False))
    assert told() == ["“My shop”: it is done"]
    journey.confirm(staffs.connection_id, staffs.user)
    assert told() == ["“My shop”: it is done", "“My shop” is connected"]


def test_staff_have_done_a_task(people: People, attempt: Attempt, scripted: Scripted) -> None:
    shop = run_step(attempt, scripted, CONNECTED).connection
    look(attempt)
    by_hand = Done(here=text("We pause."), there=text("It flows."), staff_task="Switch it off.")
    run_step(journey.pause(shop, people.alice), scripted, by_hand)
    assert told() == []
    journey.complete_task(shop.pk)
    assert told() == ["“My shop”: it is done"]


# -- who sees it needs no mail ---------------------------------------------------------------------


def test_who_sees_it_on_the_page_gets_no_mail(attempt: Attempt, scripted: Scripted) -> None:
    run_step(attempt, scripted, WAIT)
    run_step(attempt, scripted, TO_DO)
    look(attempt)
    assert (told(), why_not()) == ([], ["seen"])


def test_who_looked_before_it_changed_gets_the_mail(attempt: Attempt, scripted: Scripted) -> None:
    run_step(attempt, scripted, WAIT)
    look(attempt)
    run_step(attempt, scripted, TO_DO)
    assert len(told()) == 1


def test_nobody_is_mailed_before_they_could_see_it(attempt: Attempt, scripted: Scripted) -> None:
    run_step(attempt, scripted, WAIT)
    run_step(attempt, scripted, TO_DO)
    assert told(after=settings.NOTICE_AFTER / 2) == []
    assert len(told()) == 1


def test_a_state_that_stays_is_told_once_however_often_the_vendor_is_asked(
    attempt: Attempt, scripted: Scripted
) -> None:
    for minutes in range(5):
        with time_machine.travel(timezone.now() + minutes * GRACE / 3):
            run_step(attempt, scripted, STILL)
    assert len(told(2 * GRACE)) == 1
    run_step(attempt, scripted, STILL)
    look(attempt)
    run_step(attempt, scripted, STILL)
    assert len(told(3 * GRACE)) == 1
    assert Notice.objects.count() == 1


def test_another_step_there_is_another_mail(attempt: Attempt, scripted: Scripted) -> None:
    run_step(attempt, scripted, STILL)
    assert len(told()) == 1
    run_step(attempt, scripted, replace(STILL, note=text("Allow it there, too.")))
    assert len(told(3 * GRACE)) == 2


def test_a_look_of_a_colleague_is_not_theirs(
    people: People, attempt: Attempt, scripted: Scripted
) -> None:
    run_step(attempt, scripted, WAIT)
    row = run_step(attempt, scripted, TO_DO)
    journey.note_look(row, people.bob)
    assert len(told()) == 1


def test_a_look_is_noted_once_a_minute_and_when_there_is_news(
    attempt: Attempt, scripted: Scripted
) -> None:
    run_step(attempt, scripted, WAIT)
    noted = []
    for answer in (None, None, TO_DO, None):
        if answer:
            run_step(attempt, scripted, answer)
        look(attempt)
        attempt.refresh_from_db()
        noted.append(attempt.seen_at)
    assert noted[0] == noted[1] != noted[2] == noted[3]


# -- promises --------------------------------------------------------------------------------------


def test_a_wait_is_promised_a_mail(attempt: Attempt, scripted: Scripted) -> None:
    row = run_step(attempt, scripted, Unavailable())
    assert notices.promised_to(row, row.user) == "alice@example.org"
    run_step(attempt, scripted, CONNECTED)
    assert notices.promised_to(row, row.user) == ""
    assert told() == ["“My shop” is connected"]


def test_nobody_is_promised_what_they_do_not_want(
    people: People, attempt: Attempt, scripted: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = run_step(attempt, scripted, Unavailable())
    assert notices.promised_to(row, people.bob) == ""
    monkeypatch.setattr(choices, "wants", lambda user, merchant, group: group != "turn")
    assert notices.promised_to(row, row.user) == ""
    run_step(attempt, scripted, CONNECTED)
    assert (told(), why_not()) == ([], ["not_wanted"])


def test_a_wait_for_something_else_promises_nothing(attempt: Attempt, scripted: Scripted) -> None:
    Attempt.objects.update(purpose="enter")
    row = run_step(attempt, scripted, Unavailable())
    assert notices.promised_to(row, row.user) == ""


def test_what_waits_again_before_its_mail_is_told_later(
    attempt: Attempt, scripted: Scripted
) -> None:
    run_step(attempt, scripted, WAIT)
    run_step(attempt, scripted, TO_DO)
    run_step(attempt, scripted, Unavailable())
    assert told() == []
    run_step(attempt, scripted, LINK)
    assert told() == ["“My shop”: it is your turn at Scripted"]
    assert Notice.objects.count() == 1


def test_what_is_promised_twice_is_kept_twice(staffs: Attempt, scripted: Scripted) -> None:
    for count in (1, 2):
        run_step(staffs, scripted, BROKEN)
        run_step(staffs, scripted, TO_DO)
        assert len(told()) == count


def test_nobody_is_mailed_while_we_still_ask(staffs: Attempt, scripted: Scripted) -> None:
    def ask(order: Order) -> Step:
        assert told() == []
        raise Unavailable

    run_step(staffs, scripted, Progress(), ask)
    assert told() == []


def test_an_attempt_that_is_over_mails_nobody(staffs: Attempt, scripted: Scripted) -> None:
    run_step(staffs, scripted, TO_DO)
    journey.reconnect(staffs.connection, staffs.user)
    journey.disconnect(staffs.connection, staffs.user)
    assert (told(), why_not()) == ([], ["over"])


@pytest.mark.parametrize("gone", ["member", "closed"])
def test_who_has_left_gets_none(
    people: People, staffs: Attempt, scripted: Scripted, gone: str
) -> None:
    run_step(staffs, scripted, TO_DO)
    if gone == "member":
        people.acme.memberships.filter(user=people.alice).delete()
    else:
        User.objects.filter(pk=people.alice.pk).update(is_active=False)
    assert (told(), why_not()) == ([], ["left"])


def test_whoever_takes_over_gets_the_mail(
    people: People, staffs: Attempt, scripted: Scripted
) -> None:
    journey.hand_over_attempts(people.acme, people.alice, people.bob)
    run_step(staffs, scripted, TO_DO)
    assert len(told()) == 1
    assert readers() == ["bob@example.org"]


# -- exactly once ----------------------------------------------------------------------------------


def refuse(mail: EmailMessage) -> int:
    raise OSError


def test_a_mail_that_fails_is_tried_again(
    staffs: Attempt, scripted: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_step(staffs, scripted, TO_DO)
    with monkeypatch.context() as patch:
        patch.setattr(EmailMessage, "send", refuse)
        assert told() == []
    assert told() == []  # the next try has its time
    assert len(told(after=3 * GRACE)) == len(told(after=3 * GRACE)) == 1


def again_while(action: Callable[[], object], monkeypatch: pytest.MonkeyPatch) -> None:
    """Something else happens while the first mail is being sent."""
    real = EmailMessage.send

    def meanwhile(self: EmailMessage, fail_silently: bool = False) -> int:
        monkeypatch.setattr(EmailMessage, "send", real)
        action()
        return real(self, fail_silently)

    monkeypatch.setattr(EmailMessage, "send", meanwhile)


def test_two_workers_send_it_once(
    staffs: Attempt, scripted: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_step(staffs, scripted, TO_DO)
    again_while(schedule.mail, monkeypatch)
    assert len(told()) == 1


def test_a_wait_that_begins_while_its_mail_is_sent_is_told_too(
    staffs: Attempt, scripted: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_step(staffs, scripted, TO_DO)
    again_while(lambda: run_step(staffs, scripted, BROKEN), monkeypatch)
    assert len(told()) == 1
    run_step(staffs, scripted, TO_DO)
    assert len(told(after=3 * GRACE)) == 2


class Killed(BaseException):
    """The process dies."""


def test_a_worker_that_dies_before_it_sends_loses_nothing(
    staffs: Attempt, scripted: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(mail: EmailMessage) -> int:
        raise Killed

    run_step(staffs, scripted, TO_DO)
    with monkeypatch.context() as patch:
        patch.setattr(EmailMessage, "send", die)
        with pytest.raises(Killed):
            told()
    assert (told(), len(told(after=3 * GRACE))) == ([], 1)
