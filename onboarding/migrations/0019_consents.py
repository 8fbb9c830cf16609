"""Consents with their receipts, the keys that sign them, and staff's words for each connector."""

from __future__ import annotations

import django.db.models.deletion
import django.utils.timezone
import onboarding.models.memo
import onboarding.models.references
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("onboarding", "0018_which_shop"),
    ]

    operations = [
        migrations.AddField(
            model_name="connector",
            name="consent",
            field=models.JSONField(
                blank=True,
                default=dict,
                help_text="what merchants agree to, in staff's words; a part that is missing has its default",
            ),
        ),
        migrations.CreateModel(
            name="ReceiptKey",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("algorithm", models.CharField(default="Ed25519", max_length=20)),
                ("key_id", models.CharField(max_length=16, unique=True)),
                ("public", models.CharField(max_length=64)),
                (
                    "private",
                    onboarding.models.memo.MemoField(default=None, editable=False, null=True),
                ),
                ("since", models.DateTimeField(default=django.utils.timezone.now)),
                ("retired", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "verbose_name": "key of receipts",
                "verbose_name_plural": "keys of receipts",
                "ordering": ["pk"],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("retired", None)),
                        fields=("algorithm",),
                        name="one_current_receipt_key",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Consent",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "reference",
                    models.CharField(
                        default=onboarding.models.references.reference,
                        editable=False,
                        max_length=20,
                        unique=True,
                    ),
                ),
                ("at", models.DateTimeField(default=django.utils.timezone.now)),
                ("language", models.CharField(max_length=10)),
                ("version", models.CharField(max_length=16)),
                ("words", models.JSONField(default=dict)),
                ("person", models.JSONField(default=dict)),
                ("about", models.JSONField(default=dict)),
                (
                    "attempt",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="consent",
                        to="onboarding.attempt",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="consents",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["-pk"],
                "indexes": [models.Index(fields=["at"], name="consent_at")],
            },
        ),
    ]
