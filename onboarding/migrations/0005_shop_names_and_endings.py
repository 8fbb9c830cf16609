"""One name for one shop of a merchant, why an attempt has ended, and shops that their merchant removed.

Shops of one merchant whose names a reader takes for the same get a number; the oldest keeps its name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import count, groupby
from typing import Any

from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.models import Exists, OuterRef, Q

from onboarding.models.connections import ShopNameKeyField, shop_name_key

LONGEST_NAME = 100
BATCH = 1000
KEPT_SIBLING = "You kept the connection that this shop already has."
ENDINGS = ("connected", "done", "expired")  # answers that say why


def name_the_shops(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    connections = apps.get_model("onboarding", "Connection").objects
    rows = connections.select_related("account").only("name", "status", "account__merchant_id")
    ordered = rows.order_by("account__merchant_id", "created", "pk").iterator(chunk_size=BATCH)
    batch: list[Any] = []
    for merchant_id, shops in groupby(ordered, lambda row: row.account.merchant_id):
        batch.extend(_named(merchant_id, list(shops)))
        if len(batch) >= BATCH:
            connections.bulk_update(batch, ["name", "name_key"], batch_size=BATCH)
            batch = []
    connections.bulk_update(batch, ["name", "name_key"], batch_size=BATCH)


def _named(merchant_id: int, shops: list[Any]) -> Iterator[Any]:  # Any: rows of historical models
    """The shops of one merchant with their keys, and with a number where two would have one key."""
    in_use = {shop_name_key(merchant_id, row.name) for row in shops if row.status != "disconnected"}
    taken: set[str] = set()
    for row in shops:
        row.name_key = shop_name_key(merchant_id, row.name)
        if row.status != "disconnected":
            if row.name_key in taken:
                row.name = _numbered(merchant_id, row.name, in_use)
                row.name_key = shop_name_key(merchant_id, row.name)
            taken.add(row.name_key)
            in_use.add(row.name_key)
        yield row


def _numbered(merchant_id: int, name: str, in_use: Iterable[str]) -> str:
    suffixes = (f" {number}" for number in count(2))
    names = (name[: LONGEST_NAME - len(suffix)] + suffix for suffix in suffixes)
    return next(each for each in names if shop_name_key(merchant_id, each) not in in_use)


def say_why_attempts_ended(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    attempts = apps.get_model("onboarding", "Attempt").objects
    events = apps.get_model("onboarding", "Event").objects
    over = attempts.exclude(ended=None).filter(ending="")
    for answer in ENDINGS:
        over.filter(answer=answer).update(ending=answer)
    connects = Q(purpose__in=["connect", "reconnect"])
    over.filter(~connects, answer="unreadable").update(ending="unreadable")
    kept = events.filter(attempt=OuterRef("pk"), note__id=KEPT_SIBLING)
    over.filter(Exists(kept), answer="wrong_shop").update(ending="kept_sibling")
    later = attempts.filter(connection=OuterRef("connection"), pk__gt=OuterRef("pk"))
    last = over.filter(~Exists(later), connection__status="disconnected")
    last.update(ending="account_deleted")
    over.update(ending="replaced")


class Migration(migrations.Migration):
    dependencies = (("onboarding", "0004_rate_limits"),)

    operations = (
        migrations.AddField(
            "connection",
            "name_key",
            ShopNameKeyField(default="", editable=False, max_length=64),
            preserve_default=False,
        ),
        migrations.AddField(
            "connection", "removed_at", models.DateTimeField(blank=True, null=True)
        ),
        migrations.AddField(
            "attempt",
            "ending",
            models.CharField(
                blank=True,
                choices=[
                    ("connected", "connected"),
                    ("done", "done"),
                    ("expired", "not finished in time"),
                    ("replaced", "a newer attempt took its place"),
                    ("kept_sibling", "the shop has another connection, which was kept"),
                    ("unreadable", "no key opens what the vendor gave us"),
                    ("account_deleted", "the account at the vendor was deleted"),
                    ("removed", "the merchant removed the shop"),
                ],
                default="",
                max_length=20,
            ),
            preserve_default=False,
        ),
        migrations.RunPython(name_the_shops, migrations.RunPython.noop),
        migrations.RunPython(say_why_attempts_ended, migrations.RunPython.noop),
        migrations.AddConstraint(
            "connection",
            models.UniqueConstraint(
                fields=("name_key",),
                condition=~Q(status="disconnected"),
                name="one_shop_a_name",
            ),
        ),
        migrations.AddConstraint(
            "attempt",
            models.CheckConstraint(
                condition=Q(ended=None) | ~Q(ending=""), name="an_ended_attempt_says_why"
            ),
        ),
    )
