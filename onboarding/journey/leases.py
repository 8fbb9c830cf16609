"""One conversation at a time for each account: a lease on its row, fenced by a token."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from django.db import models, transaction
from django.db.models import F, Q
from django.utils import timezone

from onboarding.models import Account, Leased, Operator

# All calls of a step end within 30 s (breaker.STEP_SECONDS); the lease outlives them by 10 s.
LEASE = timedelta(seconds=40)


class LeaseLost(Exception):
    """Somebody took over, because we were away for longer than the lease: write nothing."""


@dataclass(frozen=True)
class Lease:
    model: type[Leased]
    pk: int
    token: str

    def take(self) -> bool:
        now = timezone.now()
        free = Q(lease_until=None) | Q(lease_until__lt=now)
        rows = self.model._default_manager.filter(free, pk=self.pk)
        return bool(rows.update(lease_until=now + LEASE, lease_token=self.token))

    def renew(self) -> None:
        """First in the transaction that writes an answer: it also locks the row."""
        if not self._mine().update(lease_until=timezone.now() + LEASE):
            raise LeaseLost(f"{self.model.__name__} {self.pk}")

    def give_back(self) -> None:
        self._mine().update(lease_until=None, lease_token="")

    def _mine(self) -> models.QuerySet[Leased]:
        return self.model._default_manager.filter(pk=self.pk, lease_token=self.token)


@contextmanager
def leased(account_id: int) -> Iterator[Lease | None]:
    """The account's lease, or None while somebody else holds it."""
    lease = Lease(Account, account_id, secrets.token_hex(16))
    taken = _taken(lease)
    try:
        yield lease if taken else None
    finally:
        if taken:
            lease.give_back()


@transaction.atomic
def _taken(lease: Lease) -> bool:
    """A creation announced and not answered when the last holder left has an unknown outcome."""
    if not lease.take():
        return False
    announced = Account.objects.filter(pk=lease.pk).exclude(announced="")
    announced.update(unsure=F("announced"), announced="")
    return True


@contextmanager
def alone(vendor: str) -> Iterator[bool]:
    """Whether no other merchant's creation goes on at this vendor, whose limit all of them share."""
    row, _ = Operator.objects.get_or_create(vendor=vendor)
    lease = Lease(Operator, row.pk, secrets.token_hex(16))
    taken = lease.take()
    try:
        yield taken
    finally:
        if taken:
            lease.give_back()
