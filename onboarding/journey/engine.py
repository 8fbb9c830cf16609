"""The engine: makes the calls to the vendor, outside any transaction, under the account's lease.

Each round prepares a call in one transaction, makes it, and settles its outcome in another. A process may
die between any two lines: the row says what is due, and any other process can continue.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import NamedTuple

from django.db import DataError, transaction
from django.db.models import Q

from onboarding import clock, db_slots, registry
from onboarding.availability import breaker
from onboarding.models import Account, Attempt, Connection
from onboarding.models.status import Answer, Cause, dumped
from onboarding.monitoring import logs
from vendors.contract import Garbled, Progress, Refused, Unavailable, Unsure, Vendor, text

from . import claims, crash_guard, hops, orders, settlement, transitions, unreadable
from .leases import (
    ACCOUNT_OF_ATTEMPT,
    ACCOUNT_OF_CONNECTION,
    Lease,
    LeaseLost,
    doubt_announced,
    exclusive_creation,
    is_free,
)
from .outcomes import Outcome, Verdict, blocked, no_such_choice
from .vendor_call import Check, End, VendorCall, make_call, remembered

log = logging.getLogger(__name__)
ROUNDS = 40  # calls in one run: more than any flow needs
BUSY_DELAY = timedelta(seconds=1)  # before a retry while another worker has the account's lease
SWITCHED_OFF_DELAY = timedelta(hours=1)  # before a switched-off vendor is looked up again
# What a database or its driver raises for a value that it cannot store: U+0000, a lone surrogate, a text
# or a number that is too long. Replies are checked for that, so this is the last defence.
UNSTORABLE = (DataError, UnicodeError, OverflowError)


@dataclass
class _Run:
    """One process's work on an attempt: the lease of its account, and the token of its own lease.

    `claim`: the token under which a worker has claimed the row; "" if a person asked for the call.
    """

    lease: Lease
    claim: str = ""
    present: bool = False
    only_unanswered: bool = False
    last: VendorCall | None = None  # the call before

    def is_overtaken(self, row: Attempt | Connection) -> bool:
        """Whether another process has taken the row since it was claimed, or has settled it."""
        return self.last is None and bool(self.claim) and row.lease_token != self.claim


class AccountBusy(Exception):
    """Another process has the account's lease."""


@logs.with_reference()
def advance(
    attempt_id: int,
    *,
    claim: str = "",
    present: bool = False,
    only_unanswered: bool = False,
    urgent: Callable[[], bool] = lambda: False,
    rounds: int = ROUNDS,
) -> int:
    """Make an attempt's calls until somebody else has to act. Safe at any time, from any process.

    `claim`: the token of the worker that has claimed it; nothing is done if the row has another by now.
    `present`: a merchant waits for the answer, so links may be minted. `only_unanswered`: nothing is done
    if the call has its answer. `urgent` says whether other attempts should go first. Returns how many of
    the `rounds` are left to make after those; 0 when this attempt has nothing more to do now.
    """
    lease = Lease(ACCOUNT_OF_ATTEMPT, attempt_id)
    run = _Run(lease, claim, present, only_unanswered)
    with db_slots.slot(), crash_guard.counting_bugs(Attempt, attempt_id):
        try:
            return _make_rounds(attempt_id, run, urgent, rounds)
        except AccountBusy:
            _postpone(Attempt, attempt_id, claim)
            return 0
        finally:
            lease.release()


def _make_rounds(attempt_id: int, run: _Run, urgent: Callable[[], bool], rounds: int) -> int:
    """Make one call after the other. Returns the rounds left when it made way for urgent attempts."""
    for rounds_left in range(rounds - 1, -1, -1):
        run.last = call = _prepare(attempt_id, run)
        if call is None:
            claims.release(Attempt, attempt_id, run.claim)
        if call is None or not _make_and_settle(call):
            return 0
        if rounds_left and urgent() and _may_make_way(call):
            return rounds_left
    if call := _prepare(attempt_id, run):
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
def check(connection_id: int, *, claim: str = "") -> None:
    """Ask the vendor whether a shop is (still) connected. `claim`: as for `advance`."""
    lease = Lease(ACCOUNT_OF_CONNECTION, connection_id)
    run = _Run(lease, claim)
    with db_slots.slot(), crash_guard.counting_bugs(Connection, connection_id):
        try:
            for _ in range(ROUNDS):
                run.last = call = _prepare_check(connection_id, run)
                if call is None:
                    claims.release(Connection, connection_id, claim)
                if call is None or not _make_and_settle(call):
                    return
        except AccountBusy:
            _postpone(Connection, connection_id, claim)
        finally:
            lease.release()


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


