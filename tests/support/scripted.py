"""A fake vendor that plays back scripted answers and records how it was called."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, ClassVar

from vendors.contract import (
    Action,
    ChecklistItem,
    Done,
    Entry,
    Item,
    Order,
    Question,
    Rows,
    Step,
    Text,
    Vendor,
    VendorError,
    text,
)
from vendors.loading import Loaded

Answer = Step | VendorError | Callable[[Order], Step]


@dataclass(frozen=True)
class Scripted(Vendor):
    """Answers each call with the next item of `script`: raises it, calls it, or returns it."""

    script: list[Answer] = field(default_factory=list)
    asked: list[tuple[str, Order, Any]] = field(default_factory=list)
    host: str = "vendor.example"

    slug: ClassVar[str] = "scripted"
    name: ClassVar[str] = "Scripted"
    summary: ClassVar[Text] = text("Scripted opens and asks you to sign in to your shop.")
    prerequisites: ClassVar[Text] = text("Your shop's sign-in.")
    shared_data: ClassVar[tuple[Text, ...]] = (
        text("Your business name"),
        text("Your email address"),
    )
    checklist: ClassVar[tuple[ChecklistItem, ...]] = (
        ChecklistItem(text("Making your room"), ("room",), note=text("Your room there is made.")),
        ChecklistItem(text("Cutting two keys"), ("key", "spare"), note=text("The keys are cut.")),
        ChecklistItem(text("Open the door"), ("door",)),
    )
    creations: ClassVar[Mapping[str, Text]] = {"room": text("A room for this merchant")}

    def domains(self) -> tuple[str, ...]:
        return (self.host,)

    def connectors(self) -> tuple[Entry, ...]:
        return (Entry(key="shop", name="Scripted shop", platform="scripted"),)

    def staff_questions(self) -> tuple[Question, ...]:
        return (
            Question(key="door_code", label=text("Door code"), secret=True),
            Question(key="floor", label=text("Floor"), required=False),
        )

    def actions(self) -> tuple[Action, ...]:
        typed = Question(key="code", label=text("Type the room's code"))
        tidy, burn = text("Tidy the room"), text("Burn the room down")
        everywhere = text("For every shop in it.")
        return (
            Action(key="tidy", label=tidy, explain=text("For this shop."), on="connection"),
            Action(key="burn", label=burn, explain=everywhere, questions=(typed,), danger=True),
            Action(key="then", label=text("Hidden"), explain=everywhere, hidden=True),
            Action(key="mine", label=text("Merchant's"), explain=everywhere, who="merchant"),
        )

    def start(self, order: Order) -> Step:
        return self._next("start", order)

    def returned(self, order: Order, params: Mapping[str, str]) -> Step:
        return self._next("returned", order, dict(params))

    def answered(self, order: Order, answers: Mapping[str, str]) -> Step:
        return self._next("answered", order, dict(answers))

    def check(self, order: Order) -> Step:
        return self._next("check", order)

    def enter(self, order: Order) -> Step:
        return self._next("enter", order)

    def pause(self, order: Order) -> Step:
        return self._next("pause", order)

    def resume(self, order: Order) -> Step:
        return self._next("resume", order)

    def end(self, order: Order) -> Step:
        return self._next("end", order)

    def act(self, order: Order, key: str, answers: Mapping[str, str]) -> Step:
        return self._next("act", order, (key, dict(answers)))

    def resolve(self, order: Order, found: str | None) -> Step:
        return self._next("resolve", order, found)

    def _next(self, call: str, order: Order, argument: Any = None) -> Step:
        self.asked.append((call, order, argument))
        answer = self.script.pop(0)
        if isinstance(answer, VendorError):
            raise answer
        return answer if isinstance(answer, Step) else answer(order)

    @property
    def calls(self) -> list[str]:
        return [call for call, _, _ in self.asked]

    @property
    def last(self) -> Order:
        return self.asked[-1][1]


@dataclass(frozen=True)
class Configurable(Scripted):
    """A scripted vendor with connector options, staff actions and an inventory.

    `run` answers with the next of `results` and `inventory` with `items`; `faults` are errors of options.
    """

    asks: list[Question] = field(default_factory=list)
    faults: dict[str, Text] = field(default_factory=dict)
    offers: list[Action] = field(default_factory=list)
    items: list[Item] = field(default_factory=list)
    results: list[Done | Rows | VendorError] = field(default_factory=list)
    ran: list[tuple[str, dict[str, str], str, tuple[str, ...]]] = field(default_factory=list)

    def connector_questions(self, connector: str) -> tuple[Question, ...]:
        return tuple(self.asks)

    def check_options(self, answers: Mapping[str, str]) -> Mapping[str, Text]:
        return {key: self.faults[said] for key, said in answers.items() if said in self.faults}

    def actions(self) -> tuple[Action, ...]:
        return tuple(self.offers)

    def inventory(self) -> tuple[Item, ...]:
        if self.results and isinstance(error := self.results.pop(0), VendorError):
            raise error
        return tuple(self.items)

    def run(
        self,
        key: str,
        answers: Mapping[str, str],
        *,
        connector: str = "",
        ids: tuple[str, ...] = (),
    ) -> Done | Rows:
        self.ran.append((key, dict(answers), connector, ids))
        result = self.results.pop(0)
        if isinstance(result, VendorError):
            raise result
        return result


def offered(*vendors: Vendor) -> Loaded:
    """`settings.VENDORS` with exactly these vendors on offer."""
    return Loaded(offered={vendor.slug: vendor for vendor in vendors}, missing={}, problems=())


@contextmanager
def script(vendor: Scripted, *answers: Answer) -> Iterator[None]:
    """The block must use all of these answers."""
    vendor.script.extend(answers)
    yield
    assert not vendor.script, "the vendor was asked less often than the test says"
