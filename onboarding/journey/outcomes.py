"""The outcomes table: what a step or an error means for the merchant, whose turn it is, and the retry."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from typing import Literal, assert_never

from onboarding.models.status import Answer, Cause, Status, Turn
from vendors.contract import (
    Ask,
    CallError,
    Connected,
    Declined,
    Done,
    Garbled,
    NeedsMerchant,
    Progress,
    Question,
    Redirect,
    Refused,
    StartOver,
    Step,
    Text,
    Unavailable,
    Unsure,
    Vendor,
    Waiting,
    Why,
    text,
)

from . import sentences

Outcome = Step | CallError  # of one call to a vendor
FIRST_RETRY, LONGEST_RETRY = timedelta(seconds=5), timedelta(minutes=15)
GIVE_UP_AFTER = timedelta(hours=24)  # of a vendor that does not answer
STAFF_RETRY = timedelta(hours=1)  # staff may have fixed it without telling us
FIRST_STAFF_RETRY = timedelta(minutes=1)  # many odd answers are gone by then


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """One row of the table: what an attempt or a connection becomes.

    `status=None` leaves the status as it is. The vendor is asked again after `poll_every`. With
    `poll_first` the first poll comes after `poll_first`, and the interval grows up to `poll_every`
    (`pace`). With `poll_every=None` the vendor is not asked again until a person acts. After
    `give_up_after` it is staff's turn.
    """

    status: Status | None
    turn: Turn
    answer: Answer
    heading: Text | None = None
    note: Text | None = None
    poll_every: timedelta | None = None
    poll_first: timedelta | None = None
    give_up_after: timedelta | None = None
    cause: str = ""
    detail: str = ""
    link: str = ""
    questions: tuple[Question, ...] = ()


def verdict(
    outcome: Outcome, vendor: Vendor, tries: int, *, unsure: str = "", why: Why = Why.UNKNOWN
) -> Verdict:
    """The row for an outcome. `tries`: how many times in a row the vendor was unavailable before.

    `unsure`: the creation without a clear reply, and `why` it has none.
    """
    if isinstance(outcome, Unsure):
        note = outcome.note or sentences.unsure(vendor, unsure, why or outcome.why)
        return _staffs_turn(outcome, Answer.UNSURE, note, None)
    if isinstance(outcome, CallError):
        return _of_error(outcome, vendor, tries)
    return _of_step(outcome, vendor)


def _of_step(step: Step, vendor: Vendor) -> Verdict:
    match step:
        case Redirect() | Progress() | Waiting():
            return _under_way(step, vendor)
        case Ask() | NeedsMerchant() | Declined() | StartOver():
            return _needs_action(step, vendor)
        case Connected() | Done():
            return _finished(step)
    assert_never(step)


def _under_way(step: Redirect | Progress | Waiting, vendor: Vendor) -> Verdict:
    """The attempt is going well: the merchant goes on at the vendor, or we or the vendor work."""
    match step:
        case Redirect():
            note = step.note or ready_note(vendor.name)
            return Verdict(
                status=Status.IN_PROGRESS, turn=Turn.MERCHANT, answer=Answer.REDIRECT, note=note
            )
        case Progress():
            return Verdict(
                status=Status.IN_PROGRESS,
                turn=Turn.US,
                answer=Answer.PROGRESS,
                poll_every=timedelta(0),
            )
        case Waiting():
            return Verdict(
                status=Status.CHECKING,
                turn=Turn.VENDOR,
                answer=Answer.WAITING,
                note=step.note,
                poll_every=step.poll_every,
                poll_first=step.poll_first,
                give_up_after=step.give_up_after,
                cause=Cause.WAITING,
            )
    assert_never(step)


def _needs_action(step: Ask | NeedsMerchant | Declined | StartOver, vendor: Vendor) -> Verdict:
    """The merchant has to answer, to do something elsewhere, or to begin again."""
    match step:
        case Ask():
            return _action_needed(
                Answer.ASK, step.note, heading=step.heading, questions=step.questions
            )
        case NeedsMerchant():
            return _action_needed(
                Answer.GO_ON if step.goes_on else Answer.NEEDS_MERCHANT,
                step.note,
                questions=step.questions,
                link=step.link,
                poll_every=step.poll_every,
                poll_first=step.poll_first,
            )
        case Declined():
            stopped = text(
                "You cancelled at %(vendor)s, so nothing was changed.",
                vendor=vendor.name,
            )
            return _action_needed(Answer.DECLINED, step.note or stopped)
        case StartOver():
            return _action_needed(Answer.START_OVER, step.note)
    assert_never(step)


def _finished(step: Connected | Done) -> Verdict:
    match step:
        case Connected(confirmed=False):
            return Verdict(
                status=Status.REPORTED,
                turn=Turn.NOBODY,
                answer=Answer.REPORTED,
                note=step.evidence,
            )
        case Connected():
            return Verdict(
                status=Status.CONNECTED,
                turn=Turn.NOBODY,
                answer=Answer.CONNECTED,
                note=step.evidence,
            )
        case Done():
            return Verdict(
                status=Status.DISCONNECTED,
                turn=Turn.MERCHANT,
                answer=Answer.DONE,
                note=step.here,
                link=step.link,
            )
    assert_never(step)


def awaits_task(step: Done) -> Verdict:
    """A pause or a resume that is done once staff have done their task; until then the status stays."""
    return Verdict(
        status=None, turn=Turn.STAFF, answer=Answer.TASK, note=step.there, link=step.link
    )


def ready_note(vendor_name: str) -> Text:
    """The sentence for a Redirect without a note of its own."""
    return text("%(vendor)s is ready for you.", vendor=vendor_name)


def _of_error(error: Unavailable | Refused | Garbled, vendor: Vendor, tries: int) -> Verdict:
    match error:
        case Unavailable():
            return Verdict(
                status=None,
                turn=Turn.US,
                answer=Answer.UNAVAILABLE,
                note=error.note or sentences.unavailable(error, vendor.name),
                poll_every=backoff(tries, error.retry_after),
                give_up_after=GIVE_UP_AFTER,
                cause=error.cause,
                detail=error.detail,
            )
        case Refused(who="merchant"):
            refused = text("Nothing was changed at %(vendor)s or here.", vendor=vendor.name)
            return _action_needed(
                Answer.REFUSED, error.note or refused, heading=error.heading, detail=error.detail
            )
        case Refused():
            note = error.note or sentences.refused(error, vendor.name)
            return _staffs_turn(error, Answer.REFUSED, note, STAFF_RETRY)
        case Garbled():
            note = error.note or sentences.garbled(error, vendor.name)
            return _staffs_turn(error, Answer.GARBLED, note, STAFF_RETRY)
    assert_never(error)


def _action_needed(
    answer: Answer,
    note: Text,
    *,
    heading: Text | None = None,
    detail: str = "",
    link: str = "",
    questions: tuple[Question, ...] = (),
    poll_every: timedelta | None = None,
    poll_first: timedelta | None = None,
) -> Verdict:
    return Verdict(
        status=Status.ACTION_NEEDED,
        turn=Turn.MERCHANT,
        answer=answer,
        heading=heading,
        note=note,
        detail=detail,
        link=link,
        questions=questions,
        poll_every=poll_every,
        poll_first=poll_first,
    )


def _staffs_turn(
    error: CallError, answer: Answer, note: Text, poll_every: timedelta | None
) -> Verdict:
    return Verdict(
        status=Status.ON_IT,
        turn=Turn.STAFF,
        answer=answer,
        note=note,
        poll_every=poll_every,
        poll_first=None if error.cause == Cause.NO_PROGRESS else FIRST_STAFF_RETRY,
        cause=error.cause,
        detail=error.detail,
    )


def blocked(vendor: Vendor, cause: str) -> Verdict:
    """Another shop of the same account waits for staff; nothing may be created there until then."""
    note = text(
        "We are checking something for another of your shops at %(vendor)s first."
        " Then we continue with this one.",
        vendor=vendor.name,
    )
    return Verdict(
        status=Status.ON_IT, turn=Turn.STAFF, answer=Answer.BLOCKED, note=note, cause=cause
    )


def no_such_choice() -> Verdict:
    """Staff deleted the connector that the merchant chose before the vendor was asked."""
    return _action_needed(
        Answer.REFUSED,
        text("Your choice was withdrawn before we could set it up. Nothing was changed."),
        heading=text("Your choice is no longer offered"),
    )


class ShopMatch(Enum):
    """How the shop that a vendor reports as connected relates to the one that was meant."""

    INTENDED = "the shop that was meant"
    DIFFERENT = "another shop, which nobody has connected"
    OTHER_ADDRESS = "a shop with another address than the merchant entered"
    OTHER_ACCOUNT = "a shop of another account at the vendor than the merchant used before"
    SIBLING = "a shop that the same account has connected already"
    OTHER_MERCHANT = "a shop that another merchant has connected"


WrongShop = Literal[
    ShopMatch.DIFFERENT,
    ShopMatch.OTHER_ADDRESS,
    ShopMatch.OTHER_ACCOUNT,
    ShopMatch.SIBLING,
    ShopMatch.OTHER_MERCHANT,
]


@dataclass(frozen=True, kw_only=True)
class Doubt:
    """The shop that was meant, and the one that was found: their addresses and accounts ("" if unknown)."""

    name: str
    vendor: str
    address: str
    found_address: str
    account: str
    found_account: str


def wrong_shop(found: WrongShop, doubt: Doubt) -> Verdict:
    """Another shop than was meant is connected at the vendor: the merchant says which it shall be."""
    match found:
        case ShopMatch.OTHER_MERCHANT:
            taken = text(
                "Another business has already connected this shop. Choose"
                " another one, or write to us if it is yours."
            )
            return _action_needed(Answer.REFUSED, taken, heading=text("Choose another shop"))
        case ShopMatch.SIBLING:
            twice = text("You have already connected this shop under another name.")
            return _action_needed(Answer.WRONG_SHOP, twice)
        case ShopMatch.DIFFERENT:
            another = text(
                "You chose a different shop, not “%(name)s”. Nothing was changed.", name=doubt.name
            )
            return _action_needed(Answer.WRONG_SHOP, another)
        case ShopMatch.OTHER_ADDRESS:
            return _action_needed(Answer.WRONG_SHOP, _other_address(doubt))
        case ShopMatch.OTHER_ACCOUNT:
            return _action_needed(Answer.WRONG_SHOP, _other_account(doubt))
    assert_never(found)


def _other_address(doubt: Doubt) -> Text:
    return text(
        "You entered %(meant)s. The shop at %(vendor)s is %(found)s. Nothing was changed.",
        meant=doubt.address, found=doubt.found_address, vendor=doubt.vendor,
    )  # fmt: skip


def _other_account(doubt: Doubt) -> Text:
    return text(
        "You used the %(vendor)s account %(found)s. Before, you used %(meant)s. Nothing was changed.",
        meant=doubt.account, found=doubt.found_account, vendor=doubt.vendor,
    )  # fmt: skip


def backoff(tries: int, retry_after: float | None = None) -> timedelta:
    """Exponential backoff with jitter: 5 s, 10 s, 20 s … 15 min, each ±20 %.

    Never less than `retry_after`, the seconds that the vendor asked for.
    """
    wait: timedelta = min(FIRST_RETRY * (1 << min(tries, 20)), LONGEST_RETRY)
    jittered = wait * random.uniform(0.8, 1.2)  # noqa: S311  # nosec B311  # it spreads load
    return max(jittered, timedelta(seconds=retry_after or 0))


def pace(waited: timedelta, poll_first: timedelta, longest: timedelta) -> timedelta:
    """The next polling interval: a quarter of the time waited so far, within the two bounds."""
    return min(max(waited / 4, poll_first), longest)
