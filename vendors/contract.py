"""What a vendor is. Read this file and you can write one.

A vendor is a folder `vendors/<slug>/` with a frozen dataclass whose fields are its settings. Its
methods are **calls**: each takes an `Order` of plain values, talks HTTP to the vendor's servers, and
answers with one **step**, or raises one of four errors. It knows no database, no request, no template.

    start(order)              begin connecting (or reconnecting) a shop
    returned(order, params)   the merchant came back, or says "I have finished" (params == {})
    answered(order, answers)  the merchant answered the questions of an `Ask`
    check(order)              is the shop connected? asked any time, changes nothing
    enter(order)              open the vendor's pages again for a connected shop
    pause(order)              let the shop rest; `resume` wakes it
    resume(order)
    end(order)                disconnect the shop
    act(order, key, answers)  one of `actions()` on an account or a connection
    run(key, answers, …)      one of `actions()` on the vendor or a connector; no merchant is meant
    resolve(order, found)     staff looked at an unsure creation: its id there, or None: it does not exist

    Step
    ├── Redirect       send the merchant to the vendor
    ├── Progress       save the memos and make the same call again at once
    ├── Waiting        the vendor is not done yet
    ├── Ask            the merchant must choose or type something
    ├── NeedsMerchant  a normal state: something is to be done elsewhere
    ├── Connected      done
    ├── Declined       the merchant said no at the vendor: an outcome, not an error
    └── Done           what `pause`, `resume`, `end`, `act` achieved

    VendorError
    ├── Unavailable    nothing happened, or nothing that matters: try later
    ├── Refused        the vendor said no: somebody must change something
    ├── Unsure         a creating call got no clear answer: look before trying again
    └── Garbled        an answer that its documentation does not allow: we must change something

**The call is remembered.** After `Progress`, a retry or the takeover of a dead process, the journey
repeats the same call with the saved memos, so a flow decides from its memos first: what is noted
there is not done again.

**A creation** (a call that makes something at the vendor and has no idempotency key) takes three
calls: `Progress(doing="tenant")` announces it; the next call comes with `order.announced == "tenant"`
and makes it, as its last act, answering `Progress(done=("tenant",), account={...})`. If its answer was
lost, the next call comes with `order.unsure == "tenant"`: the flow looks, or raises `Unsure` when the
vendor has no way to look; then staff decide through `resolve`.

**Answers that must survive** (a creation, a code exchange, a rotated token) are the last act of their
call: `Progress` at once.

**Memos.** An attempt works on drafts. `order.memos.account` is the draft of the account's memo (the
live one until a step replaces it), `order.memos.connection` a draft that starts empty with each
attempt. `order.live` holds the memos of the working shop. A step's `account=` / `connection=` replaces the
draft; `promote=True` also makes the account's draft live at once (created objects, a rotated token of the
same vendor user). `Connected` promotes both.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import ClassVar

from .actions import Action, Item, Rows
from .errors import Garbled, Refused, Unavailable, Unsure, VendorError
from .order import Business, Entry, Holder, Memo, Memos, Order, Person, Purpose, Question, Text, Who
from .order import text as text

__all__ = [
    "Action", "Ask", "Business", "Connected", "Declined", "Done", "Entry", "Garbled", "Holder", "Item",
    "Memo", "Memos", "NeedsMerchant", "Order", "Person", "Progress", "Purpose", "Question", "Redirect",
    "Refused", "Rows", "Step", "Text", "Unavailable", "Unsure", "Vendor", "VendorError", "Waiting",
    "Who", "text",
]  # fmt: skip


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
    `bare`: it sends them back, but without our state. `expires` is when the link stops working, if
    the vendor says so.
    """

    url: str = field(repr=False)
    expires: datetime | None = None
    returns: bool = True
    bare: bool = False


@dataclass(frozen=True, kw_only=True)
class Progress(Step):
    """Save, then make the same call again at once. `doing` announces the creation that comes next."""

    doing: str = ""


@dataclass(frozen=True, kw_only=True)
class Waiting(Step):
    """The vendor is not done. Asked again: after `soonest` at first, the longer it takes the more
    rarely, every `again` in the end. Staff's turn `until` after the wait began."""

    note: Text
    again: timedelta
    until: timedelta
    soonest: timedelta = timedelta(seconds=10)


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
    again: timedelta | None = None
    soonest: timedelta = timedelta(minutes=1)


