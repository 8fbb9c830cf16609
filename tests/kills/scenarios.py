"""Scenarios of the kill tests: how an operation starts, how it is retried, and when it is done.

The scenarios that all vendors share are here. A vendor declares its own, and its calls, in a `Kills`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from tests.kills.breakpoints import AFTER, BEFORE, HELD, RECEIVED, SAVED
from tests.support.registry import declared, required
from vendors.sandbox import Running

if TYPE_CHECKING:
    from tests.kills.harness import Harness
    from tests.kills.merchant import Merchant

Steps = tuple[tuple[str, ...], ...]
Act = Callable[["Harness", "Merchant"], None]
Condition = Callable[["Harness", "Merchant"], bool]
Rows = Mapping[str, Any]
Depth = Literal["thorough", "response", "first"]


@dataclass(frozen=True)
class Made:
    """What the vendor has of a merchant. `counts`: by kind. `ids`: pairs (the vendor's id, ours)."""

    counts: dict[str, int]
    ids: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Scenario:
    """`begin` starts the operation that is killed; `again` starts it once more after the kill.

    `before`: operations that run undisturbed first. `ends`: the status of the shop at the end.
    `depth`: kill at every boundary, around the response, or after the first call of each step.
    """

    begin: Act
    done: Condition
    before: tuple[tuple[Act, Condition], ...] = ()
    again: Act = field(default=lambda harness, merchant: None)
    ends: str = "connected"
    depth: Depth = "response"

    def boundaries(self, *, first: bool, last: bool) -> tuple[str, ...]:
        """The boundaries at which a call is killed; the later ones exist for the last call of a step only."""
        if self.depth == "first":
            return (AFTER,) if first else ()
        if self.depth == "thorough":
            calls = (BEFORE, HELD, AFTER)
            return (*calls, RECEIVED, SAVED) if last else calls
        return (AFTER, RECEIVED) if last else ()


@dataclass(frozen=True)
class LostAnswer:
    """A response that cannot be requested again: the merchant visits `page` of the vendor once more.

    `scenario` and `route` name the call, `at` the boundaries at which a kill loses its answer.
    """

    scenario: str
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
        "(scenario, process) → the calls of each step of an undisturbed run, in their order"
    )
    connector: str = required("the slug of the connector that the merchants choose")
    inspect: Callable[[Rows, Merchant, Rows, Rows], Made] = required(
        "inspect(state, merchant, account, connection) → what the sandbox has of this merchant, as a Made"
    )
    one: Mapping[str, int] = required(
        "kind → how many a merchant with one connected shop has there"
    )
    other: Mapping[str, Mapping[str, int]] = field(default_factory=dict)  # scenario → what differs
    ends: Mapping[str, str] = field(default_factory=dict)  # scenario → another status at the end
    scenarios: Mapping[str, Scenario] = field(default_factory=dict)  # beside the common ones
    lost_answers: tuple[LostAnswer, ...] = ()
    # What staff find at the vendor: found(state, merchant, doubt) → an id, or "" for none.
    found: Callable[[Rows, Merchant, str], str] | None = None
    sign_up: Callable[[Merchant], None] | None = None  # at the vendor, before connecting
    install: Callable[[Merchant], None] | None = None  # at the vendor, when the page says "needs"
    button: Callable[[str], str] = _default_button  # the button to press on a page, by its path
    settings: Mapping[str, str] = field(default_factory=dict)
    permit: Callable[[Running], None] | None = None  # what the vendor has to allow first
    # For a vendor with a limit: removes what belongs to finished merchants.
    make_room: Callable[[Running, Iterable[Merchant]], None] | None = None
    # Called in the process that is killed, before each step, with the name of the scenario.
    before_step: Callable[[str], None] | None = None

    def scenario(self, name: str) -> Scenario:
        return {**COMMON, **self.scenarios}[name]

    def status_after(self, scenario: str) -> str:
        return self.ends.get(scenario, self.scenario(scenario).ends)

    def things(self, scenario: str) -> dict[str, int]:
        """What exists of a merchant at the end, by kind."""
        return {**self.one, **self.other.get(scenario, {})}


def kills() -> Mapping[str, Kills]:
    return declared(Kills)


# -- the scenarios that all vendors share ----------------------------------------------------------


def has_status(status: str) -> Condition:
    return lambda harness, merchant: merchant.status() == status and merchant.idle()


def is_set_up(harness: Harness, merchant: Merchant) -> bool:
    return merchant.status() in {"reported", "connected"} and merchant.idle()


def connect(harness: Harness, merchant: Merchant) -> None:
    merchant.begin()


def button(name: str) -> Act:
    return lambda harness, merchant: merchant.press(merchant.shop_page(f"{name}/"))


def make_check_due(harness: Harness, merchant: Merchant) -> None:
    """Make the check of the shop due."""
    merchant.checked_before = merchant.connection()["checked_at"]
    harness.database.make_check_due(merchant.reference)


def repeat_check(harness: Harness, merchant: Merchant) -> None:
    harness.database.make_check_due(merchant.reference)


def checked(harness: Harness, merchant: Merchant) -> bool:
    """The vendor has confirmed the shop since the check was due."""
    row = merchant.connection()
    fresh = row["checked_at"] != merchant.checked_before
    return fresh and row["status"] == "connected" and merchant.idle()


CONNECT = "connect"
CONNECTED: tuple[Act, Condition] = (connect, is_set_up)
PAUSED: tuple[Act, Condition] = (button("pause"), has_status("paused"))
COMMON: Mapping[str, Scenario] = {
    CONNECT: Scenario(*CONNECTED, depth="thorough"),
    "disconnect": Scenario(
        button("disconnect"), has_status("disconnected"), (CONNECTED,), ends="disconnected"
    ),
    "pause": Scenario(*PAUSED, (CONNECTED,), ends="paused"),
    "resume": Scenario(button("resume"), is_set_up, (CONNECTED, PAUSED)),
    "check": Scenario(make_check_due, checked, (CONNECTED,), repeat_check),
}
