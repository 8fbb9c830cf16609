"""State transitions: the only place where a connection or an attempt is changed.

Rows are read with a lock, changed by a verdict or a reset, and saved together with their version, the
timeline's entry and the alert. Everything here runs in the caller's transaction.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache

from django.conf import settings
from django.db import DatabaseError
from django.db import connection as database
from django.db.models import F, QuerySet

from onboarding import clock, wakeups
from onboarding.availability import host_state
from onboarding.models import (
    Account,
    Alert,
    Attempt,
    Connection,
    Event,
    Merchant,
    User,
)
from onboarding.models.memo import readable
from onboarding.models.status import (
    Answer,
    Cause,
    Ending,
    Status,
    StatusMixin,
    StoredText,
    Turn,
    dumped,
)
from onboarding.monitoring import logs
from onboarding.prepared import PreparedQuery, PreparedUpdate
from onboarding.questions import plain
from vendors.contract import Text, text

from . import notices
from .outcomes import Verdict, pace
from .vendor_call import ContractCall, Returned, stored

EPOCH = datetime(2020, 1, 1, tzinfo=UTC)
GOLDEN_RATIO = 0.6180339887498949  # the fractions of its multiples lie evenly between 0 and 1
AFTER_EXPIRY = timedelta(minutes=1)
LOOKS = timedelta(minutes=1)  # between two notes that somebody looks at a page without news
AWAY = timedelta(hours=1)  # whoever looks again after so long has come back
OUTAGE_STAYS_KNOWN = timedelta(days=7)  # to who reads the timeline
WAKE_WITHIN, WAKE_PARTS = timedelta(seconds=5), 10  # waiting rows become due in so many groups
GRACE = timedelta(seconds=10)  # the web process calls at once; a worker only if that process dies

# Copied from an open attempt to its connection.
SHOWN_FIELDS = (
    *("status", "turn", "answer", "heading", "note", "cause", "detail", "link", "questions"),
)
GUARD_FIELDS = ("call_started_at", "crashes", "lease_until", "lease_token")
# What a check reads of a connection, its connector, its account and its merchant.
CHECKED_COLUMNS = (
    *("vendor", "reference", "name", "key", "shop_id"),
    *("answers", "memo", "reveal", "due_at", "tries"),
    *GUARD_FIELDS,
    *("connector__key", "connector__options", "account__vendor", "account__key", "account__label"),
    *("account__memo", "account__staff_answers", "account__found"),
    *("account__announced", "account__unsure"),
    *("account__merchant__reference", "account__merchant__name", "account__merchant__language"),
)
STATUS_FIELDS = (*SHOWN_FIELDS, "version", "due_at", "tries", "since", *GUARD_FIELDS)

_FOR_CHECK = PreparedQuery(
    Connection.objects.select_for_update(of=("self",), no_key=True)
    .select_related("connector", "account__merchant")
    .only(*CHECKED_COLUMNS)
    .filter(pk=0)
)
_AGAIN = PreparedQuery(Connection.objects.select_for_update(no_key=True).filter(pk=0))

Rows = QuerySet[Attempt] | QuerySet[Connection]


# -- rows that are about to be changed -------------------------------------------------------------


def lock_names(merchant_id: int) -> None:
    """Lock the merchant: one transaction at a time gives names to its shops.

    The lock order is the same everywhere: merchant, account (its lease), connection, attempt.
    """
    Merchant.objects.select_for_update(no_key=True).get(pk=merchant_id)


def locked_attempt(pk: int) -> Attempt:
    """The attempt, with its connection locked where the database can.

    The connection is locked by a statement of its own: PostgreSQL joins rows as they were before it
    waited for a lock, and would find none if the attempt's user has changed since.
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


def locked_for_check(pk: int) -> Connection:
    """The same, with only those columns that a check is made of: most of its cost is in the others."""
    return _FOR_CHECK.get(pk)


def locked_again(connection: Connection) -> Connection:
    """The row as it is now, locked. Connector and account are those of before: their lease is ours."""
    row = _AGAIN.get(connection.pk)
    row.connector, row.account = connection.connector, connection.account
    return row


# -- saving ----------------------------------------------------------------------------------------


