"""A language that nobody speaks: each sentence that can be translated stands in ⟦…⟧.

What a page shows outside ⟦…⟧ is either data, such as a name, or a sentence that every reader gets in English.
"""

from __future__ import annotations

import gettext
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from html.parser import HTMLParser

from django.test import override_settings
from django.utils.translation import trans_real

from onboarding import languages
from tests.support import words

CODE = "io"  # Django knows it and has no formats of its own for it
OPENS, CLOSES = "⟦", "⟧"
CONTEXT = "\x04"
SAID = ("alt", "title", "placeholder", "aria-label", "aria-description", "aria-roledescription")
WORD = re.compile(r"[^\W\d_]{2,}")


class Pseudo(gettext.NullTranslations):
    """Knows what a catalogue of ours has, and what Django and allauth have in each of our languages."""

    def gettext(self, message: str) -> str:
        said = message.rpartition(CONTEXT)[2]
        if not is_known(message, said):
            return message
        return f"{OPENS}{said}{CLOSES}"

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        said = msgid1 if n == 1 else msgid2
        return f"{OPENS}{said}{CLOSES}" if is_known(msgid1, msgid1) else said

    def language(self) -> str:
        return CODE

    def to_language(self) -> str:
        return CODE


@cache
def ours() -> frozenset[str]:
    read = (each for each in words.sentences() if each.reader not in words.ENGLISH_ALONE)
    return frozenset(each.plain for each in read)


@cache
def is_known(message: str, said: str) -> bool:
    if said.replace("%%", "%") in ours():
        return True
    codes = [code for code in languages.NAMES if code != languages.SOURCE]
    return all(vars(trans_real.DjangoTranslation(code))["_catalog"].get(message) for code in codes)


@contextmanager
def spoken() -> Iterator[None]:
    """A browser that asks for this language gets it."""
    with override_settings(LANGUAGES=[("en", "English"), (CODE, "Pseudo")]):
        vars(trans_real)["_translations"][CODE] = Pseudo()
        yield
        vars(trans_real)["_translations"].pop(CODE, None)


class Outside(HTMLParser):
    """The words of a page that stand outside ⟦…⟧."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []
        self.found: list[str] = []
        self.silent = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag in {"script", "style"}:
            self.silent = tag
        for name, value in given.items():
            if name in SAID or (
                tag == "meta"
                and name == "content"
                and " " in value
                and given.get("name") == "description"
            ):
                self.found += outside(value)
        if given.get("type") in {"submit", "button"} and tag == "input":
            self.found += outside(given.get("value", ""))

    def handle_endtag(self, tag: str) -> None:
        if tag == self.silent:
            self.silent = ""

    def handle_data(self, data: str) -> None:
        if not self.silent:
            self.said.append(data)


def outside(text: str) -> list[str]:
    """The runs of text with words outside all ⟦…⟧."""
    runs, depth = [""], 0
    for each in text:
        if each in OPENS + CLOSES:
            depth += 1 if each == OPENS else -1
            runs.append("")
        elif depth == 0:
            runs[-1] += each
    return [run.strip() for run in runs if WORD.search(run)]


def outside_of_page(html: str) -> list[str]:
    parser = Outside()
    parser.feed(html)
    parser.close()
    text = outside("\0".join(parser.said))
    return [
        line.strip()
        for run in [*parser.found, *text]
        for line in re.split("[\0\n]", run)
        if WORD.search(line)
    ]
