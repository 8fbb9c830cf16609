"""One conversation at a time for each account: a lease on its row, fenced by a token."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from ..models import Account

# A vendor's call ends within 30 s (vendors/api.py); the lease outlives it by 10 s.
LEASE = timedelta(seconds=40)


class LeaseLost(Exception):
    """Somebody took over, because we were away for longer than the lease: write nothing."""


@dataclass(frozen=True)
class Lease:
    account_id: int
    token: str

    def renew(self) -> None:
        """First in the transaction that writes an answer: it also locks the account's row."""
        mine = Account.objects.filter(pk=self.account_id, lease_token=self.token)
        if not mine.update(lease_until=timezone.now() + LEASE):
            raise LeaseLost(f"account {self.account_id}")

    def give_back(self) -> None:
        mine = Account.objects.filter(pk=self.account_id, lease_token=self.token)
        mine.update(lease_until=None, lease_token="")


@contextmanager
def leased(account_id: int) -> Iterator[Lease | None]:
    """The lease, or None while somebody else holds it."""
    lease = _take(account_id)
    try:
        yield lease
    finally:
        if lease:
            lease.give_back()


@transaction.atomic
def _take(account_id: int) -> Lease | None:
    """A creation announced and not answered when the last holder left has an unknown outcome."""
    now = timezone.now()
    lease = Lease(account_id, secrets.token_hex(16))
    free = Account.objects.filter(Q(lease_until=None) | Q(lease_until__lt=now), pk=account_id)
    if not free.update(lease_until=now + LEASE, lease_token=lease.token):
        return None
    account = Account.objects.get(pk=account_id)
    if account.doing:
        Account.objects.filter(pk=account_id).update(unsure=account.doing, doing="")
    return lease