def save(row: Attempt | Connection, *names: str) -> None:
    """Save these columns and no others: another process may be changing those.

    The same as Django's `save`, with SQL that is built once. Raises DatabaseError if the row is gone.
    """
    if names:
        update = _update(type(row), tuple(dict.fromkeys(names)))  # some callers name one twice
        if not update.run([each.pre_save(row, add=False) for each in update.fields], row.pk):
            raise DatabaseError(f"no {type(row).__name__} {row.pk}")
    if "due_at" in names and row.lease_until is None:
        _wake_workers(row.due_at)


@lru_cache
def _update(model: type[Attempt] | type[Connection], names: tuple[str, ...]) -> PreparedUpdate:
    return PreparedUpdate(model._base_manager.filter(pk=0), *names)


def save_changed(row: Connection, before: Connection, *names: str) -> None:
    """Save those of these columns that differ from the row as it was when it was locked.

    A check changes a few of many columns, and each of them costs time.
    """
    columns = {each.name: each.attname for each in row._meta.concrete_fields}
    save(row, *(n for n in names if getattr(row, columns[n]) != getattr(before, columns[n])))


def _wake_workers(due_at: object) -> None:
    """Workers begin with what is due now at once, and look for what is due later by themselves."""
    if isinstance(due_at, datetime) and due_at <= clock.now():
        wakeups.send()


def set_name(connection: Connection, name: str) -> None:
    """Give a shop this name. The caller holds `lock_names` and has found that no other shop has it."""
    connection.name = name
    save(connection, "name", "name_key")


def save_all(connection: Connection) -> None:
    """Save every column. Raises IntegrityError when another connection has the shop."""
    connection.save()


def update(rows: Rows, **values: object) -> int:
    """Update rows in the database, without loading them; returns how many."""
    count = rows.update(**values)
    if count:
        _wake_workers(values.get("due_at"))
    return count


def make_due(rows: Rows, at: datetime | None = None) -> int:
    """Make rows due at this moment (default: now), unless they wait for a person; returns how many."""
    return update(rows.exclude(due_at=None), due_at=at or clock.now())


def end(attempt: Attempt, why: Ending, *names: str) -> None:
    """End an attempt: its page says why, and nothing is due any more. Saves the columns `names`, too."""
    attempt.ended, attempt.ending, attempt.due_at = clock.now(), why, None
    save(attempt, "ended", "ending", "due_at", *names)
    notices.follow(attempt)


def end_open_attempts(connection: Connection, why: Ending) -> None:
    """End every open attempt of this connection."""
    rows = connection.attempts.filter(ended=None)
    notices.forget(rows)
    rows.update(ended=clock.now(), ending=why, due_at=None)


def publish(attempt: Attempt, *, changed: bool) -> None:
    """Save an attempt's status, copy it to its connection, and open the alert that its cause asks for.

    `changed`: the merchant reads something new, so the timeline gets an entry.
    """
    save(attempt, *STATUS_FIELDS)
    _copy_to_connection(attempt)
    if changed:
        record(attempt.connection, attempt.note, attempt=attempt, status=attempt.status)
    open_alert(attempt.connection.vendor, attempt)
    notices.follow(attempt)


def _copy_to_connection(attempt: Attempt) -> None:
    """A shop that is set up keeps its status until a check, a pause or a disconnect is settled."""
    connection = attempt.connection
    copies_status = attempt.connects and not connection.is_set_up
    names = SHOWN_FIELDS if copies_status else ()
    for name in names:
        setattr(connection, name, getattr(attempt, name))
    connection.version += 1
    save(connection, *names, "version")


def touch(attempt: Attempt) -> None:
    """Something else on the attempt's page and its shop's page has changed: open pages show it."""
    update(Connection.objects.filter(pk=attempt.connection_id), version=F("version") + 1)
    update(Attempt.objects.filter(pk=attempt.pk), version=F("version") + 1)


def publish_check(connection: Connection, *, changed: bool) -> None:
    """Save what a check found out about a connection; the same as `publish` for an attempt."""
    save(connection, *STATUS_FIELDS)
    if changed:
        record(connection, connection.note, status=connection.status)
    open_alert(connection.vendor, connection)


# -- what changes ----------------------------------------------------------------------------------


