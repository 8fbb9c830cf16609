"""Closing accounts and businesses: when, what to ask of vendors, and the mails about it."""

from __future__ import annotations

import django.db.models.deletion
import django.utils.timezone
import onboarding.models.memo
import onboarding.models.merchants
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("onboarding", "0015_hop_browser"),
    ]

    operations = [
        migrations.CreateModel(
            name="ClosingMail",
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
                ("kind", models.CharField(max_length=20)),
                (
                    "reference",
                    models.CharField(
                        default=onboarding.models.merchants.unguessable,
                        editable=False,
                        max_length=32,
                        unique=True,
                    ),
                ),
                (
                    "reader",
                    onboarding.models.memo.MemoField(default=None, editable=False, null=True),
                ),
                ("facts", models.JSONField(default=dict)),
                ("created", models.DateTimeField(default=django.utils.timezone.now)),
            ],
        ),
        migrations.CreateModel(
            name="ErasureTask",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("vendor", models.SlugField(max_length=40)),
                ("text", models.TextField()),
                ("created", models.DateTimeField(default=django.utils.timezone.now)),
                ("done", models.DateTimeField(null=True)),
            ],
        ),
        migrations.AddField(
            model_name="merchant",
            name="closed_at",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name="merchant",
            name="closing_since",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name="user",
            name="erased_at",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddIndex(
            model_name="merchant",
            index=models.Index(
                condition=models.Q(("closed_at", None), ("closing_since__isnull", False)),
                fields=["closing_since"],
                name="merchant_closing",
            ),
        ),
        migrations.AddField(
            model_name="closingmail",
            name="merchant",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="onboarding.merchant",
            ),
        ),
        migrations.AddField(
            model_name="erasuretask",
            name="done_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="erasuretask",
            name="merchant",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="erasure_tasks",
                to="onboarding.merchant",
            ),
        ),
        migrations.AddField(
            model_name="erasuretask",
            name="user",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddIndex(
            model_name="closingmail",
            index=models.Index(
                condition=models.Q(("mailed", None)), fields=["created"], name="closing_mail_unsent"
            ),
        ),
        migrations.AddIndex(
            model_name="erasuretask",
            index=models.Index(
                condition=models.Q(("done", None)), fields=["vendor"], name="erasure_task_open"
            ),
        ),
        migrations.AddConstraint(
            model_name="erasuretask",
            constraint=models.UniqueConstraint(
                condition=models.Q(("user", None)),
                fields=("merchant", "vendor"),
                name="one_erasure_task_of_a_business",
            ),
        ),
        migrations.AddConstraint(
            model_name="erasuretask",
            constraint=models.UniqueConstraint(
                fields=("merchant", "vendor", "user"), name="one_erasure_task_of_a_person"
            ),
        ),
    ]
