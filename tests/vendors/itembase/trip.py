"""A journey in small for the itembase tests, and a merchant's browser without pages."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, cast
from urllib.parse import parse_qsl, urlsplit

import requests

from vendors import sandbox
from vendors.contract import (
    Ask,
    Business,
    Connected,
    Holder,
    Memos,
    Order,
    Person,
    Progress,
    Redirect,
    Step,
)
from vendors.itembase.flow import Itembase

BACK = "http://localhost:8000/return/itembase/"
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def settings(environ: Mapping[str, str], **changes: Any) -> Itembase:
    fields = {name.removeprefix("ITEMBASE_").lower(): value for name, value in environ.items()}
    return Itembase(**{**fields, **changes})


def leads_to(step: Step) -> str:
    """The kind of page behind a link: "process", "v2" (OAuth) or "finish" (activation)."""
    assert isinstance(step, Redirect), step
    return step.url.partition("?")[0].rpartition("/")[0].rpartition("/")[2]


def choices(step: Step) -> dict[str, str]:
    """What an `Ask` offers: label → value."""
    assert isinstance(step, Ask), step
    return {str(label): value for value, label in step.questions[0].choices}


def visit(url: str, case: str = "approve", email: str = "ann@shop.example") -> dict[str, str]:
    """Press one button behind a link to the sandbox: the query with which it sends us back."""
    form = {"case": case, "user": "new", "email": email, "store": "Ann's shop"}
    answer = requests.post(url, data=form, allow_redirects=False, timeout=5)
    answer.close()
    target = answer.headers.get("Location", "")
    assert target.startswith(BACK), answer.text
    return dict(parse_qsl(urlsplit(target).query))


def holding(**held: str) -> Callable[[str], Holder]:
    """Who holds which shop: `holding(sibling="shop-1")`; nobody holds the others."""
    holders: dict[str, Holder] = {shop: cast("Holder", who) for who, shop in held.items()}
    return lambda shop: holders.get(shop, "none")


def first_shop(running: sandbox.Running) -> Trip:
    """A merchant with one connected shop."""
    trip = Trip(running)
    step = trip.connect()
    assert isinstance(step, Connected)
    trip.given["shop_id"] = step.shop_id
    trip.live = trip.memos
    return trip


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
            user=lambda: Person(id="1", email="ann@shop.example"),
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
        later = Trip(self.running, **{**self.given, "shop_id": "", **order})
        connection = self.memos.connection if "shop_id" in order else {}
        later.live = Memos(account=self.live.account, connection=connection)
        later.memos = Memos(account=self.live.account)
        later.account_key, later.states = self.account_key, self.states
        later.now = self.now + timedelta(hours=1)
        return later

    def another_shop(self, **order: Any) -> Trip:
        """A second shop of the same merchant, beside the first one."""
        held = self.given["shop_id"]
        return self.again(**{"holder": holding(sibling=held), "siblings": lambda: 1, **order})

    def add_store(self, component: int = 6, **fields: Any) -> str:
        """A shop that the merchant added at itembase without us; its id."""
        rows = self.running.state("itembase")["connections"]
        form = {"do": "add", "component": component, "store": "Old", "user": rows[0]["user"]}
        self._at_the_desk(form)
        added = str(self.running.state("itembase")["connections"][-1]["id"])
        self.running.change("itembase", "connections", {"id": added}, **fields)
        return added

    def sign_out(self) -> None:
        """Neither the access token nor the refresh token works any more."""
        for user in self.running.state("itembase")["users"]:
            self._at_the_desk({"do": "revoke", "user": user["id"]})

    def deactivate(self) -> None:
        for user in self.running.state("itembase")["users"]:
            self._at_the_desk({"do": "deactivate", "user": user["id"]})

    def _at_the_desk(self, form: dict[str, Any]) -> None:
        url = f"{self.running.url}/itembase/accounts/stores"
        answer = requests.post(url, data=form, allow_redirects=False, timeout=5)
        assert answer.status_code == 303, answer.text

    def calls(self, route: str) -> int:
        return self.running.counts("itembase")["calls"].get(route, 0)

    def made(self, kind: str) -> int:
        return self.running.counts("itembase")["made"].get(kind, 0)

    def expire(self) -> None:
        """Every access token at itembase is too old from now on."""
        self.running.change("itembase", "grants", {}, expires_at=0)
