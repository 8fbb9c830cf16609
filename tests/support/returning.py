"""Coming back from a vendor in odd ways: what one reads then, and that the books are as before."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.test import Client
from django.urls import reverse

from onboarding.models import Account, Attempt, Connection, Hop
from tests.support.people import People
from tests.support.play import CONNECTED
from tests.support.scripted import Scripted
from tests.support.visit import OPEN, browser, setting_out, url, words

BACK = reverse("return", args=["scripted"])
LOST = reverse("return-lost", args=["scripted"])
NOT_YOURS = "not on a trip that you began with this account. Nothing was changed."
NOT_KNOWN = "not on a trip that we know. Nothing was changed."


def state(attempt: Attempt) -> str:
    """The state with which the newest tab at the vendor will come back."""
    away = Hop.objects.filter(attempt=attempt).exclude(taken=None)
    return str(away.exclude(state=None).latest("pk").state)


def come_back(client: Client, attempt: Attempt, **params: str) -> Any:
    return client.get(BACK, {"state": state(attempt), **params})


def landed(client: Client, response: Any) -> str:
    """What a person reads after a return: one redirect that tells nobody anything, then a page."""
    assert response.status_code == 303
    assert (response["Referrer-Policy"], response["Cache-Control"]) == ("no-referrer", "no-store")
    page = client.get(response["Location"])
    assert page.status_code == 200
    return words(page)


def books() -> list[tuple[Any, ...]]:
    """All that a return could change, whosever it is."""
    return [
        *Hop.objects.order_by("pk").values_list("pk", "state", "spent", "claimed", "params"),
        *Attempt.objects.order_by("pk").values_list(
            "pk", "status", "answer", "call_number", "version", "due_at", "ended", "user"
        ),
        *shops(),
    ]


def shops() -> list[tuple[Any, ...]]:
    """What is known of the shops and accounts, their memos too."""
    return [
        *Connection.objects.order_by("pk").values_list("pk", "status", "shop_id", "memo", "key"),
        *Account.objects.order_by("pk").values_list("pk", "memo", "key", "announced", "unsure"),
    ]


@contextmanager
def nothing_changes() -> Iterator[None]:
    before = books()
    yield
    assert books() == before


@contextmanager
def no_shop_changes() -> Iterator[None]:
    before = shops()
    yield
    assert shops() == before


def connected(people: People, scripted: Scripted) -> Connection:
    """Alice's shop works."""
    attempt = setting_out(people, scripted, OPEN)
    scripted.script.append(CONNECTED)
    come_back(browser(people.alice), attempt)
    return shop_of(attempt)


def reconnecting(people: People, scripted: Scripted) -> Attempt:
    """Alice's shop works, and she has gone to the vendor once more."""
    shop = connected(people, scripted)
    scripted.script.append(OPEN)
    assert browser(people.alice).post(url("reconnect", shop)).status_code == 303
    return Attempt.objects.select_related("connection__account__merchant").latest("pk")


def open_again(people: People, scripted: Scripted, attempt: Attempt) -> None:
    """A second tab: another link of the same attempt."""
    scripted.script.append(OPEN)
    assert browser(people.alice).post(url("continue", attempt)).status_code == 303
    assert not scripted.script


def shop_of(attempt: Attempt) -> Connection:
    return Connection.objects.select_related("account__merchant").get(pk=attempt.connection_id)
