"""Staff's commands: resolve unsure creations, run a vendor's actions, save answers, check now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from django.db import transaction
from django.db.models import Q, QuerySet

from onboarding import clock, registry
from onboarding.models import Account, Attempt, Connection, User
from onboarding.models.memo import Unread, readable
from onboarding.models.status import Answer, Status
from vendors.contract import Garbled, Step, Unavailable, Vendor

from . import orders, settlement, transitions, unreadable
from .engine import ask, settle_under_lease
from .leases import Lease, leased
from .outcomes import Outcome
from .vendor_call import Act, Resolve, VendorCall

BUSY = "somebody else is working on this account: try again in a moment"
UNREADABLE = "no key of MEMO_KEYS decrypts the memos of this shop"


def resolve(
    account_id: int, found: str | None, *, by: User | None = None, creation: str = ""
) -> Outcome:
    """Staff say what became of an unsure creation: `found` is its id at the vendor, None: it is not there.

    `creation`: they correct the id of this one, which they entered before and the vendor has not proved.
    Returns the vendor's step, or the error that says what is wrong with the id. Raises LookupError when
    the vendor is switched off.
    """
    with leased(account_id) as lease:
        account = Account.objects.select_related("creator").get(pk=account_id)
        doubted = account.unsure or (creation if creation in account.found else "")
        if lease is None or not doubted or account.creator is None:
            return Unavailable(BUSY)
        if creation not in {"", doubted}:
            return Unavailable(BUSY)
        return _run(_prepare_resolve(account.creator, lease, doubted, found, by))


@transaction.atomic
def _prepare_resolve(
    creator: Attempt, lease: Lease, creation: str, found: str | None, by: User | None
) -> VendorCall | None:
    attempt = transitions.locked_attempt(creator.pk)
    if unreadable.is_unreadable(attempt.connection, attempt):
        return None
    order = orders.for_attempt(attempt, state="", present=False)
    return VendorCall(
        lease=lease,
        vendor=_vendor(attempt.connection),
        connection=attempt.connection,
        attempt=attempt,
        order=replace(order, unsure=creation),
        call=Resolve(found),
        number=attempt.call_number,
        by=by,
    )


def act(connection_id: int, key: str, answers: Mapping[str, str]) -> Outcome:
    """Run one of the vendor's actions on this connection or on its account.

    Returns the vendor's step, or the error that says what is wrong. Raises LookupError when the vendor
    is switched off.
    """
    account_id = Connection.objects.values_list("account_id", flat=True).get(pk=connection_id)
    with leased(account_id) as lease:
        if lease is None:
            return Unavailable(BUSY)
        return _run(_prepare_act(connection_id, lease, key, answers))


def _run(call: VendorCall | None) -> Outcome:
    """Make the call, if its memos can be read. Only a step is written: an error changes nothing."""
    if call is None:
        return Garbled(UNREADABLE)
    outcome = ask(call)
    return settle_under_lease(call, outcome).outcome if isinstance(outcome, Step) else outcome


@transaction.atomic
def _prepare_act(
    connection_id: int, lease: Lease, key: str, answers: Mapping[str, str]
) -> VendorCall | None:
    connection = transitions.locked_connection(connection_id)
    if unreadable.is_unreadable(connection):
        return None
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
    """Save answers to the vendor's `staff_questions`; the account's shops are checked with them at once.

    Raises MemoUnreadable when those that are on file cannot be read: they stay as they are.
    """
    account = Account.objects.select_for_update(no_key=True).get(pk=account_id)
    account.staff_answers = {**readable(account.staff_answers), **answers}
    account.save(update_fields=["staff_answers"])
    transitions.make_due(account.connections.all())
    transitions.make_due(Attempt.objects.filter(connection__account=account, ended=None))


@transaction.atomic
def discard_staff_answers(account_id: int) -> None:
    """Staff give up answers that no key opens. Raises MemoKeyMissing while their key may come back."""
    account = Account.objects.select_for_update(no_key=True).get(pk=account_id)
    if isinstance(account.staff_answers, Unread):
        unreadable.require_loss()
        account.staff_answers = {}
        account.save(update_fields=["staff_answers"])


@transaction.atomic
def complete_task(connection_id: int, by: User | None = None) -> bool:
    """Staff have done their task for this shop. False when it has none."""
    return settlement.complete_task(connection_id, by)


@transaction.atomic
def confirm(connection_id: int, by: User) -> bool:
    """Staff confirm that a shop is connected whose vendor cannot be asked. False when it needs none."""
    return settlement.confirm_by_staff(connection_id, by)


def check_now(connections: QuerySet[Connection]) -> int:
    """Make these shops and their open attempts due at the next sweep. Returns how many shops are due."""
    attempts = Attempt.objects.filter(connection__in=connections, ended=None)
    transitions.update(attempts, due_at=clock.now())
    return transitions.make_due(connections)


def ask_now(connection: Connection) -> bool:
    """Staff's "ask the vendor now": the open attempt, or else the check, becomes due at once.

    False when there is nothing to ask about. An open visit to the vendor's pages does not replace the
    check. A shop that is paused, is being paused, or is disconnected is not checked. A poison row is tried
    again.
    """
    due_now = {"due_at": clock.now(), "crashes": 0, "call_started_at": None}
    attempts = connection.attempts.filter(ended=None).exclude(call_number=0)
    if transitions.update(attempts.exclude(purpose=Attempt.Purpose.ENTER), **due_now):
        return True
    rows = Connection.objects.filter(pk=connection.pk).exclude(shop_id="")
    stopped = Q(status__in=(Status.PAUSED, Status.DISCONNECTED)) | Q(answer=Answer.TASK)
    return bool(transitions.update(rows.exclude(stopped), **due_now))
