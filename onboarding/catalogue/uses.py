"""How many shops were connected through each connector: the popular ones come first in the catalogue."""

from __future__ import annotations

from django.db.models import Count

from onboarding.models import Connection, Connector

FEW = 10_000  # shops


def refresh() -> None:
    """Count again, and write the counts that have changed. The catalogue is read far more often than this."""
    rows = Connection.objects.exclude(connected_at=None).order_by()
    counts = dict(rows.values_list("connector").annotate(count=Count("*")))  # in an index
    for pk, uses in Connector.objects.values_list("pk", "uses"):
        if counts.get(pk, 0) != uses:
            Connector.objects.filter(pk=pk).update(uses=counts.get(pk, 0))


def refresh_few() -> None:
    """Count again where there are few shops. Each counts there, and counting reads all of them."""
    if Connection.objects.order_by()[: FEW + 1].count() <= FEW:
        refresh()
