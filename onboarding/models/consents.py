"""Consents: what a merchant agreed to when a connection began, and the keys that sign their receipts."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.conf import settings
from django.db import IntegrityError, models, transaction
from django.db.models import Q

from onboarding import clock

from .connections import Attempt
from .memo import MemoField, opened
from .references import reference

ALGORITHM = "Ed25519"


@dataclass(frozen=True)
class Agreement:
    """What a page showed when its button was pressed, in plain words and in the reader's language.

    `version` tells wordings apart. `names`: of the vendor and the connector at that time.
    """

    words: dict[str, Any]  # Any: JSON
    version: str
    language: str
    names: dict[str, Any] = field(default_factory=dict)  # Any: JSON


class Consent(models.Model):
    """What somebody agreed to when an attempt began: one for each beginning, and never changed.

    `words` are those that the page showed, and `version` is their digest. `person`: name and email address
    at that time, emptied when the person is erased. `about`: the names of the business, shop, vendor and
    connector at that time; those of the business and shop are emptied when the business is closed.
    """

    reference = models.CharField(max_length=20, unique=True, default=reference, editable=False)
    attempt = models.OneToOneField(Attempt, models.CASCADE, related_name="consent")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="consents")
    at = models.DateTimeField(default=clock.now)
    language = models.CharField(max_length=10)
    version = models.CharField(max_length=16)
    words = models.JSONField(default=dict)
    person = models.JSONField(default=dict)
    about = models.JSONField(default=dict)

    class Meta:
        ordering = ["-pk"]
        indexes = [models.Index(fields=["at"], name="consent_at")]

    def __str__(self) -> str:
        return f"{self.reference} · {self.version}"

    @classmethod
    def record(cls, attempt: Attempt, agreement: Agreement) -> Consent:
        """In the transaction in which the attempt begins. There is a key from now on, so that reading a
        receipt writes nothing."""
        ReceiptKey.current()
        connection, user = attempt.connection, attempt.user
        merchant = connection.account.merchant
        shop = {"reference": connection.reference, "name": connection.name}
        return cls.objects.create(
            attempt=attempt,
            user=user,
            language=agreement.language,
            version=agreement.version,
            words=agreement.words,
            person={"name": user.name, "email": user.email},
            about={
                "business": {"reference": merchant.reference, "name": merchant.name},
                "shop": {**shop, "address": connection.address},
                **agreement.names,
            },
        )


class ReceiptKey(models.Model):
    """A key that signs receipts. Public keys stay for good, so that old receipts can be verified.

    `private` is encrypted with MEMO_KEYS. The current key is the one that is not retired.
    """

    algorithm = models.CharField(max_length=20, default=ALGORITHM)
    key_id = models.CharField(max_length=16, unique=True)
    public = models.CharField(max_length=64)  # 32 bytes in hex
    private = MemoField(null=True, default=None, editable=False)  # type: ignore[misc]
    since = models.DateTimeField(default=clock.now)
    retired = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "key of receipts"
        verbose_name_plural = "keys of receipts"
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["algorithm"], condition=Q(retired=None), name="one_current_receipt_key"
            ),
        ]

    def __str__(self) -> str:
        return self.key_id

    @classmethod
    def current(cls) -> ReceiptKey:
        """The key that signs; a new one if there is none, or if MEMO_KEYS no longer open it."""
        key = cls.objects.filter(retired=None).first()
        if key and opened(key.private):
            return key
        try:
            with transaction.atomic():
                return cls._replace(key)
        except IntegrityError:  # another process was faster
            return cls.objects.get(retired=None)

    @classmethod
    def rotate(cls) -> ReceiptKey:
        """Sign with a new key from now on. The old private key is forgotten."""
        with transaction.atomic():
            return cls._replace(cls.objects.select_for_update().filter(retired=None).first())

    @classmethod
    def _replace(cls, old: ReceiptKey | None) -> ReceiptKey:
        now = clock.now()
        if old:
            cls.objects.filter(pk=old.pk).update(retired=now, private=None)
        private = Ed25519PrivateKey.generate()
        public = private.public_key().public_bytes_raw()
        return cls.objects.create(
            key_id=key_id(public),
            public=public.hex(),
            private={"key": private.private_bytes_raw().hex()},
            since=now,
        )

    def sign(self, message: bytes) -> bytes:
        private = opened(self.private) or {}
        return Ed25519PrivateKey.from_private_bytes(bytes.fromhex(private["key"])).sign(message)

    @property
    def pem(self) -> str:
        """The public key as other programs read it."""
        encoding, form = Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
        return self.public_key.public_bytes(encoding, form).decode()

    @property
    def public_key(self) -> Ed25519PublicKey:
        return Ed25519PublicKey.from_public_bytes(bytes.fromhex(self.public))


def key_id(public: bytes) -> str:
    """The first 8 bytes of the SHA-256 of the raw public key, in hex."""
    return hashlib.sha256(public).hexdigest()[:16]
