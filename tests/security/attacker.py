"""A browser over real HTTP, in a network of its choice; what an attacker and their victim do with it."""

from __future__ import annotations

import re

import requests
from django.conf import settings
from django.core import mail

CODE = re.compile(r"^(\d{6}|[A-Z]{4}-[A-Z]{4})$", re.MULTILINE)
SPENT, WRONG = "This code no longer works", "This code is wrong"
LOGIN, RESET = "/accounts/login/", "/accounts/password/reset/"
ENTER = "/accounts/login/code/confirm/"
PATIENCE = 30  # seconds for one answer


class Browser(requests.Session):
    """`ip` is what our own proxy says (PROXY_COUNT=1)."""

    def __init__(self, site: str, ip: str = "198.51.100.1") -> None:
        super().__init__()
        self.site = site
        self.headers["X-Forwarded-For"] = ip

    def submit(self, page: str, **fields: str) -> requests.Response:
        """Send the form of a page; the first one is opened before, for its cookie."""
        if settings.CSRF_COOKIE_NAME not in self.cookies:
            self.get(self.site + LOGIN, timeout=PATIENCE)
        form = {"csrfmiddlewaretoken": self.cookies[settings.CSRF_COOKIE_NAME], **fields}
        return self.post(self.site + page, form, timeout=PATIENCE, allow_redirects=False)

    def ask(self, email: str) -> bool:
        """Ask for a code; whether one was mailed."""
        before = len(mail.outbox)
        self.submit(LOGIN, email=email)
        return len(mail.outbox) > before

    def guess(self, code: str) -> requests.Response:
        return self.submit(ENTER, code=code)

    def is_signed_in(self) -> bool:
        return "/accounts/login/" not in self.get(f"{self.site}/shops/", timeout=PATIENCE).url

    def sign_in(self, email: str) -> bool:
        """By a mailed code; whether that worked."""
        if not self.ask(email):
            return False
        self.guess(newest_code(email))
        return self.is_signed_in()

    def sign_out(self) -> None:
        self.submit("/accounts/logout/")


def newest_code(email: str) -> str:
    """The code in the newest mail to this address."""
    found = [CODE.search(str(each.body)) for each in mail.outbox if each.to == [email]]
    codes = [match[1] for match in found if match]
    assert codes, f"no code for {email}"
    return codes[-1]


def wrong(email: str, number: int = 0) -> str:
    """A code that is not the one that was mailed, and another one for each number."""
    return f"{(int(newest_code(email)) + 1 + number) % 1_000_000:06}"


def guess_wrong(site: str, ip: str, email: str, most: int) -> int:
    """Wrong guesses at an address, from new browsers, until they are refused; how many were compared."""
    compared = 0
    while compared < most:
        browser = Browser(site, ip)
        if not browser.ask(email):
            break
        for number in range(min(3, most - compared)):
            said = browser.guess(wrong(email, number)).text
            if WRONG not in said and SPENT not in said:
                return compared
            compared += 1
    return compared
