"""Every page and state as people meet it: with axe, on small screens, by keyboard, in their own colours, on paper."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, Page

from tests.shots import gallery as galleries
from tests.shots.gallery import Gallery
from tests.shots.world import Page as Shown

# What another width or colour scheme may change. All other rules see the same in each look.
BY_LOOK = {
    "runOnly": {"type": "rule", "values": ["color-contrast", "target-size", "link-in-text-block"]}
}
LOOKS = [(1280, "dark"), (360, "dark"), (360, "light")]
SMALLEST = 320  # CSS pixels: also a window of 1280 at 400 %
WALKED = ("start", "catalogue", "platform-ebay", "account_login", "code", "check-", "attempt-ready")
RUN = "options => axe.run(document, options).then(({violations}) => violations.map(v => [v.id, v.nodes[0].html]))"
OVERFLOW = """() => {
  const page = document.documentElement;
  if (page.scrollWidth <= page.clientWidth) return "";
  const wide = [...document.querySelectorAll("body *")].find(
    (each) => each.getBoundingClientRect().right > page.clientWidth + 1);
  return `${page.scrollWidth}: ${wide ? wide.outerHTML.slice(0, 120) : ""}`;
}"""
# The stops of the Tab key: what is seen and not switched off, and one of each group of radio buttons.
STOPS = """() => {
  const found = [...document.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex='0']")]
    .filter((each) => each.type !== "hidden" && !each.disabled && each.checkVisibility({visibilityProperty: true}))
    .filter((each) => each.type !== "radio" || each.checked
      || each === document.querySelector(`[name="${each.name}"]`)
         && !document.querySelector(`[name="${each.name}"]:checked`));
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
  const ink = getComputedStyle(document.querySelector("h1")).color.match(/\\d+/g).map(Number);
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
        context = gallery.browser(chromium, who, viewport={"width": 1280, "height": 800}, **look)
        tab = context.new_page()
        for page in pages:
            if page.who == who:
                tab.goto(gallery.url(page), wait_until="domcontentloaded")
                yield page.name, tab
        context.close()


def test_axe_finds_nothing_and_nothing_is_too_wide(gallery: Gallery, chromium: Browser) -> None:
    """Every page, light and dark, at 1280 and 360 pixels; and none scrolls sideways at 320."""
    found, began = [], time.monotonic()
    for name, tab in tabs(
        gallery, chromium, gallery.pages, color_scheme="light", reduced_motion="reduce"
    ):
        tab.evaluate(AXE_SCRIPT)
        found += [(name, "1280 light", *each) for each in tab.evaluate(RUN, {})]
        for width, scheme in LOOKS:
            tab.set_viewport_size({"width": width, "height": 800})
            tab.emulate_media(color_scheme=scheme)
            found += [(name, f"{width} {scheme}", *each) for each in tab.evaluate(RUN, BY_LOOK)]
        tab.set_viewport_size({"width": SMALLEST, "height": 640})
        if too_wide := tab.evaluate(OVERFLOW):
            found.append((name, f"{SMALLEST}", too_wide))
        tab.set_viewport_size({"width": 1280, "height": 800})
        tab.emulate_media(color_scheme="light")
    print(f"\n{len(gallery.pages)} pages in {time.monotonic() - began:.0f} s")  # noqa: T201
    assert found == []


def test_the_path_is_walked_by_keyboard(gallery: Gallery, chromium: Browser) -> None:
    """Tab reaches all that can be used, shows where it is, and leaves at the end; the first stop skips."""
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
        assert reached[-1] is None, f"{name}: a trap at {reached[-1]}"
        assert {each[0] for each in reached[:-1]} == {str(at) for at in range(stops)}, name
        assert [each for each in reached[:-1] if not each[1]] == [], name


def test_the_first_stop_leads_past_the_header(gallery: Gallery, chromium: Browser) -> None:
    start = [page for page in gallery.pages if page.name == "start"]
    for _, tab in tabs(gallery, chromium, start):
        tab.keyboard.press("Tab")
        tab.keyboard.press("Enter")
        assert tab.evaluate("() => document.activeElement.id") == "main"


def test_forced_colours_keep_every_edge(gallery: Gallery, chromium: Browser) -> None:
    """Backgrounds go there: what is a button, a card or a status still has a line around it."""
    pages = [
        page
        for page in gallery.pages
        if page.who in {"nobody", "mia", "guest"} and "://" not in page.path
    ]
    for name, tab in tabs(gallery, chromium, pages, forced_colors="active"):
        assert tab.evaluate(WITHOUT_EDGE) == [], name


def test_paper_gets_what_is_read_and_nothing_to_press(gallery: Gallery, chromium: Browser) -> None:
    pages = [
        page
        for page in gallery.pages
        if page.name.startswith(("start", "check-", "attempt-", "shop-"))
    ]
    for name, tab in tabs(gallery, chromium, pages, color_scheme="dark"):
        tab.emulate_media(media="print")
        assert tab.get_by_role("heading").first.is_visible(), name
        assert tab.evaluate(DARK_OR_TO_PRESS) == [], name
