"""State transitions: the only door through which a connection or an attempt is changed.

Rows are read with a lock, changed by a verdict or a reset, and saved with their version, the entry in the
timeline and the alert that go with it. Everything here runs in the caller's transaction.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection as database
from django.db.models import F, QuerySet
from django.utils import timezone

from onboarding.availability import host_state
from onboarding.models import Account, Alert, Attempt, Connection, Event, User
from onboarding.models.status import Answer, Status, StatusMixin, Turn, dumped
from onboarding.monitoring import logs
from onboarding.questions import plain
from vendors.contract import Text, text

from .outcomes import Verdict, pace
from .vendor_call import ContractCall, Returned, stored

EPOCH = datetime(2020, 1, 1, tzinfo=UTC)
GOLDEN = 0.6180339887498949  # its multiples, cut to their fractions, lie evenly between 0 and 1
AFTER_END = timedelta(minutes=1)
WAKE_WITHIN, WAKE_PARTS = timedelta(seconds=5), 10
GRACE = timedelta(
    seconds=10
)  # the web process makes the call now; the sweep only if that process dies

# What a connection and its open attempt show alike.
SHOWN_FIELDS = ("status", "turn", "answer", "note", "cause", "detail", "link", "questions")
GUARD_FIELDS = ("call_started_at", "crashes")
STATUS_FIELDS = (*SHOWN_FIELDS, "version", "due_at", "tries", "since", *GUARD_FIELDS)

Changing = QuerySet[Attempt] | QuerySet[Connection]


# -- rows that are about to be changed -------------------------------------------------------------


def locked_attempt(pk: int) -> Attempt:
    """The attempt, with its connection locked where the database can.

    The order is the same everywhere: account (its lease), connection, attempt. The connection has a
    statement of its own: PostgreSQL joins rows as they were before it waited, and would find none if
    the attempt's user has changed since.
    """
    if database.features.has_select_for_update:
        connections = Connection.objects.select_for_update(no_key=True)
        connections.only("pk").get(pk__in=Attempt.objects.filter(pk=pk).values("connection"))
    rows = Attempt.objects.select_for_update(of=("self",), no_key=True)
    return rows.select_related(
        "user", "connection__connector", "connection__account__merchant"
    ).get(pk=pk)


def locked_connection(pk: int) -> Connection:
    """The connection, locked where the database can."""
    rows = Connection.objects.select_for_update(of=("self",), no_key=True)
    return rows.select_related("connector", "account__merchant").get(pk=pk)


# -- saving ----------------------------------------------------------------------------------------


def save(row: Attempt | Connection, *names: str) -> None:
    """Save these columns and no other: somebody else may be changing the rest."""
    row.save(update_fields=names)


def save_all(connection: Connection) -> None:
    """Save every column. IntegrityError: another connection has the shop."""
    connection.save()


def update(rows: Changing, **values: Any) -> int:
    """Change rows that are not loaded; returns how many."""
    return rows.update(**values)


def make_due(rows: Changing, at: datetime | None = None) -> int:
    """Rows that wait for their time are due at this moment (now); those that wait for a person are not."""
    return rows.exclude(due_at=None).update(due_at=at or timezone.now())


def end_open_attempts(connection: Connection) -> None:
    """Whatever was open for this connection stops."""
    connection.attempts.filter(ended=None).update(ended=timezone.now(), due_at=None)


def publish(attempt: Attempt, *, changed: bool) -> None:
    """Save an attempt's status, copy it to its connection, and raise the alert it asks for.

    `changed`: the merchant reads something new, so that the timeline gets an entry.
    """
    save(attempt, *STATUS_FIELDS)
    _copy_to_connection(attempt)
    if changed:
        record(attempt.connection, attempt.note, attempt=attempt, status=attempt.status)
    alert(attempt.connection.vendor, attempt)


def _copy_to_connection(attempt: Attempt) -> None:
    """A connected shop keeps its status: only a check lowers it. Pausing, opening … change none."""
    connection = attempt.connection
    copied = connection.status != Status.CONNECTED and attempt.connects
    for name in SHOWN_FIELDS if copied else ():
        setattr(connection, name, getattr(attempt, name))
    connection.version += 1
    save(connection, *(SHOWN_FIELDS if copied else ()), "version")


def publish_check(connection: Connection, *, changed: bool) -> None:
    """The same for what a check found out about a connection."""
    save(connection, *STATUS_FIELDS)
    if changed:
        record(connection, connection.note, status=connection.status)
    alert(connection.vendor, connection)


# -- what changes ----------------------------------------------------------------------------------


def apply(row: StatusMixin, verdict: Verdict, now: datetime | None = None) -> bool:
    """Put a verdict into a row, without saving. Returns whether the merchant reads something new."""
    now = now or timezone.now()
    before = (row.status, row.answer, row.note)
    if row.answer != verdict.answer or row.since is None:
        row.since = now
    row.answer, row.turn = verdict.answer, verdict.turn
    row.status = verdict.status or row.status
    row.note = dumped(verdict.note) or (row.note if verdict.answer == Answer.PROGRESS else {})
    row.cause = verdict.cause if verdict.turn == Turn.STAFF else ""
    row.detail, row.link = verdict.detail, verdict.link
    row.questions = [plain(question) for question in verdict.questions]
    row.due_at = _due_at(verdict, row.since, now)
    if verdict.give_up_after is not None and now - row.since >= verdict.give_up_after:
        _give_up(row, verdict)
    row.version += 1
    return (row.status, row.answer, row.note) != before


def _due_at(verdict: Verdict, since: datetime, now: datetime) -> datetime | None:
    if verdict.poll_every is None:
        return None
    if verdict.poll_first is None:
        return now + verdict.poll_every
    return now + pace(now - since, verdict.poll_first, verdict.poll_every)


def _give_up(row: StatusMixin, verdict: Verdict) -> None:
    """It takes too long: staff are told; the vendor is still asked."""
    row.status, row.cause = Status.ON_IT, verdict.cause
    row.turn = Turn.STAFF if verdict.turn == Turn.VENDOR else Turn.US


def reset(row: StatusMixin, status: Status, due_at: datetime) -> None:
    """It is our turn, nothing is known yet and the vendor is asked at `due_at`. Does not save.

    The cause stays: its alert would clear, and staff would get the same mail again.
    """
    row.status, row.turn, row.answer = status, Turn.US, Answer.PROGRESS
    row.note, row.detail, row.link, row.questions = {}, "", "", []
    row.tries, row.since, row.due_at = 0, timezone.now(), due_at
    row.version += 1


def remember_call(attempt: Attempt, call: ContractCall, *, linkless: bool = False) -> None:
    """The merchant wants this call made; an answer to an older one no longer counts.

    `linkless`: it was made before, and led to no link (`settlement`).
    """
    attempt.call = attempt.call | stored(call) | {"linkless": linkless}
    attempt.call_number += 1
    attempt.cause, attempt.crashes = "", 0
    checking = isinstance(call, Returned)
    reset(attempt, Status.CHECKING if checking else Status.IN_PROGRESS, timezone.now() + GRACE)
    save(attempt, "user", "call", "call_number", "account_memo", "accepted_shop_id")
    publish(attempt, changed=False)


def expire(attempt: Attempt) -> None:
    """The deadline of an attempt is over: the merchant may begin again, nothing is lost."""
    now = timezone.now()
    attempt.ended, attempt.due_at, attempt.since, attempt.tries = now, None, now, 0
    attempt.status, attempt.turn = Status.ACTION_NEEDED, Turn.MERCHANT
    attempt.answer = Answer.EXPIRED
    attempt.note = dumped(
        text("This was not finished within 7 days. Nothing is lost: start again.")
    )
    attempt.cause, attempt.detail, attempt.link, attempt.questions = "", "", "", []
    attempt.version += 1
    save(attempt, "ended")
    publish(attempt, changed=True)


def wake_siblings(account: Account) -> None:
    """Attempts that waited for an unsure creation of their account go on."""
    rows = Attempt.objects.filter(connection__account=account, ended=None, answer=Answer.BLOCKED)
    update(rows, due_at=timezone.now())


def wake_expired(now: datetime) -> None:
    """Open attempts whose deadline is over become due, so that the engine ends them."""
    rows = Attempt.objects.filter(ended=None, due_at=None, deadline__lte=now)
    update(rows, due_at=now)


def wake_after_outage(vendor: str, cause: str, first: datetime, **_: object) -> None:
    """Attempts and checks that waited for a vendor become due from `first` on, not in one instant."""
    for rows in host_state.waiting_rows(vendor, cause):
        late = rows.filter(
            due_at__gt=first + WAKE_WITHIN, due_at__lt=first + host_state.LONGEST_WAIT[cause]
        )
        for part in range(WAKE_PARTS):
            mine = late.annotate(part=F("pk") % WAKE_PARTS).filter(part=part)
            update(mine, due_at=first + WAKE_WITHIN * part / WAKE_PARTS)


def forget_calls(attempts: QuerySet[Attempt]) -> int:
    """Delete what ended attempts were asked and told; they stay as lines of the shop's history."""
    return update(attempts, call={}, call_number=0, account_memo=None, connection_memo={})


