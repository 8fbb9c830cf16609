"""What a vendor's call is given: an `Order` of plain values. Part of the contract (contract.py)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

# JSON from outside may have any shape: `object` makes its reader check each value with isinstance.
Json = object
# A JSON object that we write, or whose fields have been checked. Any: mypy has no type for checked JSON.
JsonObject = dict[str, Any]
# What a vendor stores between two calls: a JSON object, stored encrypted and handed back unchanged.
Memo = Mapping[str, Any]
Purpose = Literal["connect", "reconnect", "enter", "check", "pause", "resume", "end", "act"]
Holder = Literal["self", "sibling", "other", "none"]
Who = Literal["merchant", "staff"]


@dataclass(frozen=True)
class Text:
    """A sentence for people: an English msgid with %(name)s places, translated where it is shown.

    A moment among the params is shown in the reader's way of writing time.
    """

    id: str
    params: Mapping[str, str | datetime] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.id % self.params if self.params else self.id


def text(id: str, **params: str | datetime) -> Text:
    """Mark an English sentence for translation (makemessages looks for this name)."""
    return Text(id, params)


@dataclass(frozen=True, kw_only=True)
class Question:
    """Something a person chooses (`choices`: (value, label) pairs) or types; `secret`: hidden.

    `addresses`: one of `order.emails` is asked for, and `choices` are those that there are now. The
    page offers those that there are when it is looked at, and says how to confirm another one.
    """

    key: str
    label: Text
    help: Text | None = None
    choices: tuple[tuple[str, Text], ...] = ()
    initial: str = ""
    required: bool = True
    secret: bool = False
    addresses: bool = False


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A connector as the vendor offers it; `platform` is the slug of the shop system ("ebay").

    `position`: where it first stands in the catalogue, lower comes first; staff may move it.
    """

    key: str
    name: str
    platform: str
    category: str = "shop"
    description: str = ""
    position: int = 100


@dataclass(frozen=True, kw_only=True)
class Person:
    """The user who acts; `id` is ours and stable, `email` is verified."""

    id: str
    email: str = field(repr=False)
    name: str = ""


@dataclass(frozen=True, kw_only=True)
class Business:
    """The merchant; `reference` is ours: lower-case ASCII letters and digits, never reused."""

    reference: str
    name: str
    language: str = "en"


@dataclass(frozen=True, kw_only=True)
class Memos:
    account: Memo = field(default_factory=dict, repr=False)
    connection: Memo = field(default_factory=dict, repr=False)


def _nobody(vendor_id: str) -> Holder:
    return "none"


@dataclass(frozen=True, kw_only=True)
class Order:
    """All that a vendor may know for one call. Plain values and one question to our database.

    `holder(vendor_id)` says who holds the vendor's object (a shop, an instance) in our books: this
    connection, a sibling (same account), another merchant, or nobody. `siblings` counts the other live
    connections on the same account.
    """

    merchant: Business
    user: Person
    emails: tuple[str, ...] = field(default=(), repr=False)  # verified, of all members
    connector: str
    reference: str  # of the connection; ours, lower-case ASCII
    shop_name: str = ""
    options: Mapping[str, Json] = field(default_factory=dict)  # set by staff on the connector
    answers: Mapping[str, str] = field(default_factory=dict, repr=False)
    staff: Mapping[str, str] = field(default_factory=dict, repr=False)  # of staff, on the account
    purpose: Purpose = "connect"
    present: bool = False  # a merchant is waiting: links may be minted
    back: str = ""  # the bare return address
    state: str = field(default="", repr=False)  # fresh, works once: for the next hop
    memos: Memos = field(default_factory=Memos)
    live: Memos = field(default_factory=Memos)
    account_key: str = ""  # the vendor's id of the account, as last promoted
    connection_key: str = ""  # the vendor's id of what was made for the connection
    shop_id: str = ""  # the vendor's id of the connected shop
    announced: str = ""
    unsure: str = ""
    now: datetime
    siblings: int = 0
    holder: Callable[[str], Holder] = _nobody
