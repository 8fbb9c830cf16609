"""`manage.py staff <email>`: makes a user staff, with all permissions.

`--reset-factors`: takes away the second step of somebody who has lost it.
"""

from __future__ import annotations

from allauth.account.models import EmailAddress
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from onboarding.fields import address
from onboarding.models import SecurityEvent, User
from onboarding.monitoring.security_log import record
from onboarding.people import factor_reset, sessions


class Command(BaseCommand):
    help = "Make a user staff, with a verified address. Creates the user if there is none. Safe to repeat."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")
        parser.add_argument(
            "--reset-factors",
            action="store_true",
            help="remove passkeys, authenticator app and recovery codes of somebody who has lost them,"
            " and end their sessions; nobody becomes staff by this",
        )

    def handle(
        self, *args: object, email: str, reset_factors: bool = False, **options: object
    ) -> None:
        try:
            email = address(email)
        except ValidationError as error:
            raise CommandError(error.messages[0]) from None
        if reset_factors:
            self._reset(email)
            return
        make_staff(email)
        self.stdout.write(f"{email} is staff and signs in at {settings.SITE_URL}/admin/")
        if settings.STAFF_MFA:
            self.stdout.write("At the first sign-in they set up a passkey or an authenticator app.")

    def _reset(self, email: str) -> None:
        user = User.objects.filter(email=email).first()
        if user is None:
            raise CommandError(f"Nobody has an account with {email}.")
        if not factor_reset.reset(user, why="by a command"):
            raise CommandError(f"{email} has no passkey and no second step.")
        self.stdout.write(
            f"The second step of {email} is removed, and all their sessions are ended."
        )
        self.stdout.write("They sign in by a mailed code, and were told by mail.")


@transaction.atomic
def make_staff(email: str) -> User:
    """Make the user of this address (in lower case) staff and superuser, and the address verified."""
    user = User.objects.filter(email=email).first() or User.objects.create_user(email)
    if not (user.is_staff and user.is_superuser and user.is_active):
        user.is_staff = user.is_superuser = user.is_active = True
        user.save(update_fields=["is_staff", "is_superuser", "is_active"])
        sessions.end_all(user, "made staff")
        detail = "is_staff: yes, is_superuser: yes"
        record(SecurityEvent.Kind.STAFF_CHANGED, user=user, detail=detail)
    EmailAddress.objects.filter(user=user, primary=True).exclude(email=email).update(primary=False)
    EmailAddress.objects.update_or_create(
        user=user, email=email, defaults={"verified": True, "primary": True}
    )
    return user
