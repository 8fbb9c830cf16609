"""What staff do: settle doubts, enter what only they know, have something done at the vendor."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import transaction
from django.utils import timezone

from vendors.contract import Garbled, Step, Unavailable, Vendor

from ..models import Account, Attempt, Connection
from . import lost, orders, records
from .carry import ask, settled
from .leases import Lease, leased
from .orders import Trip
from .outcomes import Outcome

BUSY = "somebody else is working on this account: try again in a moment"
LOST = "no key of MEMO_KEYS opens what we noted about this shop"


def resolve(account_id: int, found: str | None) -> Outcome:
    """Staff looked at an unsure creation: its id at the vendor, or None: it does not exist.

    Returns the vendor's step, or the error that says what is wrong with the id.
    """
    with leased(account_id) as lease:
        account = Account.objects.select_related("creator").get(pk=account_id)
        if lease is None or not account.unsure or account.creator is None:
            return Unavailable(BUSY)
        return _talk(_resolution(account.creator, lease, found))


@transaction.atomic
def _resolution(creator: Attempt, lease: Lease, found: str | None) -> Trip:
    attempt = records.attempt(creator.pk)
    return Trip(
        lease=lease,
        vendor=_vendor(attempt.connection),
        connection=attempt.connection,
        attempt=attempt,
        order=orders.for_attempt(attempt, state="", present=False),
        call="resolve",
        argument=found,
        number=attempt.call_number,
    )


def act(connection_id: int, key: str, answers: Mapping[str, str]) -> Outcome:
    """Have one of the vendor's actions done, for the account of this connection or for itself.

    Returns the vendor's step, or the error that says what is wrong.
    """
    account_id = Connection.objects.values_list("account_id", flat=True).get(pk=connection_id)
    with leased(account_id) as lease:
        if lease is None:
            return Unavailable(BUSY)
        return _talk(_action(connection_id, lease, key, answers))


def _talk(trip: Trip) -> Outcome:
    if lost.unreadable(trip.connection, trip.attempt):
        return Garbled(LOST)
    outcome = ask(trip)
    if isinstance(outcome, Step):
        settled(trip, outcome)
    return outcome


@transaction.atomic
def _action(connection_id: int, lease: Lease, key: str, answers: Mapping[str, str]) -> Trip:
    connection = records.connection(connection_id)
    return Trip(
        lease=lease,
        vendor=_vendor(connection),
        connection=connection,
        attempt=None,
        order=orders.for_connection(connection, "act"),
        call="act",
        argument={"key": key, "answers": dict(answers)},
    )


def _vendor(connection: Connection) -> Vendor:
    """Raises LookupError when the vendor is switched off."""
    vendor = orders.vendor_of(connection.vendor)
    if vendor is None:
        raise LookupError("this vendor is switched off")
    return vendor


@transaction.atomic
def know(account_id: int, answers: Mapping[str, str]) -> None:
    """Staff's answers to the vendor's `staff_questions`: its connected shops are checked with them."""
    account = Account.objects.select_for_update(no_key=True).get(pk=account_id)
    account.staff_answers = {**account.staff_answers, **answers}
    account.save(update_fields=["staff_answers"])
    now = timezone.now()
    account.connections.exclude(due_at=None).update(due_at=now)
    waiting = Attempt.objects.filter(connection__account=account, ended=None)
    waiting.exclude(due_at=None).update(due_at=now)


def task_done(connection_id: int) -> bool:
    """Staff have done what they had to do for this shop."""
    return bool(Connection.objects.filter(pk=connection_id).exclude(task="").update(task=""))
