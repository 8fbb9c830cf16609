"""Steps: what a vendor's call returns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from .order import Memo, Question, Text
from .order import text as text


@dataclass(frozen=True, kw_only=True)
class StepFields:
    """Fields of every step: new drafts of the memos, finished items of the checklist, ids at the vendor.

    See "Memos" in `vendors.contract` for `account`, `connection` and `promote`. `account_label` says whose
    account it is, in words that its owner knows, such as an email address.
    """

    account: Memo | None = field(default=None, repr=False)
    connection: Memo | None = field(default=None, repr=False)
    promote: bool = False
    done: tuple[
        str, ...
    ] = ()  # what is finished: keys of the creations and of the vendor's checklist
    account_key: str = ""
    account_label: str = field(default="", repr=False)
    connection_key: str = ""


@dataclass(frozen=True, kw_only=True)
class Redirect(StepFields):
    """Send the merchant to `url`. With "" there is no link yet: the call is made again once a merchant
    is present (`order.present`).

    `note` is shown while the link waits for them, in place of our own sentence. `expires_at` is when the
    link expires, if the vendor says so.

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
    """Save, then make the same call again at once. `announce` is the key of the creation that comes next."""

    announce: str = ""


@dataclass(frozen=True, kw_only=True)
class Waiting(StepFields):
    """The vendor is not done: poll it.

    The first poll comes after `poll_first`; the intervals grow up to `poll_every`. After `give_up_after`
    since the wait began, it is staff's turn.
    """

    note: Text
    poll_every: timedelta
    give_up_after: timedelta
    poll_first: timedelta = timedelta(seconds=10)


@dataclass(frozen=True, kw_only=True)
class Ask(StepFields):
    """The merchant must answer `questions`; the next call is `answered`.

    `heading` is the question in a few words ("Which eBay shop?"), in place of our own.
    """

    note: Text
    heading: Text | None = None
    questions: tuple[Question, ...]


@dataclass(frozen=True, kw_only=True)
class NeedsMerchant(StepFields):
    """The merchant must do something elsewhere: `note` says what, `link` is where.

    `goes_on`: it is done on the vendor's pages, and the same call leads there for a merchant who is
    present (a Redirect). The button is then "Continue at …" instead of "check again".

    It is polled as `Waiting` is (`poll_every=None`: not at all). "Check again" polls at once and starts
    the intervals from `poll_first` again. `code` names the situation for tests and logs.
    """

    code: str
    note: Text
    link: str = ""
    goes_on: bool = False
    questions: tuple[Question, ...] = ()
    poll_every: timedelta | None = None
    poll_first: timedelta = timedelta(minutes=1)


@dataclass(frozen=True, kw_only=True)
class Connected(StepFields):
    """The shop is connected. `shop_id` identifies it at the vendor, unique for (vendor, shop).

    `confirmed=False`: the vendor cannot be asked, the merchant says so. The shop is then "Set up, not
    confirmed yet", until a later answer confirms it or staff do. Once confirmed, it stays Connected.
    `evidence` is how we know it. `address` is the shop's address on the web, if the vendor tells it.
    `reveal` is shown once (label → secret). `expires_at` is when the connection expires at the vendor.
    """

    shop_id: str
    evidence: Text
    address: str = ""
    confirmed: bool = True
    reveal: Mapping[str, str] | None = field(default=None, repr=False)
    expires_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Declined(StepFields):
    """The merchant said no at the vendor: an outcome, not an error."""

    note: Text | None = None


@dataclass(frozen=True, kw_only=True)
class StartOver(StepFields):
    """This attempt cannot continue, although nobody refused anything. Continue calls `start`.

    Both drafts are dropped: `start` gets the account's live memo and `connection=` of this step, or
    an empty draft. Put into it what was created for the connection, or it is created again.
    """

    note: Text


@dataclass(frozen=True, kw_only=True)
class Done(StepFields):
    """`pause`, `resume`, `end` or an action is done.

    `here` is what changed with us, `there` what changed at the vendor, `todo` what the merchant still
    must do at `link`, `staff_task` what staff must do. With a `staff_task`, a pause or a resume is done
    once staff have said so: until then the shop keeps its status and shows `there` and `todo` alone.
    `ends`: the account is deleted at the vendor, and with it every shop that uses it.
    """

    here: Text
    there: Text
    todo: Text | None = None
    link: str = ""
    staff_task: str = ""
    ends: bool = False


# Everything that a call may answer; `isinstance(answer, Step)` works, and `match` can be exhaustive.
Step = Redirect | Progress | Waiting | Ask | NeedsMerchant | Connected | Declined | StartOver | Done
