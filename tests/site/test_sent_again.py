"""Mails that staff send again from the mail log: what has been seen goes out, what is over does not."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
import time_machine
from django.core import mail
from django.urls import reverse
from django.utils import timezone
from pytest_django.fixtures import Settings

from onboarding import journey
from onboarding.background import schedule
from onboarding.models import (
    Attempt,
    Breaker,
    Connection,
    Invitation,
    MailRecord,
    Notice,
    WaitlistEntry,
)
from onboarding.models.status import Status
from onboarding.notifications import choices, outbox, refused_addresses, waitlist
from onboarding.people import team
from tests.support.attempts import WAIT, begin_attempt, run_step
from tests.support.notices import told
from tests.support.outages import begin_outage, end_outage, join_waitlist
from tests.support.people import People
from tests.support.scripted import Scripted
from tests.support.staff import staff_client
from tests.support.visit import visible_text
from vendors.contract import Redirect

LOG = reverse("admin:onboarding_mailrecord_changelist")
LINK = Redirect(url="https://vendor.example/authorize")
READY = "“My shop”: it is your turn at Scripted"

pytestmark = pytest.mark.usefixtures("inline_executor")


@pytest.fixture
def attempt(people: People, scripted: Scripted) -> Attempt:
    """Alice was told that she can go on, and has looked at the page since."""
    attempt = begin_attempt(people)
    run_step(attempt, scripted, WAIT)
    run_step(attempt, scripted, LINK)
    assert told() == [READY]
    seen(attempt)
    return attempt


def seen(attempt: Attempt) -> None:
    attempt.refresh_from_db()
    journey.note_look(attempt, attempt.user)


def again(kind: str) -> str:
    """Staff choose this mail in the log. Returns what they read."""
    row = MailRecord.objects.filter(kind=kind).latest("pk")
    chosen = {"action": "send_again", "_selected_action": [str(row.pk)]}
    said = visible_text(staff_client().post(LOG, chosen, follow=True))
    schedule.mail()
    return said


def shop_that_broke(people: People, *names: str) -> list[Connection]:
    """Shops of Acme that broke at the same time, of which Alice has been told in one mail."""
    people.acme.memberships.exclude(user=people.alice).delete()
    attempts = [begin_attempt(people, name=name) for name in names]
    shops = [attempt.connection for attempt in attempts]
    Attempt.objects.update(ended=timezone.now(), ending="connected")
    Connection.objects.update(status=Status.ACTION_NEEDED)
    for shop in shops:
        journey.notices.broke(Connection.objects.get(pk=shop.pk))
    Notice.objects.update(not_before=timezone.now())
    schedule.mail()
    return shops


# -- what does not hold it back --------------------------------------------------------------------


def test_what_has_been_seen_is_sent_again(attempt: Attempt) -> None:
    assert "sent again within a minute" in again("ready")
    assert [sent.subject for sent in mail.outbox] == [READY, READY]
    assert [row.outcome for row in MailRecord.objects.filter(kind="ready")] == ["sent", "sent"]


def test_also_when_the_mail_server_takes_it_only_later(
    attempt: Attempt, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    working = settings.EMAIL_BACKEND
    settings.EMAIL_BACKEND = "tests.unit.test_outbox.Refusing"
    again("ready")
    seen(attempt)
    settings.EMAIL_BACKEND = working
    Notice.objects.update(mail_retry_at=None)
    schedule.mail()
    assert len(mail.outbox) == 2


def test_a_reminder_goes_out_at_night_and_beyond_the_bounds(attempt: Attempt) -> None:
    night = datetime(2026, 11, 30, 23, 30, tzinfo=UTC)
    row = Notice.objects.get()
    Notice.objects.update(kind="unfinished", step="1 hour", at=night, mailed=night)
    for number in range(2):
        Notice.objects.create(
            kind="broken", user=row.user, connection=row.connection, mailed=night, key=str(number)
        )
    MailRecord.objects.update(kind="unfinished")
    with time_machine.travel(night, tick=True):
        again("unfinished")
    assert mail.outbox[-1].subject == "“My shop” is not connected yet"
    assert len(mail.outbox) == 2


# -- what does -------------------------------------------------------------------------------------


def test_whose_turn_is_over_is_not_told_again(attempt: Attempt, scripted: Scripted) -> None:
    run_step(attempt, scripted, WAIT)
    assert "What it says is no longer true." in again("ready")
    assert len(mail.outbox) == 1


def test_what_ended_meanwhile_is_not_told_again(attempt: Attempt) -> None:
    Attempt.objects.update(ended=timezone.now(), ending="expired")
    assert "What it says is no longer true." in again("ready")
    assert len(mail.outbox) == 1


def test_whoever_left_or_does_not_want_it_is_not_mailed(attempt: Attempt, people: People) -> None:
    choices.stop(people.alice, people.acme, ["turn"])
    assert "They have switched these emails off." in again("ready")
    people.acme.memberships.filter(user=people.alice).delete()
    assert "They no longer belong to this business." in again("ready")
    assert len(mail.outbox) == 1


def test_an_address_that_refuses_is_not_tried(attempt: Attempt) -> None:
    refused_addresses.note("alice@example.org")
    assert "The mail server refuses this address." in again("ready")
    assert len(mail.outbox) == 1


def test_an_invitation_that_was_withdrawn_is_not_sent_again(people: People) -> None:
    team.invite(people.acme, people.alice, "dan@example.org", "member")
    Invitation.objects.update(revoked=timezone.now())
    assert "What it says is no longer true." in again("invitation")
    assert Invitation.objects.get().mailed


def test_word_of_a_vendor_that_is_down_again_is_not_sent_again(
    people: People, scripted: Scripted
) -> None:
    begin_outage()
    join_waitlist(people)
    end_outage()
    waitlist.mail_due()
    assert "sent again within a minute" in again("vendor_back")
    Breaker.objects.all().delete()
    begin_outage()
    assert "What it says is no longer true." in again("vendor_back")
    assert len(mail.outbox) == 2
    assert WaitlistEntry.objects.get().mailed


# -- several shops in one mail ---------------------------------------------------------------------


def test_shops_that_were_told_together_are_told_together_again(people: People) -> None:
    shops = shop_that_broke(people, "North", "South", "West")
    assert len(mail.outbox) == 1
    Connection.objects.filter(pk=shops[0].pk).update(status=Status.CONNECTED)
    again("broken")
    [_, sent] = mail.outbox
    assert ("North" in sent.body, "South" in sent.body, "West" in sent.body) == (False, True, True)
    assert not Notice.objects.filter(outbox.due(), dropped=None).exists()
