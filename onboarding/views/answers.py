"""What the page of an attempt says while it is open, one for each answer of a vendor."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from django.utils.translation import gettext

from .. import journey, runner
from ..models import Attempt, Hop, User
from ..situation import Status, Turn
from .asked import asked

TRAVELS = {Attempt.Purpose.CONNECT, Attempt.Purpose.RECONNECT}


@dataclass(frozen=True, kw_only=True)
class Outlook:
    """`kind` is a key of OUTCOME_ICONS (templatetags/face.py): it chooses icon and colour.

    `action` is the verb that the main button posts, `label` what it says; `finish` offers "I have
    finished", `checklist` the vendor's list of preparations.
    """

    kind: str
    heading: str
    sentence: str
    more: str = ""
    action: str = ""
    label: str = ""
    finish: bool = False
    checklist: bool = False

    @property
    def style(self) -> str:
        """Asking again is nobody's duty: a quiet button."""
        return "quiet" if self.kind in {"checking", "staff", "waiting"} else ""


# -- one for each answer -------------------------------------------------------------------------


def _progress(attempt: Attempt, words: dict[str, str]) -> Outlook:
    if attempt.call.get("name") in {"returned", "answered"}:
        return _asking_the_vendor(words)
    headings = {
        Attempt.Purpose.ENTER: gettext("Opening %(vendor)s"),
        Attempt.Purpose.PAUSE: gettext("Pausing “%(shop)s”"),
        Attempt.Purpose.RESUME: gettext("Resuming “%(shop)s”"),
        Attempt.Purpose.END: gettext("Disconnecting “%(shop)s”"),
        Attempt.Purpose.ACT: gettext("Changing “%(shop)s” at %(vendor)s"),
    }
    preparing = gettext("Preparing your connection to %(vendor)s")
    return Outlook(
        kind="preparing",
        heading=headings.get(Attempt.Purpose(attempt.purpose), preparing) % words,
        sentence=_how_long(attempt.connection.vendor) % words,
        more=gettext("You may leave this page: it goes on without you, and you can come back."),
        checklist=attempt.purpose in TRAVELS,
    )


def _how_long(vendor: str) -> str:
    if runner.executor.crowded(vendor):
        return gettext(
            "Many shops are being connected to %(vendor)s just now: this may take a few minutes. "
            "You do not have to do anything."
        )
    return gettext("This takes a few seconds. You do not have to do anything.")


def _asking_the_vendor(words: dict[str, str]) -> Outlook:
    return Outlook(
        kind="checking",
        heading=gettext("Checking with %(vendor)s") % words,
        sentence=gettext("We are asking %(vendor)s whether “%(shop)s” is connected.") % words,
        more=gettext("You may leave this page: it goes on without you, and you can come back."),
    )


def redirect(attempt: Attempt, user: User, words: dict[str, str]) -> Outlook:
    finish = journey.went_without_return(attempt)
    hop = _taken(attempt)
    if hop is None:
        return _ready(attempt, finish, words)
    if hop.user_id != user.pk:
        return _colleague_away(words | {"person": str(hop.user.get_short_name())}, finish)
    if attempt.purpose == Attempt.Purpose.ENTER:
        sentence = gettext("What you change there shows here after the next check.")
    elif finish:
        sentence = gettext("Set up “%(shop)s” there. Then come back here and tell us.") % words
    else:
        sentence = gettext("When you are done, %(vendor)s sends you back here.") % words
    return Outlook(
        kind="away",
        heading=gettext("You are at %(vendor)s") % words,
        sentence=sentence,
        more=gettext("Lost the page? Open it again: your place is kept."),
        action="continue",
        label=gettext("Open %(vendor)s again") % words,
        finish=finish,
        checklist=attempt.purpose in TRAVELS,
    )


def _taken(attempt: Attempt) -> Hop | None:
    """The trip to the vendor that this answer led to, once somebody has set out."""
    hops = attempt.hops.select_related("user").filter(taken__gte=attempt.since)
    return hops.order_by("-taken").first()


def _ready(attempt: Attempt, finish: bool, words: dict[str, str]) -> Outlook:
    sentence = gettext("%(vendor)s opens in this window. Come back here at any time.")
    return Outlook(
        kind="ready",
        heading=gettext("Everything is ready"),
        sentence=sentence % words,
        action="continue",
        label=gettext("Continue to %(vendor)s") % words,
        finish=finish,
        checklist=attempt.purpose in TRAVELS,
    )


