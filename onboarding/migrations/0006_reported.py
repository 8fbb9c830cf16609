"""A shop that is set up on its merchant's word alone is `reported`, until the vendor or staff confirm it.

Rows that were Connected although nobody had confirmed them become `reported`, with their attempts and
their timelines. Backwards they become Connected again, and what the earlier release does not know gets the
nearest thing that it knows.
"""

from __future__ import annotations

import django.db.models.deletion
from django.apps.registry import Apps
from django.conf import settings
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

STATUSES = [
    ("not_started", "Not started"),
    ("in_progress", "In progress"),
    ("checking", "Checking"),
    ("action_needed", "Action needed"),
    ("on_it", "We’re on it"),
    ("reported", "Set up, not confirmed yet"),
    ("connected", "Connected"),
    ("paused", "Paused"),
    ("disconnected", "Disconnected"),
]
SET_UP = ("reported", "connected")


def forwards(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    connections = apps.get_model("onboarding", "Connection").objects
    unconfirmed = connections.filter(confirmed_at=None)
    for name in ("Attempt", "Event"):
        rows = apps.get_model("onboarding", name).objects.filter(connection__in=unconfirmed)
        rows.filter(status="connected").update(status="reported")
    attempts = apps.get_model("onboarding", "Attempt").objects.filter(status="reported")
    attempts.filter(answer="connected").update(answer="reported")
    unconfirmed.filter(status="connected", answer="connected").update(answer="reported")
    unconfirmed.filter(status="connected").update(status="reported")


def backwards(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    for name in ("Attempt", "Connection"):
        rows = apps.get_model("onboarding", name).objects
        rows.filter(answer="reported").update(answer="connected")
        rows.filter(answer="go_on").update(answer="needs")
    connections = apps.get_model("onboarding", "Connection").objects
    connections.filter(answer="task", status__in=SET_UP).update(status="paused")  # it was begun
    for name in ("Attempt", "Connection"):
        apps.get_model("onboarding", name).objects.filter(answer="task").update(answer="done")
    for name in ("Attempt", "Connection", "Event"):
        rows = apps.get_model("onboarding", name).objects
        rows.filter(status="reported").update(status="connected")


class Migration(migrations.Migration):
    dependencies = [
        ("onboarding", "0005_shop_names_and_endings"),
    ]

    operations = [
        migrations.AddField(
            model_name="account",
            name="found",
            field=models.JSONField(blank=True, default=dict, editable=False),
        ),
        migrations.AddField(
            model_name="connection",
            name="confirmed_by",
            field=models.ForeignKey(
                blank=True,
                editable=False,
                help_text="of staff; empty if the vendor confirmed it",
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AlterField(
            model_name="connection",
            name="confirmed_at",
            field=models.DateTimeField(
                blank=True, help_text="the vendor or staff said so", null=True
            ),
        ),
        migrations.AlterField(
            model_name="attempt",
            name="status",
            field=models.CharField(choices=STATUSES, default="not_started", max_length=20),
        ),
        migrations.AlterField(
            model_name="connection",
            name="status",
            field=models.CharField(choices=STATUSES, default="not_started", max_length=20),
        ),
        migrations.AlterField(
            model_name="event",
            name="status",
            field=models.CharField(blank=True, choices=STATUSES, max_length=20),
        ),
        migrations.CreateModel(
            name="AttemptMail",
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
                (
                    "kind",
                    models.CharField(
                        choices=[("way_back", "the way back"), ("confirmed", "confirmed")],
                        max_length=20,
                    ),
                ),
                (
                    "attempt",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="mails",
                        to="onboarding.attempt",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("mailed", None)),
                        fields=["kind"],
                        name="attempt_mail_unsent",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("attempt", "kind"), name="one_mail_of_an_attempt"
                    )
                ],
            },
        ),
        migrations.RunPython(forwards, backwards),
    ]
