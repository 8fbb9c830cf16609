"""What a vendor declares for the contract test, and the words that rows of several vendors share."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import pytest

from tests.support.merchant import Browser
from tests.support.registry import declared, required
from vendors.sandbox import Running

CASES = frozenset({"approve", "decline", "expired", "slow", "dead", "garbled", "lost"})
Scene = Callable[[Running, Browser], None]
State = Mapping[str, Any]  # of a sandbox: kind → rows

SILENT = "is not answering"
STAFF = "Our staff know"
TO_DO = "action_needed"


@dataclass(frozen=True, kw_only=True)
class Row:
    """`scene`: what was before; `press`: the buttons at the vendor; `email`: who signs in there;
    `play`: the case on this route, from the start on; `staff`: what staff do meanwhile.

    Then the merchant's shop has `status`, its page says `says`, and the vendor has made `made`.
    `heal` is what the vendor mends by itself, `choose` what the merchant answers when asked.
    `after` is what the vendor has made in the end, and `live` how much of it lives.
    """

    name: str = ""
    scene: Scene | None = None
    press: tuple[str, ...] = ()
    email: str = ""
    play: tuple[str, str] | None = None
    staff: Callable[[Running], None] | None = None
    status: str = "connected"
    says: str
    made: dict[str, int]
    heal: Callable[[Running], None] | None = None
    choose: str = ""
    after: dict[str, int]
    live: int = 1

    @property
    def case(self) -> str:
        if self.name or self.play:
            return self.name or (self.play or ("",))[0]
        if self.scene:
            return self.scene.__name__
        return next((p for p in self.press if p != "approve"), "approve")


@dataclass(frozen=True, kw_only=True)
class Revoked:
    """What was given is taken back at the vendor, without us: `deed`, of a shop that is connected.

    A check finds it: the shop has `status`, and its page says `says`. `before` is what staff have done
    so that there is something to check; `heal` what has to be done before the merchant can go on.
    """

    deed: Callable[[Running], None]
    status: str
    says: str
    before: Callable[[Running], None] | None = None
    heal: Callable[[Running], None] | None = None


def nothing_to_do() -> None:
    """The connectors are ready as they come."""


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
        "breaks one line of the client, so that the first row turns red"
    )
    live: Callable[[State], Sequence[str]] = required(
        "live(state of the sandbox) → the ids of what works there for our merchants, with no row of"
        " ours asked: one for each connected shop, none for a shop that was disconnected"
    )
    nothing: Row = required(
        "the vendor answers ok, and what it should name is not there (an empty list, say)"
    )
    revoked: Revoked = required("what the vendor can take back, and what a check makes of it")
    cases: Collection[str] = CASES
    # Kinds of things of which a merchant whose memos are lost must not get a second one.
    once: Collection[str] = ()
    # What the vendor tells in confidence while a shop is connected: kind of thing → fields.
    confided: Mapping[str, Sequence[str]] = field(default_factory=dict)
    # A setting with a wrong secret, if the vendor's `probe` tells it from a right one.
    wrong: Mapping[str, str] = field(default_factory=dict)
    # What staff find at a vendor that cannot list: found(state, doubt) → an id, or None.
    found: Callable[[State, str], str | None] | None = None
    # What staff set up before a connector can be chosen.
    ready: Callable[[], None] = nothing_to_do
    # With which settings, and with what agreed there, the vendor ends what it has made …
    settings: Mapping[str, str] = field(default_factory=dict)
    permit: Callable[[Running], None] | None = None
    # … or why a disconnected shop stays there.
    stays: str = ""

    def sign_in(self) -> dict[str, str]:
        """Who signs in at the vendor in the first row."""
        return {"email": self.rows[0].email} if self.rows[0].email else {}


def contracts() -> Mapping[str, Contract]:
    return declared(Contract)
