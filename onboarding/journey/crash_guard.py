"""The crash guard: a row that kills its workers ends as staff's turn instead of killing more of them.

`call_started_at` is set before the vendor is asked and cleared with the answer. Where it is still set when
the next worker takes the row, the process that set it has died. A bug counts like a crash: it would come
again and again.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.db import Error as DatabaseError
from django.db.models import F
from django.utils import timezone

from onboarding.models import Attempt, Connection
from onboarding.models.status import Answer, Cause, Status, StatusMixin, Turn
from vendors.contract import text

from . import transitions
from .leases import LEASE, LeaseLost
from .outcomes import Verdict

CRASHES = 5  # then the row is not tried again until staff ask for it
RETRY_DELAY = timedelta(seconds=30)  # at most, for each crash after the first


def claim(row: Attempt | Connection) -> bool:
    """Note that this process asks for the row. False: the row waits, because others crashed with it.

    After a second crash it waits for a random time, so that rows which only were in the same process
    as the one that kills are not with it again.
    """
    now = timezone.now()
    crashed = row.call_started_at is not None
    row.crashes += crashed
    waits = crashed and row.crashes > 1
    row.call_started_at = None if waits else now
    row.tries += not waits
    row.due_at = now + (_retry_delay(row.crashes) if waits else LEASE)
    transitions.save(row, *transitions.GUARD_FIELDS, "tries", "due_at")
    return not waits


def _retry_delay(crashes: int) -> timedelta:
    return RETRY_DELAY * (crashes - 1) * random.random()  # noqa: S311  # no secret: it spreads load


def poisoned(row: StatusMixin) -> bool:
    """Whether the row has killed so many workers that the next one would not fare better."""
    return row.crashes + (row.call_started_at is not None) >= CRASHES


def poison(row: StatusMixin, call: str) -> Verdict:
    """Staff's turn, until they say "ask the vendor now"."""
    row.crashes += row.call_started_at is not None
    row.call_started_at, row.tries = None, 0
    note = text("Something went wrong on our side. Our staff know and are working on it.")
    times = f"{row.crashes} times in a row the process died, or met a bug, at “{call}”"
    return Verdict(
        status=Status.ON_IT,
        turn=Turn.STAFF,
        answer=Answer.POISON,
        note=note,
        cause=Cause.POISON,
        detail=f"{times}; its log says more",
    )


def answered(row: StatusMixin, *, progress: bool) -> None:
    """The answer is here; the caller saves. `progress`: it is not one that comes again and again."""
    row.call_started_at = None
    if progress:
        row.crashes = 0


def outlived(row: Attempt | Connection) -> None:
    """This process took longer than its lease, but lives: its successor may have counted a crash."""
    same = type(row)._default_manager.filter(pk=row.pk)
    mine = same.filter(call_started_at=row.call_started_at)
    if not transitions.update(mine, call_started_at=None):
        transitions.update(same.filter(crashes__gt=0), crashes=F("crashes") - 1)


@contextmanager
def counted(model: type[Attempt] | type[Connection], pk: int) -> Iterator[None]:
    """A bug in the block counts as a crash at once, and the row is tried again after the lease.

    An unreachable database, or a lost lease, is no fault of the row.
    """
    try:
        yield
    except (DatabaseError, LeaseLost):
        raise
    except Exception:
        rows = model._default_manager.filter(pk=pk).exclude(due_at=None)
        retry_at = timezone.now() + LEASE
        transitions.update(rows, call_started_at=None, crashes=F("crashes") + 1, due_at=retry_at)
        raise
