"""Whether MEMO_KEYS open every memo there is."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db.models import Model

from onboarding.models import Account, Attempt, Connection, Hop, memo

from .finding import Finding

NAMED = 20  # shops that are named; more are counted
TOGETHER = 500  # rows in one query: SQLite bounds its variables
Unreadable = dict[type[Model], set[Any]]  # primary keys
WAYS: dict[type[Model], str] = {
    Connection: "pk",
    Account: "account",
    Attempt: "attempts",
    Hop: "attempts__hops",
}
FIX = (
    "Put the key that opens them back into MEMO_KEYS, behind the new one. "
    "Is it lost for good: .venv/bin/python manage.py rekey --lost"
)


def keys() -> Finding:
    """Every memo of every table is opened, and what it says thrown away."""
    if not _usable():
        words = "Not looked at: MEMO_KEYS holds no usable key."
        return Finding("memos", "note", words, "Set MEMO_KEYS; `manage.py check` makes one.")
    count, unreadable = 0, Unreadable()
    for model, column in memo.columns():
        for pk, sealed in memo.sealed_rows(model, column):
            count += 1
            if not _opens(sealed):
                unreadable.setdefault(model, set()).add(pk)
    if unreadable:
        return Finding("memos", "fault", said(unreadable), FIX)
    return Finding("memos", "ok", f"MEMO_KEYS open all {count} memos.")


def _usable() -> bool:
    try:
        memo.seal({})
    except ValueError:
        return False
    return bool(settings.MEMO_KEYS)


def _opens(sealed: str) -> bool:
    try:
        memo.unseal(sealed)
    except memo.MemoUnreadable:
        return False
    return True


def said(unreadable: Unreadable) -> str:
    tables = [f"{len(rows)} {_name(model, len(rows))}" for model, rows in unreadable.items()]
    words = f"No key of MEMO_KEYS opens what is noted in {', '.join(tables)}."
    shops = affected(unreadable)
    if not shops:
        return f"{words} No shop needs it."
    more = f" and {len(shops) - NAMED} more" if len(shops) > NAMED else ""
    return f"{words} Shops that need it: {', '.join(shops[:NAMED])}{more}."


def affected(unreadable: Unreadable) -> list[str]:
    """References of the shops that need what cannot be read."""
    return sorted(set().union(*(_shops(model, rows) for model, rows in unreadable.items())))


def _name(model: type[Model], count: int) -> str:
    return str(model._meta.verbose_name if count == 1 else model._meta.verbose_name_plural)


def _shops(model: type[Model], rows: set[Any]) -> set[str]:
    """References of the connections that these rows belong to."""
    found, left = set[str](), list(rows) if model in WAYS else []
    while left:
        some, left = left[:TOGETHER], left[TOGETHER:]
        shops = Connection.objects.filter(**{f"{WAYS[model]}__in": some})
        found.update(shops.values_list("reference", flat=True))
    return found
