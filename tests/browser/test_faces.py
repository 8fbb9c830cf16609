"""Every page and state as people meet it: axe, small screens, keyboards, forced colours, paper."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, Page, ViewportSize

from tests.shots import gallery as galleries
from tests.shots.gallery import Gallery
from tests.shots.world import Page as Shown

# What another width or colour scheme may change. All other rules see the same in each look. One other look
# is enough: the width changes no colour, and the colour scheme no size.
BY_LOOK = {
    "runOnly": {"type": "rule", "values": ["color-contrast", "target-size", "link-in-text-block"]}
}
# A mail has no landmarks; what WCAG asks of it is asked.
OF_A_MAIL = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]}}
# Django's own: the empty head of a tabular inline, and the label of the filter of its two lists.
OF_STAFF = {
    "rules": {name: {"enabled": False} for name in ("empty-table-header", "aria-prohibited-attr")}
}
WIDE: ViewportSize = {"width": 1280, "height": 800}
NARROW: ViewportSize = {"width": 360, "height": 800}
SMALLEST: ViewportSize = {"width": 320, "height": 640}  # CSS pixels: also a window of 1280 at 400 %
WALKED = (
    *("start", "catalogue", "platform-ebay", "account_login", "code-", "ask", "check-"),
    *("attempt-ready", "attempt-connected"),
)
# Without `preload`: axe would fetch the style sheet again, for a rule that is not on.
RUN = """async (options) => {
  const { violations } = await axe.run(document, { resultTypes: ["violations"], preload: false, ...options });
  return violations.map((each) => `${each.id} ${each.nodes[0].html}`);
}"""
OVERFLOW = """() => {
  const page = document.documentElement;
  if (page.scrollWidth <= page.clientWidth) return [];
  const wide = [...document.querySelectorAll("body *")].find(
    (each) => each.getBoundingClientRect().right > page.clientWidth + 1);
  return [`${page.scrollWidth} pixels wide: ${wide ? wide.outerHTML.slice(0, 120) : ""}`];
}"""
KINDS = """() => [...document.querySelectorAll("body *")].map(
  (each) => `${each.tagName} ${each.getAttribute("class") || ""}`)"""
# The stops of the Tab key: what is seen and not switched off, and one of each group of radio buttons.
STOPS = """() => {
  const all = "a[href], button, input, select, textarea, summary, [tabindex='0']";
  const seen = { visibilityProperty: true };
  const isFirst = ({ name }) => !document.querySelector(`[name="${name}"]:checked`)
    && document.querySelector(`[name="${name}"]`);
  const found = [...document.querySelectorAll(all)]
    .filter((each) => each.type !== "hidden" && !each.disabled && each.checkVisibility(seen))
    .filter((each) => each.type !== "radio" || each.checked || isFirst(each) === each);
  found.forEach((each, at) => { each.dataset.stop = at; });
  return found.length;
}"""
FOCUSED = """() => {
  const here = document.activeElement;
  if (!here || here === document.body) return null;
  const outlined = (style) => style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
  let seen = outlined(getComputedStyle(here)) || outlined(getComputedStyle(here, "::after"));
  for (let above = here.parentElement; above && !seen; above = above.parentElement) {
    seen = outlined(getComputedStyle(above));
  }
  return [here.dataset.stop, seen, here.outerHTML.slice(0, 120)];
}"""

WITHOUT_EDGE = """() => [...document.querySelectorAll("main button, main .button, .card, .tag, .notice")]
  .filter((each) => each.checkVisibility() && !each.matches(".button--link"))
  .filter((each) => parseFloat(getComputedStyle(each).borderTopWidth) < 1)
  .map((each) => each.outerHTML.slice(0, 120))"""
DARK_OR_TO_PRESS = """() => {
  const pressed = [...document.querySelectorAll("nav a, .buttons .button, .buttons button, .site-footer")]
    .filter((each) => each.checkVisibility()).map((each) => each.outerHTML.slice(0, 120));
  const head = document.querySelector("h1") || document.body;
  const ink = getComputedStyle(head).color.match(/\\d+/g).map(Number);
  return Math.max(...ink) > 100 ? [...pressed, `ink ${ink}`] : pressed;
}"""


@pytest.fixture(scope="module")
def gallery() -> Iterator[Gallery]:
    with galleries.gallery() as found:
        yield found


def tabs(
    gallery: Gallery, chromium: Browser, pages: list[Shown], **look: Any
) -> Iterator[tuple[str, Page]]:
    """Each of these pages in a tab, one after the other."""
    for who in gallery.cookies:
        context = gallery.browser(chromium, who, viewport=WIDE, **look)
        tab = context.new_page()
        for page in pages:
            if page.who == who:
                gallery.show(tab, page)
                yield page.name, tab
        context.close()


@pytest.mark.parametrize("group", ["nobody", "new", "attempts", "mia", "staff"])
def test_every_page_is_for_everybody(gallery: Gallery, chromium: Browser, group: str) -> None:
    """Axe finds nothing on it, and it is not too wide for the smallest screen. A page that brings something
    new is looked at light and dark, wide and narrow, in forced colours and on paper, too."""
    began, known, faults = time.monotonic(), set[str](), []
    pages = [page for page in gallery.pages if group_of(page) == group]
    assert pages
    for name, tab in tabs(gallery, chromium, pages, color_scheme="light", reduced_motion="reduce"):
        rules = OF_A_MAIL if name == galleries.MAIL else OF_STAFF if group == "staff" else {}
        faults += [f"{name}: {fault}" for fault in faults_of(tab, rules)]
        kinds = {*tab.evaluate(KINDS)}
        if kinds - known and name != galleries.MAIL:
            faults += [f"{name}, {look}" for look in faults_of_looks(tab)]
        known |= kinds
    print(f"\n{group}: {len(pages)} pages in {time.monotonic() - began:.0f} s")  # noqa: T201
    assert faults == []


def group_of(page: Shown) -> str:
    if page.who in ("guest", "invited", "partner"):
        return "new"
    return "attempts" if page.name.startswith("attempt-") else page.who


def faults_of(tab: Page, rules: Mapping[str, object]) -> list[str]:
    tab.evaluate(AXE_SCRIPT)
    found: list[str] = tab.evaluate(RUN, rules)
    if "/admin/" not in tab.url:  # staff's tables need their width
        tab.set_viewport_size(SMALLEST)
        found += tab.evaluate(OVERFLOW)
        tab.set_viewport_size(WIDE)
    return found


def faults_of_looks(tab: Page) -> Iterator[str]:
    ours = tab.url.startswith("http://localhost") and "/admin/" not in tab.url
    tab.set_viewport_size(NARROW)
    tab.emulate_media(color_scheme="dark")
    yield from (f"narrow and dark: {fault}" for fault in tab.evaluate(RUN, BY_LOOK))
    if ours:
        tab.emulate_media(forced_colors="active")
        yield from (f"forced colours, no edge: {fault}" for fault in tab.evaluate(WITHOUT_EDGE))
        tab.emulate_media(forced_colors="none", media="print", color_scheme="dark")
        yield from (f"paper: {fault}" for fault in tab.evaluate(DARK_OR_TO_PRESS))
    tab.emulate_media(forced_colors="none", media="screen", color_scheme="light")
    tab.set_viewport_size(WIDE)


def test_the_path_is_walked_by_keyboard(gallery: Gallery, chromium: Browser) -> None:
    """Tab reaches all that can be used, in its order, shows where it is, and leaves in the end."""
    walked = [page for page in gallery.pages if page.name.startswith(WALKED)]
    assert len(walked) > len(WALKED)
    for name, tab in tabs(gallery, chromium, walked):
        tab.evaluate(
            "() => document.activeElement.blur()"
        )  # of a field that takes the focus itself
        stops, reached = tab.evaluate(STOPS), []
        tab.evaluate("() => { document.body.tabIndex = -1; document.body.focus(); }")
        for _ in range(stops + 1):
            tab.keyboard.press("Tab")
            reached.append(tab.evaluate(FOCUSED))
        assert [each[0] for each in reached[:-1]] == [str(at) for at in range(stops)], name
        assert reached[-1] is None or reached[-1][0] == "0", f"{name}: a trap at {reached[-1]}"
        assert [each for each in reached[:-1] if not each[1]] == [], name


def test_the_first_stop_leads_past_the_header(gallery: Gallery, chromium: Browser) -> None:
    start = [page for page in gallery.pages if page.name == "start"]
    for _, tab in tabs(gallery, chromium, start):
        tab.keyboard.press("Tab")
        tab.keyboard.press("Enter")
        assert tab.evaluate("() => document.activeElement.id") == "main"
