"""The site's own processes, which stop at a point that a test has named: to be killed just there.

`gunicorn tests.kills.parked:application`, and `python -m tests.kills.parked` for the worker. The
product knows nothing of it: its functions are wrapped here, and then the real thing runs. What a
merchant's call shall meet stands in a file of the folder PLANS (plan.py).
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections import Counter
from contextvars import ContextVar
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import django

from tests.kills.plan import AFTER, BEFORE, DEED, HELD, SAVED, Plan
from tests.kills.ways import kills
from vendors.http import api, call_context

FOLDER = Path(os.environ["PLANS"])
THREADS = 100  # parked calls must not keep the others from being made
MOMENT = 0.4  # seconds that a request waits for a call which may be parked
LONG = 600.0


@dataclass
class Step:
    """One step of the journey: whose, the how many-th there, and what it has met on its way."""

    merchant: str
    number: int
    met: str = ""


_here: ContextVar[Step | None] = ContextVar("step", default=None)


class Process:
    """What this process does otherwise than in life: it writes down its calls, and it stops."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.counted: Counter[tuple[str, ...]] = Counter()
        self.lock = threading.Lock()
        self.kills = kills()
        _used_for_a_while()
        runner: Any = import_module("onboarding.background.runner")
        engine: Any = import_module("onboarding.journey.engine")
        staff_actions: Any = import_module("onboarding.journey.staff_actions")
        call: Any = api._Call
        db_lock: Any = import_module("onboarding.db_lock")
        db_lock._lock = threading.Semaphore(THREADS)  # whoever is parked keeps its turn
        runner.executor, runner.SWEEP_INTERVAL = (
            import_module("onboarding.background.executor").Executor(THREADS),
            0.1,
        )
        self.hand_over, runner.hand_over = runner.hand_over, self._hand_over
        self.ask, self.settled, self.exchange = engine.ask, engine.settle_under_lease, call.exchange
        engine.ask = staff_actions.ask = self._ask
        engine.settle_under_lease = staff_actions.settle_under_lease = self._settled
        call.exchange = lambda *given: self._exchange(*given)
        (FOLDER / f"{name}.ready").touch()

    # -- what is wrapped ---------------------------------------------------------------------------

    def _hand_over(self, attempt: Any, **_waits: Any) -> None:
        """A merchant's POST whose call the worker shall make finds the executor full."""
        plan = Plan.read(FOLDER, attempt.connection.account.merchant.reference)
        if plan.by == self.name or plan.mints:
            self.hand_over(attempt, timeout=MOMENT)

    def _ask(self, trip: Any) -> Any:
        merchant = trip.account.merchant.reference
        if before := self.kills[trip.account.vendor].before_step:
            before(Plan.read(FOLDER, merchant).way)
        _here.set(Step(merchant, self._count(merchant)))
        return self.ask(trip)

    def _exchange(self, call: Any, request: Any, retries: int) -> Any:
        step = _here.get()
        if step is None:  # nobody's: the catalogue's, for example
            return self.exchange(call, request, retries)
        plan, (slug, route) = Plan.read(FOLDER, step.merchant), route_of(request)
        self._write_down(step, plan.way, slug, route)
        if (plan.by, plan.route) == (self.name, route):
            nth = self._count(step.merchant, plan.way, route)
            step.met = plan.at if nth == plan.nth else step.met
            if step.met == BEFORE:
                _park(step)
            if step.met in (HELD, AFTER):
                return self._held(step, call, request)
        return self.exchange(call, request, retries)

    def _held(self, step: Step, call: Any, request: Any) -> Any:
        """The test has the sandbox hold this very call; nothing here gives it up."""
        _say(step.merchant, "leaves")
        while not (FOLDER / f"{step.merchant}.go").exists():
            time.sleep(0.005)
        patient = replace(call, api=replace(call.api, read=LONG, total=LONG))
        with call_context.use_context(call_context.CallContext(LONG)):
            return self.exchange(patient, request, 0)

    def _settled(self, trip: Any, outcome: Any) -> Any:
        step = _here.get()
        if step and step.met == DEED:
            _park(step)
        onward = self.settled(trip, outcome)
        if step and step.met == SAVED:
            _park(step)
        return onward

    # -- what is noted -----------------------------------------------------------------------------

    def _count(self, *key: str) -> int:
        with self.lock:
            self.counted[key] += 1
            return self.counted[key]

    def _write_down(self, step: Step, way: str, slug: str, route: str) -> None:
        line = json.dumps([step.merchant, way, self.name, step.number, slug, route])
        with self.lock, (FOLDER / "calls").open("a") as calls:
            calls.write(f"{line}\n")


def _used_for_a_while() -> None:
    """The operator's tokens are there already, and nothing hourly comes between."""
    refresh: Any = import_module("onboarding.catalogue.refresh")
    settings: Any = import_module("django.conf").settings
    for vendor in settings.VENDORS.offered.values():
        for entry in vendor.connectors():
            vendor.connector_questions(entry.key)
    refresh.refresh_catalogue = lambda vendor: None


def route_of(request: Any) -> tuple[str, str]:
    """The vendor's slug, and its sandbox's name of the call."""
    _, slug, rest = urlsplit(request.url).path.split("/", 2)
    sandbox: Any = import_module(f"vendors.{slug}.sandbox")
    route, _ = sandbox.sandbox.find(request.method, f"/{rest}")
    return slug, route.name


def _park(step: Step) -> None:
    _say(step.merchant, "parked")
    threading.Event().wait()


def _say(merchant: str, word: str) -> None:
    (FOLDER / f"{merchant}.{word}").touch()


os.environ.setdefault("DJANGO_SETTINGS_MODULE", "onboarding.settings")
if __name__ == "__main__":
    django.setup()
    Process("worker")
    management: Any = import_module("django.core.management")
    management.execute_from_command_line(["manage.py", "worker"])
else:
    application: Any = import_module("onboarding.wsgi").application
    Process("web")
