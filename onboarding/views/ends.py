"""What the page of an attempt says when it is over, or cannot go on."""

from __future__ import annotations

from django.utils.translation import gettext

from ..models import Attempt
from .answers import TRAVELS, Outlook


def connected(attempt: Attempt, words: dict[str, str]) -> Outlook:
    return Outlook(
        kind="connected",
        heading=gettext("“%(shop)s” is connected") % words,
        sentence=attempt.sentence,
    )


def acted(attempt: Attempt, words: dict[str, str]) -> Outlook:
    """What the merchant had done at the vendor; the shop stays what it was."""
    heading = gettext("“%(shop)s” is changed") % words
    return Outlook(kind="connected", heading=heading, sentence=attempt.sentence)


def disconnected(attempt: Attempt, words: dict[str, str]) -> Outlook:
    heading = gettext("“%(shop)s” is disconnected") % words
    return Outlook(kind="ended", heading=heading, sentence=attempt.sentence)


def paused(attempt: Attempt, words: dict[str, str]) -> Outlook:
    heading = gettext("“%(shop)s” is paused") % words
    return Outlook(kind="paused", heading=heading, sentence=attempt.sentence)


def kept() -> Outlook:
    sentence = gettext("You kept the connection that this shop already has.")
    heading = gettext("Nothing was connected twice")
    return Outlook(kind="ended", heading=heading, sentence=sentence)


def expired(attempt: Attempt, words: dict[str, str]) -> Outlook:
    return Outlook(
        kind="expired",
        heading=gettext("This was left too long"),
        sentence=attempt.sentence,
        action="reconnect" if attempt.purpose in TRAVELS else "",
        label=gettext("Start again"),
    )


def stopped(words: dict[str, str]) -> Outlook:
    sentence = gettext("Something else was begun for “%(shop)s” meanwhile. Go on there.") % words
    return Outlook(kind="stopped", heading=gettext("This was ended"), sentence=sentence)


def off(words: dict[str, str]) -> Outlook:
    return Outlook(
        kind="staff",
        heading=gettext("%(vendor)s is switched off") % words,
        sentence=gettext("We do not offer %(vendor)s at the moment.") % words,
        more=gettext("Your place is kept, and nothing is lost."),
    )
