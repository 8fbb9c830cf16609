"""A simulated merchant over plain HTTP, who does whatever the page asks for until the shop is connected."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests

from tests.kills.breakpoints import Breakpoint
from tests.kills.scenarios import Kills
from tests.support.database import PAST
from tests.support.site import Site, wait_until

TOKEN = "t" * 32
LINKS = 8  # redirects in a row: more would be a loop
WAITS = {"progress", "unavailable", "waiting", "garbled"}


def signed_in(site: Site, session: str) -> requests.Session:
    browser = requests.Session()
    browser.cookies.update({"gangway_session": session, "gangway_csrf": TOKEN})
    browser.headers["Referer"] = site.url
    return browser


@dataclass
class Merchant:
    """`reference`: of the business. `email`: the person's, also at the vendor."""

    site: Site
    vendor: str
    kills: Kills
    email: str
    reference: str
    session: str
    breakpoints: Path
    breakpoint: Breakpoint = field(default_factory=Breakpoint)
    pages: list[str] = field(default_factory=list)  # the vendor's pages that were visited
    checked_before: str | None = None  # when the last check was, before the one that is killed

    def __post_init__(self) -> None:
        self.site_session = signed_in(self.site, self.session)
        self.vendor_session = requests.Session()
        self.database = self.site.database

    def set_breakpoint(self, **changes: Any) -> None:
        self.breakpoint = self.breakpoint.write(self.breakpoints, self.reference, **changes)

    # -- state -------------------------------------------------------------------------------------

    def halted(self) -> bool:
        return (self.breakpoints / f"{self.reference}.halted").exists()

    def held_at_gate(self) -> bool:
        """A call waits until the sandbox is told to hold it."""
        return (self.breakpoints / f"{self.reference}.gate").exists()

    def stopped(self) -> bool:
        return self.halted() or self.held_at_gate()

    def attempt(self) -> dict[str, Any]:
        return self.database.attempt(self.reference)

    def connection(self) -> dict[str, Any]:
        return self.database.connection(self.reference)

    def status(self) -> str:
        return str(self.connection()["status"])

    def idle(self) -> bool:
        """The attempt has ended, and no process works on the account."""
        return bool(self.attempt()["ended"]) and not self._at_work()

    def attempt_page(self, what: str) -> str:
        """The path of a page of the attempt."""
        row = self.attempt()
        return f"/m/{self.reference}/attempts/{row['reference']}/{what}"

    def shop_page(self, what: str = "") -> str:
        row = self.connection()
        return f"/m/{self.reference}/shops/{row['reference']}/{what}"

    def open_gate(self) -> None:
        (self.breakpoints / f"{self.reference}.open").touch()

    def clear_breakpoint(self) -> None:
        for path in self.breakpoints.glob(f"{self.reference}.*"):
            path.unlink()
        self.breakpoint = Breakpoint()

    # -- actions -----------------------------------------------------------------------------------

    def press(self, path: str, **data: str) -> None:
        """POST a form of our site, and follow where it leads."""
        form = {**data, "csrfmiddlewaretoken": TOKEN}
        answer = self.site_session.post(
            self.site.url + path, data=form, allow_redirects=False, timeout=60
        )
        assert answer.status_code in {302, 303}, (answer.status_code, answer.text[:500])
        self.follow(answer.headers["Location"])

    def begin(self) -> None:
        if self.kills.sign_up:
            self.kills.sign_up(self)
        self.press(f"/m/{self.reference}/connect/{self.kills.connector}/", name="My shop")

    def follow(self, link: str) -> None:
        """Go through the vendor's pages and our return until a page of our site opens."""
        for _ in range(LINKS):
            if link.startswith("/") or (link and not self._is_ours(link)):
                link = self._open(link)
            elif link:
                link = self._come_back(link)
            else:
                return
        raise AssertionError(f"{self.email} was redirected in a loop")

    def _is_ours(self, link: str) -> bool:
        return link.startswith(self.site.url)

    def _open(self, link: str) -> str:
        """A page of our site is the end; on a vendor's page, press the main button."""
        if link.startswith("/"):
            return ""
        self.set_breakpoint(mints=False)
        self.pages.append(urlsplit(link).path.split("/")[3])
        page = self.vendor_session.get(link, timeout=60)
        assert page.ok, page.text
        form = {"user": "new", "email": self.email, "store": "My shop", "shop": "shop.example"}
        case = self.kills.button(urlsplit(link).path)
        answer = self.vendor_session.post(
            page.url, data={**form, "case": case}, allow_redirects=False, timeout=60
        )
        if answer.is_redirect:
            return str(answer.headers["Location"])
        found = [html.unescape(href) for href in re.findall(r'href="([^"]+)"', answer.text)]
        return next((href for href in found if self._is_ours(href)), "")

    def _come_back(self, link: str) -> str:
        answer = self.site_session.get(link, allow_redirects=False, timeout=60)
        assert answer.status_code in {200, 303}, answer.status_code
        return answer.headers.get("Location", "")

    # -- acting until it is done -------------------------------------------------------------------

    def act_until(self, done: Callable[[], bool], decide: Callable[[Merchant], None]) -> None:
        """Do what the page asks for until `done`; `decide` is what staff do when it is their turn."""

        def step() -> bool:
            if not done():
                self._act(done, decide)
            return done()

        wait_until(f"{self.email} is done", step)

    def _act(self, done: Callable[[], bool], decide: Callable[[Merchant], None]) -> None:
        if self._at_work():
            return  # a process is working on it
        row = self.attempt()
        if row["ended"]:
            self._repair()
        elif row["answer"] in WAITS:
            self.database.make_due(self.reference)
            wait_until(f"{self.email} is answered", lambda: done() or self._has_moved(row))
        elif row["answer"] in {"unsure", "blocked"}:
            decide(self)
        elif row["answer"] == "redirect" and self.database.is_away_without_return(row["id"]):
            self.press(self.attempt_page("finish/"))
        elif row["answer"] == "needs" and self.kills.install:
            self.kills.install(self)
            self.press(self.attempt_page("check/"))
        else:
            self.set_breakpoint(mints=True)
            self.press(self.attempt_page("continue/"))

    def _repair(self) -> None:
        """Reconnect a shop that needs its merchant."""
        if self.status() == "action_needed":
            self.press(self.shop_page("reconnect/"))

    def _at_work(self) -> bool:
        """A process holds the account's lease."""
        return (self.database.account(self.reference)["lease_until"] or PAST) > PAST

    def _has_moved(self, row: dict[str, Any]) -> bool:
        """The page has changed, or another retry has failed and no process works on it."""
        now = self.attempt()
        if (now["version"], now["answer"]) != (row["version"], row["answer"]):
            return True
        return (now["due_at"] or "") > row["due_at"] and not self._at_work()
