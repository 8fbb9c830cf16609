"""A call to a vendor: which call of the contract it is, and everything it is made with.

An attempt stores its call in its row (`stored`), so that after a Progress, at a retry, or when the
process died, the same call is made again (`remembered`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, assert_never

from onboarding import clock
from onboarding.models import Account, Attempt, Breaker, Connection, User
from onboarding.models.memo import opened
from vendors.contract import Order, Step, Vendor

from .leases import Lease

# -- the calls of the contract ---------------------------------------------------------------------


@dataclass(frozen=True)
class Start:
    name = "start"


@dataclass(frozen=True)
class Returned:
    """`params`: the query parameters of the return; none when the merchant says "I have finished"."""

    params: Mapping[str, str] = field(default_factory=dict, repr=False)
    name = "returned"


@dataclass(frozen=True)
class Answered:
    answers: Mapping[str, str] = field(default_factory=dict, repr=False)
    name = "answered"


@dataclass(frozen=True)
class Check:
    name = "check"


@dataclass(frozen=True)
class Enter:
    name = "enter"


@dataclass(frozen=True)
class Pause:
    name = "pause"


@dataclass(frozen=True)
class Resume:
    name = "resume"


@dataclass(frozen=True)
class End:
    name = "end"


@dataclass(frozen=True)
class Resolve:
    """`found`: the id of an unsure creation at the vendor, or None: staff say that it does not exist."""

    found: str | None
    name = "resolve"


@dataclass(frozen=True)
class Act:
    """One of the vendor's actions, by its key."""

    key: str
    answers: Mapping[str, str] = field(default_factory=dict, repr=False)
    name = "act"


ContractCall = Start | Returned | Answered | Check | Enter | Pause | Resume | End | Resolve | Act


def make_call(vendor: Vendor, order: Order, call: ContractCall) -> Step:
    """Make the call. Raises CallError."""
    match call:
        case Start():
            return vendor.start(order)
        case Returned(params):
            return vendor.returned(order, params)
        case Answered(answers):
            return vendor.answered(order, answers)
        case Check():
            return vendor.check(order)
        case Enter():
            return vendor.enter(order)
        case Pause():
            return vendor.pause(order)
        case Resume():
            return vendor.resume(order)
        case End():
            return vendor.end(order)
        case Resolve(found):
            return vendor.resolve(order, found)
        case Act(key, answers):
            return vendor.act(order, key, answers)
    assert_never(call)


# -- the call that an attempt remembers ------------------------------------------------------------


def stored(call: ContractCall) -> dict[str, object]:
    """For `Attempt.call`: its name, its argument, and when somebody asked for it (POSIX seconds)."""
    return {"name": call.name, "argument": _argument(call), "asked": clock.now().timestamp()}


def _argument(call: ContractCall) -> object:
    match call:
        case Returned(params):
            return dict(params)
        case Answered(answers):
            return dict(answers)
        case Resolve(found):
            return found
        case Act(key, answers):
            return {"key": key, "answers": dict(answers)}
        case Start() | Check() | Enter() | Pause() | Resume() | End():
            return None
    assert_never(call)


def remembered(attempt: Attempt) -> ContractCall:
    """The call of an attempt; `Start` where it was deleted after RETENTION_DAYS or cannot be decrypted."""
    memo = opened(attempt.call) or {}
    argument: Any = memo.get("argument")
    match memo.get("name", Start.name):
        case Start.name:
            return Start()
        case Returned.name:
            return Returned(argument or {})
        case Answered.name:
            return Answered(argument or {})
        case Check.name:
            return Check()
        case Enter.name:
            return Enter()
        case Pause.name:
            return Pause()
        case Resume.name:
            return Resume()
        case End.name:
            return End()
        case Resolve.name:
            return Resolve(argument)
        case Act.name:
            return Act(argument["key"], argument["answers"])
    raise ValueError(f"“{memo['name']}” is not a call of the contract")


def asks_about_the_shop(attempt: Attempt) -> bool:
    """Whether the merchant has been at the vendor or has answered, so that the call finds out the result."""
    return isinstance(remembered(attempt), Returned | Answered)


# -- a call with its rows --------------------------------------------------------------------------


@dataclass
class VendorCall:
    """The rows as they were when the call was prepared, and the order that was made of them.

    `attempt` is None for a check and for an action of staff. `number` is the attempt's call number at
    that time; `before` is (answer, since) of the attempt when the engine began to advance it. `by`: who of
    staff asked for it. `breakers`: the circuit breakers of the vendor's hosts at that time; None if nobody
    has read them.
    """

    lease: Lease
    vendor: Vendor
    connection: Connection
    attempt: Attempt | None
    order: Order
    call: ContractCall
    number: int = 0
    before: tuple[str, datetime | None] = ("", None)
    by: User | None = None
    breakers: Sequence[Breaker] | None = None
    account: Account = field(init=False)

    def __post_init__(self) -> None:
        self.account = self.connection.account
