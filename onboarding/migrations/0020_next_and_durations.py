"""What comes next once a shop is connected, and how long connecting one usually takes, by connector."""

from __future__ import annotations

import onboarding.models.catalogue
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("onboarding", "0019_consents"),
    ]

    operations = [
        migrations.AddField(
            model_name="connector",
            name="next_label",
            field=models.CharField(
                blank=True,
                help_text="What its button says: “Open the dashboard”.",
                max_length=60,
                verbose_name="words of the link",
            ),
        ),
        migrations.AddField(
            model_name="connector",
            name="next_link",
            field=models.CharField(
                blank=True,
                help_text="An address such as https://www.example.com/next, or a path.",
                max_length=500,
                validators=[onboarding.models.catalogue.validate_link],
                verbose_name="link below it",
            ),
        ),
        migrations.AddField(
            model_name="connector",
            name="next_words",
            field=models.CharField(
                blank=True,
                help_text="Shown when a shop is connected: “Your products appear in the dashboard within an hour.”",
                max_length=300,
                verbose_name="what happens next",
            ),
        ),
        migrations.AddField(
            model_name="connector",
            name="usual_seconds",
            field=models.PositiveIntegerField(editable=False, null=True),
        ),
        migrations.AddIndex(
            model_name="connection",
            index=models.Index(
                condition=models.Q(("connected_at__isnull", False)),
                fields=["connector", "-connected_at"],
                name="connection_connected",
            ),
        ),
    ]
