"""An outcome → rows: what a step or error changes, in one transaction, under the lease."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Literal

from django.db import IntegrityError, transaction
from django.utils import timezone

from onboarding.models import Account, Alert, Attempt, Connection
from onboarding.models.notifications import TASK
from onboarding.models.status import Status, Turn, dumped
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
from vendors.http.hosts import allowed

from . import crash_guard, hops, orders, transitions
from .orders import holder
from .outcomes import CIRCLES, Outcome, Verdict, verdict, write, wrong_shop
from .transitions import ROW_FIELDS, record, tell
from .vendor_call import VendorCall


def settle(trip: VendorCall, outcome: Outcome) -> bool:
    """Write an outcome; True when the journey goes on at once."""
    if isinstance(outcome, Redirect) and (fault := _fault(trip, outcome)):
        outcome = Garbled(f"{trip.call} named {fault}")
    if trip.attempt is None:
        return acted(trip, outcome) if trip.call == "act" else checked(trip, outcome)
    row = transitions.attempt(trip.attempt.pk)
    look = _keep_creation(trip, row, outcome)
    if isinstance(outcome, Step):
        _keep(row, outcome)
        _tick(trip, row, outcome.done)
        row.save(update_fields=["account_memo", "connection_memo", "ticks", "crashes"])
    again = look or isinstance(outcome, Progress)
    crash_guard.settled(row, headway=not again)
    if row.ended or row.call_number != trip.number:
        row.save(update_fields=crash_guard.CLAIMED)
        return row.ended is None  # the merchant did something meanwhile: that call is next
    if again:
        return _go_on(row)
    if isinstance(outcome, Connected):
        _connected(trip, row, outcome)
    elif isinstance(outcome, Done):
        done(trip, row, outcome)
    else:
        _stand(trip, row, _linked(trip, row, outcome))
    return False


def _fault(trip: VendorCall, step: Redirect) -> str:
    """What is wrong with a link, or with how its return is to be found; "" if nothing is."""
    if step.url and not allowed(step.url, trip.vendor.domains()):
        return "a link to a host that is not this vendor's"
    if step.returned_by and (not all(step.returned_by) or step.returned_by[0] == "state"):
        return "no parameter, or no value, by which a return could be found"
    return ""


def _linked(trip: VendorCall, row: Attempt, outcome: Outcome) -> Outcome:
    """Keep the link. A flow that names none, twice in a row, to a merchant who waits never will:
    Continue would repeat the same call for ever."""
    if not isinstance(outcome, Step):
        return outcome
    linkless = isinstance(outcome, Redirect) and not outcome.url
    before = bool(row.call.get("linkless"))
    if linkless and before and trip.order.present:
        why = f"{trip.call} was repeated for a merchant who waited, and named no link again"
        return Garbled(why, cause=CIRCLES)
    if linkless != before:
        row.call = row.call | {"linkless": linkless}
        row.save(update_fields=["call"])
    if isinstance(outcome, Redirect) and outcome.url:
        hops.mint(row, trip.order.state, outcome)
    return outcome


def _keep_creation(trip: VendorCall, row: Attempt, outcome: Outcome) -> bool:
    """What stands announced or unsure on the account; True when the flow has to look at once."""
    account = row.connection.account
    announced, unsure = trip.order.announced, trip.order.unsure
    lost = isinstance(outcome, Unsure | Garbled) and bool(announced or unsure)
    if lost:
        account.announced, account.unsure = "", announced or unsure
    elif isinstance(outcome, Progress) and outcome.announce:
        account.announced, account.unsure, account.creator = outcome.announce, "", row
    elif announced or (unsure and isinstance(outcome, Step)):
        account.announced, account.unsure = "", ""
    else:
        return False
    account.save(update_fields=["announced", "unsure", "creator"])
    if unsure and not account.unsure:
        transitions.wake(account)
    return lost and bool(announced)


def _keep(row: Attempt, step: Step) -> None:
    """Drafts (saved by the caller) and plain ids. What was made at the vendor is live at once."""
    target, account = row.connection, row.connection.account
    if isinstance(step, StartOver):
        row.account_memo, row.connection_memo = None, {}
    if step.account is not None:
        row.account_memo = dict(step.account)
    if step.connection is not None:
        row.connection_memo = dict(step.connection)
    if step.promote or isinstance(step, Connected):
        _promote(row, account, step.account_key)
    if step.connection_key not in {"", target.key}:
        target.key = step.connection_key
        target.save(update_fields=["key"])


def _promote(row: Attempt, account: Account, key: str) -> None:
    if row.account_memo is not None:
        account.memo, row.account_memo = row.account_memo, None
    account.key = key or account.key
    account.save(update_fields=["memo", "key"])


def _tick(trip: VendorCall, row: Attempt, done: Iterable[str]) -> None:
    """A tick is a committed checkpoint; saved by the caller."""
    for key in done:
        if key not in row.ticks:
            row.ticks, row.crashes = [*row.ticks, key], 0
            record(row.connection, dict(trip.vendor.checklist).get(key), attempt=row)


def _go_on(row: Attempt) -> bool:
    """The same call again at once; if we die before that, the sweep makes it."""
    now = timezone.now()
    row.status, row.turn, row.answer, row.since = Status.IN_PROGRESS, Turn.US, "progress", now
    # The cause stays until the answer is here: its alert would clear, and staff be mailed again.
    row.note, row.detail, row.link, row.questions = {}, "", "", []
    row.tries, row.due_at = 0, now
    row.version += 1
    tell(row, told=False)
    return True


def _stand(trip: VendorCall, row: Attempt, outcome: Outcome) -> None:
    """The outcome's row of the table, into the attempt and, where it may, the connection."""
    if not isinstance(outcome, Unavailable):
        row.tries = 0
    found = verdict(outcome, trip.vendor, max(row.tries - 1, 0))
    if row.answer == "progress" and trip.before[0] == found.answer:
        row.answer, row.since = trip.before  # a token renewed on the way begins no new wait
    tell(row, write(row, found))


