"""The steps: what a vendor answers to a call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from .order import Memo, Question, Text
from .order import text as text

# -- what a call answers -------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class StepFields:
    """Any step may replace memo drafts, tick items of the checklist and name the vendor's plain ids."""

    account: Memo | None = field(default=None, repr=False)
    connection: Memo | None = field(default=None, repr=False)
    promote: bool = False
    done: tuple[str, ...] = ()  # keys of the vendor's checklist
    account_key: str = ""
    connection_key: str = ""


@dataclass(frozen=True, kw_only=True)
class Redirect(StepFields):
    """Send the merchant to `url`. `""`: the next act mints a link, ask again with a merchant present.

    `note` is what they read while the link waits for them, instead of a sentence of ours. `expires_at`
    is when the link stops working, if the vendor says so.

    How they come back: with our `order.state` in the parameter `state`, unless the step says more.
    `returned_by=(name, value)`: the vendor sends them back with an id of its own in the parameter
    `name`; a return with our state is found too. `bare`: the vendor sends them back with nothing
    that tells one trip from another; `keep_params`: with `bare`, `returned` gets the parameters that
    came along, otherwise none. `returns=False`: the vendor will not send them back; the page offers
    "I have finished".
    """

    url: str = field(repr=False)
    expires_at: datetime | None = None
    returns: bool = True
    bare: bool = False
    keep_params: bool = False
    returned_by: tuple[str, str] | None = field(default=None, repr=False)
    note: Text | None = None


@dataclass(frozen=True, kw_only=True)
class Progress(StepFields):
    """Save, then make the same call again at once. `announce` announces the creation that comes next."""

    announce: str = ""


@dataclass(frozen=True, kw_only=True)
class Waiting(StepFields):
    """The vendor is not done. Asked again: after `poll_first` at first, the longer it takes the more
    rarely, every `poll_every` in the end. Staff's turn `give_up_after` after the wait began."""

    note: Text
    poll_every: timedelta
    give_up_after: timedelta
    poll_first: timedelta = timedelta(seconds=10)


@dataclass(frozen=True, kw_only=True)
class Ask(StepFields):
    note: Text
    questions: tuple[Question, ...]


@dataclass(frozen=True, kw_only=True)
class NeedsMerchant(StepFields):
    """Something to do elsewhere; asked again as `Waiting` is (None: not), and when the merchant says
    "Check again", which begins the wait anew."""

    code: str
    note: Text
    link: str = ""
    questions: tuple[Question, ...] = ()
    poll_every: timedelta | None = None
    poll_first: timedelta = timedelta(minutes=1)


@dataclass(frozen=True, kw_only=True)
class Connected(StepFields):
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
class Declined(StepFields):
    note: Text | None = None


@dataclass(frozen=True, kw_only=True)
class StartOver(StepFields):
    """This trip leads nowhere any more; nobody refused anything. Continue begins at `start`.

    Both drafts are dropped: `start` gets the account's live memo and `connection=` of this step, or
    an empty draft. Name there what has been made for the connection, or it is made again.
    """

    note: Text


@dataclass(frozen=True, kw_only=True)
class Done(StepFields):
    """What changed here, what at the vendor, what the merchant still must do, a task for staff.

    `ends`: the account is gone at the vendor, and with it every shop that uses it.
    """

    here: Text
    there: Text
    todo: Text | None = None
    staff_task: str = ""
    ends: bool = False


# Everything that a call may answer; `isinstance(answer, Step)` works, and `match` can be exhaustive.
Step = Redirect | Progress | Waiting | Ask | NeedsMerchant | Connected | Declined | StartOver | Done
