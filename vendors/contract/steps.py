"""The steps: what a vendor answers to a call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from .order import Memo, Question, Text
from .order import text as text

# -- what a call answers -------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Step:
    """Any step may replace memo drafts, tick items of the checklist and name the vendor's plain ids."""

    account: Memo | None = field(default=None, repr=False)
    connection: Memo | None = field(default=None, repr=False)
    promote: bool = False
    done: tuple[str, ...] = ()  # keys of the vendor's checklist
    account_key: str = ""
    connection_key: str = ""


@dataclass(frozen=True, kw_only=True)
class Redirect(Step):
    """Send the merchant to `url`. `""`: the next act mints a link, ask again with a merchant present.

    `returns=False`: the vendor will not send them back; the page offers "I have finished".
    `bare`: it sends them back, but without our state. `expires_at` is when the link stops working, if
    the vendor says so.
    """

    url: str = field(repr=False)
    expires_at: datetime | None = None
    returns: bool = True
    bare: bool = False


@dataclass(frozen=True, kw_only=True)
class Progress(Step):
    """Save, then make the same call again at once. `announce` announces the creation that comes next."""

    announce: str = ""


@dataclass(frozen=True, kw_only=True)
class Waiting(Step):
    """The vendor is not done. Asked again: after `poll_first` at first, the longer it takes the more
    rarely, every `poll_every` in the end. Staff's turn `give_up_after` after the wait began."""

    note: Text
    poll_every: timedelta
    give_up_after: timedelta
    poll_first: timedelta = timedelta(seconds=10)


@dataclass(frozen=True, kw_only=True)
class Ask(Step):
    note: Text
    questions: tuple[Question, ...]


@dataclass(frozen=True, kw_only=True)
class NeedsMerchant(Step):
    """Something to do elsewhere; asked again as `Waiting` is (None: not), and when the merchant says
    "Check again", which begins the wait anew."""

    code: str
    note: Text
    link: str = ""
    questions: tuple[Question, ...] = ()
    poll_every: timedelta | None = None
    poll_first: timedelta = timedelta(minutes=1)


@dataclass(frozen=True, kw_only=True)
class Connected(Step):
    """The shop is connected. `shop_id` identifies it at the vendor, unique for (vendor, shop).

    `confirmed=False`: the vendor could not be asked, this rests on the merchant's word. `reveal` is
    shown once (label → secret). `expires_at` is an expiry.
    """

    shop_id: str
    evidence: Text
    confirmed: bool = True
    reveal: Mapping[str, str] | None = field(default=None, repr=False)
    expires_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Declined(Step):
    note: Text | None = None


@dataclass(frozen=True, kw_only=True)
class Done(Step):
    """What changed here, what at the vendor, what the merchant still must do, a task for staff.

    `ends`: the account is gone at the vendor, and with it every shop that uses it.
    """

    here: Text
    there: Text
    todo: Text | None = None
    staff_task: str = ""
    ends: bool = False
