"""Settlement: turns a call's outcome into rows, in one transaction, under the account's lease.

Read it from the top: `settle` tells an attempt's call, a staff action and a check apart. Each section
below follows one of them, in the order in which things happen.
"""

from __future__ import annotations

from collections.abc import Iterable
from copy import copy
from dataclasses import replace
from typing import assert_never

from django.db import IntegrityError, transaction

from onboarding import clock, shop_addresses
from onboarding.models import Account, Alert, Attempt, Connection, Notice, User
from onboarding.models.connections import LONGEST_LABEL
from onboarding.models.memo import readable
from onboarding.models.status import Answer, Cause, Ending, Status, Turn, dumped
from onboarding.registry import vendor_name
from vendors.contract import (
    CallError,
    Connected,
    Done,
    Garbled,
    Progress,
    Redirect,
    StartOver,
    Step,
    Text,
    Unavailable,
    Unsure,
    Why,
    text,
)
from vendors.http.urls import allowed

from . import crash_guard, hops, notices, orders, removal, transitions
from .orders import holder, is_other_account
from .outcomes import Doubt, Outcome, ShopMatch, Verdict, awaits_task, verdict, wrong_shop
from .vendor_call import Act, Resolve, VendorCall

# What a check may say to take a connected shop's status away.
LOWERING_ANSWERS = frozenset({Answer.ASK, Answer.NEEDS_MERCHANT, Answer.GO_ON, Answer.REFUSED})

# What `_apply_evidence` writes besides the status.
EVIDENCE_FIELDS = (
    *("evidence", "confirmed_at", "confirmed_by", "checked_at", "shop_id", "expires_at"),
    *("address", "account_label", "connected_at"),
)

STAFF_CONFIRMED = text("Our staff confirmed that this shop is connected.")


def settle(call: VendorCall, outcome: Outcome) -> bool:
    """Write the outcome of a call. Returns whether another call is due at once."""
    if isinstance(outcome, Redirect) and (fault := _redirect_fault(call, outcome)):
        outcome = Garbled(f"{call.call.name} named {fault}")
    if call.attempt is not None:
        return _settle_attempt(call, transitions.locked_attempt(call.attempt.pk), outcome)
    if isinstance(call.call, Act):
        _settle_action(call, outcome)
        return False
    return _settle_check(call, outcome)


def _redirect_fault(call: VendorCall, step: Redirect) -> str:
    """What is wrong with a link, or with how its return is to be found; "" if nothing is."""
    if step.url and not allowed(step.url, call.vendor.domains()):
        return "a link to a host that is not this vendor's"
    if step.returned_by and (not all(step.returned_by) or step.returned_by[0] == "state"):
        return "no parameter, or no value, by which a return could be found"
    return ""


# -- an attempt's call -----------------------------------------------------------------------------


def _settle_attempt(call: VendorCall, attempt: Attempt, outcome: Outcome) -> bool:
    """Save what the call made, then choose between the next call, a newer one, and the verdict."""
    must_reconcile = _settle_creation(call, attempt, outcome)
    if must_reconcile and isinstance(outcome, CallError):
        _note_lost_answer(attempt, outcome.detail)
    if isinstance(outcome, Step):
        _settle_found_ids(call, attempt, outcome)
        _save_drafts_and_ids(attempt, outcome)
        _tick(call, attempt, outcome.done)
        transitions.save(attempt, "account_memo", "connection_memo", "ticks", "crashes")
    elif isinstance(outcome, Unavailable) and outcome.connection is not None:
        attempt.connection_memo = dict(outcome.connection)
        transitions.save(attempt, "connection_memo")
    repeat = must_reconcile or isinstance(outcome, Progress)
    is_outdated = attempt.ended is not None or attempt.call_number != call.number
    again = attempt.ended is None if is_outdated else repeat
    crash_guard.answered(attempt, resets_crashes=not repeat, again=again)
    if is_outdated:
        transitions.save(attempt, *transitions.GUARD_FIELDS)
        if attempt.connection.removed_at:
            removal.keep_known(attempt.connection)
        return again  # while we waited the merchant asked for another call
    if repeat:
        _repeat_call(attempt)
        return True
    if isinstance(outcome, Connected):
        _settle_connected(call, attempt, outcome)
    elif isinstance(outcome, Done):
        _settle_done(call, attempt, outcome)
    else:
        _apply_outcome(call, attempt, _settle_link(call, attempt, outcome))
    return False


