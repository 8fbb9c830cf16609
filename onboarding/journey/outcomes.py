"""The table of the design: what a step or an error means for the merchant, and what comes next."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from onboarding.models.status import Status, StatusMixin, Turn, dumped
from vendors.contract import (
    Ask,
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
    VendorError,
    Waiting,
    text,
)

Outcome = Step | VendorError
FIRST_RETRY, LONGEST_RETRY = timedelta(seconds=5), timedelta(minutes=15)
PATIENCE = timedelta(hours=24)  # with a vendor that does not answer
STAFF_RETRY = timedelta(hours=1)  # staff may have mended it without telling us
SOON = timedelta(minutes=1)  # at first: an odd answer is often over by then
CIRCLES = "circles"  # the cause where a flow made no headway: each round may have made something


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """One row of the table. `status=None`: unchanged; `poll_every=None`: only a person moves it.

    With `soonest`, `again` is how long it gets in the end (`pace`).
    """

    status: Status | None
    turn: Turn
    answer: str
    note: Text | None = None
    poll_every: timedelta | None = None
    poll_first: timedelta | None = None
    give_up_after: timedelta | None = None
    cause: str = ""
    detail: str = ""
    link: str = ""
    questions: tuple[Question, ...] = ()


def verdict(outcome: Outcome, vendor: Vendor, tries: int) -> Verdict:
    """The row for an outcome; `tries` is how often in a row the vendor was not available."""
    if isinstance(outcome, VendorError):
        return _of_error(outcome, vendor, tries)
    return _of_step(outcome, vendor)


def _of_step(step: Step, vendor: Vendor) -> Verdict:
    match step:
        case Redirect():
            note = step.note or ready(vendor.name)
            return Verdict(
                status=Status.IN_PROGRESS, turn=Turn.MERCHANT, answer="redirect", note=note
            )
        case Progress():
            return Verdict(
                status=Status.IN_PROGRESS, turn=Turn.US, answer="progress", poll_every=timedelta(0)
            )
        case Waiting():
            return Verdict(
                status=Status.CHECKING,
                turn=Turn.VENDOR,
                answer="waiting",
                note=step.note,
                poll_every=step.poll_every,
                poll_first=step.poll_first,
                give_up_after=step.give_up_after,
                cause="waiting",
            )
        case Ask():
            return _action("ask", step.note, questions=step.questions)
        case NeedsMerchant():
            return _action(
                "needs", step.note, questions=step.questions, link=step.link, poll_every=step.poll_every,
                poll_first=step.poll_first,
            )  # fmt: skip
        case Declined():
            stopped = text("You stopped at %(vendor)s. Nothing was connected.", vendor=vendor.name)
            return _action("declined", step.note or stopped)
        case StartOver():
            return _action("start_over", step.note)
        case Connected():
            return Verdict(
                status=Status.CONNECTED, turn=Turn.NOBODY, answer="connected", note=step.evidence
            )
        case Done():
            return Verdict(
                status=Status.DISCONNECTED, turn=Turn.MERCHANT, answer="done", note=step.here
            )
    raise TypeError(f"{type(step).__name__} is no step of the contract")


def ready(vendor_name: str) -> Text:
    """What a merchant reads of a Redirect without a note of its own."""
    return text("Everything is ready for you at %(vendor)s.", vendor=vendor_name)


def _of_error(error: VendorError, vendor: Vendor, tries: int) -> Verdict:
    match error:
        case Unavailable():
            silent = text("%(vendor)s is not answering. We keep trying.", vendor=vendor.name)
            return Verdict(
                status=None,
                turn=Turn.US,
                answer="unavailable",
                note=error.note or silent,
                poll_every=backoff(tries, error.retry_after),
                give_up_after=PATIENCE,
                cause=error.cause,
                detail=error.detail,
            )
        case Refused(who="merchant"):
            refused = text("%(vendor)s did not accept this.", vendor=vendor.name)
            return _action("refused", error.note or refused, detail=error.detail)
        case Refused() | Garbled():
            return _staff(
                error, "refused" if isinstance(error, Refused) else "garbled", STAFF_RETRY
            )
        case Unsure():
            return _staff(error, "unsure", None)
    raise TypeError(f"{type(error).__name__} is no error of the contract")


def _action(answer: str, note: Text, **rest: Any) -> Verdict:
    return Verdict(
        status=Status.ACTION_NEEDED, turn=Turn.MERCHANT, answer=answer, note=note, **rest
    )


def _staff(error: VendorError, answer: str, again: timedelta | None) -> Verdict:
    on_it = text("Something went wrong on our side. Our staff know and are working on it.")
    return Verdict(
        status=Status.ON_IT,
        turn=Turn.STAFF,
        answer=answer,
        note=error.note or on_it,
        poll_every=again,
        poll_first=None if error.cause == CIRCLES else SOON,
        cause=error.cause,
        detail=error.detail,
    )


def blocked(vendor: Vendor, cause: str) -> Verdict:
    """Another shop of the same account waits for staff; nothing may be made there until then."""
    note = text(
        "We are checking something in your account at %(vendor)s first.", vendor=vendor.name
    )
    return Verdict(status=Status.ON_IT, turn=Turn.STAFF, answer="blocked", note=note, cause=cause)


def no_such_choice() -> Verdict:
    """What the merchant chose was deleted by staff before the vendor was asked."""
    return _action("refused", text("What you chose is no longer offered. Nothing was changed."))


def wrong_shop(whose: str, name: str) -> Verdict:
    """Connected, but to another shop than was meant: the merchant says which it shall be."""
    if whose == "other":
        taken = text("This shop is connected by another business. Choose another, or ask us.")
        return _action("refused", taken)
    if whose == "sibling":
        return _action(
            "wrong_shop", text("You have connected this shop already, under another name.")
        )
    another = text("That was another shop than “%(name)s”. Nothing was changed.", name=name)
    return _action("wrong_shop", another)


def backoff(tries: int, retry_after: float | None = None) -> timedelta:
    """5 s, 10 s, 20 s … 15 min, a fifth of it by chance; never sooner than the vendor asked for."""
    wait: timedelta = min(FIRST_RETRY * (1 << min(tries, 20)), LONGEST_RETRY)
    spread = wait * random.uniform(0.8, 1.2)  # noqa: S311  # no secret: it spreads load
    return max(spread, timedelta(seconds=retry_after or 0))


SHOWN = ("status", "turn", "answer", "note", "cause", "detail", "link", "questions")


def write(row: StatusMixin, row_verdict: Verdict, now: datetime | None = None) -> bool:
    """Put a verdict into a row, without saving; True when the merchant now reads something new."""
    now = now or timezone.now()
    before = (row.status, row.answer, row.note)
    if row.answer != row_verdict.answer or row.since is None:
        row.since = now
    row.answer, row.turn = row_verdict.answer, row_verdict.turn
    row.status = row_verdict.status or row.status
    row.note = dumped(row_verdict.note) or (row.note if row_verdict.answer == "progress" else {})
    row.cause = row_verdict.cause if row_verdict.turn == Turn.STAFF else ""
    row.detail, row.link = row_verdict.detail, row_verdict.link
    row.questions = [plain(question) for question in row_verdict.questions]
    row.due_at = _due_at(row_verdict, row.since, now)
    if row_verdict.give_up_after is not None and now - row.since >= row_verdict.give_up_after:
        _out_of_patience(row, row_verdict)
    row.version += 1
    return (row.status, row.answer, row.note) != before


def _due_at(row_verdict: Verdict, since: datetime, now: datetime) -> datetime | None:
    poll_every, poll_first = row_verdict.poll_every, row_verdict.poll_first
    if poll_every is None:
        return None
    return now + (poll_every if poll_first is None else pace(now - since, poll_first, poll_every))


def pace(waited: timedelta, poll_first: timedelta, longest: timedelta) -> timedelta:
    """Soon and often at first, then rarely: a quarter more of the time that it took so far."""
    return min(max(waited / 4, poll_first), longest)


def _out_of_patience(row: StatusMixin, row_verdict: Verdict) -> None:
    """Too long: staff are told; the vendor is still asked."""
    row.status, row.cause = Status.ON_IT, row_verdict.cause
    row.turn = Turn.STAFF if row_verdict.turn == Turn.VENDOR else Turn.US


def plain(question: Question) -> dict[str, Any]:
    """A question as it is stored: texts by id and parameters."""
    return {
        "key": question.key,
        "label": dumped(question.label),
        "help": dumped(question.help),
        "choices": [[value, dumped(label)] for value, label in question.choices],
        "initial": question.initial,
        "required": question.required,
        "secret": question.secret,
        "addresses": question.addresses,
    }
