"""The base class of all vendors: their settings, calls and descriptions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from .actions import Action, Item, Rows
from .errors import Garbled
from .order import Entry, Order, Question, Text
from .steps import Done, Step


@dataclass(frozen=True)
class Vendor:
    """Base of all vendors. Fields of a subclass are its settings: field `client_id` of `Itembase` is read
    from ITEMBASE_CLIENT_ID; `repr=False` marks a secret; a field without default is required."""

    slug: ClassVar[str]
    name: ClassVar[str]  # as the merchant reads it
    summary: ClassVar[Text]  # what will happen there, one or two sentences
    at_hand: ClassVar[Text]  # what the merchant should have ready
    shares: ClassVar[tuple[Text, ...]]  # what of the merchant's goes to the vendor
    checklist: ClassVar[tuple[tuple[str, Text], ...]]  # what is prepared before the merchant leaves
    creations: ClassVar[
        Mapping[str, Text]
    ] = {}  # `announce` key → what staff are asked for in `resolve`
    serial: ClassVar[bool] = False  # merchants share a limit: one creation at a time
    leaves: ClassVar[bool] = True  # beginning leads to the vendor's pages

    def problems(self) -> tuple[tuple[str, str], ...]:
        """Settings that are set but wrong: (name, what to do). `named_problems` makes the pairs."""
        return ()

    def domains(self) -> tuple[str, ...]:
        """Hosts a Redirect may lead to. A leading dot stands for all subdomains; a host with a port
        matches that port only."""
        raise NotImplementedError

    def addresses(self) -> tuple[str, ...]:
        """Every URL among the settings, for form-action and the doctor."""
        return ()

    def probe(self) -> None:
        """A harmless call with the operator's credentials: that it returns says that they are taken."""
        raise Garbled(f"{self.slug} has no harmless call")

    def knock(self) -> None:
        """For a vendor without `probe`: a call that asks for nothing. It returns if anybody answers."""
        raise Garbled(f"{self.slug} has no door to knock at")

    def connectors(self) -> tuple[Entry, ...]:
        raise NotImplementedError

    def questions(self, connector: str) -> tuple[Question, ...]:
        """What only this vendor needs to know before the merchant leaves."""
        return ()

    def staff_questions(self) -> tuple[Question, ...]:
        """What only staff can enter, once for each account; kept encrypted (`order.staff`)."""
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
        """Everything of ours at the vendor, for reconciliation. Reads only."""
        raise Garbled(f"{self.slug} keeps no list")

    def actions(self) -> tuple[Action, ...]:
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
        """`ids` are the selected rows. Asked from staff's page, synchronously."""
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
