"""The mail log, and addresses that a mail server has refused. Going back forgets both."""

import django.db.models.deletion
import onboarding.clock
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("onboarding", "0025_mail_choices"),
    ]

    operations = [
        migrations.CreateModel(
            name="MailRecord",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("to", models.EmailField(max_length=254)),
                ("kind", models.CharField(max_length=40)),
                ("language", models.CharField(blank=True, max_length=10)),
                ("asked", models.DateTimeField(default=onboarding.clock.now)),
                ("tries", models.PositiveIntegerField(default=0)),
                ("tried", models.DateTimeField(default=onboarding.clock.now)),
                ("sent", models.DateTimeField(null=True)),
                (
                    "outcome",
                    models.CharField(
                        choices=[
                            ("sent", "sent"),
                            ("waiting", "waiting for its next try"),
                            ("refused", "refused"),
                            ("given_up", "given up"),
                            ("not_wanted", "not wanted any more"),
                        ],
                        default="waiting",
                        max_length=20,
                    ),
                ),
                ("reason", models.CharField(blank=True, max_length=200)),
                ("source", models.CharField(editable=False, max_length=40)),
                ("row", models.BigIntegerField(editable=False)),
                (
                    "merchant",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="onboarding.merchant",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "email",
                "verbose_name_plural": "emails",
                "indexes": [
                    models.Index(fields=["to"], name="mail_record_to"),
                    models.Index(fields=["asked"], name="mail_record_asked"),
                    models.Index(fields=["source", "row"], name="mail_record_row"),
                    models.Index(
                        condition=models.Q(("outcome", "waiting")),
                        fields=["tried"],
                        name="mail_record_waiting",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="RefusedAddress",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("email", models.EmailField(max_length=254)),
                ("at", models.DateTimeField(default=onboarding.clock.now)),
                ("answer", models.CharField(blank=True, max_length=200)),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="refused_addresses",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "refused addresses",
                "indexes": [models.Index(fields=["email"], name="refused_address_email")],
                "constraints": [
                    models.UniqueConstraint(fields=("user", "email"), name="one_refused_address")
                ],
            },
        ),
    ]
