"""The crash guard: a poison row, one that keeps killing its workers, becomes staff's turn.

`call_started_at` is set before the vendor is asked and cleared with the answer. If it is still set when
the next worker takes the row, the process that set it has died. Its lease ends then, and the row comes
before the backlog, because it is due since before. An unhandled exception counts as a crash too: a retry
would meet the same bug.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.db import InterfaceError, OperationalError
from django.db.models import F

from onboarding import clock
from onboarding.models import Attempt, Connection
from onboarding.models.status import Answer, Cause, Status, StatusMixin, Turn
from vendors.contract import text

from . import transitions
from .leases import LEASE, LeaseLost
from .outcomes import Verdict

CRASHES = 5  # then the row is not retried until staff ask for it
RETRY_DELAY = timedelta(seconds=30)  # the longest, for each crash after the first


def begin_call(row: Attempt | Connection, token: str) -> bool:
    """Record that this process is about to call the vendor for the row. False: it has to wait first.

    `token`: of the row's lease, which lasts for the call.

    After a second crash the row is retried after a random delay, so that innocent rows, which only
    shared a process with the poison row, do not share one with it again.
    """
    now = clock.now()
    crashed = row.call_started_at is not None
    row.crashes += crashed
    must_wait = crashed and row.crashes > 1
    row.call_started_at = None if must_wait else now
    row.tries += not must_wait
    row.lease_until, row.lease_token = now + LEASE, token
    if must_wait:
        _release(row)
        row.due_at = now + _retry_delay(row.crashes)
    transitions.save(row, *transitions.GUARD_FIELDS, "tries", *(["due_at"] if must_wait else []))
    return not must_wait


def _release(row: StatusMixin) -> None:
    row.lease_until, row.lease_token = None, ""


def _retry_delay(crashes: int) -> timedelta:
    return RETRY_DELAY * (crashes - 1) * random.random()  # noqa: S311  # nosec B311  # it spreads load


def is_poison(row: StatusMixin) -> bool:
    """Whether the row has killed its workers `CRASHES` times, so that no other is risked."""
    return row.crashes + (row.call_started_at is not None) >= CRASHES


def poison_verdict(row: StatusMixin, call: str) -> Verdict:
    """It is staff's turn until they press "ask the vendor now". Changes the row; the caller saves."""
    row.crashes += row.call_started_at is not None
    row.call_started_at, row.tries = None, 0
    note = text("An error on our side stopped this. Our staff know and are working on it.")
    detail = f"{row.crashes} times in a row the process died, or met a bug, at “{call}”"
    return Verdict(
        status=Status.ON_IT,
        turn=Turn.STAFF,
        answer=Answer.POISON,
        note=note,
        cause=Cause.POISON,
        detail=f"{detail}; its log says more",
    )


def answered(row: StatusMixin, *, resets_crashes: bool, again: bool) -> None:
    """The call has returned; the caller saves. Answers that may repeat for ever reset no count.

    `again`: another call is due at once, and this process makes it. So it keeps the row's lease.
    """
    row.call_started_at = None
    if resets_crashes:
        row.crashes = 0
    if not again:
        _release(row)


def outlived_lease(row: Attempt | Connection) -> None:
    """This process took longer than its lease but did not crash: undo what its successor counted."""
    rows = type(row)._default_manager.filter(pk=row.pk)
    not_taken_over = rows.filter(call_started_at=row.call_started_at)
    if not transitions.update(not_taken_over, call_started_at=None):
        transitions.update(rows.filter(crashes__gt=0), crashes=F("crashes") - 1)


@contextmanager
def counting_bugs(model: type[Attempt] | type[Connection], pk: int) -> Iterator[None]:
    """An unhandled exception in the block counts as a crash, and the row is retried after the lease.

    An unreachable database and a lost lease are not the row's fault, and are not counted. What the
    database refuses to do is a bug like any other.
    """
    try:
        yield
    except (OperationalError, InterfaceError, LeaseLost):
        raise
    except Exception:
        rows = model._default_manager.filter(pk=pk).exclude(due_at=None)
        retry_at = clock.now() + LEASE
        transitions.update(
            rows,
            call_started_at=None,
            crashes=F("crashes") + 1,
            due_at=retry_at,
            lease_until=None,
            lease_token="",
        )
        raise
