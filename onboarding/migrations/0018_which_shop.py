"""Which shop it is: its address on the web, and whose account at the vendor it is connected through."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("onboarding", "0017_connector_requests"),
    ]

    operations = [
        migrations.AddField(
            model_name="account",
            name="label",
            field=models.CharField(
                blank=True, help_text="whose it is, as the vendor says", max_length=250
            ),
        ),
        migrations.AddField(
            model_name="attempt",
            name="found_account",
            field=models.CharField(
                blank=True, help_text="whose account at the vendor was used", max_length=250
            ),
        ),
        migrations.AddField(
            model_name="attempt",
            name="found_address",
            field=models.CharField(
                blank=True, help_text="of the shop that was found", max_length=250
            ),
        ),
        migrations.AddField(
            model_name="connection",
            name="account_label",
            field=models.CharField(
                blank=True, help_text="whose account at the vendor it is", max_length=250
            ),
        ),
        migrations.AddField(
            model_name="connection",
            name="address",
            field=models.CharField(
                blank=True, help_text="the shop's address on the web", max_length=250
            ),
        ),
    ]
