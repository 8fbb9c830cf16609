"""What people may have done at a vendor beside the journey. Part of the contract (contract.py)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from .order import Question, Text, Who


@dataclass(frozen=True, kw_only=True)
class Action:
    """Something a person may have done at the vendor; `danger`: it cannot be taken back.

    A merchant's action (`who`, always on a connection) runs as an attempt: it may make things.
    `hidden`: not drawn by itself, only below the rows of another action (`Rows.then`).
    """

    key: str
    label: Text
    explain: Text
    who: Who = "staff"
    on: Literal["vendor", "connector", "account", "connection"] = "account"
    questions: tuple[Question, ...] = ()
    danger: bool = False
    hidden: bool = False


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
