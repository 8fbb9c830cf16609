"""A member's right to see secrets; addresses that were added, and those that may undo their removal."""

from __future__ import annotations

import django.db.models.deletion
import django.utils.timezone
import onboarding.models.addresses
import onboarding.models.merchants
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("onboarding", "0012_sessions"),
    ]

    operations = [
        migrations.AddField(
            model_name="membership",
            name="may_see_secrets",
            field=models.BooleanField(default=False, verbose_name="may see secrets"),
        ),
        migrations.CreateModel(
            name="FormerAddress",
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
                ("mail_refused", models.BooleanField(default=False, editable=False)),
                (
                    "reference",
                    models.CharField(
                        default=onboarding.models.merchants.unguessable,
                        editable=False,
                        max_length=32,
                        unique=True,
                    ),
                ),
                ("email", models.EmailField(max_length=254)),
                ("was_removed", models.BooleanField()),
                ("at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "expires_at",
                    models.DateTimeField(default=onboarding.models.addresses.undo_expiry),
                ),
                ("ended", models.DateTimeField(null=True)),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="former_addresses",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="AddedAddress",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("email", models.EmailField(max_length=254)),
                ("at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("user", "email"), name="one_added_address")
                ],
            },
        ),
    ]
