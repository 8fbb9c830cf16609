"""The declarations of the contract test: its rows, and what else each vendor declares."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import pytest

from tests.support.merchant import Browser
from tests.support.registry import declared, required
from vendors.sandbox import Running

CASES = frozenset({"approve", "decline", "expired", "slow", "dead", "garbled", "lost"})
Setup = Callable[[Running, Browser], None]
State = Mapping[str, Any]  # of a sandbox: kind → rows

SILENT = "We keep trying."
LOOKS = "We are checking"
STAFF = "Our staff know"
TO_DO = "action_needed"


@dataclass(frozen=True, kw_only=True)
class Row:
    """One case of the contract test.

    `setup`: what happens before; `press`: the buttons at the vendor; `email`: who signs in there;
    `fault`: (kind, route) of a fault from the start on; `staff`: what staff do during the flow.
    Then the merchant's shop has `status`, its page says `says`, and the vendor has created `made`.
    `repair` is what changes at the vendor before the merchant continues, `choose` the merchant's answer
    to a question. At the end the vendor has created `after`, and `live` of it is in use.
    """

    name: str = ""
    setup: Setup | None = None
    press: tuple[str, ...] = ()
    email: str = ""
    fault: tuple[str, str] | None = None
    staff: Callable[[Running], None] | None = None
    status: str = "connected"
    says: str
    made: dict[str, int]
    repair: Callable[[Running], None] | None = None
    choose: str = ""
    after: dict[str, int]
    live: int = 1

    @property
    def case(self) -> str:
        if self.name or self.fault:
            return self.name or (self.fault or ("",))[0]
        if self.setup:
            return self.setup.__name__
        return next((p for p in self.press if p != "approve"), "approve")


@dataclass(frozen=True, kw_only=True)
class Revoked:
    """Access that is revoked at the vendor, without us: `revoke`, while the shop is connected.

    A check finds it: the shop has `status`, and its page says `says`. `before` is what staff do first, so
    that the vendor can be checked; `repair` what has to happen before the merchant can continue.
    """

    revoke: Callable[[Running], None]
    status: str
    says: str
    before: Callable[[Running], None] | None = None
    repair: Callable[[Running], None] | None = None


def nothing_to_do() -> None:
    """The connectors need no set-up by staff."""


@dataclass(frozen=True, kw_only=True)
class Contract:
    """What one vendor adds to the contract test. `CONTRACT` in tests/vendors/<slug>/contract.py."""

    MODULE: ClassVar[str] = "contract"
    NAME: ClassVar[str] = "CONTRACT"

    connector: str = required("the slug of the connector that the rows connect")
    rows: Sequence[Row] = required(
        "each case: where it ends, what the merchant reads, what is made"
    )
    damage: Callable[[pytest.MonkeyPatch], None] = required(
        "breaks one line of the client, so that the first row fails"
    )
    live: Callable[[State], Sequence[str]] = required(
        "live(state of the sandbox) → the ids of what works there for our merchants, with no row of"
        " ours asked: one for each connected shop, none for a shop that was disconnected"
    )
    nothing: Row = required(
        "the vendor answers ok, and what it should name is not there (an empty list, say)"
    )
    revoked: Revoked = required("what the vendor can take back, and what a check makes of it")
    # The status of a shop as its rows connect it, unless staff do their part.
    connects_as: str = "connected"
    cases: Collection[str] = CASES
    # Kinds of things that a merchant with unreadable memos must not get twice.
    once: Collection[str] = ()
    # Secrets that the vendor issues while a shop is connected: kind of thing → fields.
    confided: Mapping[str, Sequence[str]] = field(default_factory=dict)
    # A setting with a wrong secret, which the vendor's `probe` detects.
    wrong: Mapping[str, str] = field(default_factory=dict)
    # What staff find at a vendor that cannot list: found(state, doubt) → an id, or None.
    found: Callable[[State, str], str | None] | None = None
    # What staff set up before a connector can be chosen.
    ready: Callable[[], None] = nothing_to_do
    # The settings, and the permission, with which a disconnect ends the shop at the vendor …
    settings: Mapping[str, str] = field(default_factory=dict)
    permit: Callable[[Running], None] | None = None
    # … or why a disconnected shop remains at the vendor.
    stays: str = ""

    def ends(self, row: Row) -> str:
        """The status of the shop when everybody has done their part."""
        return "connected" if row.staff or row.repair else self.connects_as

    def sign_in(self) -> dict[str, str]:
        """Who signs in at the vendor in the first row."""
        return {"email": self.rows[0].email} if self.rows[0].email else {}


def contracts() -> Mapping[str, Contract]:
    return declared(Contract)
