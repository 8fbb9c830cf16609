"""Settlement: writes what a step or an error changes, in one transaction, under the account's lease."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Literal

from django.db import IntegrityError, transaction
from django.utils import timezone

from onboarding.models import Account, Alert, Attempt, Connection
from onboarding.models.status import Answer, Cause, Status, Turn, dumped
from vendors.contract import (
    Connected,
    Done,
    Garbled,
    Progress,
    Redirect,
    StartOver,
    Step,
    Unavailable,
    Unsure,
    text,
)
from vendors.http.urls import allowed

from . import crash_guard, hops, orders, transitions
from .orders import holder
from .outcomes import Outcome, Verdict, verdict, wrong_shop
from .vendor_call import Act, VendorCall


def settle(call: VendorCall, outcome: Outcome) -> bool:
    """Write an outcome; True when the journey goes on at once."""
    if isinstance(outcome, Redirect) and (fault := _fault(call, outcome)):
        outcome = Garbled(f"{call.call.name} named {fault}")
    if call.attempt is None:
        return acted(call, outcome) if isinstance(call.call, Act) else checked(call, outcome)
    attempt = transitions.locked_attempt(call.attempt.pk)
    look = _keep_creation(call, attempt, outcome)
    if isinstance(outcome, Step):
        _keep(attempt, outcome)
        _tick(call, attempt, outcome.done)
        transitions.save(attempt, "account_memo", "connection_memo", "ticks", "crashes")
    again = look or isinstance(outcome, Progress)
    crash_guard.answered(attempt, progress=not again)
    if attempt.ended or attempt.call_number != call.number:
        transitions.save(attempt, *transitions.GUARD_FIELDS)
        return attempt.ended is None  # the merchant did something meanwhile: that call is next
    if again:
        return _go_on(attempt)
    if isinstance(outcome, Connected):
        _connected(call, attempt, outcome)
    elif isinstance(outcome, Done):
        done(call, attempt, outcome)
    else:
        _stand(call, attempt, _linked(call, attempt, outcome))
    return False


def _fault(call: VendorCall, step: Redirect) -> str:
    """What is wrong with a link, or with how its return is to be found; "" if nothing is."""
    if step.url and not allowed(step.url, call.vendor.domains()):
        return "a link to a host that is not this vendor's"
    if step.returned_by and (not all(step.returned_by) or step.returned_by[0] == "state"):
        return "no parameter, or no value, by which a return could be found"
    return ""


def _linked(call: VendorCall, attempt: Attempt, outcome: Outcome) -> Outcome:
    """Keep the link. A flow that names none, twice in a attempt, to a merchant who waits never will:
    Continue would repeat the same call for ever."""
    if not isinstance(outcome, Step):
        return outcome
    linkless = isinstance(outcome, Redirect) and not outcome.url
    before = bool(attempt.call.get("linkless"))
    if linkless and before and call.order.present:
        why = f"{call.call.name} was repeated for a merchant who waited, and named no link again"
        return Garbled(why, cause=Cause.NO_PROGRESS)
    if linkless != before:
        attempt.call = attempt.call | {"linkless": linkless}
        transitions.save(attempt, "call")
    if isinstance(outcome, Redirect) and outcome.url:
        hops.mint(attempt, call.order.state, outcome)
    return outcome


def _keep_creation(call: VendorCall, attempt: Attempt, outcome: Outcome) -> bool:
    """What stands announced or unsure on the account; True when the flow has to look at once."""
    account = attempt.connection.account
    announced, unsure = call.order.announced, call.order.unsure
    lost = isinstance(outcome, Unsure | Garbled) and bool(announced or unsure)
    if lost:
        account.announced, account.unsure = "", announced or unsure
    elif isinstance(outcome, Progress) and outcome.announce:
        account.announced, account.unsure, account.creator = outcome.announce, "", attempt
    elif announced or (unsure and isinstance(outcome, Step)):
        account.announced, account.unsure = "", ""
    else:
        return False
    account.save(update_fields=["announced", "unsure", "creator"])
    if unsure and not account.unsure:
        transitions.wake_siblings(account)
    return lost and bool(announced)


def _keep(attempt: Attempt, step: Step) -> None:
    """Drafts (saved by the caller) and plain ids. What was made at the vendor is live at once."""
    connection, account = attempt.connection, attempt.connection.account
    if isinstance(step, StartOver):
        attempt.account_memo, attempt.connection_memo = None, {}
    if step.account is not None:
        attempt.account_memo = dict(step.account)
    if step.connection is not None:
        attempt.connection_memo = dict(step.connection)
    if step.promote or isinstance(step, Connected):
        _promote(attempt, account, step.account_key)
    if step.connection_key not in {"", connection.key}:
        connection.key = step.connection_key
        transitions.save(connection, "key")


def _promote(attempt: Attempt, account: Account, key: str) -> None:
    if attempt.account_memo is not None:
        account.memo, attempt.account_memo = attempt.account_memo, None
    account.key = key or account.key
    account.save(update_fields=["memo", "key"])


def _tick(call: VendorCall, attempt: Attempt, done: Iterable[str]) -> None:
    """A tick is a committed checkpoint; saved by the caller."""
    for key in done:
        if key not in attempt.ticks:
            attempt.ticks, attempt.crashes = [*attempt.ticks, key], 0
            transitions.record(
                attempt.connection, dict(call.vendor.checklist).get(key), attempt=attempt
            )


def _go_on(attempt: Attempt) -> bool:
    """The same call again at once; if this process dies before that, the sweep makes it."""
    transitions.reset(attempt, Status.IN_PROGRESS, timezone.now())
    transitions.publish(attempt, changed=False)
    return True


def _stand(call: VendorCall, attempt: Attempt, outcome: Outcome) -> None:
    """The outcome's attempt of the table, into the attempt and, where it may, the connection."""
    if not isinstance(outcome, Unavailable):
        attempt.tries = 0
    found = verdict(outcome, call.vendor, max(attempt.tries - 1, 0))
    if attempt.answer == Answer.PROGRESS and call.before[0] == found.answer:
        attempt.answer, attempt.since = call.before  # a token renewed on the way begins no new wait
    transitions.publish(attempt, changed=transitions.apply(attempt, found))


