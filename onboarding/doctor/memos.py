"""Check of the encryption keys: whether MEMO_KEYS decrypt every memo in the database."""

from __future__ import annotations

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.db.models import Model

from onboarding.models import Account, Attempt, Connection, Hop, memo, memo_key
from onboarding.people import factor_secrets

from .finding import Finding

NAMED = 20  # shops that are named; the others are counted
BATCH = 500  # rows in one query: SQLite limits the number of variables
Unreadable = dict[type[Model], set[int]]  # primary keys of rows that no key decrypts
# Lookups from a connection to the rows that it needs.
LOOKUPS: dict[type[Model], str] = {
    Connection: "pk",
    Account: "account",
    Attempt: "attempts",
    Hop: "attempts__hops",
}


def keys() -> Finding:
    """Decrypt every memo of every table, and the secrets of second steps, and discard the content."""
    if not _usable():
        message = "Not checked: MEMO_KEYS holds no usable key."
        return Finding(
            "memos", "note", message, "Set MEMO_KEYS; `manage.py check` shows how to create one."
        )
    count, unreadable = 0, Unreadable()
    for model, column in memo.columns():
        for pk, sealed in memo.sealed_rows(model, column):
            count += 1
            if not memo.opens(sealed):
                unreadable.setdefault(model, set()).add(pk)
    for pk, sealed in factor_secrets.sealed():
        count += 1
        if not memo.opens(sealed):
            unreadable.setdefault(Authenticator, set()).add(pk)
    if words := [
        *([memo_key.MISSING] if memo_key.missing() else []),
        *([describe(unreadable)] if unreadable else []),
    ]:
        return Finding("memos", "fault", " ".join(words), memo_key.FIX)
    return Finding("memos", "ok", f"MEMO_KEYS can decrypt all {count} memos.")


def _usable() -> bool:
    try:
        memo.seal({})
    except ValueError:
        return False
    return bool(settings.MEMO_KEYS)


def describe(unreadable: Unreadable) -> str:
    """What cannot be read, and which shops need it, in one or two sentences."""
    tables = [f"{len(rows)} {_name(model, len(rows))}" for model, rows in unreadable.items()]
    message = f"No key of MEMO_KEYS can decrypt what is stored in {', '.join(tables)}."
    shops = affected(unreadable)
    if not shops:
        return f"{message} No shop needs that."
    more = f" and {len(shops) - NAMED} more" if len(shops) > NAMED else ""
    return f"{message} Shops that need it: {', '.join(shops[:NAMED])}{more}."


def affected(unreadable: Unreadable) -> list[str]:
    """References of the shops that need these rows, sorted."""
    return sorted(set().union(*(_shops(model, rows) for model, rows in unreadable.items())))


def _name(model: type[Model], count: int) -> str:
    return str(model._meta.verbose_name if count == 1 else model._meta.verbose_name_plural)


def _shops(model: type[Model], rows: set[int]) -> set[str]:
    """References of the connections that these rows belong to."""
    found, left = set[str](), list(rows) if model in LOOKUPS else []
    while left:
        batch, left = left[:BATCH], left[BATCH:]
        shops = Connection.objects.filter(**{f"{LOOKUPS[model]}__in": batch})
        found.update(shops.values_list("reference", flat=True))
    return found
