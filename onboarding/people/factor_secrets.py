"""The secrets of authenticator apps and recovery codes: in allauth's rows, encrypted with MEMO_KEYS."""

from __future__ import annotations

from collections.abc import Iterator

from allauth.mfa.models import Authenticator
from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings
from django.db import transaction

from onboarding.models import memo

# Where the secret stands in `data`, by the type of the row. A passkey's row holds a public key alone.
PLACES = {Authenticator.Type.TOTP.value: "secret", Authenticator.Type.RECOVERY_CODES.value: "seed"}


def sealed() -> Iterator[tuple[int, str]]:
    """(primary key, ciphertext) of every secret."""
    rows = Authenticator.objects.filter(type__in=PLACES).order_by("pk")
    for row in rows:
        yield row.pk, row.data[PLACES[row.type]]


def rekey() -> tuple[int, set[int]]:
    """Encrypt all with the first key: how many were changed, and the rows that no key decrypts."""
    first, count, unreadable = Fernet(settings.MEMO_KEYS[0]), 0, set[int]()
    for pk, secret in sealed():
        try:
            first.decrypt(secret)
        except InvalidToken:
            try:
                count += _replace(pk, secret, memo.resealed(secret))
            except memo.MemoUnreadable:
                unreadable.add(pk)
    return count, unreadable


@transaction.atomic
def _replace(pk: int, old: str, new: str) -> int:
    """Under a lock: somebody may use a recovery code at this moment, which writes the same column."""
    row = Authenticator.objects.select_for_update().filter(pk=pk).first()
    place = PLACES[row.type] if row else ""
    if row is None or row.data[place] != old:
        return 0
    row.data[place] = new
    row.save(update_fields=["data"])
    return 1
