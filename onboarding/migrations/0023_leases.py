"""Leases on attempts and connections, which workers claim vendor by vendor; and the clocks of workers."""

import datetime

from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

FILL = """
UPDATE onboarding_attempt SET vendor = (
    SELECT connection.vendor FROM onboarding_connection connection
    WHERE connection.id = onboarding_attempt.connection_id
)
"""
# Each check updates these rows a few times. PostgreSQL writes no index for that where the page has room.
LEAVE_ROOM = (
    "ALTER TABLE onboarding_account SET (fillfactor = 80)",
    "ALTER TABLE onboarding_attempt SET (fillfactor = 80)",
    "ALTER TABLE onboarding_connection SET (fillfactor = 80)",
)
LEAVE_NONE = (
    "ALTER TABLE onboarding_account RESET (fillfactor)",
    "ALTER TABLE onboarding_attempt RESET (fillfactor)",
    "ALTER TABLE onboarding_connection RESET (fillfactor)",
)


def leave_room(apps: object, schema_editor: BaseDatabaseSchemaEditor) -> None:
    if schema_editor.connection.vendor == "postgresql":
        for statement in LEAVE_ROOM:
            schema_editor.execute(statement)


def leave_none(apps: object, schema_editor: BaseDatabaseSchemaEditor) -> None:
    if schema_editor.connection.vendor == "postgresql":
        for statement in LEAVE_NONE:
            schema_editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [
        ("onboarding", "0022_clock"),
    ]

    operations = [
        migrations.AddField(
            model_name="attempt",
            name="lease_token",
            field=models.CharField(blank=True, editable=False, max_length=40),
        ),
        migrations.AddField(
            model_name="attempt",
            name="lease_until",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name="attempt",
            name="vendor",
            field=models.SlugField(db_index=False, default="", editable=False, max_length=40),
        ),
        migrations.AddField(
            model_name="connection",
            name="lease_token",
            field=models.CharField(blank=True, editable=False, max_length=40),
        ),
        migrations.AddField(
            model_name="connection",
            name="lease_until",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name="worker",
            name="skew",
            field=models.DurationField(default=datetime.timedelta),
        ),
        migrations.AlterField(
            model_name="attempt",
            name="due_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AlterField(
            model_name="connection",
            name="due_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AlterField(
            model_name="connection",
            name="vendor",
            field=models.SlugField(db_index=False, editable=False, max_length=40),
        ),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
        migrations.RunPython(leave_room, leave_none),
        migrations.AddIndex(
            model_name="attempt",
            index=models.Index(
                condition=models.Q(("answer", "progress"), ("ended", None), ("status", "checking")),
                fields=["vendor", "due_at"],
                name="attempt_returned",
            ),
        ),
        migrations.AddIndex(
            model_name="attempt",
            index=models.Index(
                condition=models.Q(("ended", None)), fields=["vendor", "due_at"], name="attempt_due"
            ),
        ),
        migrations.AddIndex(
            model_name="connection",
            index=models.Index(
                condition=models.Q(("due_at__isnull", False)),
                fields=["vendor", "due_at"],
                name="connection_due",
            ),
        ),
    ]
