"""What a page weighs when nothing is cached: kilobytes, requests, and whether it moves while it loads.

The figures are printed at the end of the run, under MEASURED. Pages are as in production: DEBUG off, files
collected.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route

from tests.conftest import CHROMIUM, LIGHTHOUSE
from tests.security.scan import a_business, sign_in
from tests.support.site import Site

KILOBYTES, REQUESTS, SHIFT = 60.0, 10, 0.01
START, CATALOGUE, PLATFORM, SIGN_IN = "/", "/connectors/", "/connect/ebay/", "/accounts/login/"
CHECK = "check"
PUBLIC = [START, CATALOGUE, PLATFORM, SIGN_IN]
PHONE, DESK = 360, 1280
PERFORMANCE = 98
RUNS = 3  # at most, of which the best counts: a busy machine makes a page slow, never fast
# Lighthouse's figure for the processor (benchmarkIndex); that of a laptop with nothing else to do is higher.
FAST_ENOUGH = 1500
TIMED = {"total-blocking-time", "largest-contentful-paint", "first-contentful-paint", "speed-index"}
SHIFTED = """document.fonts.ready.then(
  () => new Promise((done) => setTimeout(() => done(window.shifted || 0), 100)))"""
SHIFTS = """
new PerformanceObserver((list) => {
  for (const each of list.getEntries()) window.shifted = (window.shifted || 0) + each.value;
}).observe({ type: "layout-shift", buffered: true });
"""


Measured = Callable[[str], None]


@pytest.fixture
def measured(record_property: Callable[[str, object], None]) -> Measured:
    """Adds a line to MEASURED."""
    return partial(record_property, "measured")


@pytest.fixture(scope="module")
def merchant(site: Site) -> dict[str, str]:
    """A merchant's cookies, and the path of the page to check before leaving for a vendor."""
    browser = sign_in(site, "mia@example.com")
    a_business(site, browser)
    page = browser.get(f"{site.url}/go/itembase-ebay/", timeout=30)
    assert page.ok
    assert "/connect/" in page.url
    return {**dict(browser.cookies.items()), CHECK: page.url.removeprefix(site.url)}


def opened(chromium: Browser, site: Site, merchant: dict[str, str], path: str, **look: Any) -> Page:
    """A tab of a browser that has never been here; the check page's is signed in."""
    context: BrowserContext = chromium.new_context(**look)
    if path == CHECK:
        names = (name for name in merchant if name != CHECK)
        context.add_cookies([{"name": n, "value": merchant[n], "url": site.url} for n in names])
    return context.new_page()


@pytest.mark.parametrize("path", [*PUBLIC, CHECK])
def test_a_page_is_as_light_as_a_letter_and_nothing_moves_while_it_loads(
    chromium: Browser, site: Site, merchant: dict[str, str], measured: Measured, path: str
) -> None:
    """Even where its font comes late. The bytes are those on the wire, header fields included."""
    for width in (PHONE, DESK):
        tab = opened(chromium, site, merchant, path, viewport={"width": width, "height": 800})
        sizes = sizes_of(tab)
        tab.add_init_script(SHIFTS)
        tab.route("**/*.woff2", late)
        tab.goto(f"{site.url}{merchant.get(path, path)}", wait_until="networkidle")
        shift = tab.evaluate(SHIFTED)
        tab.context.close()
        kilobytes = sum(sizes.values()) / 1000
        measured(
            f"{path} at {width}: {kilobytes:.1f} kB (at most {KILOBYTES:.0f}), {len(sizes)} requests "
            f"(at most {REQUESTS}), layout shift {shift:.4f} (below {SHIFT}): {figures(sizes)}"
        )
        assert min(sizes.values()) > 0, sizes
        assert kilobytes <= KILOBYTES
        assert len(sizes) <= REQUESTS
        assert shift < SHIFT


