"""Removal of a shop that was never connected, and what stays known about it.

No vendor is called: the shop becomes Disconnected, leaves the merchant's list, and its name is free. What
was made for it at the vendor stays there, and becomes a task for staff. An announced or unsure creation
stays on the account, as after every other end of an attempt.
"""

from __future__ import annotations

from django.db import transaction

from onboarding import clock
from onboarding.models import Connection, Hop, User
from onboarding.models.status import SET_UP, Answer, Ending, Status, Turn
from onboarding.registry import vendor_name
from vendors.contract import text

from . import transitions
from .outcomes import Verdict

# A shop that works, rests or has ended is disconnected or connected again instead.
NOT_REMOVABLE = SET_UP | {Status.PAUSED, Status.DISCONNECTED}


def can_remove(connection: Connection) -> bool:
    """Whether its merchant may remove it: it was never connected."""
    return connection.connected_at is None and connection.status not in NOT_REMOVABLE


def stays_at_vendor(connection: Connection) -> bool:
    """Whether something may exist at the vendor for this shop, made by us or by its merchant there."""
    account = connection.account
    if connection.key or account.key or account.announced or account.unsure:
        return True
    return Hop.objects.filter(attempt__connection=connection).exclude(taken=None).exists()


@transaction.atomic
def remove(connection: Connection, user: User) -> bool:
    """Remove a shop that was never connected. False when it has been connected or has ended since."""
    connection = transitions.locked_connection(connection.pk)
    if not can_remove(connection):
        return False
    transitions.end_open_attempts(connection, Ending.REMOVED)
    note = text("Removed before it was connected.")
    if stays_at_vendor(connection):
        there = vendor_name(connection.vendor)
        note = text(
            "Removed before it was connected. What exists at %(vendor)s stays there.", vendor=there
        )
    transitions.record(connection, note, user=user, status=Status.DISCONNECTED)
    transitions.apply(
        connection,
        Verdict(status=Status.DISCONNECTED, turn=Turn.MERCHANT, answer=Answer.DONE, note=note),
    )
    connection.removed_at = clock.now()
    transitions.save(connection, *transitions.STATUS_FIELDS, "removed_at")
    keep_known(connection)
    return True


def keep_known(connection: Connection) -> None:
    """Tell staff what exists at the vendor for a removed shop, also if it was made a moment later."""
    found = " ".join(filter(None, (_made(connection), _unsettled(connection))))
    if found:
        removed = "The merchant removed this shop before it was connected."
        transitions.set_task(connection, f"{removed} {found}")


def _made(connection: Connection) -> str:
    there = vendor_name(connection.vendor)
    if not connection.key:
        return ""
    return f"At {there} it has the id {connection.key}: end it there if nothing needs it."


def _unsettled(connection: Connection) -> str:
    """About a creation that this shop announced and that has no answer."""
    account = connection.account
    creation, creator = account.unsure or account.announced, account.creator
    if not creation or creator is None or creator.connection_id != connection.pk:
        return ""
    there = vendor_name(connection.vendor)
    return (
        f"Find out at {there} whether “{creation}” was made, and settle it on the account’s page."
    )