def _connected(call: VendorCall, attempt: Attempt, step: Connected) -> None:
    """Connected, unless it is another shop than was meant: then the merchant, or the truth, decides."""
    found = whose(attempt, step.shop_id)
    if found == "ours" and not confirm(call, attempt, step):
        found = whose(attempt, step.shop_id)  # another merchant was faster by a moment
    if found == "ours":
        return
    attempt.found_shop_id = step.shop_id if found != "other" else ""
    attempt.found_evidence = dumped(step.evidence)
    transitions.save(attempt, "found_shop_id", "found_evidence")
    attempt.tries = 0
    changed = transitions.apply(attempt, wrong_shop(found, attempt.connection.name))
    transitions.publish(attempt, changed=changed)


# -- the connection itself: confirmed, checked, paused, ended ---------------------------------------


# All that a check may say against a connected shop.
LOWERS = frozenset({Answer.ASK, Answer.NEEDS_MERCHANT, Answer.REFUSED})
Whose = Literal["ours", "another", "sibling", "other"]


def whose(attempt: Attempt, shop: str) -> Whose:
    """The shop that was meant, another one of this merchant's, a sibling's, another merchant's."""
    connection = attempt.connection
    held = holder(connection, shop)
    if held == "other":
        return "other"
    if held == "sibling":
        return "sibling"
    if connection.shop_id and connection.shop_id != shop and attempt.accepted_shop_id != shop:
        return "another"
    return "ours"


