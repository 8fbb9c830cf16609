"""The rows of a journey, read with all they belong to and written with their timeline and alerts.

Everything here runs in the caller's transaction.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection as database
from django.utils import timezone

from onboarding.models import Account, Alert, Attempt, Connection, Event, User
from onboarding.models.status import Status, StatusMixin, Turn, dumped
from onboarding.monitoring import logs
from vendors.contract import Text, text

from .outcomes import SHOWN

EPOCH = datetime(2020, 1, 1, tzinfo=UTC)
GOLDEN = 0.6180339887498949  # its multiples, cut to their fractions, lie evenly between 0 and 1
AFTER_END = timedelta(minutes=1)
ROW_FIELDS = [*SHOWN, "version", "due_at", "tries", "call_started_at", "crashes", "since"]


def attempt(pk: int) -> Attempt:
    """The attempt, with its shop locked where the database can.

    Everywhere in this order: account (its lease), shop, attempt. The shop in a statement of its own:
    PostgreSQL joins the rows of before it waited, and finds none if the attempt's user has changed.
    """
    if database.features.has_select_for_update:
        shops = Connection.objects.select_for_update(no_key=True)
        shops.only("pk").get(pk__in=Attempt.objects.filter(pk=pk).values("connection"))
    rows = Attempt.objects.select_for_update(of=("self",), no_key=True)
    return rows.select_related(
        "user", "connection__connector", "connection__account__merchant"
    ).get(pk=pk)


def connection(pk: int) -> Connection:
    """The shop, locked where the database can."""
    rows = Connection.objects.select_for_update(of=("self",), no_key=True)
    return rows.select_related("connector", "account__merchant").get(pk=pk)


def record(
    target: Connection,
    note: Text | Mapping[str, Any] | None,
    *,
    attempt: Attempt | None = None,
    user: User | None = None,
    status: str = "",
) -> None:
    """One entry of the timeline. Nothing to say, or what was said last by itself, makes none."""
    said = dumped(note) if isinstance(note, Text) else dict(note or {})
    last = target.events.order_by("-pk").first()
    if not said or (user is None and last and (last.note, last.user_id) == (said, None)):
        return
    Event.objects.create(
        connection=target,
        attempt=attempt,
        user=user,
        status=status,
        note=said,
        reference=logs.reference.get(),
    )


def tell(row: Attempt, told: bool) -> None:
    """Save an attempt's situation, mirror it into its connection, keep timeline and alerts."""
    row.save(update_fields=ROW_FIELDS)
    _mirror(row)
    if told:
        record(row.connection, row.note, attempt=row, status=row.status)
    alert(row.connection.vendor, row)


def _mirror(row: Attempt) -> None:
    """Not from Connected: only a check lowers a working shop; other trips change no status."""
    target = row.connection
    target.version += 1
    mirrored = target.status != Status.CONNECTED and row.purpose in {"connect", "reconnect"}
    for name in SHOWN if mirrored else ():
        setattr(target, name, getattr(row, name))
    target.save(update_fields=[*(SHOWN if mirrored else ()), "version"])


def alert(vendor: str, row: StatusMixin) -> None:
    """Staff hear of each vendor and cause once, until it clears (the sweep mails and clears)."""
    if row.cause:
        Alert.objects.get_or_create(vendor=vendor, cause=row.cause, cleared=None)


def expire(row: Attempt) -> None:
    """The deadline of an attempt is over: the merchant may begin again, nothing is lost."""
    now = timezone.now()
    row.ended, row.due_at, row.since, row.tries = now, None, now, 0
    row.status, row.turn, row.answer = Status.ACTION_NEEDED, Turn.MERCHANT, "expired"
    row.note = dumped(text("This was not finished within 7 days. Nothing is lost: start again."))
    row.cause, row.detail, row.link, row.questions = "", "", "", []
    row.version += 1
    row.save(update_fields=["ended"])
    tell(row, told=True)


def wake(account: Account) -> None:
    """Siblings that waited for an unsure creation go on."""
    waiting = Attempt.objects.filter(connection__account=account, ended=None, answer="blocked")
    waiting.update(due_at=timezone.now())


def next_check(target: Connection, now: datetime) -> datetime:
    """The shop's own moment in every CHECK_PERIOD, half a period to one and a half from now.

    The moments lie evenly, whenever the shops were connected or an outage ended. Before that, when
    what the vendor gave ends: it is seen at once that it has, or that it was renewed.
    """
    period: timedelta = settings.CHECK_PERIOD
    mine = EPOCH + period * ((target.pk * GOLDEN) % 1)
    due: datetime = mine + period * -((mine - now - period / 2) // period)
    end = target.expires_at + AFTER_END if target.expires_at else due
    return min(due, end) if end > now else due