def _colleague_away(words: dict[str, str], finish: bool) -> Outlook:
    return Outlook(
        kind="away",
        heading=gettext("%(person)s is at %(vendor)s") % words,
        sentence=gettext("They can finish it there. You can also go on yourself.") % words,
        action="continue",
        label=gettext("Go on at %(vendor)s yourself") % words,
        finish=finish,
    )


def _waiting(attempt: Attempt, words: dict[str, str]) -> Outlook:
    late = attempt.turn == Turn.STAFF
    done = gettext("We keep asking. You may leave this page and come back later.")
    slow = gettext("This takes longer than it should. Our staff know and are looking into it.")
    return Outlook(
        kind="staff" if late else "checking",
        heading=(
            gettext("We’re on it") if late else gettext("%(vendor)s is still working") % words
        ),
        sentence=attempt.sentence,
        more=slow if late else done,
        action="check",
        label=gettext("Check again now"),
    )


def _needs(attempt: Attempt, words: dict[str, str]) -> Outlook:
    heading = gettext("One thing to do at %(vendor)s") % words
    if asked(attempt):
        done = gettext("I have done it: go on")
        return replace(_ask(attempt, words), heading=heading, label=done)
    return Outlook(
        kind="stopped",
        heading=heading,
        sentence=attempt.sentence,
        more=gettext("When you have done it, come back here and let us check again."),
        action="check",
        label=gettext("I have done it: check again"),
    )


def _ask(attempt: Attempt, words: dict[str, str]) -> Outlook:
    return Outlook(
        kind="asking",
        heading=gettext("A question about “%(shop)s”") % words,
        sentence=attempt.sentence,
        action="answer",
        label=gettext("Continue"),
    )


def _wrong_shop(attempt: Attempt, words: dict[str, str]) -> Outlook:
    """An interruption: three answers, drawn by _choice.html."""
    works = attempt.connection.status == Status.CONNECTED
    stays = gettext("“%(shop)s” stays connected as it is until you decide.") % words
    return Outlook(
        kind="choosing",
        heading=gettext("Is this the shop you meant?"),
        sentence=attempt.sentence,
        more=stays if works else "",
        action="choose",
    )


def _declined(attempt: Attempt, words: dict[str, str]) -> Outlook:
    return Outlook(
        kind="stopped",
        heading=gettext("You stopped half-way"),
        sentence=attempt.sentence,
        more=gettext("Nothing is lost. You can go on whenever you like."),
        action="continue",
        label=gettext("Start again at %(vendor)s") % words,
    )


def _refused(attempt: Attempt, words: dict[str, str]) -> Outlook:
    if attempt.turn == Turn.STAFF:
        return _on_it(attempt, words)
    write = gettext("If it happens again, write to us and quote the reference below.")
    choose = gettext("To change what you entered, choose it again on the page of this shop.")
    return Outlook(
        kind="refused",
        heading=gettext("%(vendor)s did not accept this") % words,
        sentence=attempt.sentence,
        more=choose if attempt.purpose == Attempt.Purpose.ACT else write,
        action="continue",
        label=gettext("Try again"),
    )


def _on_it(attempt: Attempt, words: dict[str, str]) -> Outlook:
    return Outlook(
        kind="staff",
        heading=gettext("We’re on it"),
        sentence=attempt.sentence,
        more=gettext("You do not have to do anything. Come back later, or write to us."),
    )


def _lost(attempt: Attempt, words: dict[str, str]) -> Outlook:
    return Outlook(
        kind="stopped",
        heading=gettext("Connect “%(shop)s” once more") % words,
        sentence=attempt.sentence,
        more=gettext("At %(vendor)s nothing has changed.") % words,
        action="continue",
        label=gettext("Connect it"),
    )


def _unavailable(attempt: Attempt, words: dict[str, str]) -> Outlook:
    return Outlook(
        kind="waiting",
        heading=gettext("%(vendor)s is not answering") % words,
        sentence=attempt.sentence,
        more=gettext("Nothing is lost: your place is kept. You may leave this page."),
        action="check",
        label=gettext("Try again now"),
    )


ANSWERS: Mapping[str, Callable[[Attempt, dict[str, str]], Outlook]] = {
    "": _progress,
    "progress": _progress,
    "waiting": _waiting,
    "ask": _ask,
    "needs": _needs,
    "wrong_shop": _wrong_shop,
    "declined": _declined,
    "refused": _refused,
    "unavailable": _unavailable,
    "garbled": _on_it,
    "poison": _on_it,
    "unsure": _on_it,
    "blocked": _on_it,
    "lost": _lost,
}