def _connected(trip: VendorCall, row: Attempt, step: Connected) -> None:
    """Connected, unless it is another shop than was meant: then the merchant, or the truth, decides."""
    found = whose(row, step.shop_id)
    if found == "ours" and not confirm(trip, row, step):
        found = whose(row, step.shop_id)  # another merchant was faster by a moment
    if found == "ours":
        return
    row.found_shop_id = step.shop_id if found != "other" else ""
    row.found_evidence = dumped(step.evidence)
    row.save(update_fields=["found_shop_id", "found_evidence"])
    row.tries = 0
    tell(row, write(row, wrong_shop(found, row.connection.name)))


# -- shops: A shop's own row: confirmed, checked, paused, ended. All in the caller's transaction.


LOWERS = {"ask", "needs", "refused"}  # all that a check may say against a connected shop
Whose = Literal["ours", "another", "sibling", "other"]


def whose(row: Attempt, shop: str) -> Whose:
    """The shop that was meant, another one of this merchant's, a sibling's, another merchant's."""
    target = row.connection
    held = holder(target, shop)
    if held == "other":
        return "other"
    if held == "sibling":
        return "sibling"
    if target.shop_id and target.shop_id != shop and row.accepted_shop_id != shop:
        return "another"
    return "ours"


def confirm(trip: VendorCall, row: Attempt, step: Connected) -> bool:
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


def _evidence(trip: VendorCall, target: Connection, step: Connected) -> None:
    now = timezone.now()
    write(target, verdict(step, trip.vendor, 0))
    target.shop_id, target.evidence, target.expires_at = (
        step.shop_id,
        dumped(step.evidence),
        step.expires_at,
    )
    target.connected_at = target.connected_at or now
    if step.confirmed:
        target.confirmed_at = target.checked_at = now
    if step.reveal is not None:
        target.reveal = dict(step.reveal)
    target.tries, target.due_at = 0, transitions.next_check(target, now)


# -- paused, resumed, ended -----------------------------------------------------------------------


def done(trip: VendorCall, row: Attempt, step: Done) -> None:
    """What changed here, what at the vendor, what is left for the merchant and for staff."""
    found = _verdict(trip, row.purpose, step)
    if row.purpose == Attempt.Purpose.ACT:
        found = replace(found, status=_changed(trip, row, step))
    else:
        _rest(trip, row.connection, step, found, row)
    write(row, found)
    row.tries, row.ended = 0, timezone.now()
    row.save(update_fields=[*ROW_FIELDS, "ended"])


