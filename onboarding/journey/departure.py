"""What becomes of shops when a member or a whole business goes, and how their rows are emptied.

A member's open attempts go to an owner who stays. A business's shops are disconnected one by one, each by
the usual call to its vendor; a shop for which no call can do it is disconnected here, and staff ask the
vendor. When everything has ended, the rows stay as empty shells: references are never used again.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction
from django.db.models import Q

from onboarding.models import (
    Account,
    Attempt,
    Connection,
    Consent,
    Event,
    Hop,
    Merchant,
    Notice,
    User,
)
from onboarding.models.status import Answer, Ending, Status, Turn
from onboarding.registry import vendor_of
from vendors.contract import text

from . import merchant_actions, notices, removal, transitions
from .outcomes import Verdict

CLOSED = text("The business was closed.")
# What an attempt or a connection says, emptied.
NO_STATUS: dict[str, object] = {
    "heading": {},
    "note": {},
    **dict.fromkeys(("cause", "detail", "link"), ""),
    "questions": [],
    "due_at": None,
}


@transaction.atomic
def hand_over_attempts(merchant: Merchant, user: User, to: User) -> int:
    """Give the open attempts of somebody who goes to a member who stays; returns how many.

    The vendor is never told the address of somebody who has gone.
    """
    rows = Attempt.objects.filter(
        connection__account__merchant=merchant, user=user, ended=None
    ).values_list("pk", flat=True)
    for pk in list(rows):
        attempt = transitions.locked_attempt(pk)
        attempt.user = to
        transitions.save(attempt, "user")
        notices.hand_over(attempt)
    return len(rows)


# -- disconnecting all shops of a business ---------------------------------------------------------


def stop(connection: Connection, user: User | None) -> None:
    """Begin to disconnect a shop of a business that is being closed, or go on with it. Idempotent.

    Afterwards it is Disconnected, or an attempt to disconnect it is under way. `user`: who acted last.
    """
    if user and removal.can_remove(connection) and removal.remove(connection, user):
        return
    if user is None or not _can_be_called_for(connection):
        _end_without_vendor(connection.pk)
        return
    try:
        merchant_actions.disconnect(connection, user)
    except merchant_actions.StatusChanged:  # it has been disconnected a moment ago
        return


def _can_be_called_for(connection: Connection) -> bool:
    """Whether a call to the vendor may still disconnect it, without anybody's help."""
    ends = connection.attempts.filter(purpose=Attempt.Purpose.END)
    since = connection.account.merchant.closing_since
    if ends.filter(ending=Ending.EXPIRED, created__gte=since).exists():
        return False
    waits_for_a_person = ends.filter(ended=None, due_at=None).exists()
    return vendor_of(connection.vendor) is not None and not waits_for_a_person


@transaction.atomic
def _end_without_vendor(connection_id: int) -> None:
    connection = transitions.locked_connection(connection_id)
    if connection.status == Status.DISCONNECTED:
        return
    transitions.end_open_attempts(connection, Ending.REMOVED)
    transitions.record(connection, CLOSED, status=Status.DISCONNECTED)
    verdict = Verdict(
        status=Status.DISCONNECTED, turn=Turn.MERCHANT, answer=Answer.DONE, note=CLOSED
    )
    transitions.apply(connection, verdict)
    connection.reveal = None
    transitions.save(connection, *transitions.STATUS_FIELDS, "reveal")


def end_open_attempts(connection: Connection) -> None:
    """End what is still open of a disconnected shop: visits to the vendor's pages."""
    transitions.end_open_attempts(connection, Ending.REMOVED)


# -- what is known of a shop at its vendor ---------------------------------------------------------


def facts_at_vendor(account: Account) -> str:
    """The ids that the vendor knows, for staff; "" if nothing was made or opened there."""
    connections = list(account.connections.select_related("account").order_by("pk"))
    if not any(removal.stays_at_vendor(connection) for connection in connections):
        return ""
    keys = dict.fromkeys(filter(None, (each.key for each in connections)))
    facts = [f"References of its shops: {_listed(each.reference for each in connections)}."]
    facts += [f"Id of the account there: {account.key}."] if account.key else []
    facts += [f"Ids of the shops there: {_listed(keys)}."] if keys else []
    if creation := account.unsure or account.announced:
        facts += [f"Find out whether “{creation}” was made: its answer was lost."]
    by_hand = [each.reference for each in connections if _was_not_called_for(each)]
    facts += [f"Not disconnected by a call: {_listed(by_hand)}."] if by_hand else []
    return " ".join(facts)


def _listed(words: Iterable[str]) -> str:
    return ", ".join(words)


def _was_not_called_for(connection: Connection) -> bool:
    """Whether a shop that was connected has ended without the vendor's answer."""
    if connection.connected_at is None or connection.status != Status.DISCONNECTED:
        return False
    ends = connection.attempts.filter(purpose=Attempt.Purpose.END).order_by("-pk")
    newest = ends.values_list("ending", flat=True).first()
    return newest != Ending.DONE


# -- emptying the rows -----------------------------------------------------------------------------


def forget_business(merchant: Merchant) -> None:
    """Empty all rows of a business whose shops have all ended, in the caller's transaction."""
    for model, path in (
        (Event, "connection__account__merchant"),
        (Hop, "attempt__connection__account__merchant"),
        (Notice, "connection__account__merchant"),
    ):
        model._default_manager.filter(**{path: merchant}).delete()
    _forget_attempts(merchant)
    _forget_consents(merchant)
    for connection in Connection.objects.filter(account__merchant=merchant):
        _forget_connection(connection)
    merchant.accounts.update(
        memo={},
        staff_answers={},
        key="",
        label="",
        found={},
        announced="",
        unsure="",
        unsure_why="",
    )


def _forget_attempts(merchant: Merchant) -> None:
    rows = Attempt.objects.filter(connection__account__merchant=merchant)
    transitions.forget_calls(rows)
    found = {"found_shop_id": "", "found_evidence": {}, "accepted_shop_id": "", "ticks": []}
    whose = {"found_address": "", "found_account": ""}
    transitions.update(rows, **NO_STATUS, **found, **whose)


def _forget_consents(merchant: Merchant) -> None:
    """The words, the time, the vendor and the connector stay, to prove that it was asked: no name."""
    rows = Consent.objects.filter(attempt__connection__account__merchant=merchant)
    for consent in rows:
        about = {key: consent.about.get(key, {}) for key in ("vendor", "connector")}
        Consent.objects.filter(pk=consent.pk).update(person={}, about=about)


def _forget_connection(connection: Connection) -> None:
    transitions.set_name(connection, "")  # one of its own, so that the key of the name is empty too
    rows = Connection.objects.filter(pk=connection.pk)
    ids = {"key": "", "shop_id": "", "address": "", "account_label": "", "task": "", "evidence": {}}
    transitions.update(rows, **NO_STATUS, **ids, answers={}, memo={}, reveal=None)


# -- a person --------------------------------------------------------------------------------------


def vendors_that_know(user: User) -> list[Account]:
    """The accounts for which this user was sent to a vendor, or something was made there for them."""
    begun = Attempt.objects.filter(user=user).values("connection__account")
    left = Hop.objects.filter(user=user).values("attempt__connection__account")
    theirs = Q(pk__in=begun) | Q(pk__in=left)
    accounts = Account.objects.filter(theirs, merchant__closing_since=None)
    return [each for each in accounts.select_related("merchant") if facts_at_vendor(each)]
