"""How a return without our state is found, and whether its flow is given what came along."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("onboarding", "0002_words"),
    ]

    operations = [
        migrations.AddField(
            model_name="hop",
            name="keep_params",
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name="hop",
            name="returned_by",
            field=models.CharField(blank=True, db_index=True, default="", max_length=64),
        ),
    ]
