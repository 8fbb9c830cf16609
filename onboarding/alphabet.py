"""The order of names that people gave, as the reader's language has it: “Éva” beside “Eva”."""

from __future__ import annotations

import unicodedata

from django.utils.translation import get_language

LAST = "\U0010fffd"
# Letters of their own, which follow another one; elsewhere a mark makes no difference.
FOLLOWS: dict[str, dict[str, str | int | None]] = {
    "sv": {"å": f"z{LAST}1", "ä": f"z{LAST}2", "ö": f"z{LAST}3"},
    "es": {"ñ": f"n{LAST}"},
}


def sort_key(name: str) -> tuple[str, str]:
    """A key to sort names by."""
    own = FOLLOWS.get((get_language() or "")[:2], {})
    folded = unicodedata.normalize("NFC", name.casefold())
    letters = unicodedata.normalize("NFKD", folded.translate(str.maketrans(own)))
    return "".join(each for each in letters if not unicodedata.combining(each)), name