def _settle_creation(call: VendorCall, attempt: Attempt, outcome: Outcome) -> bool:
    """Update the account's announced and unsure creation.

    Returns whether the flow has to look at once if the creation exists: its answer was just lost.
    """
    account = attempt.connection.account
    announced, unsure = call.order.announced, call.order.unsure
    disproved = outcome.creation if isinstance(outcome, Unsure) else ""
    doubted = disproved or announced or unsure
    answer_lost = isinstance(outcome, Unsure | Garbled) and bool(doubted)
    if answer_lost:
        account.announced, account.unsure = "", doubted
        if announced or disproved:
            account.unsure_why = _why_lost(outcome)
        account.creator = attempt if disproved else account.creator
    elif isinstance(outcome, Progress) and outcome.announce and attempt.ended is None:
        account.announced, account.unsure, account.creator = outcome.announce, "", attempt
        _note_lost_answer(attempt, "")
    elif announced or (unsure and isinstance(outcome, Step)):
        account.announced, account.unsure, account.unsure_why = "", "", ""
    else:
        return False
    account.save(update_fields=["announced", "unsure", "unsure_why", "creator"])
    if unsure and not account.unsure:
        transitions.wake_siblings(account)
    return answer_lost and bool(announced) and not disproved


def _settle_found_ids(call: VendorCall, attempt: Attempt, step: Step) -> None:
    """An id that staff entered is on trial until a step ticks what it stands for."""
    account, found = attempt.connection.account, dict(attempt.connection.account.found)
    if isinstance(call.call, Resolve):
        found.pop(call.order.unsure, None)
        if call.call.found:
            found[call.order.unsure] = call.call.found
        note = _staff_looked(call)
        transitions.record(attempt.connection, note, attempt=attempt, user=call.by)
    _believe(account, {key: found[key] for key in found if key not in step.done})


def _staff_looked(call: VendorCall) -> Text:
    if isinstance(call.call, Resolve) and call.call.found:
        return text("Our staff found what was missing at %(vendor)s.", vendor=call.vendor.name)
    return text(
        "Our staff found nothing at %(vendor)s, so we are asking for it again.",
        vendor=call.vendor.name,
    )


def _believe(account: Account, unproved: dict[str, str]) -> None:
    """Save which ids of staff the vendor has not confirmed yet."""
    if account.found != unproved:
        account.found = unproved
        account.save(update_fields=["found"])


def _note_lost_answer(attempt: Attempt, detail: str) -> None:
    """Why the answer of the last creation was none; "" for a new one. See `_with_lost_answer`."""
    call = readable(attempt.call)
    if call.get("lost", "") != detail:
        attempt.call = call | {"lost": detail}
        transitions.save(attempt, "call")


def _with_lost_answer(attempt: Attempt, row: Verdict) -> Verdict:
    """What was looked for, together with why: staff need to know that the answer could not be read."""
    lost = str(readable(attempt.call).get("lost") or "")
    if row.detail in lost:
        return replace(row, detail=lost)
    return replace(row, detail=f"{row.detail} ({lost})" if lost else row.detail)


def _why_lost(outcome: Outcome) -> str:
    return outcome.why if isinstance(outcome, Unsure | Garbled) else ""


def _save_drafts_and_ids(attempt: Attempt, step: Step) -> None:
    """Memo drafts (the caller saves them) and plain ids. What was made at the vendor is live at once."""
    connection, account = attempt.connection, attempt.connection.account
    if isinstance(step, StartOver):
        attempt.account_memo, attempt.connection_memo = None, {}
    if step.account is not None:
        attempt.account_memo = dict(step.account)
    if step.connection is not None:
        attempt.connection_memo = dict(step.connection)
    if step.account_label:
        _note_whose_account(attempt, account, step)
    if step.promote or isinstance(step, Connected):
        _promote_account_draft(attempt, account, step.account_key)
    if step.connection_key not in {"", connection.key}:
        connection.key = step.connection_key
        transitions.save(connection, "key")


