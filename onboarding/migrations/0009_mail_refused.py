"""Whether the mail server refused the address of a mail for good; the rule for users' addresses."""

from __future__ import annotations

from django.db import migrations, models

import onboarding.fields

MAILED = ("alert", "attemptmail", "expirywarning", "invitation", "promisedmail", "waitlistentry")


class Migration(migrations.Migration):
    dependencies = [
        ("onboarding", "0008_outages"),
    ]

    operations = [
        *(
            migrations.AddField(
                model_name=name,
                name="mail_refused",
                field=models.BooleanField(default=False, editable=False),
            )
            for name in MAILED
        ),
        migrations.AlterField(
            model_name="user",
            name="email",
            field=models.EmailField(
                max_length=254, unique=True, validators=[onboarding.fields.check_address]
            ),
        ),
    ]
