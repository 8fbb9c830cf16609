"""The base class of all vendors: their settings, calls and descriptions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

from .actions import Action, Item, Rows
from .errors import Garbled
from .order import Entry, Order, Question, Text, text
from .steps import Done, Step


@dataclass(frozen=True)
class UnsureNotes:
    """Whole sentences for a creation without a clear reply: none came, or one that could not be read.

    They name what was to be made as the merchant calls it, and who checks.
    """

    no_answer: Text
    unreadable: Text


@dataclass(frozen=True)
class CauseNote:
    """Whole sentences for staff about a cause of the vendor's own (`VendorError.cause`)."""

    what: Text  # what happened
    to_do: Text


@dataclass(frozen=True)
class ChecklistItem:
    """One of the merchant's own steps, in their words: "Creating the data connection".

    It is ticked once each of `keys` is among the keys that steps reported (`done=`). `note` is the
    timeline's sentence for it then, unless what is ticked last says enough by itself.
    """

    label: Text
    keys: tuple[str, ...]
    note: Text | None = None


@dataclass(frozen=True)
class Vendor:
    """Base class of all vendors. The fields of a subclass are its settings.

    The field `client_id` of `Itembase` is the environment variable ITEMBASE_CLIENT_ID. `repr=False` marks
    a secret. A field without a default is required: without it the vendor is not offered.

    Calls are described in `vendors.contract`. A subclass must have `domains`, `connectors`, `start`,
    `returned`, `check`, `end` and `probe`; everything else is optional (`can`).
    """

    slug: ClassVar[str]
    name: ClassVar[str]  # as the merchant reads it
    summary: ClassVar[Text]  # what will happen at the vendor, in one or two sentences
    prerequisites: ClassVar[Text]  # what the merchant should have ready
    shared_data: ClassVar[tuple[Text, ...]]  # which of the merchant's data go to the vendor
    # For the consent: whole sentences, of which the first is shown and the others unfold. `reads`: what
    # the site itself reads at the vendor. `purpose`: why it connects the shop.
    reads: ClassVar[tuple[Text, ...]] = (text("We read whether your shop is connected."),)
    purpose: ClassVar[tuple[Text, ...]] = (
        text("To connect your shop with us, and to tell you when the connection stops working."),
    )
    checklist: ClassVar[
        tuple[ChecklistItem, ...]
    ]  # the merchant's steps until the shop is connected
    # Key of `Progress(announce=…)` → what staff are asked for before `resolve`.
    creations: ClassVar[Mapping[str, Text]] = {}
    # The same keys → what the merchant reads while it is not known whether the thing was made.
    unsure_notes: ClassVar[Mapping[str, UnsureNotes]] = {}
    # `VendorError.cause` → what staff read instead of it. Causes that all vendors share need none.
    cause_notes: ClassVar[Mapping[str, CauseNote]] = {}
    serial: ClassVar[bool] = False  # all merchants share one limit: one creation at a time
    # Where `start` leads, for the page before it: to the vendor's pages in the same tab; in a new tab,
    # because the vendor sends nobody back (`Redirect(returns=False)`); or nowhere.
    opens: ClassVar[Literal["same-tab", "new-tab", "nothing"]] = "same-tab"
    next_step: ClassVar[Text] = text("You stay on our pages.")  # said where `opens` is "nothing"
    # Whether every `Connected` tells the shop's `address`. Where none does, merchants are asked for it.
    tells_address: ClassVar[bool] = False
    # What staff ask the vendor to delete, by hand, when a business is closed, and when a person who
    # connected a shop has closed their account; in plain English. "": the vendor holds nothing of theirs.
    erase_business: ClassVar[str] = "Ask them what they hold about it, and to delete it."
    erase_person: ClassVar[str] = (
        "Ask them whether they hold the name or the email address of this person, and to delete it."
    )

    def problems(self) -> tuple[tuple[str, str], ...]:
        """Settings that are set but wrong: (name, what to do). `named_problems` makes the pairs."""
        return ()

    def domains(self) -> tuple[str, ...]:
        """Allowlist of hosts for Redirect. A leading dot includes all subdomains; a host with a port
        matches that port only."""
        raise NotImplementedError

    def addresses(self) -> tuple[str, ...]:
        """All URLs among the settings, for the CSP's form-action and for `manage.py doctor`."""
        return ()

    def probe(self) -> None:
        """A call with the operator's credentials that changes nothing. It returns if they are accepted.

        Raises Refused if they are not, Unavailable if nobody answers.
        """
        raise Garbled(f"{self.slug} has no read-only call that checks the credentials")

    def connectors(self) -> tuple[Entry, ...]:
        """The shop systems that the vendor offers, read hourly for the catalogue. May call the vendor."""
        raise NotImplementedError

    def questions(self, connector: str) -> tuple[Question, ...]:
        """What only this vendor asks the merchant before `start`; the answers are `order.answers`."""
        return ()

    def on_disconnect(self, *, last: bool) -> tuple[Text, ...]:
        """What `end` will do at the vendor, and what it leaves to the merchant: said before the press.

        `last`: no other shop of this merchant is connected there.
        """
        return (text("Afterwards we show you what ended there, and what is left for you to do."),)

    def on_pause(self, *, last: bool) -> tuple[Text, ...]:
        """What `pause` will do at the vendor, likewise."""
        return (
            text("Afterwards we show you what is paused there, and what is left for you to do."),
        )

    def staff_questions(self) -> tuple[Question, ...]:
        """What only staff can enter, once for each account; stored encrypted (`order.staff`)."""
        return ()

    def connector_questions(self, connector: str) -> tuple[Question, ...]:
        """What staff set on a connector: its `options` (`order.options`), checked by `check_options`.

        A connector whose required questions are not answered is not offered.
        """
        return ()

    def check_options(self, answers: Mapping[str, str]) -> Mapping[str, Text]:
        """What is wrong with staff's answers to `connector_questions`: key → sentence."""
        return {}

    def inventory(self) -> tuple[Item, ...]:
        """All that we have made at the vendor, for reconciliation. It only reads."""
        raise Garbled(f"{self.slug} cannot list what we have made there")

    def actions(self) -> tuple[Action, ...]:
        """What merchants or staff may do beside the journey: each is run by `act` or `run`."""
        return ()

    def start(self, order: Order) -> Step:
        raise NotImplementedError

    def returned(self, order: Order, params: Mapping[str, str]) -> Step:
        raise NotImplementedError

    def check(self, order: Order) -> Step:
        raise NotImplementedError

    def answered(self, order: Order, answers: Mapping[str, str]) -> Step:
        raise Garbled(f"{self.slug} asks no questions")

    def enter(self, order: Order) -> Step:
        raise Garbled(f"{self.slug} has no pages to open again")

    def pause(self, order: Order) -> Step:
        raise Garbled(f"{self.slug} cannot pause")

    def resume(self, order: Order) -> Step:
        raise Garbled(f"{self.slug} cannot resume")

    def end(self, order: Order) -> Step:
        raise NotImplementedError

    def act(self, order: Order, key: str, answers: Mapping[str, str]) -> Step:
        raise Garbled(f"{self.slug} has no action “{key}”")

    def run(
        self,
        key: str,
        answers: Mapping[str, str],
        *,
        connector: str = "",
        ids: tuple[str, ...] = (),
    ) -> Done | Rows:
        """Run the action `key` of staff, while their page waits. `ids` are the selected rows."""
        raise Garbled(f"{self.slug} has no action “{key}”")

    def resolve(self, order: Order, found: str | None) -> Step:
        raise Garbled(f"{self.slug} makes nothing that could be unsure")

    def can(self, call: str) -> bool:
        """Whether this vendor has an optional call ("enter", "resolve", …)."""
        return getattr(type(self), call) is not getattr(Vendor, call)


def named_problems(slug: str, problems: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """The answer of `Vendor.problems` for `problems`: field → what to do, "" for a valid field."""
    return tuple(
        (f"{slug}_{field}".upper(), problem) for field, problem in problems.items() if problem
    )
