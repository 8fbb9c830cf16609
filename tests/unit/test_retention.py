"""Retention: what has ended is deleted after RETENTION_DAYS, and nothing else is."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.contrib.admin.models import CHANGE, LogEntry
from django.db import connection as database
from django.db.models import Model
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django.fixtures import Settings

from onboarding import journey
from onboarding.background import retention
from onboarding.models import (
    Account,
    Agreement,
    Alert,
    Attempt,
    Call,
    ClosingMail,
    Connection,
    Consent,
    ErasureTask,
    Event,
    GuessWarning,
    Hop,
    Invitation,
    Notice,
    RateLimit,
    SecurityEvent,
    Session,
    Slot,
    User,
    WaitlistEntry,
)
from onboarding.models.status import Status
from tests.support.attempts import CONNECTED, begin_attempt, run_step
from tests.support.people import People, person
from tests.support.scripted import Scripted
from tests.support.sweep import sweep
from vendors.contract import Redirect

pytestmark = pytest.mark.both

DAY = timedelta(days=1)
LINK = Redirect(url="https://vendor.example/go")


@pytest.fixture(autouse=True)
def _a_year(settings: Settings) -> None:
    settings.RETENTION_DAYS = 365


@pytest.fixture
def connection(people: People, scripted: Scripted) -> Connection:
    """Connected, by an attempt with a hop."""
    row = run_step(begin_attempt(people), scripted, LINK)
    return run_step(journey.continue_attempt(row, people.alice), scripted, CONNECTED).connection


Make = Callable[[Connection, People, datetime], Model]
KINDS: dict[type[Model], Make] = {
    SecurityEvent: lambda connection, people, at: SecurityEvent.objects.create(
        kind=SecurityEvent.Kind.SIGNED_IN, at=at
    ),
    LogEntry: lambda connection, people, at: LogEntry.objects.create(
        user=people.alice, action_flag=CHANGE, action_time=at
    ),
    Event: lambda connection, people, at: Event.objects.create(connection=connection, at=at),
    Call: lambda connection, people, at: Call.objects.create(
        vendor="v", ms=1, at=at, connection=connection
    ),
    Notice: lambda connection, people, at: Notice.objects.create(
        connection=connection, user=people.bob, kind="ends", created=at, mailed=at, key="old"
    ),
    ClosingMail: lambda connection, people, at: ClosingMail.objects.create(
        kind=ClosingMail.Kind.ACCOUNT_CLOSED, created=at
    ),
    ErasureTask: lambda connection, people, at: ErasureTask.objects.create(
        merchant=people.acme, vendor="v", done=at
    ),
    Alert: lambda connection, people, at: Alert.objects.create(vendor="v", cause="c", cleared=at),
    WaitlistEntry: lambda connection, people, at: WaitlistEntry.objects.create(
        user=people.bob, merchant=people.acme, connector=connection.connector, asked=at
    ),
    Invitation: lambda connection, people, at: Invitation.objects.create(
        merchant=people.acme, email="dan@example.org", expires_at=at
    ),
}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_it_goes_when_it_is_too_old_and_not_before(
    connection: Connection, people: People, kind: type[Model]
) -> None:
    recent = KINDS[kind](connection, people, timezone.now() - 364 * DAY)
    retention.run()
    assert kind._default_manager.filter(pk=recent.pk).exists()
    for field in ("at", "expires_at", "cleared", "asked", "created", "done", "action_time"):
        if any(each.name == field for each in kind._meta.fields):
            kind._default_manager.filter(pk=recent.pk).update(**{field: timezone.now() - 366 * DAY})
    retention.run()
    assert not kind._default_manager.filter(pk=recent.pk).exists()


def test_an_open_alert_stays_however_old_it_is(connection: Connection) -> None:
    Alert.objects.create(vendor="v", cause="c", opened=timezone.now() - 999 * DAY)
    retention.run()
    assert Alert.objects.count() == 1


def secrets(pk: int) -> tuple[Any, ...]:
    row = Attempt.objects.get(pk=pk)
    return row.call, row.account_memo, row.connection_memo, row.hops.count()


def ended(days: int, **fields: Any) -> Attempt:
    draft = {"call": {"name": "answered", "argument": {"code": "s"}}, "connection_memo": {"k": "s"}}
    Attempt.objects.update(
        **draft, account_memo={"t": "s"}, ended=timezone.now() - days * DAY, ending="done"
    )
    Attempt.objects.update(**fields)
    return Attempt.objects.get()


def test_questions_and_notes_of_an_ended_attempt_are_deleted(connection: Connection) -> None:
    row = ended(days=364)
    retention.run()
    assert secrets(row.pk) == (row.call, {"t": "s"}, {"k": "s"}, 2)
    ended(days=366)
    retention.run()
    assert secrets(row.pk) == ({}, None, {}, 0)
    assert Attempt.objects.get().answer == "connected"


def test_an_open_attempt_keeps_all_of_it(people: People, scripted: Scripted) -> None:
    row = run_step(begin_attempt(people), scripted, LINK)
    Attempt.objects.update(created=timezone.now() - 999 * DAY)
    Hop.objects.update(created=timezone.now() - 999 * DAY)
    retention.run()
    assert secrets(row.pk)[0] == row.call
    assert row.hops.count() == 1


def test_an_attempt_whose_creation_is_in_doubt_keeps_what_staff_need(
    connection: Connection,
) -> None:
    row = ended(days=366)
    Account.objects.update(unsure="room", creator=row)
    retention.run()
    assert secrets(row.pk)[:3] == (row.call, {"t": "s"}, {"k": "s"})


def test_the_shop_itself_stays_as_it_is(connection: Connection, scripted: Scripted) -> None:
    long_ago = timezone.now() - 999 * DAY
    Connection.objects.update(created=long_ago, connected_at=long_ago, memo={"k": "s"})
    ended(days=999)
    before = Connection.objects.values().get(), Account.objects.values().get()
    retention.run()
    assert (Connection.objects.values().get(), Account.objects.values().get()) == before
    scripted.script.append(CONNECTED)
    Connection.objects.update(due_at=timezone.now())
    sweep()  # it can still be checked
    assert Connection.objects.get().answer == "connected"


def test_sessions_go_when_they_have_ended(transactional_db: None) -> None:
    now = timezone.now()
    Session.objects.create(key_hash="old", session_data="", expire_date=now - DAY)
    Session.objects.create(key_hash="new", session_data="", expire_date=now + DAY)
    retention.run()
    assert [row.key_hash for row in Session.objects.all()] == ["new"]


def test_counts_of_rate_limits_go_when_their_time_is_over(transactional_db: None) -> None:
    now = timezone.now()
    RateLimit.objects.create(key="old", used=3, ends_at=now - DAY)
    RateLimit.objects.create(key="new", used=3, ends_at=now + DAY)
    retention.run()
    assert [row.key for row in RateLimit.objects.all()] == ["new"]


def test_warnings_of_guesses_go_after_the_retention_time(people: People) -> None:
    for days in (366, 364):
        GuessWarning.objects.create(user=people.alice, at=timezone.now() - days * DAY)
    retention.run()
    assert GuessWarning.objects.count() == 1


def newcomer(email: str, days: int, **fields: Any) -> User:
    user = User.objects.create_user(email, date_joined=timezone.now() - days * DAY, **fields)
    EmailAddress.objects.create(user=user, email=email, verified=False, primary=True)
    return user


def test_who_never_confirmed_an_address_goes_after_a_month(people: People) -> None:
    newcomer("old@example.org", 31)
    newcomer("new@example.org", 29)
    newcomer("staff@example.org", 31, is_staff=True)
    newcomer("former@erased.invalid", 31, erased_at=timezone.now())  # timelines refer to them
    newcomer("was-here@example.org", 31, last_login=timezone.now())
    old_member = person("member@example.org", "Member")
    User.objects.filter(pk=old_member.pk).update(date_joined=timezone.now() - 999 * DAY)
    retention.run()
    left = {email.partition("@")[0] for email in User.objects.values_list("email", flat=True)}
    assert left == {"alice", "bob", "charlie", "new", "staff", "was-here", "member", "former"}


def test_a_few_rows_at_a_time(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "BATCH", 10)
    monkeypatch.setattr(retention, "PAUSE", 0)
    old = timezone.now() - 366 * DAY
    Event.objects.bulk_create([Event(connection=connection, at=old) for _ in range(35)])
    with CaptureQueriesContext(database) as asked:
        retention.run()
    deletes = [
        each["sql"] for each in asked if each["sql"].startswith('DELETE FROM "onboarding_event"')
    ]
    assert [sql.count(",") + 1 for sql in deletes] == [10, 10, 10, 5]
    assert not Event.objects.filter(at=old).exists()


def test_the_worker_cleans_once_a_day(connection: Connection) -> None:
    Event.objects.create(connection=connection, at=timezone.now() - 366 * DAY)
    sweep()
    sweep()
    assert not Event.objects.filter(at__lt=timezone.now() - 365 * DAY).exists()
    assert Slot.objects.filter(key__startswith="retention:").count() == 1


def test_what_was_agreed_to_stays_while_the_shop_lives_and_a_year_longer(
    connection: Connection,
) -> None:
    old = timezone.now() - 366 * DAY
    Consent.record(connection.attempts.get(), Agreement({}, "1", "en"))
    Consent.objects.update(at=old)
    Attempt.objects.update(ended=old)
    retention.run()
    assert Consent.objects.exists()
    Connection.objects.update(status=Status.DISCONNECTED)
    Attempt.objects.update(ended=timezone.now())
    retention.run()
    assert Consent.objects.exists()
    Attempt.objects.update(ended=old)
    retention.run()
    assert not Consent.objects.exists()
