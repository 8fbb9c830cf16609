"""Waiting for the vendor in Chromium: ticks, words that change, and a redirect to an undeclared host."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.support.certificates import self_signed
from tests.support.site import Site

CREATIONS = [
    "POST /reseller/tenant",
    "POST /reseller/tenant/{codeName}/user",
    "POST /reseller/tenant/{codeName}/user",
    "POST /reseller/tenant/{codeName}/connection",
]
LONGER = "This is taking longer than usual. You can close this page, and we’ll continue."
LONG = "This is taking much longer than usual. You can close this page, and we’ll keep trying."


@pytest.mark.parametrize("scripts", [True, False])
def test_who_waits_reads_what_is_done_and_how_long_it_takes(
    visit: Visit, site: Site, scripts: bool
) -> None:
    """Four creations are one step of the merchant's. The clock of the page is moved, nobody waits."""
    for route in set(CREATIONS):
        site.stage.fault("sharespine", route, kind="hold", times=2)
    ann = visit("ann", scripts=scripts)
    ann.page.clock.install()
    ann.sign_up("another shop system", "Ann’s Antiques")
    ann.press("Continue to Sharespine")
    done, doing = ann.page.locator(".checklist li.done"), ann.page.locator(".checklist li.doing")
    for route in CREATIONS:
        site.stage.wait_until_held("sharespine", route)
        expect(doing).to_contain_text("Creating the data connection")
        expect(done).to_have_count(0)
        if route == CREATIONS[0]:
            ann.sees("Preparing your connection to Sharespine")
            for seconds, words in ((10, LONGER), (50, LONG)) if scripts else ():
                ann.page.clock.fast_forward(seconds * 1000)
                ann.sees(words)
            ann.shoot("long")
        site.stage.release("sharespine", route)
    site.stage.clear()
    expect(ann.page.get_by_role("button", name="Continue to Sharespine")).to_be_visible()
    expect(done).to_have_text(["Creating the data connection (done)"], use_inner_text=False)
    ann.shoot("ready")


class Welcome(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = b"<!doctype html><title>Elsewhere</title><h1>Signed in elsewhere</h1>"
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Silent."""


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[str]:
    """A third party over https, on a host that no setting names."""
    server = ThreadingHTTPServer(("127.0.0.3", 0), Welcome)
    server.socket = self_signed(tmp_path).server().wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"https://127.0.0.3:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_vendor_may_lead_on_to_a_host_that_nobody_declared(
    visit: Visit, site: Site, elsewhere: str
) -> None:
    """Chromium checks the whole redirect chain of a form against form-action, and blocks silently."""
    page = "GET /selfservice/process/{token}"
    site.stage.fault("itembase", page, kind="status", status=302, headers={"Location": elsewhere})
    ann = visit("ann", ignore_https_errors=True)
    ann.sign_up("eBay", "Ann’s Antiques")
    ann.press("Continue to itembase")
    expect(ann.page.get_by_role("heading")).to_have_text("Signed in elsewhere")
    assert ann.page.evaluate("document.referrer") == ""
