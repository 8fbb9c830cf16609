"""Moments come from the site's clock. A default is Python's, so nothing changes in the database."""

import onboarding.clock
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("onboarding", "0021_staff_words"),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.AlterField(
                    model_name="accountmail",
                    name="created",
                    field=models.DateTimeField(default=onboarding.clock.now, editable=False),
                ),
                migrations.AlterField(
                    model_name="addedaddress",
                    name="at",
                    field=models.DateTimeField(default=onboarding.clock.now),
                ),
                migrations.AlterField(
                    model_name="alert",
                    name="opened",
                    field=models.DateTimeField(default=onboarding.clock.now),
                ),
                migrations.AlterField(
                    model_name="attempt",
                    name="created",
                    field=models.DateTimeField(default=onboarding.clock.now, editable=False),
                ),
                migrations.AlterField(
                    model_name="call",
                    name="at",
                    field=models.DateTimeField(db_index=True, default=onboarding.clock.now),
                ),
                migrations.AlterField(
                    model_name="closingmail",
                    name="created",
                    field=models.DateTimeField(default=onboarding.clock.now),
                ),
                migrations.AlterField(
                    model_name="connection",
                    name="created",
                    field=models.DateTimeField(default=onboarding.clock.now, editable=False),
                ),
                migrations.AlterField(
                    model_name="connectorrequest",
                    name="created",
                    field=models.DateTimeField(default=onboarding.clock.now, editable=False),
                ),
                migrations.AlterField(
                    model_name="consent",
                    name="at",
                    field=models.DateTimeField(default=onboarding.clock.now),
                ),
                migrations.AlterField(
                    model_name="erasuretask",
                    name="created",
                    field=models.DateTimeField(default=onboarding.clock.now),
                ),
                migrations.AlterField(
                    model_name="event",
                    name="at",
                    field=models.DateTimeField(default=onboarding.clock.now),
                ),
                migrations.AlterField(
                    model_name="formeraddress",
                    name="at",
                    field=models.DateTimeField(default=onboarding.clock.now),
                ),
                migrations.AlterField(
                    model_name="guesswarning",
                    name="at",
                    field=models.DateTimeField(default=onboarding.clock.now),
                ),
                migrations.AlterField(
                    model_name="hop",
                    name="created",
                    field=models.DateTimeField(default=onboarding.clock.now),
                ),
                migrations.AlterField(
                    model_name="invitation",
                    name="created",
                    field=models.DateTimeField(default=onboarding.clock.now, editable=False),
                ),
                migrations.AlterField(
                    model_name="membership",
                    name="created",
                    field=models.DateTimeField(default=onboarding.clock.now, editable=False),
                ),
                migrations.AlterField(
                    model_name="memokey",
                    name="since",
                    field=models.DateTimeField(default=onboarding.clock.now),
                ),
                migrations.AlterField(
                    model_name="merchant",
                    name="created",
                    field=models.DateTimeField(default=onboarding.clock.now, editable=False),
                ),
                migrations.AlterField(
                    model_name="promisedmail",
                    name="promised",
                    field=models.DateTimeField(default=onboarding.clock.now),
                ),
                migrations.AlterField(
                    model_name="receiptkey",
                    name="since",
                    field=models.DateTimeField(default=onboarding.clock.now),
                ),
                migrations.AlterField(
                    model_name="securityevent",
                    name="at",
                    field=models.DateTimeField(db_index=True, default=onboarding.clock.now),
                ),
                migrations.AlterField(
                    model_name="session",
                    name="created_at",
                    field=models.DateTimeField(default=onboarding.clock.now),
                ),
                migrations.AlterField(
                    model_name="session",
                    name="last_seen_at",
                    field=models.DateTimeField(default=onboarding.clock.now),
                ),
                migrations.AlterField(
                    model_name="slot",
                    name="at",
                    field=models.DateTimeField(default=onboarding.clock.now),
                ),
                migrations.AlterField(
                    model_name="user",
                    name="date_joined",
                    field=models.DateTimeField(default=onboarding.clock.now),
                ),
                migrations.AlterField(
                    model_name="waitlistentry",
                    name="asked",
                    field=models.DateTimeField(default=onboarding.clock.now),
                ),
                migrations.AlterField(
                    model_name="worker",
                    name="at",
                    field=models.DateTimeField(default=onboarding.clock.now),
                ),
            ],
        ),
    ]
