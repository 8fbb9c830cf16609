"""A journey in small for the itembase tests, and a merchant's browser without pages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import requests

from vendors import sandbox
from vendors.contract import Business, Memos, Order, Person, Progress, Redirect, Step
from vendors.itembase.flow import Itembase

BACK = "http://localhost:8000/return/itembase/"
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def settings(environ: Mapping[str, str], **changes: Any) -> Itembase:
    fields = {name.removeprefix("ITEMBASE_").lower(): value for name, value in environ.items()}
    return Itembase(**{**fields, **changes})


def visit(url: str, case: str = "approve", email: str = "ann@shop.example") -> dict[str, str]:
    """Press one button behind a link to the sandbox: the query with which it sends us back."""
    form = {"case": case, "user": "new", "email": email, "store": "Ann's shop"}
    answer = requests.post(url, data=form, allow_redirects=False, timeout=5)
    answer.close()
    target = answer.headers.get("Location", "")
    assert target.startswith(BACK), answer.text
    return dict(parse_qsl(urlsplit(target).query))


class Trip:
    """One attempt of one merchant; keeps the drafts as the journey does."""

    def __init__(self, running: sandbox.Running, **order: Any) -> None:
        self.running = running
        self.vendor = settings(sandbox.environ(running.url, "itembase"))
        self.memos = Memos()
        self.live = Memos()
        self.account_key = ""
        self.now = NOON
        self.states: Iterator[str] = (f"state-{number}" for number in count(1))
        self.given = {"connector": "ebay", "present": True, "back": BACK, **order}

    def order(self) -> Order:
        return Order(
            merchant=Business(reference="m1", name="Ann's"),
            user=Person(id="1", email="ann@shop.example"),
            reference="c1",
            state=next(self.states),
            memos=self.memos,
            live=self.live,
            account_key=self.account_key,
            now=self.now,
            **self.given,
        )

    def once(self, call: str, *args: Any) -> Step:
        """One call, its memos kept; an error leaves everything as it was."""
        step: Step = getattr(self.vendor, call)(self.order(), *args)
        account = self.memos.account if step.account is None else step.account
        draft = self.memos.connection if step.connection is None else step.connection
        self.memos = Memos(account=account, connection=draft)
        if step.promote:
            self.live = Memos(account=account, connection=self.live.connection)
            self.account_key = step.account_key or self.account_key
        self.now += timedelta(seconds=1)
        return step

    def run(self, call: str, *args: Any) -> Step:
        """The call, repeated while it makes progress."""
        for _ in range(6):
            step = self.once(call, *args)
            if not isinstance(step, Progress):
                return step
        raise AssertionError(f"{call} never ends")

    def follow(self, step: Step, case: str = "approve", **who: str) -> Step:
        """Take the link of a step, press a button there, come back."""
        assert isinstance(step, Redirect), step
        return self.run("returned", visit(step.url, case, **who))

    def connect(self, **who: str) -> Step:
        """Both hops of example 1."""
        return self.follow(self.follow(self.run("start"), **who), **who)

    def again(self, **order: Any) -> Trip:
        """A new attempt on the same account an hour later; with `shop`, for the same connection."""
        later = Trip(self.running, **{**self.given, "shop": "", **order})
        connection = self.memos.connection if "shop" in order else {}
        later.live = Memos(account=self.live.account, connection=connection)
        later.memos = Memos(account=self.live.account)
        later.account_key, later.states = self.account_key, self.states
        later.now = self.now + timedelta(hours=1)
        return later

    def calls(self, route: str) -> int:
        return self.running.counts("itembase")["calls"].get(route, 0)

    def made(self, kind: str) -> int:
        return self.running.counts("itembase")["made"].get(kind, 0)

    def expire(self) -> None:
        """Every access token at itembase is too old from now on."""
        self.running.change("itembase", "grants", {}, expires_at=0)
