"""Fixtures of the browser tests: a real site, real sandboxes, Debian's Chromium, and users with mailboxes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.conftest import CHROMIUM, ROOT
from tests.support.site import Site
from vendors import sandbox

SHOTS = ROOT / "screenshots"
ARGS = [
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
WIDE, NARROW = 1280, 360
expect.set_options(timeout=20_000)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One new site per test module; each test brings its own merchants."""
    folder = tmp_path_factory.mktemp("site")
    stage = sandbox.start(folder / "sandbox")
    site = Site(folder, stage)
    site.prepare()
    site.start()
    yield site
    site.stop()
    stage.stop()


TEN_DAYS_PASS = """
from django.core.cache import cache
from onboarding.models import Session
from onboarding.models.sessions import SessionStore
cache.clear()
for row in Session.objects.filter(user__email="%s"):
    data = row.get_decoded()
    for record in data["account_authentication_methods"]:
        record["at"] -= 10 * 24 * 3600
    row.session_data = SessionStore().encode(data)
    row.save(update_fields=["session_data"])
"""


@dataclass
class Visitor:
    """A person with a browser and a mailbox."""

    site: Site
    page: Page
    email: str
    title: str
    scripts: bool

    def open(self, path: str) -> None:
        self.page.goto(f"{self.site.url}{path}")

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name).click()

    def leave(self, vendor: str) -> None:
        """Go to the vendor's page: at once, or by the button of the page that waits for the link."""
        button = self.page.get_by_role("button", name=f"Continue to {vendor}")
        button.click()
        there = self.page.get_by_text("An imitation of")
        expect(button.or_(there)).to_be_visible()
        if button.is_visible():
            button.click()

    def leave_beside(self, vendor: str) -> Page:
        """Go to a vendor that sends nobody back: its page opens in a new tab beside ours."""
        button = self.page.get_by_role("button", name=f"Continue to {vendor}")
        if "/attempts/" not in self.page.url:
            button.click()
            self.page.wait_for_url("**/attempts/**")
        with self.page.expect_popup() as popup:
            button.click()
        expect(popup.value.get_by_text("An imitation of")).to_be_visible()
        return popup.value

    def set_up_at_sharespine(self) -> None:
        """In Sharespine's tab; our page stays open beside it and notices."""
        tab = self.leave_beside("Sharespine")
        tab.get_by_role("button", name="Set up my shop").click()
        expect(tab.get_by_text("You can close this page.")).to_be_visible()
        tab.close()
        self.press("I have finished")

    def sees(self, words: str) -> None:
        """Wait for it: with scripts the page polls, without them it refreshes itself."""
        expect(self.page.get_by_role("main")).to_contain_text(words)

    def sign_in(self) -> None:
        """Sign in on the email page with a code by mail."""
        before = len(self.site.mails(self.email))
        self.page.get_by_label("Email address").fill(self.email)
        self.press("Send me a code")
        self.page.get_by_label("Six-digit code").fill(self.site.code(self.email, before))
        self.press("Continue")

    def sign_up(self, platform: str, business: str) -> None:
        """From the start page: choose a shop system, sign up, name the business."""
        self.open("/")
        self.page.get_by_role("main").get_by_role("link", name="Connect a shop").click()
        self.page.get_by_role("link", name=platform).click()
        self.page.get_by_role("link", name="Continue").click()
        self.sign_in()
        self.page.get_by_label("What is your business called?").fill(business)
        self.press("Continue")

    def let_time_pass(self) -> None:
        """As if this person had signed in, and asked for codes, ten days ago."""
        self.site.manage("shell", "-v0", "-c", TEN_DAYS_PASS % self.email)

    def shoot(self, name: str) -> None:
        """Take a screenshot; axe must find no violation."""
        SHOTS.mkdir(exist_ok=True)
        self.page.screenshot(path=SHOTS / f"{self.title}-{name}.png", full_page=True)
        if self.scripts:
            assert violations(self.page) == []


def violations(page: Page) -> list[str]:
    """The violations that axe finds, as "rule: the first element"."""
    found = Axe().run(page).response["violations"]
    return [f"{rule['id']}: {rule['nodes'][0]['html']}" for rule in found]


Visit = Callable[..., Visitor]


@pytest.fixture
def visit(site: Site, chromium: Browser, request: pytest.FixtureRequest) -> Iterator[Visit]:
    """visit("ann", scripts=False, width=360, dark=True): a person with an empty browser."""
    opened: list[Any] = []

    def person(
        name: str, *, scripts: bool = True, width: int = WIDE, dark: bool = False, **more: Any
    ) -> Visitor:
        context = chromium.new_context(
            java_script_enabled=scripts,
            color_scheme="dark" if dark else "light",
            viewport={"width": width, "height": 800},
            **more,
        )
        opened.append(context)
        title = re.sub(r"\W+", "-", request.node.name).strip("-")
        email = f"{name}-{len(opened)}-{title}@example.org".lower()
        return Visitor(site, context.new_page(), email, title, scripts)

    yield person
    for context in opened:
        context.close()