@dataclass(frozen=True, kw_only=True)
class Connected(Step):
    """The shop is connected. `shop` identifies it at the vendor, unique for (vendor, shop).

    `confirmed=False`: the vendor could not be asked, this rests on the merchant's word. `reveal` is
    shown once (label → secret). `until` is an expiry.
    """

    shop: str
    evidence: Text
    confirmed: bool = True
    reveal: Mapping[str, str] | None = field(default=None, repr=False)
    until: datetime | None = None


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


# -- the vendor ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Vendor:
    """Base of all vendors. Fields of a subclass are its settings: field `client_id` of `Itembase` is read
    from ITEMBASE_CLIENT_ID; `repr=False` marks a secret; a field without default is required."""

    slug: ClassVar[str]
    name: ClassVar[str]  # as the merchant reads it
    summary: ClassVar[Text]  # what will happen there, one or two sentences
    at_hand: ClassVar[Text]  # what the merchant should have ready
    shares: ClassVar[tuple[Text, ...]]  # what of the merchant's goes to the vendor
    checklist: ClassVar[tuple[tuple[str, Text], ...]]  # what is prepared before the merchant leaves
    creations: ClassVar[
        Mapping[str, Text]
    ] = {}  # `doing` key → what staff are asked for in `resolve`
    serial: ClassVar[bool] = False  # merchants share a limit: one creation at a time
    leaves: ClassVar[bool] = True  # beginning leads to the vendor's pages

    def problems(self) -> tuple[tuple[str, str], ...]:
        """Settings that are set but wrong: (name, what to do)."""
        return ()

    def domains(self) -> tuple[str, ...]:
        """Hosts a Redirect may lead to. A leading dot stands for all subdomains; a host with a port
        matches that port only."""
        raise NotImplementedError

    def addresses(self) -> tuple[str, ...]:
        """Every URL among the settings, for form-action and the doctor."""
        return ()

    def probe(self) -> None:
        """A harmless call with the operator's credentials: that it returns says that they are taken."""
        raise Garbled(f"{self.slug} has no harmless call")

    def knock(self) -> None:
        """For a vendor without `probe`: a call that asks for nothing. It returns if anybody answers."""
        raise Garbled(f"{self.slug} has no door to knock at")

    def connectors(self) -> tuple[Entry, ...]:
        raise NotImplementedError

    def questions(self, connector: str) -> tuple[Question, ...]:
        """What only this vendor needs to know before the merchant leaves."""
        return ()

    def staff_questions(self) -> tuple[Question, ...]:
        """What only staff can enter, once for each account; kept encrypted (`order.staff`)."""
        return ()

    def connector_questions(self, connector: str) -> tuple[Question, ...]:
        """What staff set on a connector: its `options` (`order.options`), checked by `check_options`.

        A connector whose required questions are not answered is not offered.
        """
        return ()

    def check_options(self, answers: Mapping[str, str]) -> Mapping[str, Text]:
        """What is wrong with staff's answers to `connector_questions`: key → sentence."""
        return {}

    def inventory(self) -> tuple[Item, ...]:
        """Everything of ours at the vendor, for reconciliation. Reads only."""
        raise Garbled(f"{self.slug} keeps no list")

    def actions(self) -> tuple[Action, ...]:
        return ()

    def start(self, order: Order) -> Step:
        raise NotImplementedError

    def returned(self, order: Order, params: Mapping[str, str]) -> Step:
        raise NotImplementedError

    def check(self, order: Order) -> Step:
        raise NotImplementedError

    def answered(self, order: Order, answers: Mapping[str, str]) -> Step:
        raise Garbled(f"{self.slug} asks no questions")

    def enter(self, order: Order) -> Step:
        raise Garbled(f"{self.slug} has no pages to open again")

    def pause(self, order: Order) -> Step:
        raise Garbled(f"{self.slug} cannot pause")

    def resume(self, order: Order) -> Step:
        raise Garbled(f"{self.slug} cannot resume")

    def end(self, order: Order) -> Step:
        raise NotImplementedError

    def act(self, order: Order, key: str, answers: Mapping[str, str]) -> Step:
        raise Garbled(f"{self.slug} has no action “{key}”")

    def run(
        self,
        key: str,
        answers: Mapping[str, str],
        *,
        connector: str = "",
        ids: tuple[str, ...] = (),
    ) -> Done | Rows:
        """`ids` are the selected rows. Asked from staff's page, synchronously."""
        raise Garbled(f"{self.slug} has no action “{key}”")

    def resolve(self, order: Order, found: str | None) -> Step:
        raise Garbled(f"{self.slug} makes nothing that could be unsure")

    def can(self, call: str) -> bool:
        """Whether this vendor has an optional call ("enter", "resolve", …)."""
        return getattr(type(self), call) is not getattr(Vendor, call)
