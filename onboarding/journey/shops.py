"""A shop's own row: confirmed, checked, paused, ended. All in the caller's transaction."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from django.db import IntegrityError, transaction
from django.utils import timezone

from vendors.contract import Connected, Done, Garbled, Progress, Step, Unavailable, text

from ..models import Account, Alert, Attempt, Connection
from ..situation import Status, Turn, dumped
from . import claims, orders, records
from .orders import Trip, holder
from .outcomes import Outcome, Verdict, verdict, write
from .records import ROW_FIELDS, record

LOWERS = {"ask", "needs", "refused"}  # all that a check may say against a connected shop
Whose = Literal["ours", "another", "sibling", "other"]
TASK = "task"  # the cause of an alert


def whose(row: Attempt, shop: str) -> Whose:
    """The shop that was meant, another one of this merchant's, a sibling's, another merchant's."""
    target = row.connection
    held = holder(target, shop)
    if held == "other":
        return "other"
    if held == "sibling":
        return "sibling"
    if target.shop and target.shop != shop and row.accepted != shop:
        return "another"
    return "ours"


def confirm(trip: Trip, row: Attempt, step: Connected) -> bool:
    """The evidence of a connected shop, and the end of the attempt. False: somebody else has it."""
    target = row.connection
    try:
        with transaction.atomic():
            _evidence(trip, target, step)
            target.memo = row.connection_memo
            target.save()
            _take_over(row)
    except IntegrityError:
        target.refresh_from_db()
        return False
    write(row, verdict(step, trip.vendor, 0))
    row.tries, row.due_at, row.ended = 0, None, timezone.now()
    row.save(update_fields=[*ROW_FIELDS, "ended"])
    record(target, step.evidence, attempt=row, status=Status.CONNECTED)
    return True


def _take_over(row: Attempt) -> None:
    """The connector that the merchant chose becomes the shop's own, with what the vendor then did."""
    target, chosen = row.connection, orders.chosen(row)
    if chosen is None or chosen.pk == target.connector_id:
        return
    target.connector = chosen
    target.save(update_fields=["connector"])
    record(target, text("It goes through “%(connector)s” now.", connector=str(chosen)), attempt=row)


def _evidence(trip: Trip, target: Connection, step: Connected) -> None:
    now = timezone.now()
    write(target, verdict(step, trip.vendor, 0))
    target.shop, target.evidence, target.expires = step.shop, dumped(step.evidence), step.until
    target.connected_at = target.connected_at or now
    if step.confirmed:
        target.confirmed_at = target.checked_at = now
    if step.reveal is not None:
        target.reveal = dict(step.reveal)
    target.tries, target.due_at = 0, records.next_check(target, now)


# -- paused, resumed, ended -----------------------------------------------------------------------


def done(trip: Trip, row: Attempt, step: Done) -> None:
    """What changed here, what at the vendor, what is left for the merchant and for staff."""
    found = _verdict(trip, row.purpose, step)
    if row.purpose == Attempt.Purpose.ACT:
        found = replace(found, status=_changed(trip, row, step))
    else:
        _rest(trip, row.connection, step, found, row)
    write(row, found)
    row.tries, row.ended = 0, timezone.now()
    row.save(update_fields=[*ROW_FIELDS, "ended"])


def _changed(trip: Trip, row: Attempt, step: Done) -> Status:
    """A merchant's action: the shop stays as it was, unless the account is gone with it."""
    target = row.connection
    acted(trip, replace(step, staff_task=step.staff_task or target.task))
    if not step.ends:
        _take_over(row)
    for said in (step.there, step.todo):
        record(target, said, attempt=row)
    return Status.DISCONNECTED if step.ends else Status(target.status)


def _verdict(trip: Trip, purpose: str, step: Done) -> Verdict:
    found = verdict(step, trip.vendor, 0)
    match purpose:
        case Attempt.Purpose.PAUSE:
            return replace(found, status=Status.PAUSED)
        case Attempt.Purpose.RESUME:
            return replace(found, status=Status.CONNECTED, turn=Turn.NOBODY, answer="connected")
    return found


def _rest(
    trip: Trip, target: Connection, step: Done, found: Verdict, row: Attempt | None = None
) -> None:
    for said in (step.here, step.there, step.todo):
        record(target, said, attempt=row, status=str(found.status))
    write(target, found)
    target.due_at = timezone.now() if found.status == Status.CONNECTED else None
    if found.status == Status.DISCONNECTED:
        target.reveal = None  # what it opened is closed
    target.save(update_fields=[*ROW_FIELDS, "reveal"])
    _task(target, step.staff_task)


