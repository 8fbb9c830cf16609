"""Another shop was found than was meant: use it, go back, or it is mine too."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from vendors.contract import text

from ..models import Attempt, Connection, User
from ..situation import Status, dumped
from . import records
from .names import NameTaken, of_name
from .orders import holder
from .verbs import call, repeat


@transaction.atomic
def use_found(attempt: Attempt, user: User) -> Attempt:
    """The other shop is meant after all. One that a sibling holds already needs nothing more."""
    row = records.attempt(attempt.pk)
    if row.ended or row.answer != "wrong_shop":
        return row
    row.user = user
    if holder(row.connection, row.found) == "sibling":
        return _leave_to_sibling(row, user)
    row.accepted = row.found
    said = text("You chose to use the other shop from now on.")
    records.record(row.connection, said, attempt=row, user=user)
    return repeat(row)


def _leave_to_sibling(row: Attempt, user: User) -> Attempt:
    """The shop is connected already; a connection that never was one goes."""
    said = text("You kept the connection that this shop already has.")
    records.record(row.connection, said, attempt=row, user=user)
    row.ended, row.due_at = timezone.now(), None
    row.save(update_fields=["ended", "due_at"])
    if row.connection.connected_at is None:
        row.connection.status, row.connection.note = Status.DISCONNECTED, dumped(said)
        row.connection.save(update_fields=["status", "note"])
    return row


def found_elsewhere(attempt: Attempt) -> Connection | None:
    """The other connection of this account that has the shop which was found."""
    shops = Connection.objects.filter(account=attempt.connection.account_id, shop=attempt.found)
    gone = Q(pk=attempt.connection_id) | Q(shop="") | Q(status=Status.DISCONNECTED)
    return shops.exclude(gone).first()


@transaction.atomic
def both(attempt: Attempt, user: User, name: str) -> Attempt:
    """ "It is mine too": a second connection with a name of its own, the first one untouched."""
    row = records.attempt(attempt.pk)
    if row.ended or row.answer != "wrong_shop":
        return row
    first = row.connection
    if of_name(first.account.merchant, name) or found_elsewhere(row):
        raise NameTaken(name)
    said = text("Another shop was found: it became “%(name)s”.", name=name)
    records.record(first, said, attempt=row, user=user)
    row.connection = Connection.objects.create(
        account=first.account, vendor=first.vendor, connector=first.connector, name=name
    )
    row.user, row.purpose = user, Attempt.Purpose.CONNECT
    row.save(update_fields=["connection", "purpose"])
    records.record(row.connection, text("The connection was begun."), attempt=row, user=user)
    return repeat(row)


@transaction.atomic
def go_back(attempt: Attempt, user: User) -> Attempt:
    """ "That was not the shop I meant": from the start, without what was found."""
    row = records.attempt(attempt.pk)
    if row.ended or row.answer != "wrong_shop":
        return row
    row.user, row.found, row.account_memo, row.connection_memo = user, "", None, {}
    row.save(update_fields=["found", "connection_memo"])
    return call(row, "start")
