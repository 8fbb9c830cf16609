"""Input of a vendor's calls: an `Order` of plain values, and the types of what it contains."""

from __future__ import annotations

import re
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
    """A sentence for people: an English msgid with %(name)s placeholders, translated where it is shown.

    A datetime among the params is shown in the reader's time zone and format.
    """

    id: str
    params: Mapping[str, str | datetime] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.id % self.params if self.params else self.id


def text(id: str, **params: str | datetime) -> Text:
    """Mark an English sentence for translation (makemessages looks for this name)."""
    return Text(id, params)


_SECRET_NAME = re.compile("pass|code|secret|token|key|credential", re.IGNORECASE)


def is_secret_name(name: str) -> bool:
    """Whether a field of this name holds a secret: a password, a code, a key."""
    return _SECRET_NAME.search(name) is not None


@dataclass(frozen=True, kw_only=True)
class Question:
    """A form field: one of `choices` ((value, label) pairs), or text. `secret`: shown as a password; its key
    says that it is one (`is_secret_name`), because a form that is sent again leaves such fields out.

    `addresses`: the person chooses one of the merchant's verified email addresses. The page offers those
    of `order.emails()` at the time when it is opened, and says how to verify another one.
    """

    key: str
    label: Text
    help: Text | None = None
    choices: tuple[tuple[str, Text], ...] = ()
    initial: str = ""
    required: bool = True
    secret: bool = False
    addresses: bool = False

    def __post_init__(self) -> None:
        if self.secret and not is_secret_name(self.key):
            raise ValueError(f"the key of a secret question must name a secret: {self.key}")


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A connector as the vendor offers it; `platform` is the slug of the shop system ("ebay").

    `position`: its first place in the catalogue, the lowest comes first; staff may change it.
    `any_shop`: it takes every shop system. Merchants whose system is not listed are led to it, and
    `name` then stands inside sentences: “Connect another shop system”.

    `description`, and the name of what takes any shop, are translated where they are shown, if they are
    the id of a `text`.
    """

    key: str
    name: str
    platform: str
    category: str = "shop"
    description: str = ""
    position: int = 100
    any_shop: bool = False


@dataclass(frozen=True, kw_only=True)
class Person:
    """The signed-in user; `id` is ours and never changes, `email` is verified."""

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
    """What the vendor has stored: for the account (all shops of a merchant there), and for this shop."""

    account: Memo = field(default_factory=dict, repr=False)
    connection: Memo = field(default_factory=dict, repr=False)


@dataclass(frozen=True, kw_only=True)
class KnownShop:
    """A shop of this merchant, as it is or was connected here: its name and its address ("" if unknown)."""

    name: str
    address: str = ""


def _nobody(vendor_id: str) -> Holder:
    return "none"


def _unknown(vendor_id: str) -> KnownShop | None:
    return None


def _none() -> int:
    return 0


def _never(vendor_id: str) -> datetime | None:
    return None


@dataclass(frozen=True, kw_only=True)
class Order:
    """Everything that a vendor gets for one call: plain values and six queries to our database.

    `holder(vendor_id)` says which connection has the vendor's object (a shop, an instance): "self" this
    one, "sibling" another one on the same account, "other" one of another merchant, "none" no connection.
    `last_used(vendor_id)` is when a connection, of any merchant, that had this shop was disconnected; None
    if none had it.
    `known_shop(vendor_id)` is what this merchant calls that shop; None if they never connected it.
    `user()` is the person who asked for the call; for a check the one who was there last, or an owner.
    `siblings()` counts the other live connections on the same account.
    `emails()` are the verified email addresses of all members, the oldest first.
    """

    merchant: Business
    user: Callable[[], Person]
    connector: str
    reference: str  # of the connection; ours, lower-case ASCII
    shop_name: str = ""
    options: Mapping[str, Json] = field(default_factory=dict)  # set by staff on the connector
    answers: Mapping[str, str] = field(default_factory=dict, repr=False)
    staff: Mapping[str, str] = field(default_factory=dict, repr=False)  # of staff, on the account
    purpose: Purpose = "connect"
    present: bool = False  # a merchant is waiting: short-lived links may be requested
    back: str = ""  # our return address, without parameters
    state: str = field(default="", repr=False)  # new and valid once: for the next Redirect
    memos: Memos = field(default_factory=Memos)
    live: Memos = field(default_factory=Memos)
    account_key: str = ""  # the vendor's id of the account, as last promoted
    account_label: str = field(default="", repr=False)  # whose account it is, as a step last said
    connection_key: str = ""  # the vendor's id of what was made for the connection
    shop_id: str = ""  # the vendor's id of the connected shop
    announced: str = ""
    unsure: str = ""
    # Creations whose id staff entered, until a step has them in `done`: key → the id.
    found: Mapping[str, str] = field(default_factory=dict)
    now: datetime
    siblings: Callable[[], int] = _none
    emails: Callable[[], tuple[str, ...]] = tuple
    holder: Callable[[str], Holder] = _nobody
    last_used: Callable[[str], datetime | None] = _never
    known_shop: Callable[[str], KnownShop | None] = _unknown