def _task(target: Connection, task: str) -> None:
    """What staff have to do at the vendor, until they say that it is done."""
    target.task = task
    target.save(update_fields=["task"])
    if task:
        Alert.objects.get_or_create(vendor=target.vendor, cause=TASK, cleared=None)


def acted(trip: Trip, outcome: Outcome) -> bool:
    """What staff had done at the vendor. `ends`: every shop of the account is disconnected."""
    target = records.connection(trip.connection.pk)
    if isinstance(outcome, Step):
        _keep(target, outcome)
    if not isinstance(outcome, Done):
        return False
    shops = target.account.connections.exclude(status=Status.DISCONNECTED)
    once = replace(outcome, staff_task="")  # not a task for each of the shops
    if outcome.ends:
        _forget(target.account)
    for shop in shops if outcome.ends else []:
        shop.attempts.filter(ended=None).update(ended=timezone.now(), due_at=None)
        _rest(trip, shop, once, verdict(once, trip.vendor, 0))
    if not outcome.ends:
        record(target, outcome.here)
        _look_again(target)
    _task(target, outcome.staff_task)
    return False


def _forget(account: Account) -> None:
    """The account is gone at the vendor: what we knew of it would mislead the next one."""
    account.key, account.doing, account.unsure, account.staff_answers = "", "", "", {}
    account.save(update_fields=["key", "doing", "unsure", "staff_answers"])


def _look_again(target: Connection) -> None:
    """What was changed at the vendor shows here after the next check: now."""
    same = Connection.objects.filter(pk=target.pk).exclude(due_at=None)
    same.update(due_at=timezone.now())


# -- checks --------------------------------------------------------------------------------------


def checked(trip: Trip, outcome: Outcome) -> bool:
    """A check writes straight into the connection and its account; it never makes anything."""
    target = records.connection(trip.connection.pk)
    if isinstance(outcome, Step):
        _keep(target, outcome)
    claims.settled(target, headway=not isinstance(outcome, Progress))
    if target.due_at is None or isinstance(outcome, Progress):
        target.save(update_fields=claims.CLAIMED)
        return target.due_at is not None  # None: paused or ended meanwhile
    if isinstance(outcome, Connected) and outcome.shop != target.shop:
        outcome = Garbled("the check answered for another shop")
    if isinstance(outcome, Connected):
        _still_connected(trip, target, outcome)
    else:
        _not_connected(trip, target, outcome)
    return False


def _keep(target: Connection, step: Step) -> None:
    account = target.account
    if step.account is not None:
        account.memo = dict(step.account)
        account.save(update_fields=["memo"])
    if step.connection is not None:
        target.memo = dict(step.connection)
        target.save(update_fields=["memo"])


def _still_connected(trip: Trip, target: Connection, step: Connected) -> None:
    healed = target.status != Status.CONNECTED
    _evidence(trip, target, step)
    target.save()
    if healed:
        record(target, step.evidence, status=Status.CONNECTED)


def _not_connected(trip: Trip, target: Connection, outcome: Outcome) -> None:
    """Only what the merchant must mend lowers; the rest keeps it, "not confirmed since"."""
    told = _stand(target, verdict(outcome, trip.vendor, max(target.tries - 1, 0)))
    if not isinstance(outcome, Unavailable):
        target.tries = 0
    target.due_at = target.due_at or records.next_check(target, timezone.now())
    _tell(target, told)


def poisoned(target: Connection) -> None:
    """Its checks kill whoever makes them: it is what it was, and not checked until staff ask."""
    _tell(target, _stand(target, claims.poison(target, "check")))


def _stand(target: Connection, found: Verdict) -> bool:
    lowers = found.answer in LOWERS and found.turn == Turn.MERCHANT
    kept = target.status == Status.CONNECTED and not lowers
    if kept and found.turn == Turn.STAFF:
        found = replace(found, soonest=None)  # no merchant waits for it
    told = write(target, found)
    if kept:
        target.status = Status.CONNECTED
    return told and not kept


def _tell(target: Connection, told: bool) -> None:
    target.save(update_fields=ROW_FIELDS)
    if told:
        record(target, target.note, status=target.status)
    records.alert(target.vendor, target)
