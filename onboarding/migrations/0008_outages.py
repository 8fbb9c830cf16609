"""What fails at a vendor's host, how an answer was lost, headings of refusals, and promised mails."""

from __future__ import annotations

import django.db.models.deletion
import django.utils.timezone
from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def call_all_outages_silent(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Going back: the older code knows one kind of outage."""
    breakers = apps.get_model("onboarding", "Breaker").objects.using(schema_editor.connection.alias)
    breakers.filter(cause__in=("faulty", "busy")).update(cause="silent")


class Migration(migrations.Migration):
    dependencies = [
        ("onboarding", "0007_memo_keys"),
    ]

    operations = [
        migrations.AddField(
            model_name="account",
            name="unsure_why",
            field=models.CharField(blank=True, default="", editable=False, max_length=20),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="attempt",
            name="heading",
            field=models.JSONField(blank=True, default=dict),
        ),
        migrations.AddField(
            model_name="connection",
            name="heading",
            field=models.JSONField(blank=True, default=dict),
        ),
        migrations.AddField(
            model_name="breaker",
            name="asked_until",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="breaker",
            name="failing",
            field=models.JSONField(blank=True, default=list),
        ),
        migrations.AlterField(
            model_name="breaker",
            name="cause",
            field=models.CharField(
                blank=True,
                choices=[
                    ("silent", "not answering"),
                    ("faulty", "reports faults of its own"),
                    ("busy", "asks us to wait"),
                    ("credentials", "refuses our credentials"),
                ],
                max_length=20,
            ),
        ),
        migrations.RunPython(migrations.RunPython.noop, call_all_outages_silent),
        migrations.CreateModel(
            name="PromisedMail",
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
                ("promised", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "attempt",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="promised_mail",
                        to="onboarding.attempt",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("mailed", None)),
                        fields=["promised"],
                        name="promised_mail_unsent",
                    )
                ],
            },
        ),
    ]
