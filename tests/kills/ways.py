"""What merchants, staff and the worker want done: how it is begun, gone on with, and seen to be done.

The ways that every vendor has are here; a vendor declares its own, and its calls, in a `Kills`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from tests.kills.plan import AFTER, BEFORE, DEED, HELD, SAVED
from tests.support.registry import declared, required
from vendors.sandbox import Running

if TYPE_CHECKING:
    from tests.kills.harness import Harness
    from tests.kills.merchant import Merchant

Steps = tuple[tuple[str, ...], ...]
Deed = Callable[["Harness", "Merchant"], None]
Seen = Callable[["Harness", "Merchant"], bool]
Rows = Mapping[str, Any]
Depth = Literal["thorough", "deed", "first"]


@dataclass(frozen=True)
class Made:
    """`counts`: things of the merchant there, by kind. `ids`: (the vendor's, ours) of each key."""

    counts: dict[str, int]
    ids: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Way:
    """`begin` is what is killed; `again`: what its asker does when nothing is there to go on with.

    `before`: what was wanted, undisturbed, of a shop that was connected. `ends`: its status then.
    `depth`: killed at every boundary, where the deed is done, or after the first call of each step.
    """

    begin: Deed
    done: Seen
    before: tuple[tuple[Deed, Seen], ...] = ()
    again: Deed = field(default=lambda harness, merchant: None)
    ends: str = "connected"
    depth: Depth = "deed"

    def boundaries(self, *, first: bool, last: bool) -> tuple[str, ...]:
        """Where a call is killed. What follows the last call of a step belongs to the step."""
        if self.depth == "first":
            return (AFTER,) if first else ()
        if self.depth == "thorough":
            calls = (BEFORE, HELD, AFTER)
            return (*calls, DEED, SAVED) if last else calls
        return (AFTER, DEED) if last else ()


@dataclass(frozen=True)
class Lost:
    """An answer that cannot be asked for again: the merchant goes to `page` of the vendor once.

    `way` and `route` name the call, `at` the boundaries at which a kill loses its answer.
    """

    way: str
    route: str
    page: str
    at: frozenset[str]


def _default_button(path: str) -> str:
    return "approve"


@dataclass(frozen=True, kw_only=True)
class Kills:
    """What one vendor adds to the matrix of kills. `KILLS` in tests/vendors/<slug>/kills.py."""

    MODULE: ClassVar[str] = "kills"
    NAME: ClassVar[str] = "KILLS"

    steps: Mapping[tuple[str, str], Steps] = required(
        "(way, process) → the calls of each step of an undisturbed run, in their order"
    )
    connector: str = required("the slug of the connector that the merchants choose")
    look: Callable[[Rows, Merchant, Rows, Rows], Made] = required(
        "look(state, merchant, account, shop) → what the sandbox has of this merchant, as a Made"
    )
    one: Mapping[str, int] = required(
        "kind → how many a merchant with one connected shop has there"
    )
    other: Mapping[str, Mapping[str, int]] = field(default_factory=dict)  # way → what differs
    ways: Mapping[str, Way] = field(default_factory=dict)  # beside the common ones
    lost: tuple[Lost, ...] = ()
    # What staff find at the vendor: found(state, merchant, doubt) → an id, or "" for none.
    found: Callable[[Rows, Merchant, str], str] | None = None
    sign_up: Callable[[Merchant], None] | None = None  # there, before the shop is begun
    install: Callable[[Merchant], None] | None = None  # there, when the page says "needs"
    button: Callable[[str], str] = _default_button  # the case to press on a page, by its path
    settings: Mapping[str, str] = field(default_factory=dict)
    permit: Callable[[Running], None] | None = None  # what the vendor has to allow first
    # At a vendor that has room for few: what is done with goes.
    make_room: Callable[[Running, Iterable[Merchant]], None] | None = None
    # Called in the process that is killed, before each step, with its way.
    before_step: Callable[[str], None] | None = None

    def way(self, name: str) -> Way:
        return {**COMMON, **self.ways}[name]

    def things(self, way: str) -> dict[str, int]:
        """What of a merchant exists in the end, by kind."""
        return {**self.one, **self.other.get(way, {})}


def kills() -> Mapping[str, Kills]:
    return declared(Kills)


# -- the ways that every vendor has ----------------------------------------------------------------


def stands(status: str) -> Seen:
    return lambda harness, merchant: merchant.status() == status and merchant.idle()


def connect(harness: Harness, merchant: Merchant) -> None:
    merchant.begin()


def button(name: str) -> Deed:
    return lambda harness, merchant: merchant.press(merchant.shop_page(f"{name}/"))


def ask(harness: Harness, merchant: Merchant) -> None:
    """The time for a check has come."""
    merchant.noted = merchant.shop()["checked_at"]
    harness.database.make_check_due(merchant.reference)


def ask_again(harness: Harness, merchant: Merchant) -> None:
    harness.database.make_check_due(merchant.reference)


def checked(harness: Harness, merchant: Merchant) -> bool:
    """The vendor said so, after the check was wanted."""
    row = merchant.shop()
    fresh = row["checked_at"] != merchant.noted
    return fresh and row["status"] == "connected" and merchant.idle()


CONNECT = "connect"
CONNECTED: tuple[Deed, Seen] = (connect, stands("connected"))
PAUSED: tuple[Deed, Seen] = (button("pause"), stands("paused"))
COMMON: Mapping[str, Way] = {
    CONNECT: Way(*CONNECTED, depth="thorough"),
    "disconnect": Way(
        button("disconnect"), stands("disconnected"), (CONNECTED,), ends="disconnected"
    ),
    "pause": Way(*PAUSED, (CONNECTED,), ends="paused"),
    "resume": Way(button("resume"), stands("connected"), (CONNECTED, PAUSED)),
    "check": Way(ask, checked, (CONNECTED,), ask_again),
}
