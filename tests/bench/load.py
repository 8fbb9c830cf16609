"""Load generator: many merchants over plain HTTP, with real sessions, forms, polls and returns."""

from __future__ import annotations

import html
import json
import re
import time
from dataclasses import dataclass, field
from urllib.parse import urljoin

import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from tests.support.site import Site

PATIENCE = 900.0  # seconds for one merchant to connect a shop
MAKE = """
import json
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from allauth.account.models import EmailAddress
from onboarding.models import Account, Connection, Connector, Merchant, User
from onboarding.models.sessions import SessionStore
made = []
for number in range({count}):
    user = User.objects.create_user(f"crowd-{{number}}@example.org")
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    merchant = Merchant.objects.create(name=f"Crowd {{number}}")
    merchant.memberships.create(user=user, role="owner")
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = "allauth.account.auth_backends.AuthenticationBackend"
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
    made.append([merchant.reference, session.session_key])
account = Account.objects.create(merchant=merchant, vendor="sharespine")
connector = Connector.objects.filter(vendor="sharespine").first()
for number in range(20):
    Connection.objects.create(
        account=account, vendor="sharespine", connector=connector, name=f"Shop {{number}}",
        status="connected", turn="", answer="connected")
print("made", json.dumps(made))
"""


def create_shoppers(site: Site, count: int) -> list[Shopper]:
    """`count` signed-in merchants without shops, and one more with twenty."""
    output = site.manage("shell", "-c", MAKE.format(count=count + 1))
    made = json.loads(output.rpartition("made ")[2])
    return [Shopper(site.url, reference, key) for reference, key in made]


@dataclass
class Shopper:
    """One merchant's browser. `errors`: responses with a status of 400 or more."""

    site: str
    merchant: str
    key: str = field(repr=False)
    errors: list[str] = field(default_factory=list)
    connected: bool = False
    seconds: float = 0.0
    _session: requests.Session = field(default_factory=requests.Session)

    def __post_init__(self) -> None:
        self._session.cookies.set("gangway_session", self.key, domain="localhost.local")
        # The server may close a kept-alive connection just as it is used: browsers retry then.
        again = Retry(2, redirect=False, status=0, allowed_methods=None)
        self._session.mount("http://", HTTPAdapter(max_retries=again))

    def get(self, path: str) -> requests.Response:
        return self._seen(self._session.get(urljoin(self.site, path), timeout=60))

    def post(self, path: str, page: str, **data: str) -> requests.Response:
        found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)', page)
        assert found, f"no form to send to {path}"
        sent = self._session.post(
            urljoin(self.site, path),
            data={**data, "csrfmiddlewaretoken": found[1]},
            headers={"Referer": self.site, "Origin": self.site},
            allow_redirects=False,
            timeout=60,
        )
        return self._seen(sent)

    def connect(self, slug: str) -> None:
        """From the check page through the vendor's pages to "is connected"."""
        began = time.monotonic()
        page = f"/m/{self.merchant}/connect/{slug}/"
        form = self.get(page).text
        where = self.post(page, form, name="My shop").headers["Location"]
        while not self.connected and time.monotonic() - began < PATIENCE:
            where = self._onward(urljoin(self.site, where))
        self.seconds = time.monotonic() - began

    def _onward(self, where: str) -> str:
        if not where.startswith(self.site):
            return self._at_vendor(where)
        answer = self._seen(self._session.get(where, allow_redirects=False, timeout=60))
        if answer.is_redirect:
            return answer.headers["Location"]
        return self._wait(where, answer.text)

    def _at_vendor(self, where: str) -> str:
        page = self._session.get(where, timeout=60)
        form = {"shop": "shop.example", "store": "Shop", "user": "new", "case": "approve"}
        email = f"{self.merchant}@example.org"
        sent = self._session.post(
            page.url, data={**form, "email": email}, allow_redirects=False, timeout=60
        )
        return sent.headers["Location"]

    def _wait(self, where: str, page: str) -> str:
        """Do what the page does: poll at its interval, and press Continue when it is there."""
        while found := re.search(r'hx-get="([^"]+)"\s+hx-trigger="load delay:(\d+)s', page):
            time.sleep(int(found[2]))
            page = self.get(html.unescape(found[1])).text
        if "is connected" in html.unescape(page):
            self.connected = True
            return ""
        go_on = re.search(r'action="([^"]+/(?:continue|check)/)"', page)
        assert go_on, (
            f"a page without a button: {' '.join(re.sub('<[^>]+>', ' ', page).split())[:400]}"
        )
        return self.post(go_on[1], page).headers["Location"]

    def _seen(self, answer: requests.Response) -> requests.Response:
        if answer.status_code >= 400:
            self.errors.append(f"{answer.status_code} {answer.request.path_url.partition('?')[0]}")
        return answer