def _note_whose_account(attempt: Attempt, account: Account, step: Step) -> None:
    """The label of the account. The same account under another one was renamed at the vendor.

    Where the account has no id at the vendor, each shop may be somebody else's, and only the shop has one.
    """
    label, before = step.account_label[:LONGEST_LABEL], account.label
    if step.account_key == account.key and before not in {"", label}:
        transitions.update(account.connections.filter(account_label=before), account_label=label)
        attempt.connection.refresh_from_db(fields=["account_label"])
    attempt.found_account = label
    transitions.save(attempt, "found_account")
    if step.account_key or account.key:
        account.label = label
        account.save(update_fields=["label"])


def _promote_account_draft(attempt: Attempt, account: Account, key: str) -> None:
    if attempt.account_memo is not None:
        account.memo, attempt.account_memo = attempt.account_memo, None
    account.key = key or account.key
    account.save(update_fields=["memo", "key"])


def _tick(call: VendorCall, attempt: Attempt, done: Iterable[str]) -> None:
    """Tick what is done; the caller saves. A tick is a committed checkpoint.

    An item of the checklist is done once all of its keys are; the timeline then says so. What staff found
    was not made now, and the timeline has said so before.
    """
    for key in done:
        if key not in attempt.ticks:
            attempt.ticks, attempt.crashes = [*attempt.ticks, key], 0
            if key in call.order.found or isinstance(call.call, Resolve):
                continue
            for item in call.vendor.checklist:
                if key in item.keys and set(item.keys) <= set(attempt.ticks):
                    transitions.record(attempt.connection, item.note, attempt=attempt)


def _repeat_call(attempt: Attempt) -> None:
    """The same call is due at once; if this process dies before it makes it, the sweep does."""
    transitions.reset(attempt, Status.IN_PROGRESS, clock.now())
    transitions.publish(attempt, changed=False)


def _settle_link(call: VendorCall, attempt: Attempt, outcome: Outcome) -> Outcome:
    """Save the link of a Redirect.

    A flow that names no link, twice in a row, to a merchant who waits never will: Continue would
    repeat the same call for ever. That is Garbled.
    """
    if not isinstance(outcome, Step):
        return outcome
    linkless = isinstance(outcome, Redirect) and not outcome.url
    was_linkless = bool(readable(attempt.call).get("linkless"))
    if linkless and was_linkless and call.order.present:
        why = f"{call.call.name} was repeated for a merchant who waited, and named no link again"
        return Garbled(why, cause=Cause.NO_PROGRESS)
    if linkless != was_linkless:
        attempt.call = readable(attempt.call) | {"linkless": linkless}
        transitions.save(attempt, "call")
    if isinstance(outcome, Redirect) and outcome.url:
        hops.mint(attempt, call.order.state, outcome)
    elif isinstance(outcome, Redirect):
        hops.note_how_to_return(attempt, call.order.state, outcome)
    return outcome


def _apply_outcome(call: VendorCall, attempt: Attempt, outcome: Outcome) -> None:
    """The outcome's row of the table, into the attempt and, where it may, the connection."""
    if not isinstance(outcome, Unavailable):
        attempt.tries = 0
    account = attempt.connection.account
    row = verdict(
        outcome,
        call.vendor,
        max(attempt.tries - 1, 0),
        unsure=account.unsure,
        why=Why(account.unsure_why),
    )
    if isinstance(outcome, Unsure):
        row = _with_lost_answer(attempt, row)
    if attempt.answer == Answer.PROGRESS and call.before[0] == row.answer:
        attempt.answer, attempt.since = call.before  # a token renewed on the way begins no new wait
    transitions.publish(attempt, changed=transitions.apply(attempt, row))


# -- connected: is it the shop that was meant? -----------------------------------------------------


def _settle_connected(call: VendorCall, attempt: Attempt, step: Connected) -> None:
    """Connected, unless it is another shop than was meant: then the merchant decides."""
    found = _shop_match(attempt, step)
    if found is ShopMatch.INTENDED and not _confirm(call, attempt, step):
        found = _shop_match(attempt, step)  # another merchant was faster by a moment
    if found is ShopMatch.INTENDED:
        return
    attempt.found_shop_id = "" if found is ShopMatch.OTHER_MERCHANT else step.shop_id
    attempt.found_evidence = dumped(step.evidence)
    attempt.found_address = shop_addresses.told(step.address)
    transitions.save(attempt, "found_shop_id", "found_evidence", "found_address")
    attempt.tries = 0
    changed = transitions.apply(attempt, wrong_shop(found, _doubt(attempt, step)))
    transitions.publish(attempt, changed=changed)