def confirm(call: VendorCall, attempt: Attempt, step: Connected) -> bool:
    """The evidence of a connected shop, and the end of the attempt. False: somebody else has it."""
    connection = attempt.connection
    try:
        with transaction.atomic():
            _evidence(call, connection, step)
            connection.memo = attempt.connection_memo
            transitions.save_all(connection)
            _take_over(attempt)
    except IntegrityError:
        connection.refresh_from_db()
        return False
    transitions.apply(attempt, verdict(step, call.vendor, 0))
    attempt.tries, attempt.due_at, attempt.ended = 0, None, timezone.now()
    transitions.save(attempt, *transitions.STATUS_FIELDS, "ended")
    transitions.record(connection, step.evidence, attempt=attempt, status=Status.CONNECTED)
    return True


def _take_over(attempt: Attempt) -> None:
    """The connector that the merchant chose becomes the shop's own, with what the vendor then did."""
    connection, chosen = attempt.connection, orders.chosen(attempt)
    if chosen is None or chosen.pk == connection.connector_id:
        return
    connection.connector = chosen
    transitions.save(connection, "connector")
    transitions.record(
        connection,
        text("It goes through “%(connector)s” now.", connector=str(chosen)),
        attempt=attempt,
    )


def _evidence(call: VendorCall, connection: Connection, step: Connected) -> None:
    now = timezone.now()
    transitions.apply(connection, verdict(step, call.vendor, 0))
    connection.shop_id, connection.evidence, connection.expires_at = (
        step.shop_id,
        dumped(step.evidence),
        step.expires_at,
    )
    connection.connected_at = connection.connected_at or now
    if step.confirmed:
        connection.confirmed_at = connection.checked_at = now
    if step.reveal is not None:
        connection.reveal = dict(step.reveal)
    connection.tries, connection.due_at = 0, transitions.next_check(connection, now)


# -- paused, resumed, ended -----------------------------------------------------------------------


def done(call: VendorCall, attempt: Attempt, step: Done) -> None:
    """What changed here, what at the vendor, what is left for the merchant and for staff."""
    found = _verdict(call, attempt.purpose, step)
    if attempt.purpose == Attempt.Purpose.ACT:
        found = replace(found, status=_changed(call, attempt, step))
    else:
        _rest(call, attempt.connection, step, found, attempt)
    transitions.apply(attempt, found)
    attempt.tries, attempt.ended = 0, timezone.now()
    transitions.save(attempt, *transitions.STATUS_FIELDS, "ended")


def _changed(call: VendorCall, attempt: Attempt, step: Done) -> Status:
    """A merchant's action: the shop stays as it was, unless the account is gone with it."""
    connection = attempt.connection
    acted(call, replace(step, staff_task=step.staff_task or connection.task))
    if not step.ends:
        _take_over(attempt)
    for said in (step.there, step.todo):
        transitions.record(connection, said, attempt=attempt)
    return Status.DISCONNECTED if step.ends else Status(connection.status)


def _verdict(call: VendorCall, purpose: str, step: Done) -> Verdict:
    found = verdict(step, call.vendor, 0)
    match purpose:
        case Attempt.Purpose.PAUSE:
            return replace(found, status=Status.PAUSED)
        case Attempt.Purpose.RESUME:
            return replace(
                found, status=Status.CONNECTED, turn=Turn.NOBODY, answer=Answer.CONNECTED
            )
    return found


def _rest(
    call: VendorCall,
    connection: Connection,
    step: Done,
    found: Verdict,
    attempt: Attempt | None = None,
) -> None:
    for said in (step.here, step.there, step.todo):
        transitions.record(connection, said, attempt=attempt, status=str(found.status))
    transitions.apply(connection, found)
    connection.due_at = timezone.now() if found.status == Status.CONNECTED else None
    if found.status == Status.DISCONNECTED:
        connection.reveal = None  # what it opened is closed
    transitions.save(connection, *transitions.STATUS_FIELDS, "reveal")
    _task(connection, step.staff_task)


def _task(connection: Connection, task: str) -> None:
    """What staff have to do at the vendor, until they say that it is done."""
    connection.task = task
    transitions.save(connection, "task")
    if task:
        Alert.objects.get_or_create(vendor=connection.vendor, cause=Cause.TASK, cleared=None)


