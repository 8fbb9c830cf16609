"""The processes under test: web and worker, instrumented to halt at a breakpoint and be killed there.

They run as `gunicorn tests.kills.instrumented:application` and `python -m tests.kills.instrumented`
(the worker). The product has no code for this: its functions are wrapped here, then the real program
runs. The breakpoint of each merchant is a file in the folder BREAKPOINTS (breakpoints.py).
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

from tests.kills.breakpoints import AFTER, BEFORE, HELD, RECEIVED, SAVED, Breakpoint
from tests.kills.scenarios import kills
from vendors.http import api, call_context

FOLDER = Path(os.environ["BREAKPOINTS"])
THREADS = 100  # halted calls must not block the others
HAND_OVER_TIMEOUT = 0.4  # seconds that a request waits for a call that may be halted
NO_TIMEOUT = 600.0  # seconds: longer than any test


@dataclass
class Step:
    """One step of the journey: its merchant, its number for this merchant, and the boundary it reached."""

    merchant: str
    number: int
    boundary: str = ""


_current_step: ContextVar[Step | None] = ContextVar("step", default=None)


class Process:
    """The instrumentation of this process: it records vendor calls and halts at breakpoints."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.counted: Counter[tuple[str, ...]] = Counter()
        self.lock = threading.Lock()
        self.kills = kills()
        _warm_caches()
        runner: Any = import_module("onboarding.background.runner")
        engine: Any = import_module("onboarding.journey.engine")
        staff_actions: Any = import_module("onboarding.journey.staff_actions")
        call: Any = api._Call
        db_slots: Any = import_module("onboarding.db_slots")
        db_slots._slots = threading.Semaphore(THREADS)  # a halted thread keeps its slot
        db_slots.serve_a_worker = lambda: None
        runner.executor = import_module("onboarding.background.executor").Executor(THREADS)
        worker: Any = import_module("onboarding.background.worker")
        worker.INTERVAL = 0.1
        self.hand_over, runner.hand_over = runner.hand_over, self._hand_over
        self.ask, self.settled, self.exchange = engine.ask, engine.settle_under_lease, call.exchange
        engine.ask = staff_actions.ask = self._ask
        engine.settle_under_lease = staff_actions.settle_under_lease = self._settled
        call.exchange = lambda *given: self._exchange(*given)
        (FOLDER / f"{name}.ready").touch()

    # -- what is wrapped ---------------------------------------------------------------------------

    def _hand_over(self, attempt: Any, **_waits: Any) -> None:
        """Leave the call to the worker if the breakpoint says so, as if the executor were full."""
        breakpoint = Breakpoint.read(FOLDER, attempt.connection.account.merchant.reference)
        if breakpoint.by == self.name or breakpoint.mints:
            self.hand_over(attempt, timeout=HAND_OVER_TIMEOUT)

    def _ask(self, vendor_call: Any) -> Any:
        merchant = vendor_call.account.merchant.reference
        if before := self.kills[vendor_call.account.vendor].before_step:
            before(Breakpoint.read(FOLDER, merchant).scenario)
        _current_step.set(Step(merchant, self._count(merchant)))
        return self.ask(vendor_call)

    def _exchange(self, call: Any, request: Any, retries: int) -> Any:
        step = _current_step.get()
        if step is None:  # no merchant's call: a refresh of the catalogue, for example
            return self.exchange(call, request, retries)
        breakpoint, (slug, route) = Breakpoint.read(FOLDER, step.merchant), route_of(request)
        self._record(step, breakpoint.scenario, slug, route)
        if (breakpoint.by, breakpoint.route) == (self.name, route):
            nth = self._count(step.merchant, breakpoint.scenario, route)
            step.boundary = breakpoint.at if nth == breakpoint.nth else step.boundary
            if step.boundary == BEFORE:
                _halt(step)
            if step.boundary in (HELD, AFTER):
                return self._held(step, call, request)
        return self.exchange(call, request, retries)

    def _held(self, step: Step, call: Any, request: Any) -> Any:
        """Wait until the test has told the sandbox to hold this call, then make it without a time-out."""
        _signal(step.merchant, "gate")
        while not (FOLDER / f"{step.merchant}.open").exists():
            time.sleep(0.005)
        patient = replace(call, api=replace(call.api, read=NO_TIMEOUT, total=NO_TIMEOUT))
        with call_context.use_context(call_context.CallContext(NO_TIMEOUT)):
            return self.exchange(patient, request, 0)

    def _settled(self, vendor_call: Any, outcome: Any) -> Any:
        step = _current_step.get()
        if step and step.boundary == RECEIVED:
            _halt(step)
        onward = self.settled(vendor_call, outcome)
        if step and step.boundary == SAVED:
            _halt(step)
        return onward

    # -- what is recorded -----------------------------------------------------------------------------

    def _count(self, *key: str) -> int:
        with self.lock:
            self.counted[key] += 1
            return self.counted[key]

    def _record(self, step: Step, scenario: str, slug: str, route: str) -> None:
        line = json.dumps([step.merchant, scenario, self.name, step.number, slug, route])
        with self.lock, (FOLDER / "calls").open("a") as calls:
            calls.write(f"{line}\n")


def _warm_caches() -> None:
    """Fetch the operator's tokens now, and switch off the hourly refresh of the catalogue."""
    refresh: Any = import_module("onboarding.catalogue.refresh")
    settings: Any = import_module("django.conf").settings
    for vendor in settings.VENDORS.offered.values():
        for entry in vendor.connectors():
            vendor.connector_questions(entry.key)
    refresh.refresh_catalogue = lambda vendor: None


def route_of(request: Any) -> tuple[str, str]:
    """The vendor's slug, and the name of the sandbox's route."""
    _, slug, rest = urlsplit(request.url).path.split("/", 2)
    sandbox: Any = import_module(f"vendors.{slug}.sandbox")
    route, _ = sandbox.sandbox.find(request.method, f"/{rest}")
    return slug, route.name


def _halt(step: Step) -> None:
    _signal(step.merchant, "halted")
    threading.Event().wait()


def _signal(merchant: str, word: str) -> None:
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
