"""An outcome → rows: what a step or error changes, in one transaction, under the lease."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import IntegrityError, transaction
from django.utils import timezone

from vendors.contract import (
    Connected,
    Done,
    Garbled,
    Progress,
    Redirect,
    Refused,
    Step,
    Text,
    Unavailable,
    Unsure,
    text,
)
from vendors.hosts import allowed

from ..models import Account, Attempt, Connection
from ..situation import Status, Turn, dumped
from . import hops, records
from .orders import Trip, holder
from .outcomes import SHOWN, Outcome, verdict, write
from .records import ROW_FIELDS, record, tell

LOWERS = {"ask", "needs", "refused"}  # all that a check may say against a connected shop


def settle(trip: Trip, outcome: Outcome) -> bool:
    """Write an outcome; True when the journey goes on at once."""
    if isinstance(outcome, Redirect) and outcome.url and not _may_open(trip, outcome.url):
        outcome = Garbled(f"{trip.call} named a link to a host that is not this vendor's")
    if trip.attempt is None:
        return _settle_check(trip, outcome)
    row = records.attempt(trip.attempt.pk)
    look = _keep_creation(trip, row, outcome)
    if isinstance(outcome, Step):
        _keep(row, outcome)
        _tick(trip, row, outcome.done)
    if row.ended or row.call_number != trip.number:
        return row.ended is None  # the merchant did something meanwhile: that call is next
    if look or isinstance(outcome, Progress):
        return _go_on(row)
    if isinstance(outcome, Connected):
        _connected(trip, row, outcome)
    elif isinstance(outcome, Done):
        _done(trip, row, outcome)
    else:
        if isinstance(outcome, Redirect) and outcome.url:
            hops.mint(row, trip.order.state, outcome)
        _stand(trip, row, outcome)
    return False


def _may_open(trip: Trip, url: str) -> bool:
    return allowed(url, trip.vendor.domains())


def _keep_creation(trip: Trip, row: Attempt, outcome: Outcome) -> bool:
    """What stands announced or unsure on the account; True when the flow has to look at once."""
    account = row.connection.account
    announced, unsure = trip.order.announced, trip.order.unsure
    lost = isinstance(outcome, Unsure | Garbled) and bool(announced or unsure)
    if lost:
        account.doing, account.unsure = "", announced or unsure
    elif isinstance(outcome, Progress) and outcome.doing:
        account.doing, account.unsure, account.creator = outcome.doing, "", row
    elif announced or (unsure and isinstance(outcome, Step)):
        account.doing, account.unsure = "", ""
    account.save(update_fields=["doing", "unsure", "creator"])
    if unsure and not account.unsure:
        records.wake(account)
    return lost and bool(announced)


def _keep(row: Attempt, step: Step) -> None:
    """Drafts and plain ids. What was made at the vendor is live at once."""
    target, account = row.connection, row.connection.account
    if step.account is not None:
        row.account_memo = dict(step.account)
    if step.connection is not None:
        row.connection_memo = dict(step.connection)
    if step.promote or isinstance(step, Connected):
        _promote(row, account, step.account_key)
    target.key = step.connection_key or target.key
    target.save(update_fields=["key"])
    row.save(update_fields=["account_memo", "connection_memo"])


def _promote(row: Attempt, account: Account, key: str) -> None:
    if row.account_memo is not None:
        account.memo, row.account_memo = row.account_memo, None
    account.key = key or account.key
    account.save(update_fields=["memo", "key"])


def _tick(trip: Trip, row: Attempt, done: Iterable[str]) -> None:
    """A tick is a committed checkpoint."""
    for key in done:
        if key not in row.ticks:
            row.ticks = [*row.ticks, key]
            record(row.connection, dict(trip.vendor.checklist).get(key), attempt=row)
    row.save(update_fields=["ticks"])


def _go_on(row: Attempt) -> bool:
    """The same call again at once; if we die before that, the sweep makes it."""
    now = timezone.now()
    row.status, row.turn, row.answer, row.since = Status.IN_PROGRESS, Turn.US, "progress", now
    row.note, row.cause, row.detail, row.link, row.questions = {}, "", "", "", []
    row.tries, row.due_at = 0, now
    row.version += 1
    tell(row, told=False)
    return True


def _stand(trip: Trip, row: Attempt, outcome: Outcome) -> None:
    """The outcome's row of the table, into the attempt and, where it may, the connection."""
    if not isinstance(outcome, Unavailable):
        row.tries = 0
    told = write(row, verdict(outcome, trip.vendor, max(row.tries - 1, 0)))
    tell(row, told)


