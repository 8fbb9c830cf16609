"""Hourly counts of calls, an index for folding them, and fewer indexes that each check has to write.

Going back deletes the counts: what was folded cannot become calls again.
"""

import onboarding.clock
import onboarding.models.references
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("onboarding", "0023_leases"),
    ]

    operations = [
        migrations.CreateModel(
            name="HourlyCalls",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("vendor", models.SlugField(db_index=False, max_length=40)),
                ("host", models.CharField(max_length=255)),
                ("call", models.CharField(help_text="method and path", max_length=200)),
                ("outcome", models.CharField(help_text="status", max_length=20)),
                ("hour", models.DateTimeField(help_text="when it began")),
                ("calls", models.PositiveIntegerField(default=0)),
                ("total_ms", models.PositiveBigIntegerField(default=0)),
                ("longest_ms", models.PositiveIntegerField(default=0)),
            ],
            options={
                "verbose_name": "hourly count of calls",
                "verbose_name_plural": "hourly counts of calls",
            },
        ),
        migrations.AlterField(
            model_name="account",
            name="key",
            field=models.CharField(blank=True, help_text="its id at the vendor", max_length=200),
        ),
        migrations.AlterField(
            model_name="account",
            name="vendor",
            field=models.SlugField(db_index=False, max_length=40),
        ),
        migrations.AlterField(
            model_name="call",
            name="at",
            field=models.DateTimeField(default=onboarding.clock.now),
        ),
        migrations.AlterField(
            model_name="call",
            name="vendor",
            field=models.SlugField(db_index=False, max_length=40),
        ),
        migrations.AlterField(
            model_name="connection",
            name="key",
            field=models.CharField(blank=True, help_text="its id at the vendor", max_length=200),
        ),
        migrations.AlterField(
            model_name="connection",
            name="reference",
            field=models.CharField(
                default=onboarding.models.references.reference, editable=False, max_length=20
            ),
        ),
        migrations.AddIndex(
            model_name="account",
            index=models.Index(fields=["vendor"], name="account_vendor"),
        ),
        migrations.AddIndex(
            model_name="account",
            index=models.Index(fields=["key"], name="account_key"),
        ),
        migrations.AddIndex(
            model_name="call",
            index=models.Index(
                condition=models.Q(("outcome__gte", "2"), ("outcome__lt", "4")),
                fields=["at"],
                name="call_went_well",
            ),
        ),
        migrations.AddIndex(
            model_name="call",
            index=models.Index(
                condition=models.Q(("outcome__gte", "2"), ("outcome__lt", "4"), _negated=True),
                fields=["at"],
                name="call_failed",
            ),
        ),
        migrations.AddIndex(
            model_name="connection",
            index=models.Index(fields=["key"], name="connection_key"),
        ),
        migrations.AddIndex(
            model_name="connection",
            index=models.Index(
                condition=models.Q(("status", "reported")),
                fields=["vendor"],
                name="connection_reported",
            ),
        ),
        migrations.AddIndex(
            model_name="invitation",
            index=models.Index(
                condition=models.Q(("mailed", None)),
                fields=["expires_at"],
                name="invitation_unsent",
            ),
        ),
        migrations.AddConstraint(
            model_name="connection",
            constraint=models.UniqueConstraint(fields=("reference",), name="connection_reference"),
        ),
        migrations.AddConstraint(
            model_name="hourlycalls",
            constraint=models.UniqueConstraint(
                fields=("hour", "vendor", "host", "call", "outcome"), name="one_count_an_hour"
            ),
        ),
    ]
