"""Reminders of a connection that is not finished: after an hour, a day and four days, each once.

They count from when its user last looked, or from when it became their turn. `occasions` and `brakes` say
which of them are sent.
"""

from __future__ import annotations

from datetime import timedelta

from django.db.models import DateTimeField, Exists, OuterRef, Q
from django.db.models.functions import Coalesce, Greatest

from onboarding import clock
from onboarding.models import Attempt, Notice
from onboarding.models.connections import ATTEMPT_DAYS
from onboarding.models.status import SET_UP, Turn

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
# step → how long nothing has happened: at least the first, less than the second
STEPS = {
    "1 hour": (HOUR, DAY),
    "1 day": (DAY, 4 * DAY),
    "4 days": (4 * DAY, ATTEMPT_DAYS * DAY),
}
LIMIT = 200  # attempts in a sweep
CONNECTS = (Attempt.Purpose.CONNECT, Attempt.Purpose.RECONNECT)


def write() -> None:
    """Write the reminders that have become due. Any number of workers may do so."""
    for step in STEPS:
        _write(step)


def _write(step: str) -> None:
    """Of attempts that wait for their merchant, unless the shop works as it is."""
    now, (least, most) = clock.now(), STEPS[step]
    key = Notice.objects.filter(attempt=OuterRef("pk"), kind=Notice.Kind.UNFINISHED, step=step)
    idle = Greatest("since", Coalesce("seen_at", "since"), output_field=DateTimeField())
    waiting = Attempt.objects.filter(
        Q(seen_at=None) | Q(seen_at__lte=now - least),
        ended=None,
        turn=Turn.MERCHANT,
        since__lte=now - least,
        deadline__gt=now,
        purpose__in=CONNECTS,
    )
    due = waiting.exclude(connection__status__in=SET_UP).annotate(idle=idle)
    due = due.filter(idle__gt=now - most).exclude(Exists(key)).order_by("since")
    rows = [
        Notice(
            kind=Notice.Kind.UNFINISHED,
            step=step,
            user_id=attempt.user_id,
            connection_id=attempt.connection_id,
            attempt=attempt,
            at=attempt.idle,
            not_before=now,
            key=f"unfinished:{attempt.pk}:{step}",
        )
        for attempt in due[:LIMIT]
    ]
    Notice.objects.bulk_create(rows, ignore_conflicts=True)