def _shop_match(attempt: Attempt, step: Connected) -> ShopMatch:
    connection = attempt.connection
    held_by = holder(connection, step.shop_id)
    if held_by == "other":
        return ShopMatch.OTHER_MERCHANT
    if held_by == "sibling":
        return ShopMatch.SIBLING
    if attempt.accepted_shop_id == step.shop_id:
        return ShopMatch.INTENDED
    if connection.shop_id not in {"", step.shop_id}:
        return ShopMatch.DIFFERENT
    if shop_addresses.differ(connection.address, shop_addresses.told(step.address)):
        return ShopMatch.OTHER_ADDRESS
    if is_other_account(attempt):
        return ShopMatch.OTHER_ACCOUNT
    return ShopMatch.INTENDED


def _doubt(attempt: Attempt, step: Connected) -> Doubt:
    """What was meant and what was found, for the sentence that asks the merchant."""
    connection = attempt.connection
    return Doubt(
        name=connection.name,
        vendor=vendor_name(connection.vendor),
        address=connection.address,
        found_address=shop_addresses.told(step.address),
        account=connection.account_label,
        found_account=attempt.found_account,
    )


def _confirm(call: VendorCall, attempt: Attempt, step: Connected) -> bool:
    """Save the evidence and end the attempt. False: another connection has taken the shop."""
    connection = attempt.connection
    try:
        with transaction.atomic():
            _apply_evidence(call, connection, step, attempt)
            connection.memo = attempt.connection_memo
            transitions.save_all(connection)
            _adopt_connector(attempt)
    except IntegrityError:
        connection.refresh_from_db()
        return False
    transitions.apply(attempt, verdict(step, call.vendor, 0))
    for name in ("status", "answer", "note"):
        setattr(attempt, name, getattr(connection, name))
    attempt.tries = 0
    transitions.end(attempt, Ending.CONNECTED, *transitions.STATUS_FIELDS)
    if attempt.status == Status.REPORTED:
        notices.promise(attempt, Notice.Kind.CONNECTED, notices.CONFIRMED)
    transitions.record(connection, connection.note, attempt=attempt, status=connection.status)
    return True


def _apply_evidence(
    call: VendorCall, connection: Connection, step: Connected, attempt: Attempt | None = None
) -> None:
    """What we know of a shop that is set up, and how; the caller saves. `attempt`: None for a check."""
    now, status_before = clock.now(), connection.status
    was_confirmed = _is_confirmed(connection, step, attempt)
    transitions.apply(connection, verdict(step, call.vendor, 0))
    if was_confirmed and not step.confirmed:
        connection.status, connection.answer = Status.CONNECTED, Answer.CONNECTED
        connection.note = connection.evidence
    else:
        connection.evidence, connection.confirmed_by = dumped(step.evidence), None
        connection.confirmed_at = now if step.confirmed else None
    if step.confirmed:
        connection.checked_at = now
        _believe(connection.account, {})
    connection.shop_id, connection.expires_at = step.shop_id, step.expires_at
    connection.address = shop_addresses.told(step.address) or connection.address
    connection.account_label = _account_label(connection, step, attempt)
    connection.connected_at = connection.connected_at or now
    if step.reveal is not None:
        connection.reveal = dict(step.reveal)
    connection.tries, connection.due_at = 0, transitions.next_check(connection, now)
    _tell_of_confirmation(connection, status_before)


def _account_label(connection: Connection, step: Connected, attempt: Attempt | None) -> str:
    """Whose account the shop is connected through, as far as anybody has said."""
    label = step.account_label[:LONGEST_LABEL]
    if not label and attempt and attempt.connects:
        label = attempt.found_account or connection.account.label
    return label or connection.account_label