def _postpone(model: claims.RowModel, pk: int, claim: str) -> None:
    """The account's lease is held by another process: try again soon.

    A worker keeps its claim until then, and the row its place in the line. Without a claim somebody has
    just asked for the call. It stays as it is if the holder has settled this very row in the meantime: its
    `due_at` is then a check of tomorrow, a wait that the vendor asked for, or the pause of a row that
    kills its workers.
    """
    now = clock.now()
    rows = model._default_manager.filter(pk=pk)
    if claim:
        transitions.update(rows.filter(lease_token=claim), lease_until=now + BUSY_DELAY)
        return
    asked_for = Q(answer=Answer.PROGRESS, crashes=0, due_at__lte=now + transitions.GRACE)
    free = rows.filter(is_free(), call_started_at=None)
    transitions.make_due(free.filter(Q(due_at__lte=now) | asked_for), now + BUSY_DELAY)


def _hold(lease: Lease) -> None:
    """Take or extend the lease, first in a transaction. Raises AccountBusy or LeaseLost."""
    if lease.is_held:
        lease.renew()
    elif not lease.acquire():
        raise AccountBusy


def _doubt_announced(run: _Run, account: Account) -> None:
    """Only if the lease has just been taken: what this process announced itself is no doubt."""
    if run.last is None:
        run.lease.found(account)
        doubt_announced(account)


@transaction.atomic
def _prepare(attempt_id: int, run: _Run) -> VendorCall | None:
    """The next call, or None when there is nothing to do. Counts the try before the call is made."""
    _hold(run.lease)
    attempt = transitions.locked_attempt(attempt_id)
    _doubt_announced(run, attempt.connection.account)
    if attempt.ended and run.last is not None:
        _withdraw_announcement(attempt)
    if attempt.ended or attempt.due_at is None or run.is_overtaken(attempt):
        return None
    if run.only_unanswered and run.last is None and attempt.answer != Answer.PROGRESS:
        return None
    if attempt.deadline <= clock.now():
        transitions.expire(attempt)
        return None
    vendor = registry.vendor_of(attempt.vendor)
    if vendor is None:
        _switched_off(attempt)
        return None
    if unreadable.is_unreadable(attempt.connection, attempt):
        unreadable.stop_attempt(attempt)
        return None
    if verdict := _verdict_without_call(attempt, vendor):
        transitions.publish(attempt, changed=transitions.apply(attempt, verdict))
        return None
    token = run.claim or run.lease.token
    return _call(attempt, run, vendor) if crash_guard.begin_call(attempt, token) else None


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


def _call(attempt: Attempt, run: _Run, vendor: Vendor) -> VendorCall:
    last = run.last
    same_call = last is not None and last.number == attempt.call_number
    before = last.before if last and same_call else (attempt.answer, attempt.since)
    # Somebody may be waiting for the first answer. Later polls have nobody in front of them.
    unanswered = before[0] in {Answer.PROGRESS, Answer.UNAVAILABLE}
    present = run.present or (unanswered and orders.is_awaited(attempt))
    return VendorCall(
        lease=run.lease,
        vendor=vendor,
        connection=attempt.connection,
        attempt=attempt,
        order=orders.for_attempt(attempt, state=hops.unused_state(attempt), present=present),
        call=remembered(attempt),
        number=attempt.call_number,
        before=before,
        breakers=breaker.read(vendor.slug),
    )


@transaction.atomic
def _prepare_check(connection_id: int, run: _Run) -> VendorCall | None:
    _hold(run.lease)
    connection = transitions.locked_for_check(connection_id)
    _doubt_announced(run, connection.account)
    if run.is_overtaken(connection):
        return None
    vendor = registry.vendor_of(connection.vendor)
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
    if not crash_guard.begin_call(connection, run.claim or run.lease.token):
        return None
    return VendorCall(
        lease=run.lease,
        vendor=vendor,
        connection=connection,
        attempt=None,
        order=orders.for_connection(connection, "check"),
        call=Check(),
        breakers=breaker.read(vendor.slug),
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
        with breaker.guard(
            slug, connection=call.connection, attempt=call.attempt, rows=call.breakers
        ):
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


def _settle(call: VendorCall, outcome: Outcome) -> Settled:
    """The lease ends in the transaction that writes the last outcome."""
    is_last = isinstance(call.call, Check) and not isinstance(outcome, Progress)
    with transaction.atomic():
        if is_last:
            call.lease.hand_in()
        else:
            call.lease.renew()
        again = settlement.settle(call, outcome)
    call.lease.is_held = not is_last
    return Settled(again, outcome)
