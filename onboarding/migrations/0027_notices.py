"""Notices: one row for each mail about a shop or an attempt to one person.

Promised mails, mails about attempts and warnings before an end are carried over, sent or not. Going back makes
them of the notices; what had no table before (a shop that broke, reminders) is forgotten.
"""

from collections.abc import Iterator
from typing import Any

import django.db.models.deletion
import onboarding.clock
from django.apps.registry import Apps
from django.conf import settings
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

MAIL = ("mailed", "mail_retry_at", "mail_tries", "mail_refused")
STEPS = {"week": "7 days", "day": "1 day"}
OF_A_TURN = ("ready", "action_needed", "staff_done", "connected")


def mail_of(row: Any) -> dict[str, object]:
    return {name: getattr(row, name) for name in MAIL}


def members(apps: Apps, merchant_id: int) -> list[int]:
    rows = apps.get_model("onboarding", "Membership").objects.filter(merchant_id=merchant_id)
    return list(rows.filter(user__is_active=True).values_list("user_id", flat=True))


def promises(apps: Apps) -> Iterator[dict[str, object]]:
    """A promise whose wait is over is due now; any other waits for the attempt to go on."""
    rows = apps.get_model("onboarding", "PromisedMail").objects.select_related("attempt")
    for row in rows.iterator():
        attempt = row.attempt
        is_over = attempt.turn in {"merchant", ""} and attempt.answer != "progress"
        yield {
            "kind": "staff_done",
            "user_id": attempt.user_id,
            "connection_id": attempt.connection_id,
            "attempt_id": attempt.pk,
            "at": row.promised,
            "created": row.promised,
            "not_before": row.promised if is_over or row.mailed else None,
            "key": f"turn:{attempt.pk}:{row.promised.isoformat()}",
            **mail_of(row),
        }


def of_attempts(apps: Apps) -> Iterator[dict[str, object]]:
    rows = apps.get_model("onboarding", "AttemptMail").objects
    way = "attempt__connection__account"
    for row in rows.select_related(way).iterator():
        attempt = row.attempt
        is_way_back = row.kind == "way_back"
        merchant = attempt.connection.account.merchant_id
        users = [row.user_id] if row.user_id else members(apps, merchant)
        for user_id in users:
            yield {
                "kind": "way_back" if is_way_back else "connected",
                "step": "" if is_way_back else "confirmed",
                "user_id": user_id,
                "connection_id": attempt.connection_id,
                "attempt_id": attempt.pk,
                "at": attempt.created,
                "created": attempt.created,
                "not_before": attempt.created,
                "key": f"{row.kind}:{attempt.pk}" + ("" if is_way_back else f":{user_id}"),
                **mail_of(row),
            }


def warnings(apps: Apps) -> Iterator[dict[str, object]]:
    rows = apps.get_model("onboarding", "ExpiryWarning").objects
    for row in rows.select_related("connection__account").iterator():
        step, end = STEPS.get(row.kind, row.kind), row.expires_at
        for user_id in members(apps, row.connection.account.merchant_id):
            yield {
                "kind": "ends",
                "step": step,
                "user_id": user_id,
                "connection_id": row.connection_id,
                "at": end,
                "created": row.mailed or onboarding.clock.now(),
                "not_before": row.mailed or onboarding.clock.now(),
                "key": f"ends:{row.connection_id}:{step}:{end.isoformat()}:{user_id}",
                **mail_of(row),
            }


def carry_over(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    notices = apps.get_model("onboarding", "Notice").objects
    for rows in (promises(apps), of_attempts(apps), warnings(apps)):
        notices.bulk_create([notices.model(**row) for row in rows], batch_size=1000)


def carry_back(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    notices = apps.get_model("onboarding", "Notice").objects.filter(dropped=None)
    of_a_turn = notices.filter(kind__in=OF_A_TURN).exclude(step="confirmed")
    for row in of_a_turn.order_by("pk").iterator():  # an attempt has one promise: its newest
        apps.get_model("onboarding", "PromisedMail").objects.update_or_create(
            attempt_id=row.attempt_id, defaults={"promised": row.created, **mail_of(row)}
        )
    for row in notices.filter(kind="way_back").iterator():
        apps.get_model("onboarding", "AttemptMail").objects.get_or_create(
            attempt_id=row.attempt_id,
            kind="way_back",
            defaults={"user_id": row.user_id, **mail_of(row)},
        )
    confirmed = notices.filter(kind="connected", step="confirmed").exclude(not_before=None)
    for row in confirmed.order_by("mailed").iterator():
        apps.get_model("onboarding", "AttemptMail").objects.update_or_create(
            attempt_id=row.attempt_id, kind="confirmed", defaults=mail_of(row)
        )
    kinds = {step: kind for kind, step in STEPS.items()}
    for row in notices.filter(kind="ends", step__in=kinds).order_by("mailed").iterator():
        apps.get_model("onboarding", "ExpiryWarning").objects.update_or_create(
            connection_id=row.connection_id,
            kind=kinds[row.step],
            expires_at=row.at,
            defaults=mail_of(row),
        )


class Migration(migrations.Migration):
    dependencies = [
        ("onboarding", "0026_mail_log"),
    ]

    operations = [
        migrations.CreateModel(
            name="Notice",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("mailed", models.DateTimeField(blank=True, null=True)),
                ("mail_retry_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("mail_tries", models.PositiveIntegerField(default=0, editable=False)),
                ("mail_refused", models.BooleanField(default=False, editable=False)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("ready", "ready to continue"),
                            ("action_needed", "action needed"),
                            ("staff_done", "staff have done their part"),
                            ("connected", "connected"),
                            ("way_back", "the way back"),
                            ("broken", "it broke"),
                            ("healed", "it healed by itself"),
                            ("ends", "it ends soon"),
                            ("unfinished", "not finished"),
                        ],
                        max_length=20,
                    ),
                ),
                ("step", models.CharField(blank=True, max_length=20)),
                ("at", models.DateTimeField(default=onboarding.clock.now)),
                ("not_before", models.DateTimeField(blank=True, null=True)),
                ("key", models.CharField(max_length=120, unique=True)),
                ("created", models.DateTimeField(default=onboarding.clock.now)),
                ("dropped", models.DateTimeField(blank=True, null=True)),
                (
                    "why",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("seen", "they have seen it"),
                            ("over", "it is no longer so"),
                            ("left", "they are no member any more"),
                            ("not_wanted", "they do not want such mails"),
                        ],
                        max_length=20,
                    ),
                ),
                ("came_back", models.DateTimeField(blank=True, null=True)),
                (
                    "attempt",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="notices",
                        to="onboarding.attempt",
                    ),
                ),
                (
                    "connection",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="notices",
                        to="onboarding.connection",
                    ),
                ),
                (
                    "told_in",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="also_told",
                        to="onboarding.notice",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="notices",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(
                            ("dropped", None),
                            ("mail_refused", False),
                            ("mailed", None),
                            ("not_before__isnull", False),
                        ),
                        fields=["not_before"],
                        name="notice_due",
                    ),
                    models.Index(fields=["user", "mailed"], name="notice_mailed"),
                    models.Index(fields=["created"], name="notice_created"),
                    models.Index(fields=["connection"], name="notice_connection"),
                ],
            },
        ),
        migrations.RunPython(carry_over, carry_back),
    ]
