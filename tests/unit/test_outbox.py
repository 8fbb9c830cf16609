"""The outbox of mails: retried with backoff, given up after three days with an alert for staff."""

from __future__ import annotations

import logging
from datetime import timedelta

import pytest
from django.core.mail import EmailMessage
from django.core.mail.backends.locmem import EmailBackend
from django.utils import timezone
from pytest_django.fixtures import Settings

from onboarding.background import schedule
from onboarding.models import Alert, Connection, Invitation, Notice, WaitlistEntry
from onboarding.models.outbox import MAX_TRIES, MailState
from onboarding.notifications import notices, outbox, waitlist
from onboarding.notifications.mail import Mail
from onboarding.people import team
from tests.support.attempts import CONNECTED, begin_attempt, run_step
from tests.support.mail_server import MailServer, mail_server
from tests.support.people import People, connector
from tests.support.scripted import Scripted

pytestmark = pytest.mark.both

MINUTE = timedelta(minutes=1)
STAFF = "staff@example.org"


class Refusing(EmailBackend):
    """A mail server that takes mail for staff alone."""

    def send_messages(self, messages: list[EmailMessage]) -> int:  # type: ignore[override]
        if any(STAFF not in message.to for message in messages):
            raise ConnectionRefusedError
        return super().send_messages(messages)


@pytest.fixture(autouse=True)
def _staff(settings: Settings) -> None:
    settings.STAFF_EMAIL = [STAFF]


@pytest.fixture
def refused(people: People, settings: Settings) -> Invitation:
    """An invitation whose mail was refused once."""
    settings.EMAIL_BACKEND = f"{__name__}.Refusing"
    return team.invite(people.acme, people.alice, "dan@example.org", "member")


def rests(row: Invitation) -> timedelta:
    row.refresh_from_db()
    assert row.mail_retry_at
    return timedelta(minutes=round((row.mail_retry_at - timezone.now()) / MINUTE))


def later(**fields: int) -> None:
    """The backoff is over."""
    Invitation.objects.update(mail_retry_at=timezone.now(), **fields)
    schedule.mail()


