"""The engine: makes the calls to the vendor, outside any transaction, under the account's lease.

Each round prepares a call in one transaction, makes it, and settles its outcome in another. A process may
die between any two lines: the row says what is due, and any other process can continue.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from enum import Enum
from typing import NamedTuple, assert_never

from django.db import DataError, transaction
from django.db.models import Q

from onboarding import clock, db_lock, registry
from onboarding.availability import breaker
from onboarding.models import Attempt, Connection
from onboarding.models.status import Answer, Cause, dumped
from onboarding.monitoring import logs
from vendors.contract import Garbled, Refused, Unavailable, Unsure, Vendor, text

from . import crash_guard, hops, orders, settlement, transitions, unreadable
from .leases import Lease, LeaseLost, exclusive_creation, leased
from .outcomes import Outcome, Verdict, blocked, no_such_choice
from .vendor_call import Check, End, VendorCall, make_call, remembered

log = logging.getLogger(__name__)
ROUNDS = 40  # calls in one run: more than any flow needs
BUSY_DELAY = timedelta(seconds=1)  # before a retry while another worker has the account's lease
SWITCHED_OFF_DELAY = timedelta(hours=1)  # before a switched-off vendor is looked up again
# What a database or its driver raises for a value that it cannot store: U+0000, a lone surrogate, a text
# or a number that is too long. Replies are checked for that, so this is the last defence.
UNSTORABLE = (DataError, UnicodeError, OverflowError)
RowModel = type[Attempt] | type[Connection]


class OnlyIf(Enum):
    """A condition that is checked again under the lease: another worker may have been faster."""

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

    `present`: a merchant waits for the answer, so links may be minted. `urgent` says whether other
    attempts should go first. Returns how many of the `rounds` are left to make after those; 0 when
    this attempt has nothing more to do now.
    """
    with db_lock.exclusive(), crash_guard.counting_bugs(Attempt, attempt_id):
        rows = Attempt.objects.values_list("connection__account_id", "due_at")
        account_id, due_at = rows.get(pk=attempt_id)
        if due_at is None:
            return 0
        with leased(account_id) as lease:
            if lease is None:
                _postpone(Attempt, attempt_id)
                return 0
            if only_if and not _is_met(only_if, attempt_id):
                return 0
            return _make_rounds(attempt_id, lease, present, urgent, rounds)


def _is_met(only_if: OnlyIf, attempt_id: int) -> bool:
    match only_if:
        case OnlyIf.DUE:
            return _still_due(Attempt, attempt_id)
        case OnlyIf.UNANSWERED:
            return Attempt.objects.filter(pk=attempt_id, answer=Answer.PROGRESS).exists()
    assert_never(only_if)


def _make_rounds(
    attempt_id: int, lease: Lease, present: bool, urgent: Callable[[], bool], rounds: int
) -> int:
    """Make one call after the other. Returns the rounds left when it made way for urgent attempts."""
    call: VendorCall | None = None
    for rounds_left in range(rounds - 1, -1, -1):
        call = _prepare(attempt_id, lease, present, call)
        if call is None or not _make_and_settle(call):
            return 0
        if rounds_left and urgent() and _may_make_way(call):
            return rounds_left
    if call := _prepare(attempt_id, lease, present, call):
        call.order = replace(call.order, announced="", unsure="")  # no call was made
        detail = f"{call.call.name} made no progress in {ROUNDS} rounds"
        settle_under_lease(call, Garbled(detail, cause=Cause.NO_PROGRESS))
    return 0


def _may_make_way(call: VendorCall) -> bool:
    """Only if a person has just asked for this call: a break would restart any other wait, and a newer
    call has to be made at once. Not while a creation is announced or unsure: the next holder of the
    lease would take it for a creation whose worker died."""
    if call.attempt is None or call.before[0] != Answer.PROGRESS:
        return False
    same_call = Attempt.objects.filter(pk=call.attempt.pk, call_number=call.number)
    return same_call.filter(
        connection__account__announced="", connection__account__unsure=""
    ).exists()


@logs.with_reference()
def check(connection_id: int, *, only_if: OnlyIf | None = None) -> None:
    """Ask the vendor whether a shop is (still) connected."""
    accounts = Connection.objects.values_list("account_id", flat=True)
    with (
        db_lock.exclusive(),
        crash_guard.counting_bugs(Connection, connection_id),
        leased(accounts.get(pk=connection_id)) as lease,
    ):
        if lease is None:
            _postpone(Connection, connection_id)
            return
        if only_if is OnlyIf.DUE and not _still_due(Connection, connection_id):
            return
        for _ in range(ROUNDS):
            call = _prepare_check(connection_id, lease)
            if call is None or not _make_and_settle(call):
                return


def _make_and_settle(call: VendorCall) -> bool:
    """Make the call and write its outcome. Returns whether another call is due at once.

    Where merchants share a limit at the vendor, one worker at a time creates: nobody else may create
    between counting what exists and saving the new one.
    """
    if not (call.vendor.serial and call.order.announced):
        return settle_under_lease(call, ask(call)).again
    with exclusive_creation(call.vendor.slug) as is_alone:
        if is_alone:
            return settle_under_lease(call, ask(call)).again
        note = text(
            "We are preparing another shop at %(vendor)s first. Yours is next.",
            vendor=call.vendor.name,
        )
        busy = Unavailable("another creation goes on", note=note)
        return settle_under_lease(call, busy).again


