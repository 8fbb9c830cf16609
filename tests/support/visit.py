"""Visit pages as a user; work for a vendor runs inline."""

from __future__ import annotations

import html
import re
from concurrent.futures import Future
from typing import Any

from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from onboarding.background.executor import Work
from onboarding.models import Attempt, Connection, Connector, User
from onboarding.views.vendor_trip.browser import COOKIE, LENGTH
from tests.support.people import People, connector
from tests.support.scripted import Answer, Scripted
from vendors.contract import Redirect

LINK = "https://vendor.example/open?token=1"
OPEN = Redirect(url=LINK)


class InlineExecutor:
    """An executor that runs work when it is submitted."""

    def crowded(self, vendor: str) -> bool:
        return False

    def urgent(self, vendor: str) -> bool:
        return False

    def submit(self, vendor: str, key: str, work: Work, *, first: bool = False) -> Future[None]:
        assert work() is None
        done: Future[None] = Future()
        done.set_result(None)
        return done

    def idle(self) -> None:
        """Everything was done when it was submitted."""


def browser(user: User | None = None, *, of: User | None = None, strict: bool = False) -> Client:
    """The one browser that this user has, in which they are signed in; `of`: without being signed in.

    `strict`: forms need their CSRF token, as in production.
    """
    client = Client(enforce_csrf_checks=strict)
    if owner := user or of:
        client.cookies[COOKIE] = browser_cookie(owner)
    if user:
        client.force_login(user)
    return client


def other_browser(user: User) -> Client:
    """Another browser of this user, in which they are signed in: it never left for a vendor."""
    client = Client()
    client.force_login(user)
    return client


def browser_cookie(user: User) -> str:
    return f"{user.pk:0{LENGTH}d}"


def visible_text(response: Any) -> str:
    """The visible text of a page, with runs of blanks collapsed."""
    assert isinstance(response, HttpResponse)
    body = re.sub(r"<(script|style|title).*?</\1>", " ", response.content.decode(), flags=re.S)
    visible = " ".join(html.unescape(re.sub(r"<[^>]+>", " ", body)).split())
    return visible.replace("( ", "(").replace(" )", ")")


def url(name: str, row: Attempt | Connection) -> str:
    connection = row.connection if isinstance(row, Attempt) else row
    return reverse(name, args=[connection.account.merchant.reference, row.reference])


def offer(vendor: str = "scripted", key: str = "shop", **fields: Any) -> Connector:
    return Connector.objects.filter(vendor=vendor, key=key).first() or connector(
        vendor, key, **fields
    )


def start_attempt(
    people: People, scripted: Scripted, *answers: Answer, name: str = "My shop"
) -> Attempt:
    """Alice presses "Continue to Scripted", and the vendor gives these answers."""
    scripted.script.extend(answers)
    slug = offer().slug
    page = reverse("connect", args=[people.acme.reference, slug])
    response = browser(people.alice).post(page, {"name": name, "another": "1"})
    assert response.status_code == 303
    assert not scripted.script
    return Attempt.objects.select_related("connection__account__merchant").latest("pk")
