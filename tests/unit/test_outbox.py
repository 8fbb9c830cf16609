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
from onboarding.models import Alert, Invitation
from onboarding.notifications import outbox
from onboarding.notifications.outbox import MAX_TRIES
from onboarding.people import team
from tests.support.people import People

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
    assert told.subject == "[Gangway] mail: undelivered"
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

    def compose(alert: Alert) -> EmailMessage:
        if alert.cause == "bad":
            raise ZeroDivisionError
        return EmailMessage(alert.cause, "", to=[STAFF])

    with caplog.at_level(logging.ERROR):
        outbox.send_due(Alert.objects.order_by("pk"), compose)
    assert [mail.subject for mail in mailoutbox] == ["good"]
    assert "a mail met a bug: Alert" in caplog.text
    assert Alert.objects.get(cause="bad").mail_tries == 1


def test_a_process_that_died_while_mailing_is_counted(people: People) -> None:
    row = Alert.objects.create(vendor="v", cause="c")

    class Killed(BaseException):
        pass

    def compose(alert: Alert) -> EmailMessage:
        raise Killed

    with pytest.raises(Killed):
        outbox.send_due(Alert.objects.all(), compose)
    row.refresh_from_db()
    assert (row.mail_tries, row.mailed) == (1, None)
