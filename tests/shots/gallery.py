"""A running site with rows for every page and state, and browsers that look at its pages."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import requests
from playwright.sync_api import Browser, BrowserContext
from playwright.sync_api import Page as Tab

from tests.security.scan import send
from tests.support.site import ROOT, Site
from vendors import sandbox

from .world import Page

MAIL = "demo-mail"
CODE = "/accounts/login/code/confirm/"


@dataclass
class Gallery:
    """`pages`: those that answer with a page of their own, each once."""

    site: Site
    cookies: dict[str, str]
    pages: list[Page]

    def url(self, page: Page) -> str:
        return urljoin(self.site.url, page.path)

    def show(self, tab: Tab, page: Page) -> None:
        """Open the page. A mail is shown without its header fields: they forbid what looks at it to run."""
        if page.name == MAIL:
            tab.set_content(requests.get(self.url(page), timeout=30).text)
            return
        tab.goto(urljoin(self.site.url, page.behind or page.path), wait_until="domcontentloaded")
        if page.behind:
            tab.locator(f'form[action="{page.path}"] button').click()
            tab.wait_for_url(self.url(page), wait_until="domcontentloaded")

    def browser(self, chromium: Browser, who: str, **look: object) -> BrowserContext:
        """A browser in which this person is signed in."""
        context = chromium.new_context(**look)  # type: ignore[arg-type]
        if session := self.cookies[who]:
            context.add_cookies(
                [{"name": "gangway_session", "value": session, "url": self.site.url}]
            )
        return context


@contextmanager
def gallery() -> Iterator[Gallery]:
    """The worker only fills the catalogue: afterwards every row stays as it was made."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name)
        stage = sandbox.start(folder / "sandbox")
        site = Site(folder, stage, extra_env={"EMAIL_URL": "demo:"})
        try:
            site.prepare()
            known = made(site)
            site.start("web")
            listed = [Page(**page) for page in known["pages"]]
            invitation = next(page.path for page in listed if page.path.startswith("/invitations/"))
            cookies = {
                **known["cookies"],
                "guest": asks_for_a_code(site, "/accounts/login/", email="guest@example.org"),
                "invited": asks_for_a_code(site, invitation),
            }
            listed += [
                Page("vendors", f"{stage.url}/", "nobody"),
                Page("invitation", invitation, "nobody"),
                *(Page(f"code-{who}", CODE, who) for who in ("guest", "invited")),
                *(Page(MAIL, path, "nobody") for path in mails(site)[:1]),
            ]
            yield Gallery(site, cookies, answering(site, cookies, listed))
        finally:
            site.stop()
            stage.stop()


def asks_for_a_code(site: Site, page: str, **typed: str) -> str:
    """The session of a guest who has asked for a code on this page, and has yet to enter it."""
    browser = requests.Session()
    send(browser, f"{site.url}{page}", **typed)
    return str(browser.cookies["gangway_session"])


def mails(site: Site) -> list[str]:
    """Where the demo shows its mails as mail programs do."""
    page = requests.get(f"{site.url}/demo/mails/", timeout=30).text
    return re.findall(r'href="(/demo/mails/[\w-]+/)"', page)


def made(site: Site) -> Any:  # JSON, as tests.shots.world says
    command = [sys.executable, "-m", "tests.shots.world"]
    done = subprocess.run(
        command, cwd=ROOT, env=site.env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def answering(site: Site, cookies: dict[str, str], pages: list[Page]) -> list[Page]:
    """Without what redirects, what only takes forms, files, and a path that came before."""
    once = {(page.path, page.who): page for page in reversed(pages)}
    return [page for page in reversed(once.values()) if is_page(site, cookies[page.who], page)]


def is_page(site: Site, session: str, page: Page) -> bool:
    if page.behind:
        return True
    answer = requests.get(
        urljoin(site.url, page.path),
        cookies={"gangway_session": session},
        allow_redirects=False,
        timeout=30,
    )
    is_file = "attachment" in answer.headers.get("Content-Disposition", "")
    is_html = answer.headers.get("Content-Type", "").startswith("text/html")
    wanted = answer.status_code == 200 or page.name.startswith("error-")
    return wanted and is_html and not is_file
