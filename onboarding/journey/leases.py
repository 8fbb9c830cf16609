"""Leases: one worker at a time calls the vendor for an account, fenced by a token.

A lease expires by itself, so that a dead worker blocks nobody for longer than `LEASE`.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from django.db import models, transaction
from django.db.models import F, Q

from onboarding import clock
from onboarding.models import Account, Leased, Operator

# All calls of a step end within 30 s (breaker.STEP_SECONDS); the lease outlives them by 10 s.
LEASE = timedelta(seconds=40)


class LeaseLost(Exception):
    """The lease expired and another worker took it: this one must write nothing."""


@dataclass(frozen=True)
class Lease:
    """A lease on one row. `token` tells its holders apart: whoever lost it cannot write with it."""

    model: type[Leased]
    pk: int
    token: str

    def acquire(self) -> bool:
        """False while another worker holds it."""
        now = clock.now()
        free = Q(lease_until=None) | Q(lease_until__lt=now)
        rows = self.model._default_manager.filter(free, pk=self.pk)
        return bool(rows.update(lease_until=now + LEASE, lease_token=self.token))

    def renew(self) -> None:
        """Extend the lease, first in the transaction that writes an outcome: it also locks the row.

        Raises LeaseLost.
        """
        if not self._held().update(lease_until=clock.now() + LEASE):
            raise LeaseLost(f"{self.model.__name__} {self.pk}")

    def release(self) -> None:
        self._held().update(lease_until=None, lease_token="")

    def _held(self) -> models.QuerySet[Leased]:
        return self.model._default_manager.filter(pk=self.pk, lease_token=self.token)


@contextmanager
def leased(account_id: int) -> Iterator[Lease | None]:
    """The account's lease, or None while another worker holds it."""
    lease = Lease(Account, account_id, secrets.token_hex(16))
    acquired = _acquire_account(lease)
    try:
        yield lease if acquired else None
    finally:
        if acquired:
            lease.release()


@transaction.atomic
def _acquire_account(lease: Lease) -> bool:
    """A creation that the last holder announced and never settled becomes unsure: it may exist."""
    if not lease.acquire():
        return False
    announced = Account.objects.filter(pk=lease.pk).exclude(announced="")
    announced.update(unsure=F("announced"), announced="")
    return True


@contextmanager
def exclusive_creation(vendor: str) -> Iterator[bool]:
    """Yields True while this worker alone creates something at a vendor whose limit merchants share."""
    operator, _ = Operator.objects.get_or_create(vendor=vendor)
    lease = Lease(Operator, operator.pk, secrets.token_hex(16))
    acquired = lease.acquire()
    try:
        yield acquired
    finally:
        if acquired:
            lease.release()
