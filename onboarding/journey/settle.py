"""An outcome → rows: what a step or error changes, in one transaction, under the lease."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils import timezone

from vendors.contract import (
    Connected,
    Done,
    Garbled,
    Progress,
    Redirect,
    Step,
    Unavailable,
    Unsure,
)
from vendors.hosts import allowed

from ..models import Account, Attempt
from ..situation import Status, Turn, dumped
from . import claims, hops, records, shops
from .orders import Trip
from .outcomes import Outcome, verdict, write, wrong_shop
from .records import record, tell


def settle(trip: Trip, outcome: Outcome) -> bool:
    """Write an outcome; True when the journey goes on at once."""
    if isinstance(outcome, Redirect) and outcome.url and not _may_open(trip, outcome.url):
        outcome = Garbled(f"{trip.call} named a link to a host that is not this vendor's")
    if trip.attempt is None:
        return shops.acted(trip, outcome) if trip.call == "act" else shops.checked(trip, outcome)
    row = records.attempt(trip.attempt.pk)
    look = _keep_creation(trip, row, outcome)
    if isinstance(outcome, Step):
        _keep(row, outcome)
        _tick(trip, row, outcome.done)
        row.save(update_fields=["account_memo", "connection_memo", "ticks", "deaths"])
    again = look or isinstance(outcome, Progress)
    claims.settled(row, headway=not again)
    if row.ended or row.call_number != trip.number:
        row.save(update_fields=claims.CLAIMED)
        return row.ended is None  # the merchant did something meanwhile: that call is next
    if again:
        return _go_on(row)
    if isinstance(outcome, Connected):
        _connected(trip, row, outcome)
    elif isinstance(outcome, Done):
        shops.done(trip, row, outcome)
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
    else:
        return False
    account.save(update_fields=["doing", "unsure", "creator"])
    if unsure and not account.unsure:
        records.wake(account)
    return lost and bool(announced)


def _keep(row: Attempt, step: Step) -> None:
    """Drafts (saved by the caller) and plain ids. What was made at the vendor is live at once."""
    target, account = row.connection, row.connection.account
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


def _tick(trip: Trip, row: Attempt, done: Iterable[str]) -> None:
    """A tick is a committed checkpoint; saved by the caller."""
    for key in done:
        if key not in row.ticks:
            row.ticks, row.deaths = [*row.ticks, key], 0
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


def _stand(trip: Trip, row: Attempt, outcome: Outcome) -> None:
    """The outcome's row of the table, into the attempt and, where it may, the connection."""
    if not isinstance(outcome, Unavailable):
        row.tries = 0
    found = verdict(outcome, trip.vendor, max(row.tries - 1, 0))
    if row.answer == "progress" and trip.before[0] == found.answer:
        row.answer, row.since = trip.before  # a token renewed on the way begins no new wait
    tell(row, write(row, found))


def _connected(trip: Trip, row: Attempt, step: Connected) -> None:
    """Connected, unless it is another shop than was meant: then the merchant, or the truth, decides."""
    found = shops.whose(row, step.shop)
    if found == "ours" and not shops.confirm(trip, row, step):
        found = shops.whose(row, step.shop)  # another merchant was faster by a moment
    if found == "ours":
        return
    row.found = step.shop if found != "other" else ""
    row.found_evidence = dumped(step.evidence)
    row.save(update_fields=["found", "found_evidence"])
    row.tries = 0
    tell(row, write(row, wrong_shop(found, row.connection.name)))
