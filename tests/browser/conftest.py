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

from tests.conftest import ROOT
from tests.support import chromium as program
from tests.support.pictures import take_picture
from tests.support.site import Site, wait_until
from vendors import sandbox

SHOTS = ROOT / "screenshots"
WIDE, NARROW = 1280, 360
expect.set_options(timeout=20_000)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program.PROGRAM, args=program.ARGS)
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
    actions: int = 0  # clicks, and fields that were typed into, on the path to a vendor

    def open(self, path: str) -> None:
        self.page.goto(f"{self.site.url}{path}")

    def close(self) -> None:
        """The browser, with all its pages."""
        self.page.context.close()

    def press(self, name: str) -> None:
        self.actions += 1
        self.page.get_by_role("button", name=name).click()

    def follow(self, name: str) -> None:
        self.actions += 1
        self.page.get_by_role("main").get_by_role("link", name=name).click()

    def enter(self, label: str, text: str) -> None:
        self.actions += 1
        self.page.get_by_label(label).fill(text)

    def leave(self, vendor: str) -> None:
        """Go to the vendor's page: at once, or from the page that waits for the link.

        With scripts that page goes on by itself; nobody waits for it here, unless the test counts.
        """
        button = self.page.get_by_role("button", name=f"Continue to {vendor}")
        self.press(f"Continue to {vendor}")
        there = self.page.get_by_text("An imitation of")
        expect(button.or_(there)).to_be_visible()
        if button.is_visible():
            self.press(f"Continue to {vendor}")

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
        """Sign in with a code by mail, on a page that asks for the address."""
        before = len(self.site.mails(self.email))
        self.enter("Email address", self.email)
        self.press("Send me a code")
        self.enter_code(before)

    def enter_code(self, before: int) -> None:
        """The code of the mail that comes after so many. With scripts the page sends it by itself."""
        self.enter("Six-digit code", self.site.code(self.email, before))
        if not self.scripts:
            self.press("Continue")
        expect(self.page).not_to_have_url(re.compile("/login/code/"))

    def open_mail(self, subject: str, to: str) -> None:
        """Open it on the demo's page of mails, where it stands once, as an email program shows it."""
        wait_until(f"{subject} is mailed", lambda: subject in self.site.subjects(to))
        self.open("/demo/mails/")
        mails = self.page.get_by_role("article").filter(has_text=f"to {to},")
        mail = mails.filter(has=self.page.get_by_role("heading", name=subject, exact=True))
        with self.page.expect_popup() as popup:
            mail.get_by_role("link", name="See it as an email program shows it").click()
        self.page = popup.value

    def press_button_of_mail(self) -> None:
        """Its only one, in a browser that has yet to sign in."""
        button = self.page.locator("a.button")
        expect(button).to_have_count(1)
        button.click()
        self.sign_in()

    def choose(self, platform: str) -> None:
        """From the start page to the page of a shop system."""
        self.open("/")
        self.follow("Connect a shop")
        self.follow(platform)

    def business(self) -> str:
        """The reference of the business that the page belongs to."""
        found = re.search(r"/m/(\w+)/", self.page.url)
        assert found, self.page.url
        return found[1]

    def invite(self, email: str) -> str:
        """Ask somebody to the team; the link that they find in their mailbox."""
        self.page.get_by_role("link", name="Team", exact=True).click()
        self.page.get_by_role("link", name="Invite somebody").click()
        return self.send_invitation(email)

    def send_invitation(self, email: str) -> str:
        """On the page that asks for the address."""
        self.page.get_by_label("Email address").fill(email)
        self.press("Send the invitation")
        self.sees(f"{email} is invited.")
        return self.site.link(email, "/invitations/")

    def join(self, business: str, link: str = "") -> None:
        """Open the mailed link, press its button and enter the code that it sends."""
        self.page.goto(link or self.site.link(self.email, "/invitations/"))
        before = len(self.site.mails(self.email))
        self.press(f"Join {business}")
        self.enter_code(before)
        self.sees(f"You’ve joined {business}.")

    def sign_up(self, platform: str, business: str) -> None:
        """Choose a shop system, sign up, name the business: everything before “Continue to …”."""
        self.choose(platform)
        self.sign_in()
        self.enter("What is your business called?", business)

    def set_up(self, business: str) -> None:
        """Sign up and name the business, for tests that connect no shop."""
        self.open("/accounts/login/")
        self.sign_in()
        self.page.get_by_label("What is your business called?").fill(business)
        self.press("Continue")
        expect(self.page).to_have_url(re.compile(r"/m/\w+/$"))

    def name_shop(self, name: str) -> None:
        """On the page before the vendor's, where the name is folded away."""
        self.page.locator("summary", has_text="Name this shop").click()
        self.page.get_by_label("Name of this shop").fill(name)

    def let_time_pass(self) -> None:
        """As if this person had signed in, and asked for codes, ten days ago."""
        self.site.manage("shell", "-v0", "-c", TEN_DAYS_PASS % self.email)

    def shoot(self, name: str) -> None:
        """Take a screenshot; axe must find no violation."""
        SHOTS.mkdir(exist_ok=True)
        take_picture(self.page, SHOTS / f"{self.title}-{name}.png")
        if self.scripts:
            assert violations(self.page) == []


def violations(page: Page) -> list[str]:
    """The violations that axe finds, as "rule: the first element"."""
    found = Axe().run(page).response["violations"]
    return [f"{rule['id']}: {rule['nodes'][0]['html']}" for rule in found]


Visit = Callable[..., Visitor]


@pytest.fixture
def visit(site: Site, chromium: Browser, request: pytest.FixtureRequest) -> Iterator[Visit]:
    """visit("ann", scripts=False, width=360, dark=True): a person with an empty browser.

    `whose`: somebody who is there already has another browser.
    """
    opened: list[Any] = []

    def person(
        name: str,
        *,
        scripts: bool = True,
        width: int = WIDE,
        dark: bool = False,
        whose: Visitor | None = None,
        **more: Any,
    ) -> Visitor:
        context = chromium.new_context(
            java_script_enabled=scripts,
            color_scheme="dark" if dark else "light",
            viewport={"width": width, "height": 800},
            **more,
        )
        opened.append(context)
        title = re.sub(r"\W+", "-", request.node.name).strip("-")
        email = whose.email if whose else f"{name}-{len(opened)}-{title}@example.org".lower()
        return Visitor(site, context.new_page(), email, title, scripts)

    yield person
    for context in opened:
        context.close()
