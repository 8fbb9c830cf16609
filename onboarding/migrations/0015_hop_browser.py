"""From which browser a hop left, and whether another one has opened its return."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("onboarding", "0014_account_mails"),
    ]

    operations = [
        migrations.AddField(
            model_name="hop",
            name="browser",
            field=models.CharField(blank=True, default="", max_length=64),
        ),
        migrations.AddField(
            model_name="hop",
            name="strayed",
            field=models.DateTimeField(null=True),
        ),
    ]
