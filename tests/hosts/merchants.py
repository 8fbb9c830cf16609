"""Merchants who connect a shop over HTTP and, when the site does not answer, open their page again."""

from __future__ import annotations

import html
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urljoin, urlsplit

import requests

from tests.bench.load import Shopper
from tests.kills.scenarios import Kills

PATIENCE = 240.0  # seconds for one merchant, outages included
RELOAD_AFTER = 1.0  # seconds
# What an attempt's page asks for: the first of its buttons is the main one.
BUTTON = re.compile(r'action="([^"]+/(?:continue|check|finish|reconnect)/)"')
POLL = re.compile(r'hx-get="([^"]+)"[^>]*\s+hx-trigger="load delay:(\d+)s')
SET_UP = re.compile(r"tag--(?:connected|reported)\b")  # in the list of shops
LINKS = 8  # redirects in a row: more would be a loop


class SiteTrouble(Exception):
    """The site did not answer, or said that it cannot now: people open the page again a bit later."""


@dataclass
class Merchant(Shopper):
    """`name` also tells whom it is at the vendor. `troubles`: what they saw instead of a page."""

    name: str = ""
    vendor: str = ""
    kills: Kills = field(kw_only=True, repr=False)
    stage: str = field(kw_only=True)  # the address of the vendors
    began: float = 0.0
    troubles: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._session.cookies.set("gangway_session", self.key, domain="localhost.local")
        self.at_vendor = requests.Session()

    @property
    def reference(self) -> str:
        return self.merchant

    @property
    def email(self) -> str:
        return f"{self.name}@example.org"

    def connect_shop(self) -> None:
        """Until the shop is set up. AssertionError: it never was, within PATIENCE."""
        self.began = time.time()
        deadline = time.monotonic() + PATIENCE
        if self.kills.sign_up:
            self._at_celigo()
        while not self.connected:
            try:
                self._go_on()
            except (SiteTrouble, requests.RequestException) as trouble:
                self.troubles.append(f"{type(trouble).__name__}: {trouble}")
                time.sleep(RELOAD_AFTER)
            assert time.monotonic() < deadline, f"{self.name} is not done: {self.troubles[-3:]}"
        self.seconds = time.time() - self.began

    def _go_on(self) -> None:
        """Look at the list of shops, open the one that was begun, wait as its page does, press its button."""
        home = self.get(f"/m/{self.merchant}/").text
        if SET_UP.search(home):
            self.connected = True
        elif row := re.search(rf'href="(/m/{self.merchant}/(?:attempts|shops)/[^"/]+/)"', home):
            self._do_what_is_asked(self.get(row[1]).text)
        else:
            path = f"/m/{self.merchant}/connect/{self.kills.connector}/"
            self._follow(self.post(path, self.get(path).text, name="My shop"))

    def _do_what_is_asked(self, page: str) -> None:
        while not BUTTON.search(page) and (poll := POLL.search(page)):
            time.sleep(int(poll[2]))
            page = self.get(html.unescape(poll[1])).text
        if not (button := BUTTON.search(page)):
            return  # it is the shop's page by now
        if self.kills.install and "/check/" in button[1]:
            self._at_celigo()
        self._follow(self.post(button[1], page))

    def _follow(self, answer: requests.Response) -> None:
        """To the vendor and back, until a page of the site opens."""
        where = answer.headers.get("Location", "")
        for _ in range(LINKS):
            where = urljoin(self.site, where)
            if where.startswith(self.stage):
                where = self._at_vendor(where)
            elif "/m/" in urlsplit(where).path or not urlsplit(where).query:
                return
            else:
                answer = self._session.get(where, allow_redirects=False, timeout=60)
                where = self._seen(answer).headers.get("Location", "")
        raise SiteTrouble("was redirected in a loop")

    def _at_vendor(self, where: str) -> str:
        page = self.at_vendor.get(where, timeout=60)
        form = {"shop": "shop.example", "store": "Shop", "user": "new", "email": self.email}
        sent = self.at_vendor.post(
            page.url, data={**form, "case": "approve"}, allow_redirects=False, timeout=60
        )
        return sent.headers.get("Location", "")

    def _at_celigo(self) -> None:
        """The main button there: it makes an account, and installs the app that has its licence."""
        form = {"user": "new", "email": self.email, "case": "approve"}
        self.at_vendor.post(f"{self.stage}/celigo/", data=form, timeout=60)

    def _seen(self, answer: requests.Response) -> requests.Response:
        if answer.status_code >= 500:
            raise SiteTrouble(f"{answer.status_code} {urlsplit(answer.url).path}")
        return super()._seen(answer)


@dataclass
class Crowd:
    """Some merchants at a time, one after the other without pause, until it is stopped."""

    waiting: Iterator[Merchant]
    at_once: int
    pause: float = 0.0
    came: list[Merchant] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def start(self) -> None:
        self._threads = [
            threading.Thread(target=self._come, daemon=True) for _ in range(self.at_once)
        ]
        for thread in self._threads:
            thread.start()

    def _come(self) -> None:
        while not self._stop.is_set() and (merchant := self._next()):
            try:
                merchant.connect_shop()
            except Exception as failure:  # noqa: BLE001  # whatever it is, the run reports it
                self.failures.append(f"{merchant.name}: {failure!r}")
            self._stop.wait(self.pause)

    def _next(self) -> Merchant | None:
        with self._lock:
            merchant = next(self.waiting, None)
            if merchant:
                self.came.append(merchant)
            return merchant

    def finish(self) -> None:
        """Nobody comes any more; those who have come finish."""
        self._stop.set()
        self.wait()

    def wait(self) -> None:
        for thread in self._threads:
            thread.join()
