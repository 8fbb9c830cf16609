"""Requests for shop systems, which connectors take every one, and how much each is used."""

from __future__ import annotations

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("onboarding", "0016_closing"),
    ]

    operations = [
        migrations.AddField(
            model_name="connector",
            name="takes_any",
            field=models.BooleanField(
                default=False,
                editable=False,
                help_text="it takes every shop system: it is not named as one",
            ),
        ),
        migrations.AddField(
            model_name="connector",
            name="uses",
            field=models.PositiveIntegerField(
                default=0, editable=False, help_text="shops that were connected through it"
            ),
        ),
        migrations.CreateModel(
            name="ConnectorRequest",
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
                ("name", models.CharField(max_length=100)),
                ("key", models.CharField(editable=False, max_length=100)),
                ("email", models.EmailField(max_length=254)),
                ("country", models.CharField(blank=True, max_length=60)),
                ("language", models.CharField(default="en", editable=False, max_length=10)),
                (
                    "platform",
                    models.SlugField(
                        blank=True,
                        help_text="the shop system that this name stands for",
                        max_length=60,
                    ),
                ),
                (
                    "created",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False),
                ),
                (
                    "user",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("mailed", None)), fields=["key"], name="request_unsent"
                    ),
                    models.Index(fields=["email"], name="request_email"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("key", "email"), name="one_request_of_an_address"
                    )
                ],
            },
        ),
    ]
