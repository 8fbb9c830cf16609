"""What a row of the contract test says, and the words that rows of several vendors share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.support.merchant import Browser
from vendors.sandbox import Running

CASES = {"approve", "decline", "expired", "slow", "dead", "garbled", "lost"}
Scene = Callable[[Running, Browser], None]

SILENT = "is not answering"
STAFF = "Our staff know"
TO_DO = "action_needed"


@dataclass(frozen=True, kw_only=True)
class Row:
    """`scene`: what was before; `press`: the buttons at the vendor; `email`: who signs in there;
    `play`: the case on this route, from the start on; `staff`: what staff do meanwhile.

    Then the merchant's shop has `status`, its page says `says`, and the vendor has made `made`.
    `heal` is what the vendor mends by itself, `choose` what the merchant answers when asked.
    `after` is what the vendor has made in the end.
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

    @property
    def case(self) -> str:
        if self.name or self.play:
            return self.name or (self.play or ("",))[0]
        if self.scene:
            return self.scene.__name__
        return next((p for p in self.press if p != "approve"), "approve")