def _is_confirmed(connection: Connection, step: Connected, attempt: Attempt | None) -> bool:
    """Whether an earlier confirmation holds. A shop that was lowered, paused or disconnected needs
    another one when its merchant connects it again."""
    if connection.confirmed_at is None or connection.shop_id != step.shop_id:
        return False
    is_connected_again = attempt is not None and attempt.connects
    return connection.status == Status.CONNECTED or not is_connected_again


def _tell_of_confirmation(connection: Connection, status_before: str) -> None:
    """Staff hear of a shop that nobody has confirmed; its merchant hears when somebody has."""
    if connection.status == Status.REPORTED:
        Alert.open(connection.vendor, Cause.UNCONFIRMED)
    elif status_before == Status.REPORTED and connection.status == Status.CONNECTED:
        purposes = (Attempt.Purpose.CONNECT, Attempt.Purpose.RECONNECT)
        attempt = connection.attempts.filter(purpose__in=purposes).first()
        if attempt and attempt.ended:
            notices.tell(attempt, Notice.Kind.CONNECTED, notices.CONFIRMED)


def confirm_by_staff(connection_id: int, user: User) -> bool:
    """Staff know that the shop is connected, though its vendor cannot be asked. False: nothing to confirm."""
    connection = transitions.locked_connection(connection_id)
    if connection.status != Status.REPORTED:
        return False
    connection.status, connection.evidence = Status.CONNECTED, dumped(STAFF_CONFIRMED)
    connection.confirmed_at, connection.confirmed_by = clock.now(), user
    if connection.answer == Answer.REPORTED:
        connection.answer, connection.note = Answer.CONNECTED, connection.evidence
    connection.version += 1
    transitions.save_all(connection)
    transitions.record(connection, STAFF_CONFIRMED, user=user, status=connection.status)
    _tell_of_confirmation(connection, Status.REPORTED)
    return True


def _adopt_connector(attempt: Attempt) -> None:
    """The connector that the merchant chose becomes the shop's own once the vendor has done its part."""
    connection, chosen = attempt.connection, orders.chosen_connector(attempt)
    if chosen is None or chosen.pk == connection.connector_id:
        return
    connection.connector = chosen
    transitions.save(connection, "connector")
    transitions.record(
        connection,
        text("This shop now uses “%(connector)s”.", connector=str(chosen)),
        attempt=attempt,
    )


# -- done: paused, resumed, disconnected, changed --------------------------------------------------


def _settle_done(call: VendorCall, attempt: Attempt, step: Done) -> None:
    """What changed here and at the vendor, and what is left for the merchant and for staff."""
    row = _done_verdict(call, attempt, step)
    if attempt.purpose == Attempt.Purpose.ACT:
        row = replace(row, status=_settle_merchant_action(call, attempt, step))
    elif row.answer == Answer.TASK:
        _await_task(attempt, step, row)
        row = replace(row, status=Status.ON_IT)
    else:
        _stop_or_resume(call, attempt.connection, step, row, attempt)
    transitions.apply(attempt, row)
    attempt.tries = 0
    transitions.end(attempt, Ending.DONE, *transitions.STATUS_FIELDS)
    if row.answer == Answer.TASK:
        notices.promise(attempt, Notice.Kind.STAFF_DONE, notices.TASK)


def _done_verdict(call: VendorCall, attempt: Attempt, step: Done) -> Verdict:
    row = verdict(step, call.vendor, 0)
    match purpose := Attempt.Purpose(attempt.purpose):
        case Attempt.Purpose.PAUSE | Attempt.Purpose.RESUME if step.staff_task:
            return awaits_task(step)
        case Attempt.Purpose.PAUSE:
            return replace(row, status=Status.PAUSED)
        case Attempt.Purpose.RESUME:
            return _resumed(row, attempt.connection)
        case Attempt.Purpose.CONNECT | Attempt.Purpose.RECONNECT | Attempt.Purpose.ENTER:
            return row
        case Attempt.Purpose.END | Attempt.Purpose.ACT:
            return row
    assert_never(purpose)


def _resumed(row: Verdict, connection: Connection) -> Verdict:
    """Set up again; connected only if somebody has confirmed it."""
    status, answer = Status.REPORTED, Answer.REPORTED
    if connection.confirmed_at:
        status, answer = Status.CONNECTED, Answer.CONNECTED
    return replace(row, status=status, turn=Turn.NOBODY, answer=answer)


