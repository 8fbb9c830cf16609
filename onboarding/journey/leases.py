"""Leases: one process at a time works on a row, fenced by a token.

A lease expires by itself, so that a dead process blocks nobody for longer than `LEASE`. An account's lease
lets one process at a time call the vendor for it. An attempt's or a connection's own lease is a claim: it
tells other workers that one has taken the row (journey/claims.py).
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from django.db import models, transaction
from django.db.models import Q

from onboarding import clock
from onboarding.models import Account, Attempt, Connection, Leased, Operator
from onboarding.prepared import PreparedUpdate

Row = TypeVar("Row", bound=Leased)
# All calls of a step end within 30 s (breaker.STEP_SECONDS); the lease outlives them by 10 s.
LEASE = timedelta(seconds=40)
EXAMPLE = datetime(2020, 1, 1, tzinfo=UTC)  # of a moment, in a statement that is built once


class LeaseLost(Exception):
    """The lease expired and another process took it: this one must write nothing."""


def new_token() -> str:
    return secrets.token_hex(16)


def is_free(now: datetime | None = None) -> Q:
    """The rows on which nobody holds a lease now."""
    return Q(lease_until=None) | Q(lease_until__lt=now or clock.now())


class Leasable:
    """Rows that can be leased, and how one of them is found: `rows` has one parameter, a key.

    So a row need not be loaded before it is leased.
    """

    def __init__(self, rows: models.QuerySet[Row]) -> None:
        self.name = rows.model.__name__
        columns = "lease_until", "lease_token"
        self.take = PreparedUpdate(rows.filter(is_free(EXAMPLE)), *columns)
        self.write = PreparedUpdate(rows.filter(lease_token=""), *columns)


def _account_of(connections: models.QuerySet[Connection]) -> Leasable:
    return Leasable(Account.objects.filter(pk__in=connections.values("account_id")))


BY_KEY: dict[type[models.Model], Leasable] = {
    model: Leasable(model._default_manager.filter(pk=0))
    for model in (Account, Attempt, Connection, Operator)
}
ACCOUNT_OF_ATTEMPT = _account_of(Connection.objects.filter(attempts=0))
ACCOUNT_OF_CONNECTION = _account_of(Connection.objects.filter(pk=0))


@dataclass
class Lease:
    """A lease on the row with this key.

    `token` tells its holders apart: whoever lost it cannot write with it.
    """

    of: Leasable
    key: int
    token: str = field(default_factory=new_token)
    is_held: bool = False

    def acquire(self) -> bool:
        """False while another process holds it."""
        now = clock.now()
        self.is_held = bool(self.of.take.run([now + LEASE, self.token], self.key, now))
        return self.is_held

    def found(self, account: Account) -> None:
        """The account has been loaded: from now on its key finds it, which costs less than a subquery."""
        self.of, self.key = BY_KEY[Account], account.pk

    def renew(self) -> None:
        """Extend the lease, first in the transaction that writes an outcome: it also locks the row.

        Raises LeaseLost.
        """
        self._write(until=clock.now() + LEASE, token=self.token)

    def hand_in(self) -> None:
        """Give the lease up, first in the transaction that writes the last outcome: until it commits, the
        row stays locked, and if it fails the lease is still ours. The caller clears `is_held` after it.

        Raises LeaseLost.
        """
        self._write(until=None, token="")

    def _write(self, *, until: object, token: str) -> None:
        if not self.of.write.run([until, token], self.key, self.token):
            raise LeaseLost(self.of.name)

    def release(self) -> None:
        """Give the lease up, unless that is done or somebody else has it."""
        if self.is_held:
            self.of.write.run([None, ""], self.key, self.token)
        self.is_held = False


def doubt_announced(account: Account) -> None:
    """A creation that the last holder of the lease announced and never settled is unsure: it may exist."""
    if account.announced:
        account.unsure, account.announced = account.announced, ""
        account.save(update_fields=["unsure", "announced"])


@contextmanager
def leased(account_id: int) -> Iterator[Lease | None]:
    """The account's lease, or None while another process holds it."""
    lease = Lease(BY_KEY[Account], account_id)
    try:
        acquired = _acquire_with_doubts(lease, account_id)
        yield lease if acquired else None
    finally:
        lease.release()


@transaction.atomic
def _acquire_with_doubts(lease: Lease, account_id: int) -> bool:
    acquired = lease.acquire()
    if acquired:
        doubt_announced(Account.objects.only("announced", "unsure").get(pk=account_id))
    return acquired


@contextmanager
def exclusive_creation(vendor: str) -> Iterator[bool]:
    """Yields True while this process alone creates something at a vendor whose limit merchants share."""
    operator, _ = Operator.objects.get_or_create(vendor=vendor)
    lease = Lease(BY_KEY[Operator], operator.pk)
    try:
        yield lease.acquire()
    finally:
        lease.release()
