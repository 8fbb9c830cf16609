"""Folding: calls that went well become hourly counts after CALL_DETAIL_DAYS. Failures stay as they are.

Whose call it was is lost with it, also where an attempt is still open or a shop is not connected: nobody
asks for a call of last week that went well, and an attempt ends after seven days.
"""

from __future__ import annotations

import logging
import time
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Max, QuerySet, Sum
from django.db.models.functions import TruncHour

from onboarding import clock
from onboarding.models import Call, HourlyCalls
from onboarding.models.calls import WENT_WELL

log = logging.getLogger(__name__)
KIND = ("hour", "vendor", "host", "call", "outcome")  # of which there is one count
BATCH = 2000  # rows
PAUSE = 0.02  # seconds between two batches, in which others can write


def run() -> None:
    """Fold all calls that are old enough. If the process dies, the next run folds the others."""
    days = min(settings.CALL_DETAIL_DAYS, settings.RETENTION_DAYS)
    last, folded = clock.now() - timedelta(days=days), 0
    while calls := fold(last):
        folded += calls
        time.sleep(PAUSE)
    log.info("calls folded: %d", folded)


@transaction.atomic
def fold(last: datetime) -> int:
    """Fold the oldest calls before `last`; returns how many.

    Another process that folds waits for these rows, and then finds them gone: none is counted twice.
    """
    rows = Call.objects.filter(WENT_WELL, at__lt=last).order_by("at")
    keys = list(rows.select_for_update().values_list("pk", flat=True)[:BATCH])
    batch = Call.objects.filter(pk__in=keys).order_by()
    _count(batch)
    batch.delete()
    return len(keys)


def _count(batch: QuerySet[Call]) -> None:
    kinds = batch.annotate(hour=TruncHour("at")).values(*KIND)
    sums = kinds.annotate(calls=Count("pk"), total_ms=Sum("ms"), longest_ms=Max("ms"))
    for *kind, calls, total_ms, longest_ms in sums.values_list(
        *KIND, "calls", "total_ms", "longest_ms"
    ):
        row, _ = HourlyCalls.objects.get_or_create(**dict(zip(KIND, kind, strict=True)))
        row.add(calls, total_ms, longest_ms)