def _connected(trip: Trip, row: Attempt, step: Connected) -> None:
    wrong = _wrong_shop(row.connection, step.shop) or _confirmed(trip, row, step)
    if wrong is not None:
        _stand(trip, row, Refused("another shop", who="merchant", note=wrong, code="wrong-shop"))
        return
    write(row, verdict(step, trip.vendor, 0))
    row.tries, row.due_at, row.ended = 0, None, timezone.now()
    row.save(update_fields=[*ROW_FIELDS, "ended"])
    record(row.connection, step.evidence, attempt=row, status=Status.CONNECTED)


def _confirmed(trip: Trip, row: Attempt, step: Connected) -> Text | None:
    """Another merchant may be faster by a moment: then the database says so."""
    target = row.connection
    try:
        with transaction.atomic():
            _confirm(trip, target, step)
            target.memo = row.connection_memo
            target.save()
    except IntegrityError:
        target.refresh_from_db()
        return _wrong_shop(target, step.shop)
    return None


def _wrong_shop(target: Connection, shop: str) -> Text | None:
    """Whether this is another shop than the one that was meant, or one that somebody holds."""
    if target.shop and target.shop != shop:
        return text("That was another shop than “%(name)s”. Nothing was changed.", name=target.name)
    match holder(target, shop):
        case "sibling":
            return text("You have connected this shop already, under another name.")
        case "other":
            return text("This shop is connected by another business. Choose another, or ask us.")
    return None


def _confirm(trip: Trip, target: Connection, step: Connected) -> None:
    """The evidence of a connected shop."""
    now = timezone.now()
    write(target, verdict(step, trip.vendor, 0))
    target.shop, target.evidence, target.expires = step.shop, dumped(step.evidence), step.until
    target.connected_at = target.connected_at or now
    if step.confirmed:
        target.confirmed_at = target.checked_at = now
    if step.reveal is not None:
        target.reveal = dict(step.reveal)
    target.tries, target.due_at = 0, records.next_check(now)


def _done(trip: Trip, row: Attempt, step: Done) -> None:
    """Disconnected: what ended here, what at the vendor, what is left for the merchant."""
    target, found = row.connection, verdict(step, trip.vendor, 0)
    for said in (step.here, step.there, step.todo):
        record(target, said, attempt=row, status=Status.DISCONNECTED)
    write(target, found)
    target.detail = step.staff_task
    target.save(update_fields=ROW_FIELDS)
    write(row, found)
    row.tries, row.ended = 0, timezone.now()
    row.save(update_fields=[*ROW_FIELDS, "ended"])


# -- checks --------------------------------------------------------------------------------------


def _settle_check(trip: Trip, outcome: Outcome) -> bool:
    """A check writes straight into the connection and its account; it never makes anything."""
    target = records.connection(trip.connection.pk)
    if isinstance(outcome, Step):
        _keep_checked(target, outcome)
    if isinstance(outcome, Progress):
        return True
    if isinstance(outcome, Connected) and outcome.shop != target.shop:
        outcome = Garbled("the check answered for another shop")
    if isinstance(outcome, Connected):
        _still_connected(trip, target, outcome)
    else:
        _not_connected(trip, target, outcome)
    return False


def _keep_checked(target: Connection, step: Step) -> None:
    account = target.account
    if step.account is not None:
        account.memo = dict(step.account)
        account.save(update_fields=["memo"])
    if step.connection is not None:
        target.memo = dict(step.connection)
        target.save(update_fields=["memo"])


def _still_connected(trip: Trip, target: Connection, step: Connected) -> None:
    healed = target.status != Status.CONNECTED
    _confirm(trip, target, step)
    target.save()
    if healed:
        record(target, step.evidence, status=Status.CONNECTED)


def _not_connected(trip: Trip, target: Connection, outcome: Outcome) -> None:
    """Only what the merchant must mend lowers; the rest keeps it, "not confirmed since"."""
    now, found = timezone.now(), verdict(outcome, trip.vendor, max(target.tries - 1, 0))
    lowers = found.answer in LOWERS and found.turn == Turn.MERCHANT
    before = {name: getattr(target, name) for name in SHOWN}
    told = write(target, found)
    if before["status"] == Status.CONNECTED and not lowers:
        target.status, told = Status.CONNECTED, False
    if not isinstance(outcome, Unavailable):
        target.tries = 0
    target.due_at = target.due_at or records.next_check(now)
    target.save(update_fields=ROW_FIELDS)
    if told:
        record(target, target.note, status=target.status)
    records.alert(target.vendor, target)