def _postpone(model: RowModel, pk: int) -> None:
    """The account's lease is held by another worker: try again soon.

    Only what is still due, or was just asked for by a person. The holder may have settled this very row
    in the meantime, and then its `due_at` is a check of tomorrow, a wait that the vendor asked for, or the
    pause of a row that kills its workers.
    """
    now = clock.now()
    asked_for = Q(answer=Answer.PROGRESS, crashes=0, due_at__lte=now + transitions.GRACE)
    rows = model._default_manager.filter(Q(due_at__lte=now) | asked_for, pk=pk)
    transitions.make_due(rows.filter(call_started_at=None), now + BUSY_DELAY)


def _still_due(model: RowModel, pk: int) -> bool:
    """Whether no other worker has handled the row or put it off."""
    return bool(model._default_manager.filter(pk=pk, due_at__lte=clock.now()).exists())


@transaction.atomic
def _prepare(
    attempt_id: int, lease: Lease, present: bool, last: VendorCall | None
) -> VendorCall | None:
    """The next call, or None when there is nothing to do. Counts the try before the call is made."""
    lease.renew()
    attempt = transitions.locked_attempt(attempt_id)
    if attempt.ended and last is not None:
        _withdraw_announcement(attempt)
    if attempt.ended or attempt.due_at is None:
        return None
    if attempt.deadline <= clock.now():
        transitions.expire(attempt)
        return None
    vendor = registry.vendor_of(attempt.connection.vendor)
    if vendor is None:
        _switched_off(attempt)
        return None
    if unreadable.is_unreadable(attempt.connection, attempt):
        unreadable.stop_attempt(attempt)
        return None
    if verdict := _verdict_without_call(attempt, vendor):
        transitions.publish(attempt, changed=transitions.apply(attempt, verdict))
        return None
    return _call(attempt, lease, vendor, present, last) if crash_guard.begin_call(attempt) else None


def _withdraw_announcement(attempt: Attempt) -> None:
    """The attempt ended between announcing a creation and making it: nothing was sent."""
    account = attempt.connection.account
    if account.announced and account.creator_id == attempt.pk:
        account.announced = ""
        account.save(update_fields=["announced"])


def _verdict_without_call(attempt: Attempt, vendor: Vendor) -> Verdict | None:
    """What an attempt becomes when the vendor must not be called for it; None when it may be."""
    account, call = attempt.connection.account, remembered(attempt)
    if orders.chosen_connector(attempt) is None:
        return no_such_choice()
    is_creator = account.creator_id == attempt.pk
    if account.unsure and not is_creator and not isinstance(call, End):
        return blocked(vendor, f"unsure-{account.unsure}")
    if crash_guard.is_poison(attempt):
        return crash_guard.poison_verdict(attempt, call.name)
    return None


def _call(
    attempt: Attempt, lease: Lease, vendor: Vendor, present: bool, last: VendorCall | None
) -> VendorCall:
    same_call = last is not None and last.number == attempt.call_number
    before = last.before if last and same_call else (attempt.answer, attempt.since)
    # Somebody may be waiting for the first answer. Later polls have nobody in front of them.
    unanswered = before[0] in {Answer.PROGRESS, Answer.UNAVAILABLE}
    present = present or (unanswered and orders.is_awaited(attempt))
    return VendorCall(
        lease=lease,
        vendor=vendor,
        connection=attempt.connection,
        attempt=attempt,
        order=orders.for_attempt(attempt, state=hops.unused_state(attempt), present=present),
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
        transitions.make_due(rows, clock.now() + SWITCHED_OFF_DELAY)
        return None
    if unreadable.is_unreadable(connection):
        unreadable.require_reconnect(connection)
        return None
    if crash_guard.is_poison(connection):
        settlement.stop_checks(connection)
        return None
    if not crash_guard.begin_call(connection):
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
    attempt.due_at = clock.now() + SWITCHED_OFF_DELAY
    note = dumped(text("This service is switched off at the moment. Your progress is saved."))
    changed = attempt.note != note
    attempt.note = note
    transitions.publish(attempt, changed=changed)


def ask(call: VendorCall) -> Outcome:
    """Make the call, with no transaction and no pooled database connection held.

    The contract's errors are outcomes too; any other exception is a bug and propagates.
    """
    slug = call.vendor.slug
    try:
        with breaker.guard(slug, connection=call.connection, attempt=call.attempt):
            return make_call(call.vendor, call.order, call.call)
    except (Unavailable, Refused, Unsure, Garbled) as error:
        log.info("%s %s: %s %s", slug, call.call.name, type(error).__name__, error.detail)
        return error


class Settled(NamedTuple):
    """`again`: another call is due at once. `outcome`: what was written."""

    again: bool
    outcome: Outcome


def settle_under_lease(call: VendorCall, outcome: Outcome) -> Settled:
    """Write the outcome if the lease is still ours.

    An answer that the database cannot store is Garbled: it would be the same at each retry.
    """
    try:
        try:
            return _settle(call, outcome)
        except UNSTORABLE as fault:
            kind = f"{type(outcome).__name__}, {type(fault).__name__}"
            detail = f"{call.call.name}: what the vendor answered cannot be stored ({kind})"
            log.warning("%s %s", call.vendor.slug, detail)
            return _settle(call, Garbled(detail))
    except LeaseLost:
        log.warning("%s %s: took longer than the lease", call.vendor.slug, call.call.name)
        crash_guard.outlived_lease(call.attempt or call.connection)
        return Settled(again=False, outcome=outcome)


@transaction.atomic
def _settle(call: VendorCall, outcome: Outcome) -> Settled:
    call.lease.renew()
    return Settled(settlement.settle(call, outcome), outcome)
