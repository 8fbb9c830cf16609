"""Names and email addresses of an erased person, replaced wherever texts, JSON and memos hold them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import CharField, Field, JSONField, Model, Q, QuerySet, TextField

from onboarding.models import (
    Account,
    Attempt,
    Connection,
    Consent,
    ErasureTask,
    Event,
    Hop,
    Merchant,
    User,
    WaitlistEntry,
)
from onboarding.models.memo import MemoField, Unread

WORDS = "a former member"  # what stands in their place
PAGE = 1000  # rows read at once
BATCH = 200  # rows written at once
SHORTEST_NAME = 5  # a shorter single word may be any word

# The rows of a business, and the way from each to it.
PATHS: dict[type[Model], str] = {
    Account: "merchant",
    Connection: "account__merchant",
    Attempt: "connection__account__merchant",
    Hop: "attempt__connection__account__merchant",
    Event: "connection__account__merchant",
    Consent: "attempt__connection__account__merchant",
    WaitlistEntry: "merchant",
    ErasureTask: "merchant",
}
# Columns that hold ids, keys or the business's own names for its shops.
NOT_TEXT = {
    *("reference", "vendor", "key", "name", "name_key", "shop_id", "found_shop_id", "lease_token"),
    *("accepted_shop_id", "state", "digest", "returned_by", "announced", "unsure", "unsure_why"),
    *("status", "turn", "answer", "cause", "purpose", "ending"),
}


class Replacer:
    """Replaces a person's addresses and name in a text or a JSON value.

    In memos `address` stands in their place, where a vendor's module may expect an address.
    """

    def __init__(self, addresses: Iterable[str], name: str, address: str) -> None:
        self.address = address
        self._addresses = _pattern(addresses, r"(?<![\w.+-]){}(?![\w-])")
        is_telling = " " in name.strip() or len(name.strip()) >= SHORTEST_NAME
        self._name = _pattern([name] if is_telling else [], r"(?<!\w){}(?!\w)")

    def text(self, text: str, address: str = WORDS) -> str:
        if self._addresses:
            text = self._addresses.sub(address, text)
        return self._name.sub(WORDS, text) if self._name else text

    def json(self, value: object, address: str = WORDS) -> object:
        """The same value, with every text in it replaced; a StoredText keeps its id."""
        match value:
            case str():
                return self.text(value, address)
            case list() | tuple():
                return [self.json(each, address) for each in value]
            case dict():
                return {
                    key: each if key == "id" and "params" in value else self.json(each, address)
                    for key, each in value.items()
                }
        return value


def _pattern(words: Iterable[str], around: str) -> re.Pattern[str] | None:
    found = sorted({word.strip() for word in words if word.strip()}, key=len, reverse=True)
    if not found:
        return None
    escaped = "|".join(re.escape(word) for word in found)
    return re.compile(around.format(f"(?:{escaped})"), re.IGNORECASE)


def affected_accounts(merchants: Iterable[Merchant], replacer: Replacer) -> set[int]:
    """The accounts in whose memos, or in those of their shops, something would be replaced."""
    found = set[int]()
    for model, to_account in (
        (Account, "pk"),
        (Connection, "account_id"),
        (Attempt, "connection__account_id"),
    ):
        changed = [pk for pk, _ in _changes(model, merchants, replacer)]
        rows = model._default_manager.filter(pk__in=changed)
        found.update(rows.values_list(to_account, flat=True))
    return found


def replace_in_rows(merchants: Iterable[Merchant], replacer: Replacer) -> int:
    """Replace in all rows of these businesses, in the caller's transaction; returns how many rows."""
    merchants, count = list(merchants), 0
    for model in PATHS:
        found = [pk for pk, _ in _changes(model, merchants, replacer)]
        for first in range(0, len(found), PAGE):
            count += _replace(model, found[first : first + PAGE], replacer)
    return count


def _changes(
    model: type[Model], merchants: Iterable[Merchant], replacer: Replacer
) -> Iterator[tuple[int, dict[str, object]]]:
    """(primary key, what would be written) of the rows that hold something."""
    fields = text_fields(model)
    columns = [field.attname for field in fields]
    rows = model._default_manager.filter(**{f"{PATHS[model]}__in": list(merchants)})
    for pk, *values in _pages(rows.order_by("pk"), columns):
        if changed := _changed(fields, values, replacer):
            yield pk, changed


def _pages(rows: QuerySet[Model], columns: list[str]) -> Iterator[tuple[int, ...]]:
    last = 0
    while page := list(rows.filter(pk__gt=last).values_list("pk", *columns)[:PAGE]):
        yield from page
        last = page[-1][0]


def text_fields(model: type[Model]) -> list[Field[object, object]]:
    """The columns that may hold a text that somebody typed or a vendor wrote."""
    return [
        field
        for field in model._meta.concrete_fields
        if isinstance(field, CharField | TextField | JSONField) and field.name not in NOT_TEXT
    ]


def _changed(
    fields: list[Field[object, object]], values: Iterable[object], replacer: Replacer
) -> dict[str, object]:
    changed = {}
    for field, value in zip(fields, values, strict=True):
        if value in (None, "") or isinstance(value, Unread):
            continue
        address = replacer.address if isinstance(field, MemoField) else WORDS
        if (new := replacer.json(value, address)) != value:
            changed[field.attname] = new
    return changed


def _replace(model: type[Model], keys: list[int], replacer: Replacer) -> int:
    """Replace in these rows as they stand now: they are read once more, with their locks."""
    fields, columns = text_fields(model), set[str]()
    rows = model._default_manager.select_for_update(no_key=True).filter(pk__in=keys)
    locked = list(rows.only(*(field.attname for field in fields)))
    for row in locked:
        changed = _changed(fields, [getattr(row, each.attname) for each in fields], replacer)
        columns |= changed.keys()
        for name, value in changed.items():
            setattr(row, name, value)
    if columns:
        model._default_manager.bulk_update(locked, sorted(columns), batch_size=BATCH)
    return len(locked)


def replace_in_staff_log(user: User, addresses: Iterable[str], replacer: Replacer) -> None:
    """The same in Django's log of what staff did in the admin."""
    held = Q(content_type=ContentType.objects.get_for_model(User), object_id=str(user.pk))
    for word in [*addresses, user.name]:
        if word:
            held |= Q(object_repr__icontains=word) | Q(change_message__icontains=word)
    for entry in LogEntry.objects.filter(held):
        LogEntry.objects.filter(pk=entry.pk).update(
            object_repr=replacer.text(entry.object_repr),
            change_message=replacer.text(entry.change_message),
        )
