"""Which characters a text may contain: one rule for what people type and for what vendors reply.

Texts that people type are cleaned (`one_line`), texts of vendors are refused (`is_plain`), and names that
must differ are compared by `name_key`.
"""

from __future__ import annotations

import unicodedata

# Control characters, separators of lines and paragraphs, and lone surrogates: PostgreSQL refuses U+0000,
# UTF-8 cannot encode a surrogate, and a line end in a header starts another header.
_NOT_PLAIN = {"Cc", "Cs", "Zl", "Zp"}
# Letters, marks and symbols whose glyph is empty: Hangul fillers, Khmer inherent vowels, the Braille blank,
# Mongolian separators, variation selectors.
_EMPTY = set("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180e\u180f\u2800\u3164\uffa0")
_EMPTY |= {chr(code) for code in (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))}
_JOINERS = "\u200c\u200d"  # needed inside words (Persian, Hindi) and inside emoji


def is_plain(text: str) -> bool:
    """Whether a text can be stored, mailed and shown as it is: no control characters, no surrogates."""
    return not any(unicodedata.category(char) in _NOT_PLAIN for char in text)


def one_line(text: str) -> str:
    """A text in one line: blanks joined; control and format characters removed, but for joiners in words.

    Format characters are those that nobody sees: zero-width spaces, direction marks, soft hyphens.
    """
    printable = "".join(map(_printable, text))
    words = (word.strip(_JOINERS) for word in printable.split())
    return unicodedata.normalize("NFC", " ".join(filter(None, words)))


def _printable(char: str) -> str:
    category = unicodedata.category(char)
    if category in {"Cf", "Cs"}:
        return char if char in _JOINERS else ""
    return " " if category in {"Cc", "Zl", "Zp"} else char


def trimmed(text: str) -> str:
    """A text without the blanks and invisible characters around it, which a paste brings along."""
    return text.strip("".join(char for char in set(text) if _is_unseen(char)))


def _is_unseen(char: str) -> bool:
    return char.isspace() or char in _EMPTY or unicodedata.category(char) in {"Cf", "Zs"}


def is_visible(text: str) -> bool:
    """Whether somebody who reads this text sees at least one letter, digit, sign or symbol."""
    return any(unicodedata.category(char)[0] in "LNPS" and char not in _EMPTY for char in text)


def name_key(name: str) -> str:
    """The key by which names are compared: alike for names that a reader takes for the same.

    Compatibility forms, case, blanks and invisible characters make no difference.
    """
    folded = unicodedata.normalize("NFKC", one_line(name)).casefold()
    kept = "".join(
        char
        for char in unicodedata.normalize("NFKC", folded)
        if unicodedata.category(char) != "Cf" and char not in _EMPTY
    )
    return " ".join(kept.split())
