"""`manage.py people export|erase <address>`: what is held about a person, as a file; and erasing them.

Exit status: 0 done, also if they were erased before; 1 not possible as asked; 2 unknown address or arguments.
"""

from __future__ import annotations

from allauth.account.models import EmailAddress
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from onboarding.fields import address
from onboarding.models import SecurityEvent, User
from onboarding.monitoring import security_log
from onboarding.rights import erasure, export, files

PATIENCE = 60.0  # seconds that it waits for a vendor's answer about one of their shops


class Command(BaseCommand):
    help = "Export what is held about a person as JSON, or erase the person."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        exporting = actions.add_parser("export", help="what is held, as JSON")
        exporting.add_argument("email")
        exporting.add_argument("--output", help="a file that its owner alone can read")
        erasing = actions.add_parser("erase", help="erase the person; asks before it does")
        erasing.add_argument("email")
        erasing.add_argument(
            "--hand-over-to", metavar="EMAIL", help="a member who becomes the owner"
        )
        erasing.add_argument(
            "--close-businesses", action="store_true", help="where nobody takes over"
        )
        erasing.add_argument("--dry-run", action="store_true", help="say what would happen")
        erasing.add_argument("--yes", action="store_true", help="do not ask")

    def handle(self, *args: object, action: str, email: str, **options: object) -> None:
        user = find(email)
        if action == "export":
            self._export(user, str(options["output"] or ""))
            return
        choices = self._choices(user, options)
        self._say(user, choices)
        if options["dry_run"]:
            self.stdout.write("Nothing was changed.")
        elif options["yes"] or files.confirmed(f"Erase {email}? This cannot be undone."):
            self._erase(user, choices)
        else:
            raise CommandError("Nothing was changed.", returncode=1)

    def _export(self, user: User, output: str) -> None:
        security_log.record(SecurityEvent.Kind.DATA_EXPORTED, user=user, detail="person, command")
        files.write(export.person(user), output, self.stdout)

    def _choices(self, user: User, options: dict[str, object]) -> dict[int, int | str]:
        """Who takes over each business whose only owner they are. Raises CommandError."""
        choices: dict[int, int | str] = {}
        for each in erasure.plan(user):
            if not each.needs_choice:
                continue
            heirs = {str(heir.user.email): heir.pk for heir in each.successors}
            heir = heirs.get(str(options["hand_over_to"] or "").lower())
            if heir is None and not options["close_businesses"]:
                members = ", ".join(heirs) or "nobody"
                raise CommandError(
                    f"They are the only owner of “{each.merchant}” ({each.merchant.reference})."
                    f" Say --hand-over-to (its other members: {members}) or --close-businesses.",
                    returncode=1,
                )
            choices[each.merchant.pk] = erasure.CLOSE if heir is None else heir
        return choices

    def _say(self, user: User, choices: dict[int, int | str]) -> None:
        for each in erasure.plan(user):
            choice = choices.get(each.merchant.pk)
            heir = next((heir.user.email for heir in each.successors if heir.pk == choice), "")
            end = f"handed over to {heir}" if heir else "closed too" if choice else "left"
            self.stdout.write(
                f"{each.merchant.name} ({each.merchant.reference}): {end}; {each.shops} shops"
            )
        addresses = ", ".join(erasure.addresses_of(user))
        self.stdout.write(f"Erased: {addresses}, name, passkeys, sessions, invitations to them")

    def _erase(self, user: User, choices: dict[int, int | str]) -> None:
        try:
            receipt = erasure.erase(user, choices, patience=PATIENCE)
        except erasure.Busy:
            raise CommandError(
                "A vendor is being asked about one of their shops. Nothing was changed: try again.",
                returncode=1,
            ) from None
        except erasure.ChoiceMissing as error:
            raise CommandError(f"The team has changed: {error}", returncode=1) from None
        self.stdout.write(f"Erased. Receipt {receipt.reference}" if receipt else "Erased before.")


def find(email: str) -> User:
    """The user of this address. Raises CommandError (status 2)."""
    try:
        email = address(email)
    except ValidationError as error:
        raise CommandError(error.messages[0], returncode=2) from None
    user = User.objects.filter(email=email).first()
    if user is None:
        other = EmailAddress.objects.filter(email=email, verified=True).select_related("user")
        found = other.first()
        user = found.user if found else None
    if user is None:
        raise CommandError("nobody has this address", returncode=2)
    return user
