"""`manage.py rekey`: after a new first key in MEMO_KEYS, encrypts all memos with it."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db.models import Q
from django.utils import timezone

from onboarding import memo
from onboarding.models import Account, Attempt, Connection
from onboarding.situation import Status


class Command(BaseCommand):
    help = "Encrypt all memos with the first key of MEMO_KEYS. Safe to repeat, and while it runs."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--lost",
            action="store_true",
            help="the keys of unreadable memos are lost: have their merchants connect anew",
        )

    def handle(self, *args: Any, lost: bool, **options: Any) -> None:
        """Exit status 1: there are memos that no key opens."""
        count, unreadable = 0, dict[type[Any], set[int]]()
        for model, column in memo.columns():
            done, failed = memo.rekey(model, column)
            count += done
            unreadable.setdefault(model, set()).update(failed)
        self.stdout.write(f"{count} memos were encrypted with the first key of MEMO_KEYS.")
        if not any(unreadable.values()):
            self.stdout.write("No memo needs an older key: you may remove them.")
            return
        for model, rows in unreadable.items():
            if rows:
                name = model._meta.verbose_name_plural
                self.stdout.write(f"No key opens what is noted in {len(rows)} {name}.")
        shops = _shops(unreadable)
        if lost:
            _look_now(shops)
            self.stdout.write(f"{len(shops)} shops: their merchants are told to connect anew.")
        else:
            self.stdout.write(f"Put the key that opens them back into MEMO_KEYS. {_which(shops)}")
        sys.exit(1)


def _shops(unreadable: dict[type[Any], set[int]]) -> list[Connection]:
    """The shops that need what cannot be read."""
    accounts, attempts = unreadable.get(Account, set()), unreadable.get(Attempt, set())
    mine = Q(pk__in=unreadable.get(Connection, set())) | Q(account__in=accounts)
    trips = Attempt.objects.filter(pk__in=attempts, ended=None).values("connection")
    rows = Connection.objects.exclude(status=Status.DISCONNECTED)
    return list(rows.filter(mine | Q(pk__in=trips)).order_by("pk"))


def _look_now(shops: list[Connection]) -> None:
    """The worker sees at its next sweep what cannot be read, and says so to the merchants."""
    now = timezone.now()
    waiting = Connection.objects.filter(pk__in=[shop.pk for shop in shops])
    waiting.exclude(due_at=None).update(due_at=now)
    Attempt.objects.filter(connection__in=shops, ended=None).update(due_at=now)


def _which(shops: list[Connection]) -> str:
    if not shops:
        return "No shop needs them."
    named = ", ".join(shop.reference for shop in shops[:20])
    more = f" and {len(shops) - 20} more" if len(shops) > 20 else ""
    return f"Shops that need it: {named}{more}. Is it lost for good? rekey --lost"
