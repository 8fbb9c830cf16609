"""Actions of merchants and staff beside the journey, their result tables, and inventory items."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from .order import Memos, Question, Text, Who


def _always(live: Memos) -> bool:
    return True


@dataclass(frozen=True, kw_only=True)
class Action:
    """Something that a merchant or staff may do at the vendor. `danger`: it cannot be undone.

    A merchant's action (`who`, always on a connection) runs as an attempt, so it may create things.
    `hidden`: it has no button of its own; it is offered below the rows of another action (`Rows.then`).

    Two fields are for merchants' actions alone. `when` gets the memos of the connected shop and says
    whether the action is offered. `connectors` is a question: which of the vendor's connectors the shop
    should have. `order.connector` and `order.options` are then those of the chosen connector. The shop
    gets it together with `Done` or `Connected`; after an error it has the connector that it had.
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
    """A result table. The first cell of a row is its id; `then` is the key of the action on selected rows."""

    columns: tuple[Text, ...]
    rows: tuple[tuple[str, ...], ...]
    then: str = ""


@dataclass(frozen=True, kw_only=True)
class Item:
    """Something that we made at the vendor (a licence, an API client), for reconciliation.

    `id` is compared with `connection_key` and `account_key`. `reference` is ours, if the vendor stores it.
    """

    id: str
    label: str
    facts: Mapping[str, str] = field(default_factory=dict)
    reference: str = ""
