"""Proof of MEMO_KEYS: each key that has encrypted memos leaves a canary, a ciphertext that only it opens.

While a canary does not open, a key is missing, so an unreadable memo says nothing about its shop: no shop
is lowered and no memo given up. `manage.py rekey --lost` is the operator's word that a key is gone for good.
"""

from __future__ import annotations

import base64
import hashlib

from django.conf import settings
from django.db import models

from onboarding import clock

from . import memo

SAMPLE = 100  # memos at each end of a column that must open before a first canary is made
proof_is_due = False  # this process started without its database, so it has proven nothing yet
UNKNOWN = "unknown"  # stands for lost keys that never had a canary
MISSING = "MEMO_KEYS lack a key that this site has encrypted with."
FIX = (
    "Put that key back into MEMO_KEYS, behind the new one. "
    "If it is lost for good: .venv/bin/python manage.py rekey --lost"
)


class MemoKeyMissing(Exception):
    """MEMO_KEYS do not open what was encrypted here, and nobody has said that the key is lost."""

    def __init__(self) -> None:
        super().__init__(f"{MISSING} {FIX}")


class MemoKey(models.Model):
    """A key that has encrypted memos. `lost_at`: the operator said that it is gone for good."""

    fingerprint = models.CharField(max_length=32, unique=True)
    canary = models.TextField()
    since = models.DateTimeField(default=clock.now)
    lost_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "key of memos"
        verbose_name_plural = "keys of memos"


def missing() -> bool:
    """Whether a key that has encrypted memos is not in MEMO_KEYS. One query."""
    canaries = MemoKey.objects.filter(lost_at=None).values_list("canary", flat=True)
    return not all(memo.opens(each) for each in canaries)


def loss_is_confirmed() -> bool:
    """Whether a memo that no key opens may be given up: a key is lost for good, and none is missing."""
    return not missing() and MemoKey.objects.exclude(lost_at=None).exists()


def are_proven() -> bool:
    """Whether MEMO_KEYS open every canary; before there is one, memos of the database are tried."""
    return not missing() and (MemoKey.objects.exists() or _opens_a_sample())


def prove() -> None:
    """Before a process works: give the first key its canary. Raises MemoKeyMissing.

    Any number of processes may do so at once.
    """
    if not are_proven():
        raise MemoKeyMissing
    _welcome_back()
    register()


def retire_old_keys() -> None:
    """No memo needs another key than the first any more."""
    register()
    MemoKey.objects.exclude(fingerprint=_fingerprint()).delete()


def confirm_loss() -> None:
    """The operator says that the keys that are missing are gone for good."""
    register()
    known = list(MemoKey.objects.all())
    lost = [each.pk for each in known if not memo.opens(each.canary)]
    MemoKey.objects.filter(pk__in=lost, lost_at=None).update(lost_at=clock.now())
    if not lost:
        MemoKey.objects.get_or_create(fingerprint=UNKNOWN, defaults={"lost_at": clock.now()})


def _welcome_back() -> None:
    """A key that was given up for lost is in MEMO_KEYS again: from now on it must stay."""
    lost = MemoKey.objects.exclude(lost_at=None)
    back = [each.pk for each in lost if memo.opens(each.canary)]
    if back:
        MemoKey.objects.filter(pk__in=back).update(lost_at=None)


def register() -> None:
    """From now on, the first key of MEMO_KEYS must stay: it encrypts."""
    canary = memo.seal("canary")
    MemoKey.objects.get_or_create(fingerprint=_fingerprint(), defaults={"canary": canary})


def _fingerprint() -> str:
    """Tells keys apart and reveals nothing of them: a Fernet key is 32 random bytes."""
    key = base64.urlsafe_b64decode(settings.MEMO_KEYS[0])
    return hashlib.sha256(b"gangway memo key" + key).hexdigest()[:32]


def _opens_a_sample() -> bool:
    """Whether MEMO_KEYS open the oldest and the newest memos of each column."""
    return all(
        memo.opens(sealed)
        for column in memo.columns()
        for sealed in memo.sealed_sample(*column, count=SAMPLE)
    )
