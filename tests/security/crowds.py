"""Crowds at a site of real processes: many sign up or save something at once, and others read pages."""

from __future__ import annotations

import re
import resource
import sqlite3
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import requests

from tests.security.running import web_server
from tests.support.site import Site

LOGIN = "/accounts/login/"
READERS = 3  # threads that open other pages meanwhile
GIVE_UP = 60.0  # seconds
TOKEN = "t" * 32


@dataclass(frozen=True)
class Page:
    """What one request got. Status 0: no answer."""

    status: int
    seconds: float
    text: str = ""


@dataclass
class Took:
    """Pages, and how long they took."""

    pages: list[Page] = field(default_factory=list)

    def share(self, part: float) -> float:
        ordered = sorted(page.seconds for page in self.pages)
        return ordered[min(int(len(ordered) * part), len(ordered) - 1)] if ordered else 0.0

    @property
    def slowest(self) -> float:
        return self.share(1)

    @property
    def statuses(self) -> Counter[int]:
        return Counter(page.status for page in self.pages)

    def __str__(self) -> str:
        answers = ", ".join(
            f"{count} × {status}" for status, count in sorted(self.statuses.items())
        )
        return f"{answers}; p50 {self.share(0.5):.2f} s, p99 {self.share(0.99):.2f} s"


def one_process(folder: Path, **env: str) -> AbstractContextManager[Site]:
    """A site without a worker: one web process, and what an operator sets besides."""
    return web_server(folder, WEB_CONCURRENCY="1", PROXY_COUNT="1", **env)


def fetch(method: str, url: str, **how: object) -> Page:
    began = time.monotonic()
    browser = how.pop("browser", requests)
    try:
        answer = getattr(browser, method)(url, timeout=GIVE_UP, **how)
    except requests.RequestException:
        return Page(0, time.monotonic() - began)
    return Page(answer.status_code, time.monotonic() - began, answer.text)


def at_once(acts: Sequence[Callable[[], Page]]) -> Took:
    with ThreadPoolExecutor(len(acts)) as pool:
        return Took([done.result() for done in [pool.submit(act) for act in acts]])


@contextmanager
def readers(site: Site, *paths: str) -> Iterator[Took]:
    """Other people, who open these pages all the time. What they got is complete after the block."""
    over, took = threading.Event(), Took()

    def read() -> None:
        while not over.is_set():
            for path in paths:
                took.pages.append(fetch("get", site.url + path))
            over.wait(0.05)

    threads = [threading.Thread(target=read) for _ in range(READERS)]
    for thread in threads:
        thread.start()
    try:
        yield took
    finally:
        over.set()
        for thread in threads:
            thread.join()


def sign_up(site: Site, email: str, address: str) -> Callable[[], Page]:
    """Somebody with this IP address sends their email address and looks at the page that follows."""
    browser = requests.Session()
    browser.cookies.update({"gangway_csrf": TOKEN})
    browser.headers["X-Forwarded-For"] = address
    form = {"csrfmiddlewaretoken": TOKEN, "email": email}

    def act() -> Page:
        return fetch(
            "post", site.url + LOGIN, browser=browser, data=form, headers={"Referer": site.url}
        )

    return act


def sign_ups(site: Site, count: int, what: str) -> Took:
    people = [(f"{what}-{number}@example.com", f"192.0.2.{number + 1}") for number in range(count)]
    return at_once([sign_up(site, *person) for person in people])


@contextmanager
def lock_held(site: Site) -> Iterator[None]:
    """Another process holds SQLite's write lock."""
    with closing(sqlite3.connect(site.database.path, timeout=30)) as other:
        other.execute("BEGIN EXCLUSIVE")
        yield
        other.rollback()


@contextmanager
def full_disk(site: Site) -> Iterator[None]:
    """No process of the site can write a file."""
    known = subprocess.run(
        ["pgrep", "-s", str(site.processes["web"].pid)], capture_output=True, text=True, check=True
    )
    pids = [int(pid) for pid in known.stdout.split()]
    usual = {pid: resource.prlimit(pid, resource.RLIMIT_FSIZE) for pid in pids}
    for pid, (_, hard) in usual.items():
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, hard))
    yield
    for pid, limits in usual.items():
        resource.prlimit(pid, resource.RLIMIT_FSIZE, limits)


def full_cache(site: Site) -> None:
    """As many rows in the table of the cache as there may be, and one more."""
    with closing(sqlite3.connect(site.database.path, timeout=30)) as handle:
        rows = ((f"key-{number}", "gASIgC4=", "2100-01-01 00:00:00") for number in range(100_001))
        handle.executemany("INSERT INTO cache (cache_key, value, expires) VALUES (?, ?, ?)", rows)
        handle.commit()


def said(took: Took, sentence: str) -> int:
    """How many of these pages say this."""
    words = [" ".join(re.sub(r"<[^>]+>", " ", page.text).split()) for page in took.pages]
    return sum(sentence in text for text in words)