def apply(row: StatusMixin, verdict: Verdict, now: datetime | None = None) -> bool:
    """Apply a verdict to a row, without saving. Returns whether the merchant reads something new."""
    now = now or clock.now()
    before = _what_is_read(row)
    if row.answer != verdict.answer or row.since is None:
        row.since = now
    row.answer, row.turn = verdict.answer, verdict.turn
    row.status = verdict.status or row.status
    row.heading = dumped(verdict.heading)
    row.note = dumped(verdict.note) or (row.note if verdict.answer == Answer.PROGRESS else {})
    row.cause = verdict.cause if verdict.turn == Turn.STAFF else ""
    row.detail, row.link = verdict.detail, verdict.link
    row.questions = [plain(question) for question in verdict.questions]
    row.due_at = _due_at(verdict, row.since, now)
    if verdict.give_up_after is not None and now - row.since >= verdict.give_up_after:
        _give_up(row, verdict)
    row.version += 1
    return _what_is_read(row) != before


def _what_is_read(row: StatusMixin) -> tuple[object, ...]:
    """What makes an entry of the timeline. That a vendor is asked again at another time makes none."""
    is_down = row.answer == Answer.UNAVAILABLE
    return row.status, row.answer, row.note.get("id") if is_down else row.note


def _due_at(verdict: Verdict, since: datetime, now: datetime) -> datetime | None:
    if verdict.poll_every is None:
        return None
    if verdict.poll_first is None:
        return now + verdict.poll_every
    return now + pace(now - since, verdict.poll_first, verdict.poll_every)


def _give_up(row: StatusMixin, verdict: Verdict) -> None:
    """It takes too long: it becomes a case for staff, and the vendor is still asked."""
    row.status, row.cause = Status.ON_IT, verdict.cause
    row.turn = Turn.STAFF if verdict.turn == Turn.VENDOR else Turn.US


def reset(row: StatusMixin, status: Status, due_at: datetime) -> None:
    """Back to the beginning of a call: our turn, nothing known, due at `due_at`. Does not save.

    The cause stays: without it its alert would clear, and staff would get the same mail again.
    """
    row.status, row.turn, row.answer = status, Turn.US, Answer.PROGRESS
    row.heading, row.note, row.detail, row.link, row.questions = {}, {}, "", "", []
    row.tries, row.since, row.due_at = 0, clock.now(), due_at
    row.version += 1


def remember_call(attempt: Attempt, call: ContractCall, *, linkless: bool = False) -> None:
    """Store the call that somebody asked for and make it due; outcomes of older calls no longer count.

    `linkless`: the same call was made before and led to a Redirect without a link (`settlement`).
    """
    attempt.call = readable(attempt.call) | stored(call) | {"linkless": linkless}
    attempt.call_number += 1
    attempt.cause, attempt.crashes = "", 0
    status = Status.CHECKING if isinstance(call, Returned) else Status.IN_PROGRESS
    reset(attempt, status, clock.now() + GRACE)
    save(attempt, "user", "call", "call_number", "account_memo", "accepted_shop_id")
    publish(attempt, changed=False)


def expire(attempt: Attempt) -> None:
    """End an attempt whose deadline is over; the merchant may begin again, and nothing is lost."""
    end(attempt, Ending.EXPIRED)
    attempt.since, attempt.tries = clock.now(), 0
    attempt.status, attempt.turn = Status.ACTION_NEEDED, Turn.MERCHANT
    attempt.answer, attempt.heading = Answer.EXPIRED, {}
    attempt.note = dumped(
        text("This was not finished within 7 days. You can start again at any time.")
    )
    attempt.cause, attempt.detail, attempt.link, attempt.questions = "", "", "", []
    attempt.version += 1
    publish(attempt, changed=True)


def wake_siblings(account: Account) -> None:
    """Attempts that were blocked by an unsure creation of their account become due."""
    rows = Attempt.objects.filter(connection__account=account, ended=None, answer=Answer.BLOCKED)
    update(rows, due_at=clock.now())


def wake_expired(now: datetime) -> None:
    """Open attempts whose deadline is over become due, so that the engine ends them."""
    rows = Attempt.objects.filter(ended=None, due_at=None, deadline__lte=now)
    update(rows, due_at=now)


