"""A vendor that answers what the test says, step by step, and remembers how it was asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, ClassVar

from vendors.contract import Entry, Order, Step, Text, Vendor, VendorError, text
from vendors.loading import Loaded

Answer = Step | VendorError | Callable[[Order], Step]


@dataclass(frozen=True)
class Scripted(Vendor):
    """Answers each call with the next of `script`: raised, called with the order, or given."""

    script: list[Answer] = field(default_factory=list)
    asked: list[tuple[str, Order, Any]] = field(default_factory=list)
    host: str = "vendor.example"

    slug: ClassVar[str] = "scripted"
    name: ClassVar[str] = "Scripted"
    summary: ClassVar[Text] = text("Scripted opens and asks you to sign in to your shop.")
    at_hand: ClassVar[Text] = text("Your shop's sign-in.")
    shares: ClassVar[tuple[Text, ...]] = (text("Your business name"), text("Your e-mail address"))
    checklist: ClassVar[tuple[tuple[str, Text], ...]] = (
        ("room", text("Your room there is made")),
        ("key", text("The key is cut")),
        ("door", text("The door is open")),
    )
    creations: ClassVar[Mapping[str, Text]] = {"room": text("A room for this merchant")}

    def domains(self) -> tuple[str, ...]:
        return (self.host,)

    def connectors(self) -> tuple[Entry, ...]:
        return (Entry(key="shop", name="Scripted shop", platform="scripted"),)

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


def offered(*vendors: Vendor) -> Loaded:
    """What `settings.VENDORS` holds when exactly these vendors are offered."""
    return Loaded(offered={vendor.slug: vendor for vendor in vendors}, missing={}, problems=())


@contextmanager
def script(vendor: Scripted, *answers: Answer) -> Iterator[None]:
    """The answers that the block uses up, all of them."""
    vendor.script.extend(answers)
    yield
    assert not vendor.script, "the vendor was asked less often than the test says"