def _await_task(attempt: Attempt, step: Done, row: Verdict) -> None:
    """A pause or a resume that staff do by hand: the status changes once they say that it is done."""
    connection = attempt.connection
    for note in (step.there, step.todo):
        transitions.record(connection, note, attempt=attempt, status=connection.status)
    if earlier := connection.task_attempt:  # the merchant has changed their mind
        earlier.answer = Answer.NONE
        transitions.end(earlier, Ending.REPLACED, "answer")
    transitions.apply(connection, row)
    transitions.save(connection, *transitions.STATUS_FIELDS)
    transitions.set_task(connection, step.staff_task)


def complete_task(connection_id: int, user: User | None) -> bool:
    """Staff have done their task for this shop; a pause or a resume is done with it. False: it has none."""
    connection = transitions.locked_connection(connection_id)
    if not connection.task:
        return False
    connection.task, connection.version = "", connection.version + 1
    transitions.save(connection, "task", "version")
    if attempt := connection.task_attempt:
        row = _task_verdict(connection, attempt)
        transitions.record(connection, row.note, attempt=attempt, user=user, status=str(row.status))
        transitions.apply(connection, row)
        connection.due_at = clock.now() if connection.is_set_up else None
        transitions.save(connection, *transitions.STATUS_FIELDS)
        transitions.apply(attempt, row)
        transitions.save(attempt, *transitions.STATUS_FIELDS)
        notices.tell(attempt, Notice.Kind.STAFF_DONE, notices.TASK)
    return True


def _task_verdict(connection: Connection, attempt: Attempt) -> Verdict:
    """What a pause or a resume becomes when staff have said that it is done."""
    vendor = vendor_name(connection.vendor)
    row = Verdict(status=Status.PAUSED, turn=Turn.MERCHANT, answer=Answer.DONE)
    if attempt.purpose == Attempt.Purpose.PAUSE:
        note = text("Our staff confirmed that data is paused at %(vendor)s.", vendor=vendor)
        return replace(row, note=note)
    note = text("Our staff confirmed that data flows again at %(vendor)s.", vendor=vendor)
    return _resumed(replace(row, note=note), connection)


def _settle_merchant_action(call: VendorCall, attempt: Attempt, step: Done) -> Status:
    """The shop's status after a merchant's action: unchanged, unless the account is gone with it."""
    connection = attempt.connection
    _settle_action(call, replace(step, staff_task=step.staff_task or connection.task))
    if not step.ends:
        _adopt_connector(attempt)
    for note in (step.there, step.todo):
        transitions.record(connection, note, attempt=attempt)
    return Status.DISCONNECTED if step.ends else Status(connection.status)


def _stop_or_resume(
    call: VendorCall,
    connection: Connection,
    step: Done,
    row: Verdict,
    attempt: Attempt | None = None,
) -> None:
    """Pause, disconnect or resume a connection: its status, its timeline, and the task for staff."""
    for note in (step.here, step.there, step.todo):
        transitions.record(connection, note, attempt=attempt, status=str(row.status))
    transitions.apply(connection, row)
    connection.due_at = clock.now() if connection.is_set_up else None
    if row.status == Status.DISCONNECTED:
        connection.reveal = None  # what it opened is closed
    transitions.save(connection, *transitions.STATUS_FIELDS, "reveal")
    transitions.set_task(connection, step.staff_task)


# -- an action of the vendor, run by staff or by a merchant ----------------------------------------


def _settle_action(call: VendorCall, outcome: Outcome) -> None:
    """Write what an action changed. `Done.ends`: every shop of the account is disconnected."""
    connection = transitions.locked_connection(call.connection.pk)
    if isinstance(outcome, Step):
        _save_live_memos(connection, outcome)
    if not isinstance(outcome, Done):
        return
    if outcome.ends:
        _end_account(call, connection.account, outcome)
    else:
        transitions.record(connection, outcome.here)
        connection.version += 1
        transitions.save(connection, "version")
        _check_at_once(connection)
    transitions.set_task(connection, outcome.staff_task)