def acted(call: VendorCall, outcome: Outcome) -> bool:
    """What staff had done at the vendor. `ends`: every shop of the account is disconnected."""
    connection = transitions.locked_connection(call.connection.pk)
    if isinstance(outcome, Step):
        _keep_memos(connection, outcome)
    if not isinstance(outcome, Done):
        return False
    shops = connection.account.connections.exclude(status=Status.DISCONNECTED)
    once = replace(outcome, staff_task="")  # not a task for each of the shops
    if outcome.ends:
        _forget(connection.account)
    for shop in shops if outcome.ends else []:
        transitions.end_open_attempts(shop)
        _rest(call, shop, once, verdict(once, call.vendor, 0))
    if not outcome.ends:
        transitions.record(connection, outcome.here)
        _look_again(connection)
    _task(connection, outcome.staff_task)
    return False


def _forget(account: Account) -> None:
    """The account is gone at the vendor: what we knew of it would mislead the next one."""
    account.key, account.announced, account.unsure, account.staff_answers = "", "", "", {}
    account.save(update_fields=["key", "announced", "unsure", "staff_answers"])


def _look_again(connection: Connection) -> None:
    """What was changed at the vendor shows here after the next check: now."""
    transitions.make_due(Connection.objects.filter(pk=connection.pk))


# -- checks --------------------------------------------------------------------------------------


def checked(call: VendorCall, outcome: Outcome) -> bool:
    """A check writes straight into the connection and its account; it never makes anything."""
    connection = transitions.locked_connection(call.connection.pk)
    if isinstance(outcome, Step):
        _keep_memos(connection, outcome)
    crash_guard.answered(connection, progress=not isinstance(outcome, Progress))
    if connection.due_at is None or isinstance(outcome, Progress):
        transitions.save(connection, *transitions.GUARD_FIELDS)
        return connection.due_at is not None  # None: paused or ended meanwhile
    if isinstance(outcome, Connected) and outcome.shop_id != connection.shop_id:
        outcome = Garbled("the check answered for another shop")
    if isinstance(outcome, Connected):
        _still_connected(call, connection, outcome)
    else:
        _not_connected(call, connection, outcome)
    return False


def _keep_memos(connection: Connection, step: Step) -> None:
    account = connection.account
    if step.account is not None:
        account.memo = dict(step.account)
        account.save(update_fields=["memo"])
    if step.connection is not None:
        connection.memo = dict(step.connection)
        transitions.save(connection, "memo")


def _still_connected(call: VendorCall, connection: Connection, step: Connected) -> None:
    healed = connection.status != Status.CONNECTED
    _evidence(call, connection, step)
    transitions.save_all(connection)
    if healed:
        transitions.record(connection, step.evidence, status=Status.CONNECTED)


def _not_connected(call: VendorCall, connection: Connection, outcome: Outcome) -> None:
    """Only what the merchant must mend lowers; the rest keeps it, "not confirmed since"."""
    changed = _stand_of_check(
        connection, verdict(outcome, call.vendor, max(connection.tries - 1, 0))
    )
    if not isinstance(outcome, Unavailable):
        connection.tries = 0
    connection.due_at = connection.due_at or transitions.next_check(connection, timezone.now())
    transitions.publish_check(connection, changed=changed)


def poisoned(connection: Connection) -> None:
    """Its checks kill whoever makes them: it is what it was, and not checked until staff ask."""
    changed = _stand_of_check(connection, crash_guard.poison(connection, "check"))
    transitions.publish_check(connection, changed=changed)


def _stand_of_check(connection: Connection, found: Verdict) -> bool:
    lowers = found.answer in LOWERS and found.turn == Turn.MERCHANT
    keeps = connection.status == Status.CONNECTED and not lowers
    if keeps and found.turn == Turn.STAFF:
        found = replace(found, poll_first=None)  # no merchant waits for it
    changed = transitions.apply(connection, found)
    if keeps:
        connection.status = Status.CONNECTED
    return changed and not keeps
