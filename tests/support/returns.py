"""Returns from a vendor: the page that follows, and snapshots of what a return could change."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.test import Client
from django.urls import reverse

from onboarding.journey import hops
from onboarding.models import Account, Attempt, Connection, Hop, User
from tests.support.attempts import CONNECTED
from tests.support.people import People
from tests.support.scripted import Scripted
from tests.support.visit import OPEN, browser, browser_cookie, start_attempt, url, visible_text

BACK = reverse("return", args=["scripted"])
LOST = reverse("return-lost", args=["scripted"])
NOT_YOURS = "no connection that you started with this account. Nothing was changed."
NOT_KNOWN = "no connection that we know. Nothing was changed."


def state(attempt: Attempt) -> str:
    """The state with which the newest tab at the vendor will come back."""
    away = Hop.objects.filter(attempt=attempt).exclude(taken=None)
    return str(away.exclude(state=None).latest("pk").state)


def left_with(attempt: Attempt, user: User) -> None:
    """It was this user who left, with their own browser."""
    for hop in Hop.objects.filter(attempt=attempt):
        hop.user, hop.browser = user, hops.browser_hash(hop, browser_cookie(user))
        hop.save()


def come_back(client: Client, attempt: Attempt, **params: str) -> Any:
    return client.get(BACK, {"state": state(attempt), **params})


def page_after_return(client: Client, response: Any) -> str:
    """What a person reads after a return: one redirect without a referrer, then a page."""
    assert response.status_code == 303
    assert (response["Referrer-Policy"], response["Cache-Control"]) == ("no-referrer", "no-store")
    page = client.get(response["Location"])
    assert page.status_code == 200
    return visible_text(page)


def snapshot() -> list[tuple[Any, ...]]:
    """Everything that a return could change, for all merchants."""
    return [
        *Hop.objects.order_by("pk").values_list("pk", "state", "spent", "claimed", "params"),
        *Attempt.objects.order_by("pk").values_list(
            "pk", "status", "answer", "call_number", "version", "due_at", "ended", "user"
        ),
        *connections_snapshot(),
    ]


def connections_snapshot() -> list[tuple[Any, ...]]:
    """The connections and accounts, with their memos."""
    return [
        *Connection.objects.order_by("pk").values_list("pk", "status", "shop_id", "memo", "key"),
        *Account.objects.order_by("pk").values_list("pk", "memo", "key", "announced", "unsure"),
    ]


@contextmanager
def nothing_changes() -> Iterator[None]:
    before = snapshot()
    yield
    assert snapshot() == before


@contextmanager
def no_shop_changes() -> Iterator[None]:
    before = connections_snapshot()
    yield
    assert connections_snapshot() == before


def connected(people: People, scripted: Scripted) -> Connection:
    """Alice's shop is connected."""
    attempt = start_attempt(people, scripted, OPEN)
    scripted.script.append(CONNECTED)
    come_back(browser(people.alice), attempt)
    return connection_of(attempt)


def reconnecting(people: People, scripted: Scripted) -> Attempt:
    """Alice's shop is connected, and she is at the vendor to reconnect it."""
    shop = connected(people, scripted)
    scripted.script.append(OPEN)
    assert browser(people.alice).post(url("reconnect", shop)).status_code == 303
    return Attempt.objects.select_related("connection__account__merchant").latest("pk")


def open_again(people: People, scripted: Scripted, attempt: Attempt) -> None:
    """A second tab: another link of the same attempt."""
    scripted.script.append(OPEN)
    assert browser(people.alice).post(url("continue", attempt)).status_code == 303
    assert not scripted.script


def connection_of(attempt: Attempt) -> Connection:
    return Connection.objects.select_related("account__merchant").get(pk=attempt.connection_id)