def _end_account(call: VendorCall, account: Account, step: Done) -> None:
    """The account is gone at the vendor: forget what we knew of it, and disconnect its shops."""
    connections = account.connections.exclude(status=Status.DISCONNECTED)
    account.key, account.announced, account.staff_answers, account.found = "", "", {}, {}
    account.label = account.unsure = account.unsure_why = ""
    account.save(
        update_fields=[
            *("key", "label", "announced", "unsure", "unsure_why", "staff_answers", "found"),
        ]
    )
    transitions.update(account.connections.all(), account_label="")  # the next account is meant
    without_task = replace(step, staff_task="")  # one task, not one for each of the shops
    for connection in connections:
        transitions.end_open_attempts(connection, Ending.ACCOUNT_DELETED)
        _stop_or_resume(call, connection, without_task, verdict(without_task, call.vendor, 0))


def _check_at_once(connection: Connection) -> None:
    """What was changed at the vendor shows here after the next check."""
    transitions.make_due(Connection.objects.filter(pk=connection.pk))


# -- a check ---------------------------------------------------------------------------------------


def _settle_check(call: VendorCall, outcome: Outcome) -> bool:
    """A check writes straight into the connection and its account; it never makes anything."""
    connection = transitions.locked_again(call.connection)
    before = copy(connection)
    if isinstance(outcome, Step):
        _save_live_memos(connection, outcome)
    repeat = isinstance(outcome, Progress)
    again = repeat and connection.due_at is not None
    crash_guard.answered(connection, resets_crashes=not repeat, again=again)
    if connection.due_at is None or repeat:
        transitions.save(connection, *transitions.GUARD_FIELDS)
        return again  # not if it was paused or disconnected while we waited
    if isinstance(outcome, Connected) and outcome.shop_id != connection.shop_id:
        outcome = Garbled("the check answered for another shop")
    if isinstance(outcome, Connected):
        _still_connected(call, connection, before, outcome)
    else:
        _not_confirmed(call, connection, outcome)
    return False


def _save_live_memos(connection: Connection, step: Step) -> None:
    account = connection.account
    if step.account is not None and account.memo != step.account:
        account.memo = dict(step.account)
        account.save(update_fields=["memo"])
    if step.connection is not None and connection.memo != step.connection:
        connection.memo = dict(step.connection)
        transitions.save(connection, "memo")


def _still_connected(
    call: VendorCall, connection: Connection, before: Connection, step: Connected
) -> None:
    """`before`: the row as it was when it was locked."""
    _apply_evidence(call, connection, step)
    reveal = () if step.reveal is None else ("reveal",)
    names = (*transitions.STATUS_FIELDS, *EVIDENCE_FIELDS, *reveal)
    transitions.save_changed(connection, before, *names)
    if connection.status != before.status:
        transitions.record(connection, connection.note, status=connection.status)
        if before.status == Status.ACTION_NEEDED:
            notices.healed(connection)


def _not_confirmed(call: VendorCall, connection: Connection, outcome: Outcome) -> None:
    """A shop that is set up loses its status only for what its merchant has to fix."""
    was_set_up = connection.is_set_up
    row = verdict(outcome, call.vendor, max(connection.tries - 1, 0))
    changed = _apply_check(connection, row)
    if not isinstance(outcome, Unavailable):
        connection.tries = 0
    connection.due_at = connection.due_at or transitions.next_check(connection, clock.now())
    transitions.publish_check(connection, changed=changed)
    if was_set_up and not connection.is_set_up:
        notices.broke(connection)


def stop_checks(connection: Connection) -> None:
    """Its checks kill their workers: the status stays, and no check is made until staff ask for one."""
    changed = _apply_check(connection, crash_guard.poison_verdict(connection, "check"))
    transitions.publish_check(connection, changed=changed)


def _apply_check(connection: Connection, row: Verdict) -> bool:
    """Put a check's verdict into the row, without saving. Returns whether its timeline gets an entry."""
    lowers = row.answer in LOWERING_ANSWERS and row.turn == Turn.MERCHANT
    status_before, stays = connection.status, connection.is_set_up and not lowers
    if stays and row.turn == Turn.STAFF:
        row = replace(row, poll_first=None)  # no merchant waits for it
    changed = transitions.apply(connection, row)
    if stays:
        connection.status = status_before
    return changed and not stays
