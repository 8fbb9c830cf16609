"""When somebody last looked at their attempt, an index of whom to remind, and no tables of the old mails."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("onboarding", "0027_notices"),
    ]

    operations = [
        migrations.DeleteModel(name="AttemptMail"),
        migrations.DeleteModel(name="ExpiryWarning"),
        migrations.DeleteModel(name="PromisedMail"),
        migrations.AddField(
            model_name="attempt",
            name="seen_at",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddIndex(
            model_name="attempt",
            index=models.Index(
                condition=models.Q(("ended", None), ("turn", "merchant")),
                fields=["since"],
                name="attempt_merchants_turn",
            ),
        ),
    ]
