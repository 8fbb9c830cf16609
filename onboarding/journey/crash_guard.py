"""Who is at a row, and how often that ended badly: a row that kills its workers ends with staff.

A claim is set before the vendor is asked and cleared with the answer. One that is still there at the
next claim is that of a process that died. A bug counts like a death: it would come again and again.
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
from onboarding.models.status import Status, StatusMixin, Turn
from vendors.contract import text

from .leases import LEASE, LeaseLost
from .outcomes import Verdict

DEATHS = 5  # then the row is not tried again until staff ask for it
REST = timedelta(seconds=30)  # at most, for each death after the first
CAUSE = "poison"
CLAIMED = ["call_started_at", "crashes"]


def claim(row: StatusMixin) -> bool:
    """Note that this process is at the row. False: it rests, because others died of it.

    After a second death it rests for a time of its own, so that those that only were in the same
    process as the one that kills are not with it again.
    """
    now = timezone.now()
    died = row.call_started_at is not None
    row.crashes += died
    rests = died and row.crashes > 1
    row.call_started_at = None if rests else now
    row.tries += not rests
    row.due_at = now + (_rest(row.crashes) if rests else LEASE)
    row.save(update_fields=[*CLAIMED, "tries", "due_at"])
    return not rests


def _rest(crashes: int) -> timedelta:
    return REST * (crashes - 1) * random.random()  # noqa: S311  # no secret: it spreads


def poisoned(row: StatusMixin) -> bool:
    """Whether the row has killed so many that the next would not be wiser."""
    return row.crashes + (row.call_started_at is not None) >= DEATHS


def poison(row: StatusMixin, call: str) -> Verdict:
    """Staff's turn, until they say "ask the vendor now"."""
    row.crashes += row.call_started_at is not None
    row.call_started_at, row.tries = None, 0
    note = text("Something went wrong on our side. Our staff know and are working on it.")
    times = f"{row.crashes} times in a row the process died, or met a bug, at “{call}”"
    return Verdict(
        status=Status.ON_IT,
        turn=Turn.STAFF,
        answer=CAUSE,
        note=note,
        cause=CAUSE,
        detail=f"{times}; its log says more",
    )


def settled(row: StatusMixin, *, headway: bool) -> None:
    """The answer is here; saved by the caller. `headway`: it is not one that comes again and again."""
    row.call_started_at = None
    if headway:
        row.crashes = 0


def outlived(row: StatusMixin) -> None:
    """We took longer than the lease, but did not die: whoever took over may have counted us."""
    same = type(row)._default_manager.filter(pk=row.pk)
    if not same.filter(call_started_at=row.call_started_at).update(call_started_at=None):
        same.filter(crashes__gt=0).update(crashes=F("crashes") - 1)


@contextmanager
def counted(model: type[Attempt] | type[Connection], pk: int) -> Iterator[None]:
    """A bug in the block is a death that we saw: counted at once, and tried again after the lease.

    An unreachable database, or a lost lease, is no fault of the row.
    """
    try:
        yield
    except (DatabaseError, LeaseLost):
        raise
    except Exception:
        again = {
            "call_started_at": None,
            "crashes": F("crashes") + 1,
            "due_at": timezone.now() + LEASE,
        }
        model._default_manager.filter(pk=pk).exclude(due_at=None).update(**again)
        raise
