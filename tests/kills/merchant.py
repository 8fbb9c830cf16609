"""A merchant over plain HTTP, who wants the shop connected and does whatever the page asks for."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests

from tests.kills.plan import Plan
from tests.kills.ways import Kills
from tests.support.database import PAST
from tests.support.site import Site, wait_until

TOKEN = "t" * 32
LINKS = 8  # redirects in a row: more would be a loop
WAITS = {"progress", "unavailable", "waiting", "garbled"}


def signed_in(site: Site, session: str) -> requests.Session:
    browser = requests.Session()
    browser.cookies.update({"sessionid": session, "csrftoken": TOKEN})
    browser.headers["Referer"] = site.url
    return browser


@dataclass
class Merchant:
    """`reference` is that of the business; the vendor's pages know the person by `email`."""

    site: Site
    vendor: str
    kills: Kills
    email: str
    reference: str
    session: str
    plans: Path
    plan: Plan = field(default_factory=Plan)
    pages: list[str] = field(default_factory=list)  # of the vendor's that were seen
    noted: str | None = None  # when the shop was checked last

    def __post_init__(self) -> None:
        self.ours = signed_in(self.site, self.session)
        self.there = requests.Session()
        self.database = self.site.database

    def planned(self, **changes: Any) -> None:
        self.plan = self.plan.write(self.plans, self.reference, **changes)

    # -- what can be seen --------------------------------------------------------------------------

    def parked(self) -> bool:
        return (self.plans / f"{self.reference}.parked").exists()

    def leaves(self) -> bool:
        """A call is at the door that the sandbox shall hold."""
        return (self.plans / f"{self.reference}.leaves").exists()

    def stopped(self) -> bool:
        return self.parked() or self.leaves()

    def attempt(self) -> dict[str, Any]:
        return self.database.attempt(self.reference)

    def shop(self) -> dict[str, Any]:
        return self.database.connection(self.reference)

    def status(self) -> str:
        return str(self.shop()["status"])

    def idle(self) -> bool:
        """Nothing of it is open, nothing is at work."""
        return bool(self.attempt()["ended"]) and not self._at_work()

    def at(self, what: str) -> str:
        """The address of a page of the attempt, or of the shop."""
        kind, row = "attempts", self.attempt()
        return f"/m/{self.reference}/{kind}/{row['reference']}/{what}"

    def shop_page(self, what: str = "") -> str:
        row = self.shop()
        return f"/m/{self.reference}/shops/{row['reference']}/{what}"

    def may_go(self) -> None:
        (self.plans / f"{self.reference}.go").touch()

    def forget_plan(self) -> None:
        for path in self.plans.glob(f"{self.reference}.*"):
            path.unlink()
        self.plan = Plan()

    # -- what can be done --------------------------------------------------------------------------

    def press(self, path: str, **data: str) -> None:
        """POST a form of ours, and go where it leads."""
        form = {**data, "csrfmiddlewaretoken": TOKEN}
        answer = self.ours.post(self.site.url + path, data=form, allow_redirects=False, timeout=60)
        assert answer.status_code in {302, 303}, (answer.status_code, answer.text[:500])
        self.follow(answer.headers["Location"])

    def begin(self) -> None:
        if self.kills.sign_up:
            self.kills.sign_up(self)
        self.press(f"/m/{self.reference}/connect/{self.kills.connector}/", name="My shop")

    def follow(self, link: str) -> None:
        """Through the vendor's pages and our return, until a page of ours is there."""
        for _ in range(LINKS):
            if link.startswith("/") or (link and not self._ours(link)):
                link = self._open(link)
            elif link:
                link = self._come_back(link)
            else:
                return
        raise AssertionError(f"{self.email} was sent round")

    def _ours(self, link: str) -> bool:
        return link.startswith(self.site.url)

    def _open(self, link: str) -> str:
        """A page of ours ends the trip; at the vendor's the main button leads on."""
        if link.startswith("/"):
            return ""
        self.planned(mints=False)
        self.pages.append(urlsplit(link).path.split("/")[3])
        page = self.there.get(link, timeout=60)
        assert page.ok, page.text
        form = {"user": "new", "email": self.email, "store": "My shop", "shop": "shop.example"}
        case = self.kills.button(urlsplit(link).path)
        answer = self.there.post(
            page.url, data={**form, "case": case}, allow_redirects=False, timeout=60
        )
        if answer.is_redirect:
            return str(answer.headers["Location"])
        found = [html.unescape(way) for way in re.findall(r'href="([^"]+)"', answer.text)]
        return next((way for way in found if self._ours(way)), "")

    def _come_back(self, link: str) -> str:
        answer = self.ours.get(link, allow_redirects=False, timeout=60)
        assert answer.status_code in {200, 303}, answer.status_code
        return answer.headers.get("Location", "")

    # -- wanting it done ---------------------------------------------------------------------------

    def want(self, done: Callable[[], bool], decide: Callable[[Merchant], None]) -> None:
        """Does what is asked for until it is `done`; `decide` is what staff do when it is theirs."""

        def further() -> bool:
            if not done():
                self._next(done, decide)
            return done()

        wait_until(f"{self.email} is done", further)

    def _next(self, done: Callable[[], bool], decide: Callable[[Merchant], None]) -> None:
        if self._at_work():
            return  # whoever asks meanwhile has to wait for the sweep
        row = self.attempt()
        if row["ended"]:
            self._repair()
        elif row["answer"] in WAITS:
            self.database.make_due(self.reference)
            wait_until(f"{self.email} is answered", lambda: done() or self._moved(row))
        elif row["answer"] in {"unsure", "blocked"}:
            decide(self)
        elif row["answer"] == "redirect" and self.database.is_away_without_return(row["id"]):
            self.press(self.at("finish/"))
        elif row["answer"] == "needs" and self.kills.install:
            self.kills.install(self)
            self.press(self.at("check/"))
        else:
            self.planned(mints=True)
            self.press(self.at("continue/"))

    def _repair(self) -> None:
        """A shop that needs its merchant: "sign in again"."""
        if self.status() == "action_needed":
            self.press(self.shop_page("reconnect/"))

    def _at_work(self) -> bool:
        """Somebody alive has the account's lease."""
        return (self.database.account(self.reference)["lease_until"] or PAST) > PAST

    def _moved(self, row: dict[str, Any]) -> bool:
        """The page shows something new, the vendor was asked in vain once more, or nobody is at it."""
        now = self.attempt()
        if (now["version"], now["answer"]) != (row["version"], row["answer"]):
            return True
        return (now["due_at"] or "") > row["due_at"] and not self._at_work()
