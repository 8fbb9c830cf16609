"""`manage.py rekey`: key rotation. Encrypts all memos, and the secrets of second steps, with the first key
of MEMO_KEYS."""

from __future__ import annotations

import sys

from allauth.mfa.models import Authenticator
from django.core.management.base import BaseCommand, CommandParser

from onboarding import journey
from onboarding.doctor.memos import Unreadable, affected, describe
from onboarding.models import Connection, User, memo, memo_key
from onboarding.notifications import staff_alerts
from onboarding.people import factor_reset, factor_secrets


class Command(BaseCommand):
    help = "Encrypt all memos with the first key of MEMO_KEYS. Safe to repeat, and while the site runs."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--lost",
            action="store_true",
            help="the keys of unreadable memos are lost: have their merchants connect again",
        )

    def handle(self, *args: object, lost: bool, **options: object) -> None:
        """Exit status 1: there are memos that no key decrypts."""
        count, unreadable = 0, Unreadable()
        for model, column in memo.columns():
            done, failed = memo.rekey(model, column)
            count += done
            if failed:
                unreadable.setdefault(model, set()).update(failed)
        done, failed = factor_secrets.rekey()
        if failed:
            unreadable[Authenticator] = failed
        if count + done:
            memo_key.register()
        self.stdout.write(f"{count} memos were encrypted with the first key of MEMO_KEYS.")
        if done:
            self.stdout.write(f"{done} secrets of second steps were encrypted with it, too.")
        if not unreadable:
            memo_key.retire_old_keys()
            staff_alerts.clear_for_memo_keys()
            self.stdout.write("No memo needs an older key: you may remove them.")
            return
        self.stdout.write(describe(unreadable))
        if lost:
            memo_key.confirm_loss()
            staff_alerts.clear_for_memo_keys()
            number = _look_now(affected(unreadable))
            self.stdout.write(f"The merchants of {number} shops are asked to connect them again.")
            if people := _reset_factors(unreadable.get(Authenticator, set())):
                who = "One person has" if people == 1 else f"{people} people have"
                self.stdout.write(f"{who} to set up their second step again.")
        else:
            self.stdout.write(memo_key.FIX)
        sys.exit(1)


def _look_now(references: list[str]) -> int:
    """The worker sees at its next sweep what cannot be read, and says so to the merchants."""
    return journey.check_now(Connection.objects.filter(reference__in=references))


def _reset_factors(unreadable: set[int]) -> int:
    """Nobody can enter a code whose secret cannot be read."""
    people = User.objects.filter(authenticator__in=unreadable).distinct()
    return sum(factor_reset.reset(user, why="the keys of its secret are lost") for user in people)
