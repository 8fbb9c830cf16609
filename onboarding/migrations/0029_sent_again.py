"""When staff had a mail sent again, and which entry of the waitlist needs no mail."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("onboarding", "0028_seen"),
    ]

    operations = [
        migrations.AddField(
            model_name="notice",
            name="asked_again",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="waitlistentry",
            name="dropped",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
    ]
