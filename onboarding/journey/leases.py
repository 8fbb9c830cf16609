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
from datetime import timedelta

from django.db import models, transaction
from django.db.models import Q

from onboarding import clock
from onboarding.models import Account, Leased, Operator

# All calls of a step end within 30 s (breaker.STEP_SECONDS); the lease outlives them by 10 s.
LEASE = timedelta(seconds=40)


class LeaseLost(Exception):
    """The lease expired and another process took it: this one must write nothing."""


def new_token() -> str:
    return secrets.token_hex(16)


def is_free() -> Q:
    """The rows on which nobody holds a lease now."""
    return Q(lease_until=None) | Q(lease_until__lt=clock.now())


@dataclass
class Lease:
    """A lease on one row. `token` tells its holders apart: whoever lost it cannot write with it.

    `rows` finds the row, so that it need not be loaded first.
    """

    rows: models.QuerySet[Leased]
    token: str = field(default_factory=new_token)
    is_held: bool = False

    def acquire(self) -> bool:
        """False while another process holds it."""
        until = clock.now() + LEASE
        free = self.rows.filter(is_free())
        self.is_held = bool(free.update(lease_until=until, lease_token=self.token))
        return self.is_held

    def found(self, row: Leased) -> None:
        """The row has been loaded: from now on its key finds it, which costs less than a subquery."""
        self.rows = self.rows.model._default_manager.filter(pk=row.pk)

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
        held = self.rows.filter(lease_token=self.token)
        if not held.update(lease_until=until, lease_token=token):
            raise LeaseLost(self.rows.model.__name__)

    def release(self) -> None:
        """Give the lease up, unless that is done or somebody else has it."""
        if self.is_held:
            held = self.rows.filter(lease_token=self.token)
            held.update(lease_until=None, lease_token="")
        self.is_held = False


def doubt_announced(account: Account) -> None:
    """A creation that the last holder of the lease announced and never settled is unsure: it may exist."""
    if account.announced:
        account.unsure, account.announced = account.announced, ""
        account.save(update_fields=["unsure", "announced"])


@contextmanager
def leased(account_id: int) -> Iterator[Lease | None]:
    """The account's lease, or None while another process holds it."""
    lease = Lease(Account.objects.filter(pk=account_id))
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
    lease = Lease(Operator.objects.filter(pk=operator.pk))
    try:
        yield lease.acquire()
    finally:
        lease.release()
