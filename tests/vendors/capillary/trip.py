"""A journey in small for the Capillary tests: memos, announcements, doubts, one connection."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import requests

from vendors import loading, sandbox
from vendors.capillary.flow import Capillary
from vendors.contract import Business, Connected, Memos, Order, Person, Progress, Step, Unsure
from vendors.sandbox import Running

ANN = Person(id="7", email="ann@shop.example", name="Ann")
ACME = Business(reference="acme", name="Acme AB")
PROFILE = {"scope_1": "READWRITE", "resources_1": ".*v3/targetGroups.*", "expiry": "600"}
GRANTS = [{"entityId": 1, "permission": "READWRITE", "resources": [".*v3/targetGroups.*"]}]


def vendor(environ: dict[str, str], **settings: Any) -> Capillary:
    loaded = loading.load((Capillary,), environ)
    assert not loaded.problems
    made = loaded.offered["capillary"]
    assert isinstance(made, Capillary)
    return replace(made, **settings)


class Trip:
    """A connection and its open attempt; `order` may be altered between calls."""

    def __init__(self, url: str, **settings: Any) -> None:
        self.vendor = vendor(sandbox.environ(url, "capillary"), **settings)
        self.steps: list[Step] = []
        self.key = ""
        self.reveal: dict[str, str] = {}
        self.order = Order(
            merchant=ACME, user=lambda: ANN, connector="api", reference="c1", shop_name="Till 1",
            options=PROFILE, present=True, now=datetime.now(UTC),
        )  # fmt: skip

    def change(self, **fields: Any) -> None:
        self.order = replace(self.order, **fields)

    def later(self, seconds: float) -> None:
        self.change(now=self.order.now + timedelta(seconds=seconds))

    def afresh(self, purpose: str) -> None:
        """A new attempt: its draft is empty."""
        self.change(memos=Memos(), purpose=purpose, announced="", unsure="")

    def once(self, call: Callable[[Order], Step]) -> Step:
        try:
            step = call(self.order)
        except Unsure:
            self.change(announced="", unsure=self.order.announced or self.order.unsure)
            raise
        self.steps.append(step)
        if step.connection is not None:
            self.change(memos=Memos(connection=step.connection))
        self.key = step.connection_key or self.key
        self.change(announced=step.announce if isinstance(step, Progress) else "", unsure="")
        if isinstance(step, Connected):
            self._connected(step)
        return step

    def _connected(self, step: Connected) -> None:
        assert self.order.shop_id in ("", step.shop_id)
        live = self.order.memos if step.connection is not None else self.order.live
        self.change(live=live, shop_id=step.shop_id)
        self.reveal = dict(step.reveal or {}) or self.reveal

    def run(self, call: Callable[[Order], Step]) -> Step:
        """Until a step is no Progress; after a lost answer the flow looks at once."""
        while True:
            try:
                step = self.once(call)
            except Unsure:
                continue
            if not isinstance(step, Progress):
                return step

    def connect(self) -> Connected:
        step = self.run(self.vendor.start)
        assert isinstance(step, Connected)
        return step

    def act(self, key: str, **answers: str) -> Step:
        self.afresh("act")
        return self.run(lambda order: self.vendor.act(order, key, answers))

    def ticks(self) -> list[str]:
        return [key for step in self.steps for key in step.done]


def press(running: Running, **form: str) -> None:
    """A button of the sandbox's own page: `do="switch", deleted="gone"`."""
    requests.post(f"{running.url}/capillary/", data=form, timeout=5).raise_for_status()


def clients(running: Running, *, valid: bool = True) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = running.state("capillary").get("clients", [])
    return [row for row in rows if row["valid"] is valid]
