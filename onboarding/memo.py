"""A JSON column, encrypted at rest with the Fernet keys of MEMO_KEYS. The first key encrypts."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.db import models


class MemoUnreadable(Exception):
    """No key of MEMO_KEYS opens a memo. Never answered with ciphertext or with an empty memo."""


@lru_cache(maxsize=4)
def _cipher(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])


def seal(value: object) -> str:
    return _cipher(tuple(settings.MEMO_KEYS)).encrypt(json.dumps(value).encode()).decode()


def unseal(sealed: str) -> Any:
    try:
        return json.loads(_cipher(tuple(settings.MEMO_KEYS)).decrypt(sealed))
    except InvalidToken:
        raise MemoUnreadable("no key of MEMO_KEYS opens this memo") from None


if TYPE_CHECKING:
    Column = models.TextField[Any, Any]
else:
    Column = models.TextField


class MemoField(Column):
    """Any JSON value; `None` stays NULL. Only ciphertext reaches the database."""

    _pyi_private_set_type: Any
    _pyi_private_get_type: Any

    def get_prep_value(self, value: Any) -> Any:
        return None if value is None else seal(value)

    def from_db_value(self, value: str | None, *_: object) -> Any:
        return None if value is None else unseal(value)

    def to_python(self, value: Any) -> Any:
        return value

    def value_to_string(self, obj: models.Model) -> str:
        """Dumps keep the ciphertext: a fixture never holds a secret."""
        return str(self.get_prep_value(self.value_from_object(obj)))
