"""Columns and tables take the words that the code has: `shop_id`, `expires_at`, `announced`, waitlist …

No row is lost: everything is renamed in place, and stored answers and causes take their new names.
"""

from __future__ import annotations

import django.db.models.deletion
from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

ANSWERS = {"lost": "unreadable"}
CAUSES = {"circles": "no_progress"}


def _rename(apps: Apps, answers: dict[str, str], causes: dict[str, str]) -> None:
    for name in ("Attempt", "Connection"):
        rows = apps.get_model("onboarding", name).objects
        for old, new in answers.items():
            rows.filter(answer=old).update(answer=new)
        for old, new in causes.items():
            rows.filter(cause=old).update(cause=new)
    alerts = apps.get_model("onboarding", "Alert").objects
    for old, new in causes.items():
        alerts.filter(cause=old).update(cause=new)


def forwards(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    _rename(apps, ANSWERS, CAUSES)


def backwards(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    _rename(
        apps,
        {new: old for old, new in ANSWERS.items()},
        {new: old for old, new in CAUSES.items()},
    )


class Migration(migrations.Migration):
    dependencies = (("onboarding", "0001_initial"),)

    operations = (
        # -- constraints and indexes that name a renamed column go first and come back last ----------
        migrations.RemoveConstraint("connection", "one_connection_a_shop"),
        migrations.RemoveIndex("connection", "connection_expires"),
        migrations.RemoveConstraint("notice", "one_notice_of_an_end"),
        migrations.RemoveIndex("notice", "notice_unsent"),
        migrations.RemoveConstraint("standby", "one_standby"),
        # -- tables -----------------------------------------------------------------------------------
        migrations.RenameModel("Standby", "WaitlistEntry"),
        migrations.AlterModelOptions("waitlistentry", {"verbose_name_plural": "waitlist entries"}),
        migrations.RenameModel("Notice", "ExpiryWarning"),
        # -- columns ----------------------------------------------------------------------------------
        migrations.RenameField("connection", "shop", "shop_id"),
        migrations.RenameField("connection", "told_at", "merchant_finished_at"),
        migrations.RenameField("connection", "expires", "expires_at"),
        migrations.RenameField("connection", "claimed", "call_started_at"),
        migrations.RenameField("connection", "deaths", "crashes"),
        migrations.RenameField("attempt", "claimed", "call_started_at"),
        migrations.RenameField("attempt", "deaths", "crashes"),
        migrations.RenameField("attempt", "found", "found_shop_id"),
        migrations.RenameField("attempt", "accepted", "accepted_shop_id"),
        migrations.RenameField("account", "doing", "announced"),
        migrations.RenameField("hop", "expires", "expires_at"),
        migrations.RenameField("invitation", "expires", "expires_at"),
        migrations.RenameField("expirywarning", "expires", "expires_at"),
        migrations.RenameField("breaker", "until", "retry_at"),
        *(
            migrations.RenameField(name, "mailing", "mail_retry_at")
            for name in ("alert", "invitation", "expirywarning", "waitlistentry")
        ),
        migrations.AlterField(
            "expirywarning",
            "connection",
            models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="expiry_warnings",
                to="onboarding.connection",
            ),
        ),
        # -- and back ---------------------------------------------------------------------------------
        migrations.AddConstraint(
            "connection",
            models.UniqueConstraint(
                fields=("vendor", "shop_id"),
                condition=~models.Q(shop_id="") & ~models.Q(status="disconnected"),
                name="one_connection_a_shop",
            ),
        ),
        migrations.AddIndex(
            "connection",
            models.Index(
                fields=["expires_at"],
                condition=models.Q(expires_at__isnull=False),
                name="connection_expires",
            ),
        ),
        migrations.AddConstraint(
            "expirywarning",
            models.UniqueConstraint(
                fields=("connection", "kind", "expires_at"), name="one_warning_of_an_end"
            ),
        ),
        migrations.AddIndex(
            "expirywarning",
            models.Index(
                fields=["expires_at"],
                condition=models.Q(mailed=None),
                name="expiry_warning_unsent",
            ),
        ),
        migrations.AddConstraint(
            "waitlistentry",
            models.UniqueConstraint(
                fields=("user", "merchant", "connector"),
                condition=models.Q(mailed=None),
                name="one_waitlist_entry",
            ),
        ),
        migrations.RunPython(forwards, backwards),
    )
