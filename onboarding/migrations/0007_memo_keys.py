"""The keys that have encrypted memos, each with a canary. The first process that starts makes the first row."""

from __future__ import annotations

import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("onboarding", "0006_reported"),
    ]

    operations = [
        migrations.CreateModel(
            name="MemoKey",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("fingerprint", models.CharField(max_length=32, unique=True)),
                ("canary", models.TextField()),
                ("since", models.DateTimeField(default=django.utils.timezone.now)),
                ("lost_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "verbose_name": "key of memos",
                "verbose_name_plural": "keys of memos",
            },
        ),
    ]