def test_a_failed_mail_is_retried_with_backoff(refused: Invitation) -> None:
    waits = [rests(refused)]
    for _ in range(8):
        later()
        waits.append(rests(refused))
    assert [wait // MINUTE for wait in waits] == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert refused.mail_tries == 9


def test_it_is_tried_for_three_days() -> None:
    total = sum((outbox.retry_delay(tries) for tries in range(MAX_TRIES)), timedelta())
    assert timedelta(days=3) < total < timedelta(days=3.3)


def test_during_the_backoff_it_is_not_sent(refused: Invitation) -> None:
    schedule.mail()
    refused.refresh_from_db()
    assert refused.mail_tries == 1


def test_staff_are_alerted_once_when_it_is_given_up(
    refused: Invitation, mailoutbox: list[EmailMessage]
) -> None:
    later(mail_tries=MAX_TRIES - 1)
    for _ in range(3):
        later()
    refused.refresh_from_db()
    assert (refused.mail_tries, refused.mailed) == (MAX_TRIES, None)
    [told] = mailoutbox
    assert told.subject == "[Gangway] Emails could not be sent"
    assert "invitation: dan@example.org · Acme" in told.body
    assert Alert.objects.get().cause == "undelivered"


def test_sent_again_it_starts_over_and_the_alert_clears(
    refused: Invitation, settings: Settings
) -> None:
    later(mail_tries=MAX_TRIES)
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    team.send_again(refused)
    refused.refresh_from_db()
    assert refused.mailed
    schedule.mail()
    assert Alert.objects.get().cleared


def test_a_mail_given_up_long_ago_raises_no_alert(refused: Invitation) -> None:
    given_up = timezone.now() - timedelta(days=8)
    Invitation.objects.update(mail_tries=MAX_TRIES, mail_retry_at=given_up)
    assert outbox.undelivered() == []


def test_a_bug_in_one_mail_stops_no_other(
    people: People, mailoutbox: list[EmailMessage], caplog: pytest.LogCaptureFixture
) -> None:
    for cause in ("bad", "good"):
        Alert.objects.create(vendor="v", cause=cause)

    def compose(alert: Alert) -> Mail:
        if alert.cause == "bad":
            raise ZeroDivisionError
        return Mail(alert.cause, "", [STAFF])

    with caplog.at_level(logging.ERROR):
        outbox.send_due(Alert.objects.order_by("pk"), compose)
    assert [mail.subject for mail in mailoutbox] == ["good"]
    assert "a mail met a bug: Alert" in caplog.text
    assert Alert.objects.get(cause="bad").mail_tries == 1


def test_a_process_that_died_while_mailing_is_counted(people: People) -> None:
    row = Alert.objects.create(vendor="v", cause="c")

    class Killed(BaseException):
        pass

    def compose(alert: Alert) -> Mail:
        raise Killed

    with pytest.raises(Killed):
        outbox.send_due(Alert.objects.all(), compose)
    row.refresh_from_db()
    assert (row.mail_tries, row.mailed) == (1, None)


# -- refused for good ------------------------------------------------------------------------------


def rcpt(server: MailServer) -> int:
    return sum(line.upper().startswith("RCPT") for line in server.commands)


def states() -> set[MailState]:
    return {notice.mail_state for notice in Notice.objects.filter(kind="ends")}


def try_often() -> None:
    """Several sweeps, each after the backoff."""
    for _ in range(4):
        for model in (Alert, Notice, WaitlistEntry):
            model.objects.update(mail_retry_at=timezone.now())
        notices.write_due()
        schedule.mail()


def test_a_refused_warning_ends_at_once_and_staff_are_told(
    people: People, scripted: Scripted, settings: Settings
) -> None:
    run_step(begin_attempt(people), scripted, CONNECTED)
    Connection.objects.update(expires_at=timezone.now() + timedelta(days=6))
    with mail_server(settings) as server:
        server.answers = {f"RCPT {who}@example.org": "550 no" for who in ("alice", "bob")}
        try_often()
        assert rcpt(server) == 3  # both members once, and staff
        [told] = server.mails
        assert (told["To"], told["Subject"]) == (STAFF, "[Gangway] Emails could not be sent")
        assert states() == {MailState.REFUSED}


def test_one_member_who_is_refused_keeps_no_mail_from_the_others(
    people: People, scripted: Scripted, settings: Settings
) -> None:
    run_step(begin_attempt(people), scripted, CONNECTED)
    Connection.objects.update(expires_at=timezone.now() + timedelta(days=6))
    with mail_server(settings) as server:
        server.answers = {"RCPT alice@example.org": "550 no"}
        try_often()
        told = [receivers for receivers, _ in server.received]
        assert told == [["bob@example.org"], [STAFF]]
        assert states() == {MailState.REFUSED, MailState.SENT}


def test_members_of_whom_one_may_be_reached_later_are_tried_again(
    people: People, scripted: Scripted, settings: Settings
) -> None:
    run_step(begin_attempt(people), scripted, CONNECTED)
    Connection.objects.update(expires_at=timezone.now() + timedelta(days=6))
    with mail_server(settings) as server:
        server.answers = {"RCPT alice@example.org": "550 no", "RCPT bob@example.org": "450 later"}
        try_often()
        assert states() == {MailState.REFUSED, MailState.WAITING}
        assert rcpt(server) == 6  # once, four times, and staff


def test_staff_whose_address_is_refused_are_not_mailed_for_ever(
    people: People, settings: Settings
) -> None:
    Alert.objects.create(vendor="v", cause="task")
    with mail_server(settings) as server:
        server.answers = {"RCPT": "550 no"}
        try_often()
        assert rcpt(server) <= 2  # the alert, and the one about it
    assert not Alert.objects.filter(mail_refused=False, cleared=None).exists()


def test_somebody_who_joins_the_waitlist_again_is_mailed_again(
    people: People, scripted: Scripted
) -> None:
    membership, shop = people.acme.memberships.get(user=people.alice), connector("scripted")
    entry = waitlist.join(membership, shop, {})
    WaitlistEntry.objects.update(mail_refused=True, mail_tries=3)
    again = waitlist.join(membership, shop, {})
    again.refresh_from_db()
    assert (again.pk, again.mail_state) == (entry.pk, MailState.WAITING)
    schedule.mail()
    assert WaitlistEntry.objects.get().mail_state == MailState.SENT
