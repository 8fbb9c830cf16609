"""The engine: makes the calls to the vendor, outside any transaction, under the account's lease.

A process may die between any two lines here: the row says what is due, and any other goes on with it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from enum import Enum

from django.db import transaction
from django.utils import timezone

from onboarding import db_lock, registry
from onboarding.availability import breaker
from onboarding.models import Attempt, Connection
from onboarding.models.status import Answer, Cause, dumped
from onboarding.monitoring import logs
from vendors.contract import Garbled, Refused, Unavailable, Unsure, Vendor, text

from . import crash_guard, hops, orders, settlement, transitions, unreadable
from .leases import Lease, LeaseLost, alone, leased
from .outcomes import Outcome, Verdict, blocked, no_such_choice
from .vendor_call import Check, End, VendorCall, make, remembered

log = logging.getLogger(__name__)
ROUNDS = 40  # of Progress in one run: more than any flow needs
BUSY = timedelta(seconds=1)  # until the account's other conversation is asked about again
SWITCHED_OFF = timedelta(hours=1)
Rows = type[Attempt] | type[Connection]


class OnlyIf(Enum):
    """Another worker may have been faster: then there is nothing to do."""

    DUE = "due"
    UNANSWERED = "unanswered"


@logs.with_reference()
def advance(
    attempt_id: int,
    *,
    present: bool = False,
    only_if: OnlyIf | None = None,
    urgent: Callable[[], bool] = lambda: False,
    rounds: int = ROUNDS,
) -> int:
    """Make an attempt's calls until somebody else has to act. Safe at any time, from any process.

    `present`: a merchant waits for the answer, so links may be minted. `urgent`: whether others go
    first; returns how many of the rounds are left for after them, or 0.
    """
    with db_lock.exclusive(), crash_guard.counted(Attempt, attempt_id):
        rows = Attempt.objects.values_list("connection__account_id", "due_at")
        account_id, due_at = rows.get(pk=attempt_id)
        if due_at is None:
            return 0
        with leased(account_id) as lease:
            if lease is None:
                _postpone(Attempt, attempt_id)
                return 0
            if only_if and not _holds(only_if, attempt_id):
                return 0
            return _rounds(attempt_id, lease, present, urgent, rounds)


def _holds(only_if: OnlyIf, attempt_id: int) -> bool:
    if only_if is OnlyIf.DUE:
        return _still_due(Attempt, attempt_id)
    return Attempt.objects.filter(pk=attempt_id, answer=Answer.PROGRESS).exists()


def _rounds(
    attempt_id: int, lease: Lease, present: bool, urgent: Callable[[], bool], rounds: int
) -> int:
    """One call after the other; how many are left when it stopped for those who go first."""
    call: VendorCall | None = None
    for left in range(rounds - 1, -1, -1):
        call = _prepare(attempt_id, lease, present, call)
        if call is None or not _step(call):
            return 0
        if left and urgent() and _may_pause(call):
            return left
    if call := _prepare(attempt_id, lease, present, call):
        call.order = replace(call.order, announced="", unsure="")  # nothing was asked
        why = f"{call.call.name} made no progress in {ROUNDS} rounds"
        settled(call, Garbled(why, cause=Cause.NO_PROGRESS))
    return 0


def _may_pause(call: VendorCall) -> bool:
    """Only where a person has just asked: a pause would restart the wait of anything else, and a newer
    call is next at once. Not while a creation is announced or unsure: others would take it for unsure."""
    if call.attempt is None or call.before[0] != Answer.PROGRESS:
        return False
    same = Attempt.objects.filter(pk=call.attempt.pk, call_number=call.number)
    return same.filter(connection__account__announced="", connection__account__unsure="").exists()


@logs.with_reference()
def check(connection_id: int, *, only_if: OnlyIf | None = None) -> None:
    """Ask the vendor whether a shop is (still) connected."""
    accounts = Connection.objects.values_list("account_id", flat=True)
    with (
        db_lock.exclusive(),
        crash_guard.counted(Connection, connection_id),
        leased(accounts.get(pk=connection_id)) as lease,
    ):
        if lease is None:
            _postpone(Connection, connection_id)
            return
        if only_if is OnlyIf.DUE and not _still_due(Connection, connection_id):
            return
        for _ in range(ROUNDS):
            call = _prepare_check(connection_id, lease)
            if call is None or not _step(call):
                return


def _step(call: VendorCall) -> bool:
    """Ask and write; True when the journey goes on at once.

    Where merchants share a limit, nobody else creates from the count to the saved creation.
    """
    if not (call.vendor.serial and call.order.announced):
        return settled(call, ask(call))
    with alone(call.vendor.slug) as mine:
        queue = text(
            "One moment: another shop is being prepared at %(vendor)s.", vendor=call.vendor.name
        )
        return settled(
            call, ask(call) if mine else Unavailable("another creation goes on", note=queue)
        )


def _postpone(model: Rows, pk: int) -> None:
    """The account is busy with another row; if it is busy with this one, that decides when it is due."""
    rows = model._default_manager.filter(pk=pk, call_started_at=None)
    transitions.make_due(rows, timezone.now() + BUSY)


def _still_due(model: Rows, pk: int) -> bool:
    """Whoever came while we had the lease may have postponed it."""
    soon = timezone.now() + 2 * BUSY
    return bool(model._default_manager.filter(pk=pk, due_at__lte=soon).exists())


@transaction.atomic
def _prepare(
    attempt_id: int, lease: Lease, present: bool, last: VendorCall | None
) -> VendorCall | None:
    """The next call, or None when nothing is to be done. Counts the try before the call is made."""
    lease.renew()
    attempt = transitions.locked_attempt(attempt_id)
    if attempt.ended or attempt.due_at is None:
        return None
    if attempt.deadline <= timezone.now():
        transitions.expire(attempt)
        return None
    vendor = registry.vendor_of(attempt.connection.vendor)
    if vendor is None:
        _switched_off(attempt)
        return None
    if unreadable.unreadable(attempt.connection, attempt):
        unreadable.stop(attempt)
        return None
    if verdict := _obstacle(attempt, vendor):
        transitions.publish(attempt, changed=transitions.apply(attempt, verdict))
        return None
    return _call(attempt, lease, vendor, present, last) if crash_guard.claim(attempt) else None


def _obstacle(attempt: Attempt, vendor: Vendor) -> Verdict | None:
    """What an attempt becomes whose vendor must not be asked."""
    account, call = attempt.connection.account, remembered(attempt)
    if orders.chosen(attempt) is None:
        return no_such_choice()
    ours = account.creator_id == attempt.pk
    if account.unsure and not ours and not isinstance(call, End):
        return blocked(vendor, f"unsure-{account.unsure}")
    if crash_guard.poisoned(attempt):
        return crash_guard.poison(attempt, call.name)
    return None


def _call(
    attempt: Attempt, lease: Lease, vendor: Vendor, present: bool, last: VendorCall | None
) -> VendorCall:
    same_call = last is not None and last.number == attempt.call_number
    before = last.before if last and same_call else (attempt.answer, attempt.since)
    # Somebody may wait for the first answer; what was answered once is only looked at again.
    unanswered = before[0] in {Answer.PROGRESS, Answer.UNAVAILABLE}
    present = present or (unanswered and orders.awaited(attempt))
    return VendorCall(
        lease=lease,
        vendor=vendor,
        connection=attempt.connection,
        attempt=attempt,
        order=orders.for_attempt(attempt, state=hops.blank(attempt), present=present),
        call=remembered(attempt),
        number=attempt.call_number,
        before=before,
    )


@transaction.atomic
def _prepare_check(connection_id: int, lease: Lease) -> VendorCall | None:
    lease.renew()
    connection = transitions.locked_connection(connection_id)
    vendor = registry.vendor_of(connection.account.vendor)
    if connection.due_at is None or vendor is None:
        rows = Connection.objects.filter(pk=connection_id)
        transitions.make_due(rows, timezone.now() + SWITCHED_OFF)
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
        call=Check(),
    )


def _switched_off(attempt: Attempt) -> None:
    attempt.due_at = timezone.now() + SWITCHED_OFF
    note = dumped(text("This service is switched off at the moment. Your place is kept."))
    changed = attempt.note != note
    attempt.note = note
    transitions.publish(attempt, changed=changed)


def ask(call: VendorCall) -> Outcome:
    """Ask with no transaction and no database connection held. Catches the contract's errors alone."""
    slug = call.vendor.slug
    try:
        with breaker.guard(slug, connection=call.connection, attempt=call.attempt):
            return make(call.vendor, call.order, call.call)
    except (Unavailable, Refused, Unsure, Garbled) as error:
        log.info("%s %s: %s %s", slug, call.call.name, type(error).__name__, error.detail)
        return error


def settled(call: VendorCall, outcome: Outcome) -> bool:
    """Write what the vendor answered; True when the journey goes on at once."""
    try:
        with transaction.atomic():
            call.lease.renew()
            return settlement.settle(call, outcome)
    except LeaseLost:
        log.warning("%s %s: took longer than the lease", call.vendor.slug, call.call.name)
        crash_guard.outlived(call.attempt or call.connection)
        return False
