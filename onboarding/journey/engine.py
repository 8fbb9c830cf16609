"""Talking to the vendor: outside any transaction, under the account's lease."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from onboarding import db_lock, registry
from onboarding.availability import breaker
from onboarding.models import Attempt, Connection
from onboarding.models.status import dumped
from onboarding.monitoring import logs
from vendors.contract import Garbled, Step, Unavailable, Vendor, VendorError, text

from . import crash_guard, hops, orders, settlement, transitions, unreadable
from .leases import Lease, LeaseLost, alone, leased
from .outcomes import CIRCLES, Outcome, blocked, no_such_choice, write
from .settlement import settle
from .vendor_call import VendorCall

log = logging.getLogger(__name__)
ROUNDS = 40  # of Progress in one go: more than any flow needs
BUSY = timedelta(seconds=1)  # until the account's other conversation is asked about again
SWITCHED_OFF = timedelta(hours=1)
Rows = type[Attempt] | type[Connection]


@logs.referred()
def advance(
    attempt_id: int,
    *,
    present: bool = False,
    due: bool = False,
    unanswered: bool = False,
    urgent: Callable[[], bool] = lambda: False,
    rounds: int = ROUNDS,
) -> int:
    """Carry an attempt on until somebody else has to act. Safe at any time, from anywhere.

    `due`, `unanswered`: only if it still is, for another worker may have been faster. `urgent`:
    whether others go first; returned is how many of the rounds were left for after them, or 0.
    """
    with db_lock.exclusive(), crash_guard.counted(Attempt, attempt_id):
        rows = Attempt.objects.values_list("connection__account_id", "due_at")
        account_id, due_at = rows.get(pk=attempt_id)
        if due_at is None:
            return 0
        with leased(account_id) as lease:
            if lease is None:
                _later(Attempt, attempt_id)
                return 0
            if due and not _still_due(Attempt, attempt_id):
                return 0
            if unanswered and not Attempt.objects.filter(pk=attempt_id, answer="progress").exists():
                return 0
            return _rounds(attempt_id, lease, present, urgent, rounds)


def _rounds(
    attempt_id: int, lease: Lease, present: bool, urgent: Callable[[], bool], rounds: int
) -> int:
    """One call after the other; how many are left when it stopped for those who go first."""
    trip: VendorCall | None = None
    for left in range(rounds - 1, -1, -1):
        trip = _prepare(attempt_id, lease, present, trip)
        if trip is None or not _step(trip):
            return 0
        if left and urgent() and _may_pause(trip):
            return left
    if trip := _prepare(attempt_id, lease, present, trip):
        trip.order = replace(trip.order, announced="", unsure="")  # nothing was asked
        why = f"{trip.call} made no headway in {ROUNDS} rounds"
        settled(trip, Garbled(why, cause=CIRCLES))
    return 0


def _may_pause(trip: VendorCall) -> bool:
    """Only in what a person has just asked for: a check's wait would begin anew, and a newer call is
    next at once. Not while a creation is announced or unsure: others would take it for lost."""
    if trip.attempt is None or trip.before[0] != "progress":
        return False
    same = Attempt.objects.filter(pk=trip.attempt.pk, call_number=trip.number)
    return same.filter(connection__account__announced="", connection__account__unsure="").exists()


@logs.referred()
def check(connection_id: int, *, due: bool = False) -> None:
    """Ask the vendor whether a shop is (still) connected."""
    accounts = Connection.objects.values_list("account_id", flat=True)
    with (
        db_lock.exclusive(),
        crash_guard.counted(Connection, connection_id),
        leased(accounts.get(pk=connection_id)) as lease,
    ):
        if lease is None:
            _later(Connection, connection_id)
            return
        if due and not _still_due(Connection, connection_id):
            return
        for _ in range(ROUNDS):
            trip = _prepare_check(connection_id, lease)
            if trip is None or not _step(trip):
                return


def _step(trip: VendorCall) -> bool:
    """Ask and write. Where a limit is shared, from counting to the saved creation nobody else makes."""
    if not (trip.vendor.serial and trip.order.announced):
        return settled(trip, ask(trip))
    with alone(trip.vendor.slug) as mine:
        queue = text(
            "One moment: another shop is being prepared at %(vendor)s.", vendor=trip.vendor.name
        )
        return settled(
            trip, ask(trip) if mine else Unavailable("another creation goes on", note=queue)
        )


def _later(model: Rows, pk: int) -> None:
    """The account is busy with another row; if it is with this one, that decides when it is due."""
    rows = model._default_manager.filter(pk=pk, call_started_at=None).exclude(due_at=None)
    rows.update(due_at=timezone.now() + BUSY)


def _still_due(model: Rows, pk: int) -> bool:
    """Whoever came when we had the lease already may have put it off (`_later`)."""
    soon = timezone.now() + 2 * BUSY
    return bool(model._default_manager.filter(pk=pk, due_at__lte=soon).exists())


@transaction.atomic
def _prepare(
    attempt_id: int, lease: Lease, present: bool, last: VendorCall | None
) -> VendorCall | None:
    """The next call, or None when nothing is to be done. Counts the try before the call is made."""
    lease.renew()
    attempt = transitions.attempt(attempt_id)
    account = attempt.connection.account
    if attempt.ended or attempt.due_at is None:
        return None
    if attempt.deadline <= timezone.now():
        transitions.expire(attempt)
        return None
    vendor = registry.vendor_of(account.vendor)
    if vendor is None:
        _switched_off(attempt)
        return None
    if unreadable.unreadable(attempt.connection, attempt):
        unreadable.stop(attempt)
        return None
    if orders.chosen(attempt) is None:
        transitions.tell(attempt, write(attempt, no_such_choice()))
        return None
    if account.unsure and account.creator_id != attempt.pk and attempt.purpose != "end":
        row = blocked(vendor, f"unsure-{account.unsure}")
        transitions.tell(attempt, write(attempt, row))
        return None
    if crash_guard.poisoned(attempt):
        _poisoned(attempt)
        return None
    return _trip(attempt, lease, vendor, present, last) if crash_guard.claim(attempt) else None


def _trip(
    attempt: Attempt, lease: Lease, vendor: Vendor, present: bool, last: VendorCall | None
) -> VendorCall:
    same_call = last is not None and last.number == attempt.call_number
    before = last.before if last and same_call else (attempt.answer, attempt.since)
    # What was answered is only looked at again, and nobody waits for that.
    unanswered = before[0] in {"progress", "unavailable"}
    present = present or (unanswered and orders.awaited(attempt))
    return VendorCall(
        lease=lease,
        vendor=vendor,
        connection=attempt.connection,
        attempt=attempt,
        order=orders.for_attempt(attempt, state=hops.blank(attempt), present=present),
        call=attempt.call["name"],
        argument=attempt.call.get("argument"),
        number=attempt.call_number,
        before=before,
    )


@transaction.atomic
def _prepare_check(connection_id: int, lease: Lease) -> VendorCall | None:
    lease.renew()
    connection = transitions.connection(connection_id)
    vendor = registry.vendor_of(connection.account.vendor)
    if connection.due_at is None or vendor is None:
        Connection.objects.filter(pk=connection_id, due_at__isnull=False).update(
            due_at=timezone.now() + SWITCHED_OFF
        )
        return None
    if unreadable.unreadable(connection):
        unreadable.lower(connection)
        return None
    if crash_guard.poisoned(connection):
        settlement.poisoned(connection)
        return None
    if not crash_guard.claim(connection):
        return None
    order = orders.for_connection(connection, "check")
    return VendorCall(
        lease=lease,
        vendor=vendor,
        connection=connection,
        attempt=None,
        order=order,
        call="check",
    )


def _poisoned(attempt: Attempt) -> None:
    found = crash_guard.poison(attempt, attempt.call["name"])
    transitions.tell(attempt, write(attempt, found))


def _switched_off(attempt: Attempt) -> None:
    attempt.due_at = timezone.now() + SWITCHED_OFF
    note = dumped(text("This service is switched off at the moment. Your place is kept."))
    attempt.note, told = note, attempt.note != note
    transitions.tell(attempt, told)


def ask(trip: VendorCall) -> Outcome:
    """With no transaction and no database connection held. Catches the contract's errors alone."""
    vendor = trip.vendor
    try:
        with breaker.guard(vendor.slug, connection=trip.connection, attempt=trip.attempt):
            return _call(trip)
    except VendorError as error:
        log.info("%s %s: %s %s", vendor.slug, trip.call, type(error).__name__, error.detail)
        return error


def _call(trip: VendorCall) -> Step:
    vendor, order, argument = trip.vendor, trip.order, trip.argument
    match trip.call:
        case "start":
            return vendor.start(order)
        case "returned":
            return vendor.returned(order, argument)
        case "answered":
            return vendor.answered(order, argument)
        case "check":
            return vendor.check(order)
        case "enter":
            return vendor.enter(order)
        case "end":
            return vendor.end(order)
        case "pause":
            return vendor.pause(order)
        case "resume":
            return vendor.resume(order)
        case "resolve":
            return vendor.resolve(order, argument)
        case "act":
            return vendor.act(order, argument["key"], argument["answers"])
    raise TypeError(f"{trip.call} is no call of the contract")


def settled(trip: VendorCall, outcome: Outcome) -> bool:
    """Write what the vendor answered; True when the journey goes on at once."""
    try:
        with transaction.atomic():
            trip.lease.renew()
            return settle(trip, outcome)
    except LeaseLost:
        log.warning("%s %s: took longer than the lease", trip.vendor.slug, trip.call)
        crash_guard.outlived(trip.attempt or trip.connection)
        return False
