"""What merchants, staff and the worker want done: how it is begun, gone on with, and seen to be done."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import requests

from tests.kills.cases import SIGN_IN
from tests.kills.harness import Harness
from tests.kills.merchant import Merchant
from tests.kills.sandboxes import api_password, renewed

UNTIL = "2030-01-31"
Deed = Callable[[Harness, Merchant], None]
Seen = Callable[[Harness, Merchant], bool]


def stands(status: str) -> Seen:
    return lambda harness, merchant: merchant.status() == status and merchant.idle()


@dataclass(frozen=True)
class Way:
    """`begin` is what is killed; `again`: what its asker does when nothing is there to go on with.

    `before`: what was wanted, undisturbed, of a shop that was connected.
    """

    begin: Deed
    done: Seen
    before: tuple[tuple[Deed, Seen], ...] = ()
    again: Deed = field(default=lambda harness, merchant: None)


def connect(harness: Harness, merchant: Merchant) -> None:
    merchant.begin()


CONNECTED: tuple[Deed, Seen] = (connect, stands("connected"))


def button(name: str) -> Deed:
    return lambda harness, merchant: merchant.press(merchant.shop_page(f"{name}/"))


def ask(harness: Harness, merchant: Merchant) -> None:
    """The time for a check has come."""
    merchant.noted = merchant.shop()["checked_at"]
    harness.books.check_due(merchant.reference)


def ask_again(harness: Harness, merchant: Merchant) -> None:
    harness.books.check_due(merchant.reference)


def checked(harness: Harness, merchant: Merchant) -> bool:
    """The vendor said so, after the check was wanted."""
    row = merchant.shop()
    fresh = row["checked_at"] != merchant.noted
    return fresh and row["status"] == "connected" and merchant.idle()


def tell_password(harness: Harness, merchant: Merchant) -> None:
    """Staff enter the password of the API user: the shop is checked with it at once."""
    merchant.noted = merchant.shop()["checked_at"]
    password = api_password(harness.site.stage, merchant)
    account = harness.books.account(merchant.reference)["id"]
    answer = harness.staff(f"account/{account}/know/", answer_api_password=password)
    assert answer.status_code == 302


def expire(harness: Harness, merchant: Merchant) -> None:
    """The access token is old: the check has to renew it first."""
    stage = harness.site.stage
    users = [row for row in stage.state("itembase")["users"] if row["email"] == merchant.email]
    stage.change("itembase", "grants", {"user": users[0]["id"]}, expires_at=0)
    harness.an_hour_later(merchant)
    ask(harness, merchant)


def extend(harness: Harness, merchant: Merchant) -> None:
    """Staff's button is answered when it is done, or when the process is dead."""

    def press() -> None:
        try:
            extend_again(harness, merchant)
        except requests.ConnectionError:
            return

    threading.Thread(target=press, daemon=True).start()


def extend_again(harness: Harness, merchant: Merchant) -> None:
    shop = merchant.shop()["id"]
    answer = harness.staff(f"connection/{shop}/act/renew/", answer_until=UNTIL)
    assert answer.status_code == 302, answer.status_code


def extended(harness: Harness, merchant: Merchant) -> bool:
    return renewed(harness.site.stage, merchant, UNTIL) and merchant.idle()


def rotated(harness: Harness, merchant: Merchant) -> bool:
    newest = merchant.attempt()
    return newest["purpose"] == "act" and stands("connected")(harness, merchant)


PAUSED: tuple[Deed, Seen] = (button("pause"), stands("paused"))

WAYS: Mapping[str, Way] = {
    "connect": Way(*CONNECTED),
    SIGN_IN: Way(*CONNECTED),
    "disconnect": Way(button("disconnect"), stands("disconnected"), (CONNECTED,)),
    "pause": Way(*PAUSED, (CONNECTED,)),
    "resume": Way(button("resume"), stands("connected"), (CONNECTED, PAUSED)),
    "rotate": Way(button("actions/rotate"), rotated, (CONNECTED,)),
    "check": Way(ask, checked, (CONNECTED,), ask_again),
    "confirm": Way(ask, checked, (CONNECTED, (tell_password, checked)), ask_again),
    "refresh": Way(expire, checked, (CONNECTED,), ask_again),
    "extend": Way(extend, extended, (CONNECTED,), extend_again),
}
