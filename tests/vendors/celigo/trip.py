"""A journey in small for the Celigo tests: keeps the memos, repeats a call over Progress, looks after
a lost answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import requests

from tests.vendors.celigo.caller import SHOPIFY, press, sign_up
from vendors import sandbox
from vendors.celigo.flow import Celigo
from vendors.contract import Business, Holder, Memos, Order, Person, Progress, Step, Unsure
from vendors.sandbox import Running

ANN = Person(id="7", email="ann@shop.example", name="Ann")
BOB = "bob@shop.example"
ACME = Business(reference="acme", name="Acme")
NOW = datetime(2026, 11, 22, tzinfo=UTC)
POST = "POST /v1/connectors/{_id}/licenses"
LICENCE = "/v1/connectors/{_id}/licenses/{_id_of_license}"


def vendor_of(url: str, **settings: Any) -> Celigo:
    environ = sandbox.environ(url, "celigo")
    given = {name.removeprefix("CELIGO_").lower(): value for name, value in environ.items()}
    return Celigo(**{**given, **settings})


def simple_order(note: dict[str, Any] | None = None, **fields: Any) -> Order:
    """Without a server: of a connection of which we have these notes."""
    memo = {"licences": {"r": note}} if note else {}
    given: dict[str, Any] = {"connector": "c", "emails": lambda: (ANN.email,), "now": NOW, **fields}
    return Order(
        merchant=ACME,
        user=lambda: ANN,
        reference="r",
        memos=Memos(account=memo),
        **given,
    )


class Trip:
    """The attempts of one connection; `order` may be altered between calls."""

    def __init__(self, running: Running, **order: Any) -> None:
        self.running = running
        self.vendor = vendor_of(running.url)
        self.held: dict[str, Holder] = {}
        self.keys: list[str] = []
        given: dict[str, Any] = {
            "user": lambda: ANN, "emails": lambda: (ANN.email,), "connector": SHOPIFY, "reference": "c1",
            "present": True, "now": datetime.now(UTC), **order,
        }  # fmt: skip
        self.order = Order(
            merchant=ACME,
            holder=lambda id: self.held.get(id, "none"),
            **given,
        )

    def change(self, **fields: Any) -> None:
        self.order = replace(self.order, **fields)

    def passes(self, **time: float) -> None:
        self.change(now=self.order.now + timedelta(**time))

    def once(self, call: Callable[..., Step], *args: Any) -> Step:
        """One call. What an attempt keeps is live at once, or it would be lost with the attempt."""
        doing = self.order.announced or self.order.unsure
        try:
            step = call(self.order, *args)
        except Unsure:
            self.change(announced="", unsure=doing)
            raise
        self.change(announced="", unsure="")
        if step.account is not None:
            assert step.promote or self.order.purpose in ("check", "act")
            self.change(memos=Memos(account=step.account), live=Memos(account=step.account))
        self.keys += [step.connection_key] if step.connection_key else []
        if isinstance(step, Progress):
            self.change(announced=step.announce)
        return step

    def run(self, call: Callable[..., Step], *args: Any) -> Step:
        """Until a step is no Progress; the flow looks once after a lost answer, as the journey does."""
        for _ in range(12):
            was_unsure = bool(self.order.unsure)
            try:
                step = self.once(call, *args)
            except Unsure:
                if was_unsure:
                    raise
                continue
            if not isinstance(step, Progress):
                return step
        raise AssertionError("it never ends")

    def start(self) -> Step:
        return self.run(self.vendor.start)

    def check(self) -> Step:
        self.change(purpose="check", present=False)
        return self.run(self.vendor.check)

    def connected(self) -> Trip:
        """From the beginning to the end."""
        browser = self.sign_up()
        self.start()
        self.install(browser)
        step = self.start()
        self.change(shop_id=step.connection_key)
        self.held[step.connection_key] = "self"
        return self

    def act(self, key: str, **answers: str) -> Step:
        self.change(purpose="act", present=False)
        return self.once(self.vendor.act, key, answers)

    def end(self) -> Step:
        self.change(purpose="end")
        return self.run(self.vendor.end)

    def sign_up(self, email: str = ANN.email) -> requests.Session:
        return sign_up(self.running, email)

    def install(self, browser: requests.Session) -> None:
        assert "It is installed." in press(self.running, browser, "approve")

    def licences(self) -> list[dict[str, Any]]:
        rows = self.running.state("celigo").get("licenses", [])
        return [row for row in rows if not row["deleted"]]

    def calls(self, route: str) -> int:
        return self.running.counts("celigo")["calls"].get(route, 0)
