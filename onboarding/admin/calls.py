"""Tables of the calls to a vendor and of the state of its hosts, from our rows alone."""

from __future__ import annotations

from datetime import datetime

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext

from onboarding.models import Breaker, Call

from .tables import Table, exact_moment, moment

LISTED = 30  # calls


def calls_table(calls: QuerySet[Call]) -> Table:
    """The newest calls, the newest first."""
    return Table(
        id="gw-calls",
        title=gettext("What went to the vendor"),
        columns=(
            gettext("Call"),
            gettext("Answer"),
            gettext("Milliseconds"),
            gettext("When"),
            gettext("Reference"),
        ),
        rows=[_call_cells(row) for row in calls.order_by("-pk")[:LISTED]],
        empty=gettext("None yet."),
    )


def _call_cells(row: Call) -> tuple[str, ...]:
    reference = "" if row.reference == "-" else row.reference
    return row.call, row.outcome, str(row.ms), exact_moment(row.at), reference


def hosts_table(vendor: str) -> Table:
    """All hosts of a vendor with which anything ever went wrong."""
    now = timezone.now()
    rows = Breaker.objects.filter(vendor=vendor).order_by("host")
    return Table(
        id="gw-hosts",
        title=gettext("Does it answer?"),
        columns=(
            gettext("Host"),
            gettext("State"),
            gettext("Since"),
            gettext("Failures in a row"),
            gettext("Asked again"),
        ),
        rows=[_host_cells(row, now) for row in rows],
        empty=gettext("Nothing has gone wrong there yet."),
    )


def _host_cells(row: Breaker, now: datetime) -> tuple[str, ...]:
    asked_again = row.retry_at if row.retry_at and row.retry_at > now else None
    return (
        row.host,
        _state(row, now),
        moment(row.opened),
        str(row.failures),
        moment(asked_again),
    )


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
