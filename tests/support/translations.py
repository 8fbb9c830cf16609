"""What the catalogues say, and what is wrong with it: `python -m tests.support.translations [de …]`.

It reads what a site reads, the compiled file: what is missing, fuzzy or empty in a catalogue is not there.
"""

from __future__ import annotations

import ast
import gettext
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

from tests.support import messages, words

PUT_IN = re.compile(r"%\(\w+\)[sd]|%[sd]|{\w*}")
TAG = re.compile(r"</?[a-z][^>]*>")
STRAIGHT = re.compile("[\"']")
ENDS = ".:?…"
CODES = messages.TRANSLATED
Key = str | tuple[str, int]  # a message, or a message and the number of the form of its plural


class Pair(NamedTuple):
    """A translation, and what it translates; of a plural, that form of the message.

    `for_several`: of the form for one, what the message says for several. Where no number is named for one
    ("one left"), a language may need it: French uses that form for none, too.
    """

    message: str
    said: str
    for_several: str = ""


def read(path: Path) -> dict[Key, str]:
    with path.open("rb") as file:
        catalogue: dict[Key, str] = vars(gettext.GNUTranslations(file))["_catalog"]
    return catalogue


@cache
def pairs(code: str) -> tuple[Pair, ...]:
    plurals, found = plurals_of_messages(), []
    for key, said in read(messages.mo(code)).items():
        if isinstance(key, str):
            found += [Pair(key, said)] if key else []  # the header has no message
        else:
            one, form = key
            many = plurals[one]
            found.append(Pair(many, said) if form else Pair(one, said, many))
    return tuple(found)


@cache
def plurals_of_messages() -> dict[str, str]:
    """The message for one → that for several."""
    source = messages.po(CODES[0]).read_text(encoding="utf-8")
    blocks = re.findall(r'^msgid (".*"(?:\n".*")*)\nmsgid_plural (".*"(?:\n".*")*)$', source, re.M)
    return {_unquoted(one): _unquoted(many) for one, many in blocks}


def _unquoted(lines: str) -> str:
    return "".join(ast.literal_eval(line) for line in lines.splitlines())


def untranslated(code: str) -> list[str]:
    """The sentences of code and templates that a reader of this language gets in English."""
    return sorted(said_in_sources() - by_sentence(code).keys())


def by_sentence(code: str) -> dict[str, str]:
    return {pair.message.replace("%%", "%"): pair.said for pair in pairs(code)}


@cache
def said_in_sources() -> frozenset[str]:
    read_in_languages = (e for e in words.sentences() if e.reader not in words.ENGLISH_ALONE)
    return frozenset(each.plain for each in read_in_languages)


def faults(pair: Pair) -> Iterator[str]:
    """Why a translation cannot take the place of its message."""
    message, said, for_several = pair
    allowed = [set(PUT_IN.findall(each)) for each in (message, for_several) if each]
    if set(PUT_IN.findall(said)) not in allowed:
        yield "other placeholders"
    if sorted(TAG.findall(message)) != sorted(TAG.findall(said)):
        yield "other tags"
    if _ends(message) != _ends(said):
        yield "begins or ends otherwise"
    if STRAIGHT.search(TAG.sub("", said)) and not STRAIGHT.search(TAG.sub("", message)):
        yield "straight quotes"


def _ends(text: str) -> tuple[str, str, str]:
    """Blanks and lines are part of a mail; a line that ends in a colon is the words of a button."""
    bare = text.strip()
    before, _, after = text.partition(bare) if bare else (text, "", "")
    return before, after, bare[-1:] if bare[-1:] in ENDS else ""


def wrong(code: str) -> list[str]:
    return [
        f"{fault}: {pair.message!r} → {pair.said!r}"
        for pair in pairs(code)
        for fault in faults(pair)
    ]


def main(codes: list[str]) -> None:
    for code in codes or CODES:
        missing = untranslated(code)
        for line in [*wrong(code), *(f"not translated: {each!r}" for each in missing)]:
            sys.stdout.write(f"{code}: {line}\n")
        sys.stdout.write(
            f"{code}: {len(said_in_sources()) - len(missing)} sentences are translated\n"
        )


if __name__ == "__main__":
    main(sys.argv[1:])
