"""A sweep: what a worker does in a second, once, in this thread and to its end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from onboarding.background import runner, schedule
from onboarding.background.executor import Work
from onboarding.models.catalogue import vendors_with_shops
from onboarding.monitoring import logs

ROOM = 50  # rows of each vendor in one sweep


class Submit(Protocol):
    def __call__(self, vendor: str, key: str, work: Work, *, first: bool = False) -> object: ...


@logs.with_reference()
def run_inline(vendor: str, key: str, work: Work, *, first: bool = False) -> None:
    """Run the work in this thread, to its end."""
    while left := work():
        work = left


def sweep(
    submit: Submit = run_inline, dispatch: Callable[[runner.DueRow], object] | None = None
) -> None:
    """Start what is due: periodic work, and rows.

    `submit` starts periodic work, and the rows as well unless `dispatch` is given for them.
    """
    schedule.run(submit)
    rooms = dict.fromkeys(vendors_with_shops(), ROOM)
    runner.look(
        rooms, dispatch or (lambda row: submit(row.vendor, row.key, row.run, first=row.returned))
    )
