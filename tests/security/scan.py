"""Runs the scanner Wapiti against a running site, as a visitor, a merchant and a member of staff.

`make scan` installs it in an environment of its own and passes its path. Everything stays on the loopback:
the site, its sandbox and its mails are made for the scan. Ends with status 1 if anything was found.

    python -m tests.security.scan .venv-scan/bin/wapiti [--seconds 120]
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests

from tests.support.site import Site
from vendors import sandbox

# Without those that need a server of Wapiti's on the internet.
MODULES = (
    "backup,cookieflags,crlf,csp,csrf,exec,file,http_headers,methods,permanentxss,redirect,sql,"
    "upload,xss"
)
STAFF, MERCHANT = "staff@example.com", "mia@example.com"
# The scanner presses every button: these would end its own session or a whole business.
LEFT_OUT = (
    *("/accounts/logout/", "/admin/logout/", "/accounts/sessions/", "/accounts/close/"),
    *("/static/", "/health/"),
)
# A loopback site is served without TLS, so that two of Wapiti's categories say nothing here:
# tests/security/ checks them on a site whose SITE_URL is https.
NEEDS_HTTPS = {
    "Secure Flag cookie",
    "Strict-Transport-Security (HSTS)",
    "HTTP Strict Transport Security (HSTS)",
}


@dataclass
class Finding:
    role: str
    category: str
    method: str
    path: str
    info: str

    def __str__(self) -> str:
        return f"{self.role}: {self.category}: {self.method} {self.path}: {self.info}"


def sign_in(site: Site, address: str) -> requests.Session:
    """A browser in which this person has signed in by a mailed code."""
    browser = requests.Session()
    send(browser, f"{site.url}/accounts/login/", email=address)
    page = f"{site.url}/accounts/login/code/confirm/"
    answer = send(browser, page, code=site.code(address))
    assert "/accounts/login" not in answer.url, answer.url
    return browser


def send(browser: requests.Session, page: str, **fields: str) -> requests.Response:
    """Fill in the form of this page and send it."""
    text = browser.get(page, timeout=10).text
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', text)
    assert token, page
    data = {"csrfmiddlewaretoken": token[1], **fields}
    return browser.post(page, data=data, headers={"Referer": page}, timeout=10)


def a_business(site: Site, browser: requests.Session) -> None:
    """A merchant's business, with a shop that is being connected."""
    send(browser, f"{site.url}/welcome/", name="Mia's shop")
    found = re.search(
        r'href="(/connect/[\w-]+/)"', browser.get(f"{site.url}/connectors/", timeout=10).text
    )
    assert found
    browser.get(site.url + found[1], timeout=10)


def scan(
    site: Site, wapiti: Path, role: str, browser: requests.Session, seconds: int
) -> Iterator[Finding]:
    """What Wapiti finds with the cookies of this browser."""
    report = site.folder / f"{role}.json"
    cookies = "; ".join(f"{each.name}={each.value}" for each in browser.cookies)
    command = [
        *(str(wapiti), "-u", f"{site.url}/", "-m", MODULES, "-f", "json", "-o", str(report)),
        *("--max-scan-time", str(seconds), "--max-attack-time", str(seconds), "--tasks", "4"),
        *("--flush-session", "--no-bugreport", "-v", "0", "--scope", "folder", "--drop-set-cookie"),
        *("--store-session", str(site.folder / role), "--store-config", str(site.folder / role)),
        *(word for path in START[role] for word in ("-s", site.url + path)),
        *(word for path in LEFT_OUT for word in ("-x", f"{site.url}{path}*")),
        *(("-C", cookies) if cookies else ()),
    ]
    subprocess.run(command, check=True, timeout=seconds * 20)
    yield from findings(role, json.loads(report.read_text()))


START = {
    "visitor": ("/", "/connectors/", "/accounts/login/"),
    "merchant": ("/shops/", "/connectors/", "/accounts/email/", "/accounts/2fa/"),
    "staff": ("/admin/", "/admin/onboarding/"),
}


def findings(role: str, report: dict[str, dict[str, list[dict[str, str]]]]) -> Iterator[Finding]:
    for kind in ("vulnerabilities", "anomalies"):
        for category, found in report[kind].items():
            if category in NEEDS_HTTPS:
                continue
            for each in found:
                yield Finding(role, category, each["method"], each["path"], each["info"])


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("wapiti", type=Path)
    options.add_argument("--seconds", type=int, default=120, help="for each role and module")
    chosen = options.parse_args()
    with running_site() as site:
        found = list(scan_as_everybody(site, chosen.wapiti.absolute(), chosen.seconds))
        crashes = [line for line in site.logs().splitlines() if "Traceback" in line]
    print("\n".join(map(str, found)) or "Nothing was found.")  # noqa: T201
    print(f"Errors in the site's log: {len(crashes)}")  # noqa: T201
    return int(bool(found or crashes))


@contextmanager
def running_site() -> Iterator[Site]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        stage = sandbox.start(folder / "sandbox")
        site = Site(folder, stage)
        try:
            site.prepare()
            site.manage("staff", STAFF)
            site.start()
            yield site
        finally:
            site.stop()
            stage.stop()


def scan_as_everybody(site: Site, wapiti: Path, seconds: int) -> Iterator[Finding]:
    merchant = sign_in(site, MERCHANT)
    a_business(site, merchant)
    browsers = {
        "visitor": requests.Session(),
        "merchant": merchant,
        "staff": sign_in(site, STAFF),
    }
    for role, browser in browsers.items():
        yield from scan(site, wapiti, role, browser, seconds)


if __name__ == "__main__":
    sys.exit(main())
