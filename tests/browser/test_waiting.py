"""Waiting for the vendor in Chromium: ticks one by one, and a redirect to an undeclared host."""

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
    ("POST /reseller/tenant", "Your Sharespine account is created"),
    ("POST /reseller/tenant/{codeName}/user", "Your sign-in there is made"),
    ("POST /reseller/tenant/{codeName}/user", "A sign-in for the exchange of data is made"),
    ("POST /reseller/tenant/{codeName}/connection", "The connection for the exchange of data"),
]


@pytest.mark.parametrize("scripts", [True, False])
def test_a_tick_is_seen_one_at_a_time(visit: Visit, site: Site, scripts: bool) -> None:
    for route, _ in dict(CREATIONS).items():
        site.stage.fault("sharespine", route, kind="hold", times=2)
    ann = visit("ann", scripts=scripts)
    ann.sign_up("Any other shop system", "Ann’s Antiques")
    ann.press("Continue to Sharespine")
    ticks = ann.page.locator(".checklist li.done")
    for number, (route, _) in enumerate(CREATIONS):
        site.stage.wait_until_held("sharespine", route)
        expect(ticks).to_have_count(number)
        site.stage.release("sharespine", route)
    site.stage.clear()
    expect(ann.page.get_by_role("button", name="Continue to Sharespine")).to_be_visible()
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