def wake_for_trial(vendor: str, cause: str, **_: object) -> None:
    """One of those who wait for a vendor tries the call that failed: who would be the next to do so."""
    now = clock.now()
    for rows in host_state.waiting_rows(vendor, cause):
        soon = rows.filter(due_at__lt=now + host_state.LONGEST_WAIT[cause])
        if first := soon.order_by("due_at").values_list("pk", flat=True).first():
            update(rows.filter(pk=first, due_at__gt=now), due_at=now)
            return


def wake_after_outage(vendor: str, cause: str, first: datetime, **_: object) -> None:
    """Attempts and checks that waited for a vendor become due from `first` on, spread over WAKE_WITHIN."""
    for rows in host_state.waiting_rows(vendor, cause):
        late = rows.filter(
            due_at__gt=first + WAKE_WITHIN, due_at__lt=first + host_state.LONGEST_WAIT[cause]
        )
        for part in range(WAKE_PARTS):
            group = late.annotate(part=F("pk") % WAKE_PARTS).filter(part=part)
            update(group, due_at=first + WAKE_WITHIN * part / WAKE_PARTS)


def note_look(attempt: Attempt, user: User, *, news: bool = False) -> None:
    """The attempt's user looks at its page: what they see needs no mail. `news`: it has just changed."""
    now, before = clock.now(), attempt.seen_at
    newest = max(filter(None, (attempt.since, attempt.ended)), default=now)
    is_noted = before is not None and before > now - LOOKS and before >= newest
    if user.pk != attempt.user_id or (is_noted and not news):
        return
    update(Attempt.objects.filter(pk=attempt.pk), seen_at=now)
    if before is None or before < now - AWAY:
        notices.came_back(attempt)


def forget_calls(attempts: QuerySet[Attempt]) -> int:
    """Delete the calls and memos of ended attempts; the attempts stay in the shop's history."""
    return update(attempts, call={}, call_number=0, account_memo=None, connection_memo={})


# -- timeline, alerts, the next check --------------------------------------------------------------


def record(
    connection: Connection,
    note: Text | StoredText | None,
    *,
    attempt: Attempt | None = None,
    user: User | None = None,
    status: str = "",
) -> None:
    """Add an event to the timeline, unless the note is empty or, without a user, says nothing new."""
    stored_note = note if isinstance(note, dict) else dumped(note)
    if not stored_note or (user is None and _is_known(connection, stored_note, attempt, status)):
        return
    Event.objects.create(
        connection=connection,
        attempt=attempt,
        user=user,
        status=status,
        note=stored_note,
        reference=logs.reference.get(),
    )


def _is_known(
    connection: Connection, note: StoredText, attempt: Attempt | None, status: str
) -> bool:
    """Whether the note repeats the last event of no user, or tells of an outage that was told lately.

    A vendor may be away each night. When it is back, the note of before repeats the last event.
    """
    last = connection.events.order_by("-pk").first()
    if last and (last.note, last.user_id) == (note, None):
        return True
    if (attempt or connection).answer != Answer.UNAVAILABLE:
        return False
    lately = connection.events.filter(at__gt=clock.now() - OUTAGE_STAYS_KNOWN, user=None)
    return lately.filter(attempt=attempt, status=status, note__id=note["id"]).exists()


def set_task(connection: Connection, task: str) -> None:
    """What staff have to do at the vendor, until they say that it is done."""
    connection.task = task
    save(connection, "task")
    if task:
        Alert.open(connection.vendor, Cause.TASK)


def open_alert(vendor: str, row: StatusMixin) -> None:
    """Open one alert for this vendor and the row's cause; the sweep mails it once and clears it."""
    if row.cause:
        Alert.open(vendor, row.cause)


def next_check(connection: Connection, now: datetime) -> datetime:
    """When to check the connection: its own slot in every CHECK_PERIOD, 0.5 to 1.5 periods from now.

    The slots are spread evenly, whenever the shops were connected or an outage ended. If the vendor's
    grant expires earlier, the check comes a minute after that: it finds out whether it was renewed.
    """
    period: timedelta = settings.CHECK_PERIOD
    slot = EPOCH + period * ((connection.pk * GOLDEN_RATIO) % 1)
    due: datetime = slot + period * -((slot - now - period / 2) // period)
    after_expiry = connection.expires_at + AFTER_EXPIRY if connection.expires_at else due
    return min(due, after_expiry) if after_expiry > now else due