def _changed(trip: VendorCall, row: Attempt, step: Done) -> Status:
    """A merchant's action: the shop stays as it was, unless the account is gone with it."""
    target = row.connection
    acted(trip, replace(step, staff_task=step.staff_task or target.task))
    if not step.ends:
        _take_over(row)
    for said in (step.there, step.todo):
        record(target, said, attempt=row)
    return Status.DISCONNECTED if step.ends else Status(target.status)


def _verdict(trip: VendorCall, purpose: str, step: Done) -> Verdict:
    found = verdict(step, trip.vendor, 0)
    match purpose:
        case Attempt.Purpose.PAUSE:
            return replace(found, status=Status.PAUSED)
        case Attempt.Purpose.RESUME:
            return replace(found, status=Status.CONNECTED, turn=Turn.NOBODY, answer="connected")
    return found


def _rest(
    trip: VendorCall, target: Connection, step: Done, found: Verdict, row: Attempt | None = None
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


def acted(trip: VendorCall, outcome: Outcome) -> bool:
    """What staff had done at the vendor. `ends`: every shop of the account is disconnected."""
    target = transitions.connection(trip.connection.pk)
    if isinstance(outcome, Step):
        _keep_memos(target, outcome)
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
    account.key, account.announced, account.unsure, account.staff_answers = "", "", "", {}
    account.save(update_fields=["key", "announced", "unsure", "staff_answers"])


def _look_again(target: Connection) -> None:
    """What was changed at the vendor shows here after the next check: now."""
    same = Connection.objects.filter(pk=target.pk).exclude(due_at=None)
    same.update(due_at=timezone.now())


# -- checks --------------------------------------------------------------------------------------


def checked(trip: VendorCall, outcome: Outcome) -> bool:
    """A check writes straight into the connection and its account; it never makes anything."""
    target = transitions.connection(trip.connection.pk)
    if isinstance(outcome, Step):
        _keep_memos(target, outcome)
    crash_guard.settled(target, headway=not isinstance(outcome, Progress))
    if target.due_at is None or isinstance(outcome, Progress):
        target.save(update_fields=crash_guard.CLAIMED)
        return target.due_at is not None  # None: paused or ended meanwhile
    if isinstance(outcome, Connected) and outcome.shop_id != target.shop_id:
        outcome = Garbled("the check answered for another shop")
    if isinstance(outcome, Connected):
        _still_connected(trip, target, outcome)
    else:
        _not_connected(trip, target, outcome)
    return False


def _keep_memos(target: Connection, step: Step) -> None:
    account = target.account
    if step.account is not None:
        account.memo = dict(step.account)
        account.save(update_fields=["memo"])
    if step.connection is not None:
        target.memo = dict(step.connection)
        target.save(update_fields=["memo"])


def _still_connected(trip: VendorCall, target: Connection, step: Connected) -> None:
    healed = target.status != Status.CONNECTED
    _evidence(trip, target, step)
    target.save()
    if healed:
        record(target, step.evidence, status=Status.CONNECTED)


def _not_connected(trip: VendorCall, target: Connection, outcome: Outcome) -> None:
    """Only what the merchant must mend lowers; the rest keeps it, "not confirmed since"."""
    told = _stand_of_check(target, verdict(outcome, trip.vendor, max(target.tries - 1, 0)))
    if not isinstance(outcome, Unavailable):
        target.tries = 0
    target.due_at = target.due_at or transitions.next_check(target, timezone.now())
    _tell(target, told)


def poisoned(target: Connection) -> None:
    """Its checks kill whoever makes them: it is what it was, and not checked until staff ask."""
    _tell(target, _stand_of_check(target, crash_guard.poison(target, "check")))


def _stand_of_check(target: Connection, found: Verdict) -> bool:
    lowers = found.answer in LOWERS and found.turn == Turn.MERCHANT
    kept = target.status == Status.CONNECTED and not lowers
    if kept and found.turn == Turn.STAFF:
        found = replace(found, poll_first=None)  # no merchant waits for it
    told = write(target, found)
    if kept:
        target.status = Status.CONNECTED
    return told and not kept


def _tell(target: Connection, told: bool) -> None:
    target.save(update_fields=ROW_FIELDS)
    if told:
        record(target, target.note, status=target.status)
    transitions.alert(target.vendor, target)
