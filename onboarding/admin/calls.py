"""What staff read of the calls to a vendor, and of its hosts: the rows say it, nobody is asked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext

from onboarding.models import Breaker, Call

CALLS = 30  # that a page lists


@dataclass(frozen=True)
class Host:
    """`since`: of its trouble; `again`: when it is asked about next, None: with the next call."""

    name: str
    state: str
    since: datetime | None
    failures: int
    again: datetime | None


def calls(rows: QuerySet[Call]) -> list[Call]:
    """The newest calls, the newest first."""
    return list(rows.order_by("-pk")[:CALLS])


def hosts(vendor: str) -> list[Host]:
    """All hosts of a vendor with which anything ever went wrong."""
    now = timezone.now()
    return [
        Host(
            name=row.host,
            state=_state(row, now),
            since=row.opened,
            failures=row.failures,
            again=row.retry_at if row.retry_at and row.retry_at > now else None,
        )
        for row in Breaker.objects.filter(vendor=vendor).order_by("host")
    ]


def _state(row: Breaker, now: datetime) -> str:
    if row.cause and row.opened and row.retry_at is None:
        return gettext("It may work again: the next call finds out.")
    if row.cause == Breaker.Cause.SILENT:
        return gettext("Not answering.")
    if row.cause == Breaker.Cause.CREDENTIALS:
        return (
            gettext("It refuses our credentials.")
            if row.opened
            else gettext("It forbade something; whether it refuses us is found out by a probe.")
        )
    if row.retry_at and row.retry_at > now:
        return gettext("It asked us to wait.")
    return gettext("It answers.") if not row.failures else gettext("The last call was in vain.")
