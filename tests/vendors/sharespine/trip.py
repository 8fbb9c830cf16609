"""A journey in small for the Sharespine tests: keeps the memos and repeats a call over Progress."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import vendors
from vendors import sandbox
from vendors.contract import Business, Done, Memos, Order, Person, Progress, Step
from vendors.sharespine.flow import Sharespine

ANN = Person(id="7", email="ann@shop.example", name="Ann")
BOB = Person(id="8", email="bob@shop.example")
ACME = Business(reference="acme", name="Acme AB")


class Trip:
    """One attempt of a merchant; `order` may be altered between calls."""

    def __init__(self, url: str, **settings: Any) -> None:
        made = vendors.load(sandbox.environ(url, "sharespine")).offered["sharespine"]
        assert isinstance(made, Sharespine)
        self.vendor: Sharespine = replace(made, **settings)
        self.steps: list[Step] = []
        self.order = Order(
            merchant=ACME,
            user=lambda: ANN,
            connector="shop",
            reference="c1",
            present=True,
            now=datetime.now(UTC),
        )

    def change(self, **fields: Any) -> None:
        self.order = replace(self.order, **fields)

    def once(self, call: Callable[[Order], Step]) -> Step:
        step = call(self.order)
        self.steps.append(step)
        if step.account is not None:
            self.change(memos=Memos(account=step.account))
        if step.account_key:
            self.change(account_key=step.account_key)
        if isinstance(step, Done) and step.ends:
            self.change(account_key="")
        if isinstance(step, Progress):
            self.change(announced=step.announce)
        return step

    def run(self, call: Callable[[Order], Step]) -> Step:
        """Until a step is no Progress, as the journey does."""
        step = self.once(call)
        while isinstance(step, Progress):
            step = self.once(call)
        return step

    def ticks(self) -> list[str]:
        return [key for step in self.steps if isinstance(step, Progress) for key in step.done]
