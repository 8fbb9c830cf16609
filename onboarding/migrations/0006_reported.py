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
from django.db.models import Case, F, Q, Value, When

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
ANSWERS = {"reported": "connected", "go_on": "needs", "task": "done"}  # new → the nearest old one


def renamed(column: str, names: dict[str, str], *first: When) -> Case:
    """For an update: the new names of a column's values. `first` has priority.

    Each row is updated once: PostgreSQL alters no table with rows that one transaction has updated twice.
    """
    cases = [When(**{column: old}, then=Value(new)) for old, new in names.items()]
    return Case(*first, *cases, default=F(column))


def forwards(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    unconfirmed = apps.get_model("onboarding", "Connection").objects.filter(confirmed_at=None)
    attempts = apps.get_model("onboarding", "Attempt").objects.filter(connection__in=unconfirmed)
    events = apps.get_model("onboarding", "Event").objects.filter(connection__in=unconfirmed)
    events.filter(status="connected").update(status="reported")
    answer = renamed("answer", {"connected": "reported"})
    for rows in (attempts, unconfirmed):
        rows.filter(status="connected").update(status="reported", answer=answer)


def backwards(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    pausing = When(answer="task", status__in=SET_UP, then=Value("paused"))  # it was begun
    answer = renamed("answer", ANSWERS)
    for name, first in (("Attempt", ()), ("Connection", (pausing,))):
        status = renamed("status", {"reported": "connected"}, *first)
        rows = apps.get_model("onboarding", name).objects
        new = Q(status="reported") | Q(answer__in=ANSWERS)
        rows.filter(new).update(status=status, answer=answer)
    events = apps.get_model("onboarding", "Event").objects
    events.filter(status="reported").update(status="connected")


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