def sizes_of(tab: Page) -> dict[str, float]:
    """The bytes of each request of this tab, by its URL; filled while the tab loads."""
    network, names, sizes = tab.context.new_cdp_session(tab), dict[str, str](), dict[str, float]()
    network.send("Network.enable")

    def asked(event: dict[str, Any]) -> None:
        names[event["requestId"]] = event["request"]["url"]
        sizes[names[event["requestId"]]] = 0

    def loaded(event: dict[str, Any]) -> None:
        sizes[names[event["requestId"]]] += event["encodedDataLength"]

    network.on("Network.requestWillBeSent", asked)
    network.on("Network.loadingFinished", loaded)
    return sizes


def figures(sizes: dict[str, float]) -> str:
    """The files of a page and their bytes; the heaviest first."""
    of_files = sorted(((size, urlsplit(url).path) for url, size in sizes.items()), reverse=True)
    return ", ".join(f"{Path(path).name or 'the page'} {size:.0f}" for size, path in of_files)


def late(route: Route) -> None:
    """After the page was drawn in a font of the machine."""
    time.sleep(0.4)
    route.continue_()


@pytest.mark.lighthouse
@pytest.mark.parametrize("path", PUBLIC)
def test_lighthouse_finds_nothing_to_mend_on_a_phone(
    site: Site, tmp_path: Path, measured: Measured, path: str
) -> None:
    """100 of accessibility, best practices and SEO; 98 of performance in the best of three runs.

    Performance is that of a phone and a network which Lighthouse simulates from what it sees here. Where the
    processor is slow or busy, its time counts as the page’s. So there a score that only audits of time have
    lowered is reported under MEASURED, and fails nothing: what a page weighs, and whether it moves, is
    proved above, by figures that are the same on each machine.
    """
    asked = ["performance", "accessibility", "best-practices", "seo"]
    for run in range(RUNS):
        report = lighthouse(f"{site.url}{path}", tmp_path / f"{run}.json", asked)
        scores = {name: round(each["score"] * 100) for name, each in report["categories"].items()}
        machine = f"processor {report['environment']['benchmarkIndex']:.0f}, load {load():.0f}"
        measured(f"{path}, run {run + 1}: Lighthouse {scores}, {lost(report)}, {machine}")
        performance = scores.pop("performance")
        assert scores == dict.fromkeys(asked[1:], 100)
        if performance >= PERFORMANCE:
            return
        assert {*lost(report)} <= TIMED
        asked = ["performance"]  # the rest is the same in each run
    slow = report["environment"]["benchmarkIndex"] < FAST_ENOUGH or load() > (os.cpu_count() or 1)
    assert slow, f"{path}: a performance of {performance} ({machine})"
    measured(f"TOO SLOW OR BUSY A MACHINE to tell the performance of {path}: {machine}")


def load() -> float:
    """How many processes wanted to run at a time, in the last minute."""
    return os.getloadavg()[0]


def lighthouse(url: str, report: Path, asked: list[str]) -> Any:
    """Lighthouse's report on a page, as a phone sees it. On a busy machine it may fail to record one."""
    flags = "--headless=new --no-sandbox --disable-gpu --no-first-run"
    command = [
        *(LIGHTHOUSE, url, "--quiet", "--output=json", f"--output-path={report}"),
        *("--throttling-method=simulate", "--disable-full-page-screenshot"),
        f"--only-categories={','.join(asked)}",
        f"--chrome-flags={flags}",
    ]
    env = {**os.environ, "CHROME_PATH": CHROMIUM}
    for _ in range(RUNS):
        done = subprocess.run(
            command, env=env, capture_output=True, text=True, timeout=240, check=False
        )
        if done.returncode == 0:
            return json.loads(report.read_text())
    raise AssertionError(re.sub(r"\x1b\[\d+m", "", done.stderr)[-2000:])


def lost(report: Any) -> list[str]:
    """The audits that took points."""
    categories = report["categories"].values()
    counted = {ref["id"] for each in categories for ref in each["auditRefs"] if ref["weight"]}
    scores = {name: report["audits"][name]["score"] for name in counted}
    return sorted(name for name, score in scores.items() if score is not None and score < 1)
