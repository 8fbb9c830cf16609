"""A journey in small: it stores the memos and repeats a call after Progress."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from vendors import loading, sandbox
from vendors._template.flow import Template
from vendors.contract import Business, Memos, Order, Person, Progress, Step


class Trip:
    """One attempt of a merchant; `order` may be changed between calls."""

    def __init__(self, url: str) -> None:
        loaded = loading.load((Template,), sandbox.environ(url, "_template"))
        vendor = loaded.offered["_template"]
        assert isinstance(vendor, Template)
        self.vendor = vendor
        self.order = Order(
            merchant=Business(reference="m1", name="Ann's"),
            user=lambda: Person(id="7", email="ann@shop.example"),
            connector="shop",
            reference="c1",
            present=True,
            back="http://localhost/return/",
            state="s1",
            now=datetime.now(UTC),
        )

    def change(self, **fields: Any) -> None:  # Any: the fields of Order have many types
        self.order = replace(self.order, **fields)

    def run(self, call: Callable[[Order], Step]) -> Step:
        """Until a step is no Progress, as the journey does."""
        while isinstance(step := call(self.order), Progress):
            self._save(step)
        self._save(step)
        return step

    def _save(self, step: Step) -> None:
        if step.connection is not None:
            self.change(memos=Memos(connection=step.connection))
        if step.connection_key:
            self.change(connection_key=step.connection_key)
        announced = step.announce if isinstance(step, Progress) else ""
        self.change(announced=announced, unsure="")
