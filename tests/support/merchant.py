"""A simulated merchant: an HTTP client that follows redirects and presses a button on each vendor page."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import requests
from django.conf import settings
from django.test import Client
from django.utils import timezone

from onboarding.background import runner
from onboarding.models import Attempt, Connection, Connector, Merchant, User
from tests.support.attempts import close_pages
from tests.support.sweep import sweep

NEW_TAB = re.compile(r'action="([^"]+/continue/)"\s+target="_blank"')
LINKS = 6  # redirects in a row: more would be a loop


@dataclass
class Browser:
    """One person's browser, with cookies for our site and for the vendor."""

    user: User
    merchant: Merchant
    client: Client = field(default_factory=Client)
    vendor: requests.Session = field(default_factory=requests.Session)

    def __post_init__(self) -> None:
        self.client.force_login(self.user, "allauth.account.auth_backends.AuthenticationBackend")

    def press(self, path: str, **data: str) -> str:
        """POST a form of our site. Returns the target of the redirect."""
        answer = self.client.post(path, data)
        assert answer.status_code in {302, 303}, answer.content.decode()[:2000]
        return str(answer["Location"])

    def connect(self, connector: Connector, name: str) -> str:
        """Connect a shop, whatever else was begun."""
        page = f"/m/{self.merchant.reference}/connect/{connector.slug}/"
        return self.press(page, name=name, another="1")

    def at_vendor(self, url: str, case: str, **form: str) -> str:
        """Open a vendor's page and press a button there. Returns where it leads ("" if nowhere)."""
        page = self.vendor.get(url, timeout=10)
        assert page.ok, page.text
        shop = {"shop": "shop.example", "store": "Shop", "user": "new", "email": self.user.email}
        answer = self.vendor.post(
            page.url, data={**shop, **form, "case": case}, allow_redirects=False, timeout=10
        )
        if answer.is_redirect:
            return str(answer.headers["Location"])
        ways_back = [part.split('"')[0] for part in answer.text.split('href="')[1:]]
        ours = [html.unescape(way) for way in ways_back if way.startswith(settings.SITE_URL)]
        return ours[0] if ours else ""

    def come_back(self, url: str) -> str:
        """Open a return address of our site. Returns where it redirects, or itself if it is a page."""
        parts = urlsplit(url)
        answer = self.client.get(f"{parts.path}?{parts.query}" if parts.query else parts.path)
        return str(answer["Location"]) if answer.status_code in {302, 303} else url

    def travel(self, url: str, *cases: str, **form: str) -> None:
        """Follow a vendor's link and press these buttons until a page of our site opens."""
        pressing = list(cases)
        for _ in range(LINKS):
            if not url:
                break
            if _ours(url):
                wait_until_idle()
                further = self.come_back(url)
                url = further if further != url else self.open_beside(url)
            else:
                url = self.at_vendor(url, pressing.pop(0) if pressing else "approve", **form)
        wait_until_idle()

    def open_beside(self, url: str) -> str:
        """Press the button that opens a vendor's page in a new tab; "" if this page has none."""
        page = self.client.get(urlsplit(url).path).content.decode()
        button = NEW_TAB.search(page)
        return self.press(button[1]) if button and "/finish/" not in page else ""

    def page(self, path: str) -> str:
        answer = self.client.get(path)
        assert answer.status_code == 200, answer.status_code
        return html.unescape(answer.content.decode())


def _ours(url: str) -> bool:
    return url.startswith(("/", settings.SITE_URL))


def wait_until_idle() -> None:
    """Wait until the web process has no work left."""
    runner.executor.idle()


def time_passes() -> None:
    """Make everything that is scheduled due now, with every page closed, and run the sweep."""
    close_pages()
    now = timezone.now()
    Attempt.objects.filter(ended=None).exclude(due_at=None).update(due_at=now)
    Connection.objects.exclude(due_at=None).update(due_at=now)
    for model in (Attempt, Connection):  # a claim that waits for its account does so for a second
        claimed = model._default_manager.filter(call_started_at=None)
        claimed.exclude(lease_until=None).update(lease_until=now)
    sweep()
