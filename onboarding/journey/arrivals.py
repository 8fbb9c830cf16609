"""The merchant comes back from a vendor's pages, or says so."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import transaction
from django.utils import timezone

from vendors.contract import Text, text

from ..models import Attempt, Hop, User
from . import hops, records
from .orders import vendor_name
from .verbs import call


@transaction.atomic
def finish(attempt: Attempt, user: User) -> Attempt:
    """ "I have finished": the return of a vendor that sends nobody back."""
    row = records.attempt(attempt.pk)
    if row.ended or not went_without_return(row):
        return row
    row.user = user
    row.connection.told_at = timezone.now()
    row.connection.save(update_fields=["told_at"])
    said = text("Said: I have finished.")
    return _arrived(row, user, said, {})


def went_without_return(attempt: Attempt) -> bool:
    """Whether the merchant is at a vendor's page that will not send them back."""
    if attempt.purpose == Attempt.Purpose.ENTER or attempt.answer != "redirect":
        return False
    return attempt.hops.filter(returns=False).exclude(taken=None).exists()


@transaction.atomic
def arrive(hop: Hop, params: Mapping[str, str], user: User | None) -> Attempt:
    """A return: spent once, kept, and worked on when the bound user's browser brought it."""
    row = records.attempt(hop.attempt_id)
    spent = hops.spend(hop, params)
    if spent and user is not None:
        return _claim(row, hop, user)
    return row


def claim(attempt: Attempt, user: User) -> bool:
    """The bound user is back and signed in: a return that waited for them is worked on.

    Every look at the page asks, so that no look may wait for those who write.
    """
    hop = hops.unclaimed(attempt, user)
    if hop is None:
        return False
    with transaction.atomic():
        _claim(records.attempt(attempt.pk), hop, user)
    return True


def _claim(row: Attempt, hop: Hop, user: User) -> Attempt:
    if not hops.claim(hop):
        return row
    row.connection.returned_at = timezone.now()
    row.connection.save(update_fields=["returned_at"])
    if row.ended:
        return row
    hop.refresh_from_db(fields=["params"])
    return _arrived(
        row,
        user,
        text("Came back from %(vendor)s.", vendor=vendor_name(row.connection.vendor)),
        hop.params or {},
    )


def _arrived(row: Attempt, user: User, said: Text, params: Mapping[str, str]) -> Attempt:
    records.record(row.connection, said, attempt=row, user=user)
    return call(row, "returned", dict(params))
