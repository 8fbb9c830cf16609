"""What staff do: settle unsure creations, answer the vendor's questions, run actions, ask now."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from onboarding import registry
from onboarding.models import Account, Attempt, Connection
from onboarding.models.memo import opened
from onboarding.models.status import Status
from vendors.contract import Garbled, Step, Unavailable, Vendor

from . import orders, transitions, unreadable
from .engine import ask, settled
from .leases import Lease, leased
from .outcomes import Outcome
from .vendor_call import Act, Resolve, VendorCall

BUSY = "somebody else is working on this account: try again in a moment"
UNREADABLE = "no key of MEMO_KEYS opens what we noted about this shop"


def resolve(account_id: int, found: str | None) -> Outcome:
    """Staff looked at an unsure creation: its id at the vendor, or None: it does not exist.

    Returns the vendor's step, or the error that says what is wrong with the id.
    """
    with leased(account_id) as lease:
        account = Account.objects.select_related("creator").get(pk=account_id)
        if lease is None or not account.unsure or account.creator is None:
            return Unavailable(BUSY)
        return _made(_resolution(account.creator, lease, found))


@transaction.atomic
def _resolution(creator: Attempt, lease: Lease, found: str | None) -> VendorCall:
    attempt = transitions.locked_attempt(creator.pk)
    return VendorCall(
        lease=lease,
        vendor=_vendor(attempt.connection),
        connection=attempt.connection,
        attempt=attempt,
        order=orders.for_attempt(attempt, state="", present=False),
        call=Resolve(found),
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
        return _made(_action(connection_id, lease, key, answers))


def _made(call: VendorCall) -> Outcome:
    if unreadable.unreadable(call.connection, call.attempt):
        return Garbled(UNREADABLE)
    outcome = ask(call)
    if isinstance(outcome, Step):
        settled(call, outcome)
    return outcome


@transaction.atomic
def _action(connection_id: int, lease: Lease, key: str, answers: Mapping[str, str]) -> VendorCall:
    connection = transitions.locked_connection(connection_id)
    return VendorCall(
        lease=lease,
        vendor=_vendor(connection),
        connection=connection,
        attempt=None,
        order=orders.for_connection(connection, "act"),
        call=Act(key, dict(answers)),
    )


def _vendor(connection: Connection) -> Vendor:
    """Raises LookupError when the vendor is switched off."""
    vendor = registry.vendor_of(connection.vendor)
    if vendor is None:
        raise LookupError("this vendor is switched off")
    return vendor


@transaction.atomic
def save_staff_answers(account_id: int, answers: Mapping[str, str]) -> None:
    """Staff's answers to the vendor's `staff_questions`: its connected shops are checked with them."""
    account = Account.objects.select_for_update(no_key=True).get(pk=account_id)
    account.staff_answers = {**(opened(account.staff_answers) or {}), **answers}
    account.save(update_fields=["staff_answers"])
    transitions.make_due(account.connections.all())
    transitions.make_due(Attempt.objects.filter(connection__account=account, ended=None))


def task_done(connection_id: int) -> bool:
    """Staff have done what they had to do for this shop."""
    rows = Connection.objects.filter(pk=connection_id).exclude(task="")
    return bool(transitions.update(rows, task=""))


def look_now(connections: QuerySet[Connection]) -> int:
    """The worker looks at these shops and their open attempts at its next sweep; returns how many shops."""
    attempts = Attempt.objects.filter(connection__in=connections, ended=None)
    transitions.update(attempts, due_at=timezone.now())
    return transitions.make_due(connections)


def ask_now(connection: Connection) -> bool:
    """Staff's "ask the vendor now": whatever waits for this shop becomes due at once.

    False when there is nothing to ask about. An open visit to the vendor's pages does not hide the
    check, and an ended connection is not brought back to life by one. What was not tried any more,
    because it killed its workers, is tried again.
    """
    due = {"due_at": timezone.now(), "crashes": 0, "call_started_at": None}
    attempts = connection.attempts.filter(ended=None).exclude(call_number=0)
    if transitions.update(attempts.exclude(purpose=Attempt.Purpose.ENTER), **due):
        return True
    live = Connection.objects.filter(pk=connection.pk).exclude(status=Status.DISCONNECTED)
    return bool(transitions.update(live.exclude(shop_id=""), **due))
