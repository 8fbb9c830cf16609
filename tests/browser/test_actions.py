"""How many clicks and typed fields lead a new merchant to the vendor's page; the run prints the counts."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import NARROW, WIDE, Visit, Visitor
from tests.support.site import Site

TOKEN = "POST /selfservice/v1/tokens"  # itembase's link is made there
AWAY = "An imitation of"


def by_deep_link(ann: Visitor) -> None:
    ann.open("/connect/ebay/")


def from_the_start_page(ann: Visitor) -> None:
    ann.choose("eBay")


@pytest.mark.parametrize(
    ("begin", "scripts", "most"),
    [
        (by_deep_link, True, 4),
        (from_the_start_page, True, 6),
        (by_deep_link, False, 6),
        (from_the_start_page, False, 8),
    ],
)
def test_few_actions_lead_to_the_vendor(
    visit: Visit,
    site: Site,
    record_property: Callable[[str, object], None],
    begin: Callable[[Visitor], None],
    scripts: bool,
    most: int,
) -> None:
    """itembase answers after our page has given up waiting: the longest way."""
    ann = visit("ann", scripts=scripts)
    begin(ann)
    ann.sign_in()
    expect(ann.page.get_by_label("What is your business called?")).to_have_value("Example")
    site.stage.fault("itembase", TOKEN, kind="hold")
    ann.press("Continue to itembase")
    ann.page.wait_for_url("**/attempts/**")
    site.stage.release("itembase", TOKEN)
    if not scripts:
        ann.press("Continue to itembase")
    expect(ann.page.get_by_text(AWAY)).to_be_visible()
    how = f"{begin.__name__.replace('_', ' ')}, {'with' if scripts else 'without'} scripts"
    record_property("measured", f"actions to itembase {how}: {ann.actions} (at most {most})")
    assert ann.actions <= most


@pytest.fixture
def ready(visit: Visit, site: Site) -> Visitor:
    """Ann’s page says “Everything is ready”; its clock is the test’s."""
    ann = visit("ann", width=NARROW, dark=True)
    ann.sign_up("eBay", "Ann’s Antiques")
    site.stage.fault("itembase", TOKEN, kind="hold")
    ann.press("Continue to itembase")
    ann.page.wait_for_url("**/attempts/**")
    site.stage.release("itembase", TOKEN)
    ann.page.clock.install()
    ann.page.reload()
    while not ann.page.get_by_role("heading", name="Everything is ready").is_visible():
        ann.page.clock.run_for(1000)
    return ann


def in_front(ann: Visitor, *, state: str) -> None:
    ann.page.evaluate(
        "state => Object.defineProperty(document, 'visibilityState',"
        " {configurable: true, get: () => state})",
        state,
    )


def test_a_ready_page_goes_on_by_itself_once_and_only_in_front(ready: Visitor) -> None:
    opens = ready.page.get_by_text("itembase opens by itself")
    expect(opens).to_be_visible()
    ready.shoot("counting")
    in_front(ready, state="hidden")
    ready.page.clock.run_for(60_000)
    expect(opens).to_be_visible()
    in_front(ready, state="visible")
    ready.page.clock.run_for(6_000)
    expect(ready.page.get_by_text(AWAY)).to_be_visible()
    ready.page.go_back()
    ready.sees("itembase")
    ready.page.clock.run_for(60_000)
    expect(opens).to_have_count(0)
    expect(ready.page).to_have_url(re.compile("/attempts/"))


def test_whoever_wants_to_stay_stays_and_goes_on_with_the_button(ready: Visitor) -> None:
    opens = ready.page.get_by_text("itembase opens by itself")
    ready.press("Stay on this page")
    expect(opens).to_be_hidden()
    expect(ready.page.get_by_role("button", name="Continue to itembase")).to_be_focused()
    ready.page.reload()
    ready.page.clock.run_for(60_000)
    expect(opens).to_be_hidden()
    ready.shoot("stayed")
    ready.press("Continue to itembase")
    expect(ready.page.get_by_text(AWAY)).to_be_visible()


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_a_code_is_pasted_with_a_blank_and_sent_once(visit: Visit, width: int) -> None:
    ann = visit("ann", width=width)
    ann.open("/connect/ebay/")
    ann.shoot("platform")
    expect(ann.page.get_by_label("Email address")).to_be_focused()
    ann.enter("Email address", ann.email)
    ann.press("Send me a code")
    box = ann.page.get_by_label("Six-digit code")
    expect(box).to_be_focused()
    ann.shoot("code")
    sent: list[str] = []
    ann.page.on("request", lambda each: sent.append(each.method))
    code = ann.site.code(ann.email)
    box.fill(f"{code[:3]} {code[3:]}")
    ann.sees("What is your business called?")
    ann.shoot("check")
    assert sent.count("POST") == 1
