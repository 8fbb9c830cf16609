"""What people may have done at a vendor beside the journey. Part of the contract (contract.py)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from .order import Memos, Question, Text, Who


def _always(live: Memos) -> bool:
    return True


@dataclass(frozen=True, kw_only=True)
class Action:
    """Something a person may have done at the vendor; `danger`: it cannot be taken back.

    A merchant's action (`who`, always on a connection) runs as an attempt: it may make things.
    `hidden`: not drawn by itself, only below the rows of another action (`Rows.then`). For merchants
    alone: `when` says, by the memos of the working shop, whether it is offered. `connectors` is a
    question: which of this vendor's connectors the shop is to have. `order.connector` and `options` are
    then those of the chosen one (the shop's own, where there is no other); it becomes the shop's own
    together with `Done` or `Connected`, and a shop that was refused keeps what it had.
    """

    key: str
    label: Text
    explain: Text
    who: Who = "staff"
    on: Literal["vendor", "connector", "account", "connection"] = "account"
    questions: tuple[Question, ...] = ()
    danger: bool = False
    hidden: bool = False
    connectors: Text | None = None
    when: Callable[[Memos], bool] = _always


@dataclass(frozen=True, kw_only=True)
class Rows:
    """What an action found. Each row begins with its id; `then` is the action on selected rows."""

    columns: tuple[Text, ...]
    rows: tuple[tuple[str, ...], ...]
    then: str = ""


@dataclass(frozen=True, kw_only=True)
class Item:
    """Something of ours that the vendor has (a licence, a client), for reconciliation.

    `id` is what `key` of a connection or an account would be; `reference` ours, where it bears one.
    """

    id: str
    label: str
    facts: Mapping[str, str] = field(default_factory=dict)
    reference: str = ""
