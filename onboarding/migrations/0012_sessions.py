"""A table of sessions that holds a keyed hash of each key. The old table held keys that could be used.

Everybody signs in once more: of the old rows, none is taken over.
"""

from __future__ import annotations

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

# Django's own app made the old table, and no new database has it.
OLD_TABLE_EXISTS = "CREATE TABLE IF NOT EXISTS django_session (session_key varchar(40) PRIMARY KEY)"


class Migration(migrations.Migration):
    dependencies = [
        ("onboarding", "0011_limits_of_strangers"),
    ]

    operations = [
        migrations.CreateModel(
            name="Session",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("session_data", models.TextField(verbose_name="session data")),
                ("expire_date", models.DateTimeField(db_index=True, verbose_name="expire date")),
                ("key_hash", models.CharField(max_length=64, unique=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("last_seen_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("address", models.GenericIPAddressField(null=True)),
                ("browser", models.CharField(blank=True, max_length=60)),
                ("method", models.CharField(blank=True, max_length=60)),
                (
                    "user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="sessions",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={"verbose_name": "session", "verbose_name_plural": "sessions"},
        ),
        migrations.RunSQL(OLD_TABLE_EXISTS, migrations.RunSQL.noop),
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.CreateModel(
                    name="OldSession",
                    fields=[
                        (
                            "session_key",
                            models.CharField(max_length=40, primary_key=True, serialize=False),
                        ),
                        ("session_data", models.TextField()),
                        ("expire_date", models.DateTimeField(db_index=True)),
                    ],
                    options={"db_table": "django_session"},
                ),
            ],
        ),
        migrations.DeleteModel(name="OldSession"),  # going back makes the table anew, without rows
    ]
