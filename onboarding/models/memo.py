"""Memos: JSON columns, encrypted at rest with the Fernet keys of MEMO_KEYS.

The first key encrypts, and every key decrypts: a key is rotated by putting a new one in front.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.apps import apps
from django.conf import settings
from django.db import models
from django.db.models.functions import Cast


class MemoUnreadable(Exception):
    """No key of MEMO_KEYS decrypts a memo."""


class Unread:
    """Stands for a memo that no key decrypts. Using it raises MemoUnreadable; saving it changes nothing.

    An empty memo in its place would be wrong: a flow would take it for a shop for which nothing was made
    yet, and make everything twice. It is a type of its own, so mypy refuses code that merges, unpacks or
    reads a memo without `readable` (work with it) or `opened` (do without it, but then write nothing).
    """

    def __init__(self, sealed: str) -> None:
        self.sealed = sealed

    def _refuse(self, *_: object) -> NoReturn:
        raise MemoUnreadable("no key of MEMO_KEYS decrypts this memo")

    if not TYPE_CHECKING:  # mypy finds none of them; what it does not see raises
        __bool__ = __len__ = __iter__ = __contains__ = __getitem__ = __or__ = __ror__ = _refuse
        get = keys = values = items = copy = _refuse


T = TypeVar("T")


def opened(memo: T | Unread) -> T | None:
    """The memo, or None if no key decrypts it."""
    return None if isinstance(memo, Unread) else memo


def readable(memo: T | Unread) -> T:
    """The memo, to work with or to change. Raises MemoUnreadable if no key decrypts it."""
    if isinstance(memo, Unread):
        raise MemoUnreadable("no key of MEMO_KEYS decrypts this memo")
    return memo


@lru_cache(maxsize=4)
def _cipher(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])


def _keys() -> MultiFernet:
    return _cipher(tuple(settings.MEMO_KEYS))


def seal(value: object) -> str:
    """A JSON value, encrypted with the first key."""
    return _keys().encrypt(json.dumps(value).encode()).decode()


def unseal(sealed: str) -> object:
    """The JSON value. Raises MemoUnreadable."""
    try:
        return json.loads(_keys().decrypt(sealed))
    except InvalidToken:
        raise MemoUnreadable("no key of MEMO_KEYS decrypts this memo") from None


def opens(sealed: str) -> bool:
    """Whether a key of MEMO_KEYS decrypts this."""
    try:
        _keys().decrypt(sealed)
    except InvalidToken:
        return False
    return True


def resealed(sealed: str) -> str:
    """The same value, encrypted with the first key. Raises MemoUnreadable."""
    try:
        return _keys().rotate(sealed).decode()
    except InvalidToken:
        raise MemoUnreadable("no key of MEMO_KEYS decrypts this memo") from None


if TYPE_CHECKING:  # Any: memos are JSON objects whose values only their vendor knows
    Column = models.TextField[Any, dict[str, Any] | Unread]
else:
    Column = models.TextField


class MemoField(Column):
    """A JSON object; `None` stays NULL. Only ciphertext reaches the database.

    For mypy it is never None: where `null=True`, the code that reads it knows.
    """

    _pyi_private_set_type: Any
    _pyi_private_get_type: Any

    def get_prep_value(self, value: object) -> str | None:
        if isinstance(value, Unread):
            return value.sealed
        return None if value is None else seal(value)

    def from_db_value(self, value: str | None, *_: object) -> object:
        if value is None:
            return None
        try:
            return unseal(value)
        except MemoUnreadable:
            return Unread(value)

    def to_python(self, value: object) -> object:
        return value

    def value_to_string(self, obj: models.Model) -> str:
        """Dumps keep the ciphertext: a fixture never holds a secret."""
        return str(self.get_prep_value(self.value_from_object(obj)))


# -- all memos in the database ---------------------------------------------------------------------

PAGE = 1000  # rows in one query


def columns() -> Iterator[tuple[type[models.Model], str]]:
    """Every (model, column) that holds memos."""
    for model in apps.get_app_config("onboarding").get_models():
        for field in model._meta.concrete_fields:
            if isinstance(field, MemoField):
                yield model, field.attname


def sealed_rows(model: type[models.Model], column: str) -> Iterator[tuple[int, str]]:
    """(primary key, ciphertext) of every memo in a column, as it stands in the database.

    A page at a time: a cursor of the server would not survive a pooler between two transactions.
    """
    rows, last = _sealed(model, column).order_by("pk"), 0
    while page := list(rows.filter(pk__gt=last)[:PAGE]):
        yield from page
        last = page[-1][0]


def sealed_sample(model: type[models.Model], column: str, count: int) -> list[str]:
    """The ciphertexts of the oldest and of the newest `count` memos in a column."""
    rows = _sealed(model, column)
    return [sealed for order in ("pk", "-pk") for _, sealed in rows.order_by(order)[:count]]


def _sealed(
    model: type[models.Model], column: str
) -> models.QuerySet[models.Model, tuple[int, str]]:
    raw = Cast(column, models.TextField())
    rows: models.QuerySet[models.Model, tuple[int, str]] = (
        model._default_manager.exclude(**{column: None})
        .annotate(_sealed=raw)
        .values_list("pk", "_sealed")
    )
    return rows


def rekey(model: type[models.Model], column: str) -> tuple[int, set[int]]:
    """Encrypt a column's memos with the first key.

    Returns how many were changed, and the primary keys of the rows that no key decrypts. A memo that
    another process writes in the meantime has the first key already, and is left alone.
    """
    first, count, unreadable = Fernet(settings.MEMO_KEYS[0]), 0, set[int]()
    for pk, sealed in sealed_rows(model, column):
        try:
            first.decrypt(sealed)
        except InvalidToken:
            try:
                count += _replace(model, column, pk, sealed)
            except MemoUnreadable:
                unreadable.add(pk)
    return count, unreadable


def _replace(model: type[models.Model], column: str, pk: int, sealed: str) -> int:
    new = Unread(resealed(sealed))  # its ciphertext is written as it is
    raw = Cast(column, models.TextField())
    unchanged = model._default_manager.annotate(_sealed=raw).filter(pk=pk, _sealed=sealed)
    return unchanged.update(**{column: new})
