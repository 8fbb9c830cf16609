"""The mail that is promised with staff's turn: once it is over, to the member who waits."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.core import mail
from django.core.mail import EmailMessage
from django.utils import timezone

from onboarding.background import schedule
from onboarding.models import Attempt, Merchant, PromisedMail, User
from onboarding.notifications import promised_mails
from tests.support.attempts import CONNECTED, begin_attempt, run_step
from tests.support.people import People
from tests.support.scripted import Scripted
from vendors.contract import Garbled, NeedsMerchant, Order, Progress, Step, Unavailable, text

pytestmark = pytest.mark.both
BROKEN = Garbled("odd")
TO_DO = NeedsMerchant(code="app", note=text("Install the app, by %(time)s.", time=timezone.now()))


def told() -> list[str]:
    promised_mails.mail_due()
    return [str(sent.subject) for sent in mail.outbox]


def staffs_turn(people: People, scripted: Scripted) -> Attempt:
    return run_step(begin_attempt(people), scripted, BROKEN)


def test_one_mail_when_it_is_the_merchants_turn_again(people: People, scripted: Scripted) -> None:
    attempt = staffs_turn(people, scripted)
    assert told() == []
    run_step(attempt, scripted, TO_DO)
    assert told() == told() == ["“My shop”: it is your turn again"]
    sent = mail.outbox[0]
    assert sent.to == ["alice@example.org"]
    assert f"http://localhost{attempt.get_absolute_url()}\n" in str(sent.body)
    assert "Install the app, by " in str(sent.body)
    assert "today" not in str(sent.body)  # it may be read tomorrow


def test_one_mail_when_it_is_solved(people: People, scripted: Scripted) -> None:
    attempt = run_step(staffs_turn(people, scripted), scripted, CONNECTED)
    schedule.mail()
    [sent] = mail.outbox
    assert sent.subject == "“My shop”: the problem is solved"
    assert f"http://localhost{attempt.connection.get_absolute_url()}\n" in str(sent.body)


def test_a_shop_that_is_set_up_is_not_called_the_merchants_turn(
    people: People, scripted: Scripted
) -> None:
    run_step(staffs_turn(people, scripted), scripted, replace(CONNECTED, confirmed=False))
    assert told() == ["“My shop”: the problem is solved"]


def test_nobody_is_mailed_while_we_still_ask(people: People, scripted: Scripted) -> None:
    attempt = staffs_turn(people, scripted)

    def look(order: Order) -> Step:
        assert told() == []
        raise Unavailable

    run_step(attempt, scripted, Progress(), look)
    assert told() == []


def test_without_staffs_turn_there_is_no_mail(people: People, scripted: Scripted) -> None:
    run_step(begin_attempt(people), scripted, TO_DO)
    assert (told(), PromisedMail.objects.count()) == ([], 0)


def test_what_is_promised_twice_is_kept_twice(people: People, scripted: Scripted) -> None:
    attempt = staffs_turn(people, scripted)
    for count in (1, 2):
        run_step(attempt, scripted, BROKEN)
        run_step(attempt, scripted, TO_DO)
        assert len(told()) == count
    assert PromisedMail.objects.count() == 1


@pytest.mark.parametrize("gone", ["member", "closed"])
def test_who_has_left_gets_none(people: People, scripted: Scripted, gone: str) -> None:
    run_step(staffs_turn(people, scripted), scripted, TO_DO)
    if gone == "member":
        people.acme.memberships.filter(user=people.alice).delete()
    else:
        User.objects.filter(pk=people.alice.pk).update(is_active=False)
    assert told() == []


def refused(mail: EmailMessage) -> int:
    raise OSError


def test_a_mail_that_fails_is_tried_again(
    people: People, scripted: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    Merchant.objects.update(language="en")
    run_step(staffs_turn(people, scripted), scripted, TO_DO)
    with monkeypatch.context() as patch:
        patch.setattr(EmailMessage, "send", refused)
        assert told() == []
    PromisedMail.objects.update(mail_retry_at=timezone.now())
    assert len(told()) == 1