# -- what goes with a change -----------------------------------------------------------------------


def record(
    connection: Connection,
    note: Text | Mapping[str, Any] | None,
    *,
    attempt: Attempt | None = None,
    user: User | None = None,
    status: str = "",
) -> None:
    """Add an event to the timeline; none for an empty note, or for what the last event says already."""
    words = dumped(note) if isinstance(note, Text) else dict(note or {})
    last = connection.events.order_by("-pk").first()
    if not words or (user is None and last and (last.note, last.user_id) == (words, None)):
        return
    Event.objects.create(
        connection=connection,
        attempt=attempt,
        user=user,
        status=status,
        note=words,
        reference=logs.reference.get(),
    )


def alert(vendor: str, row: StatusMixin) -> None:
    """Open the alert for this vendor and cause; the sweep mails it once and clears it."""
    if row.cause:
        Alert.objects.get_or_create(vendor=vendor, cause=row.cause, cleared=None)


def next_check(connection: Connection, now: datetime) -> datetime:
    """The connection's own moment in every CHECK_PERIOD, half a period to one and a half from now.

    The moments lie evenly, whenever the shops were connected or an outage ended. If what the vendor gave
    ends earlier, the check comes a minute after that end: it finds out whether it was renewed.
    """
    period: timedelta = settings.CHECK_PERIOD
    mine = EPOCH + period * ((connection.pk * GOLDEN) % 1)
    due: datetime = mine + period * -((mine - now - period / 2) // period)
    end = connection.expires_at + AFTER_END if connection.expires_at else due
    return min(due, end) if end > now else due
