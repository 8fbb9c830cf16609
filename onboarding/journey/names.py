"""Names tell a merchant's shops apart; a disconnected shop holds none."""

from __future__ import annotations

from django.db.models import QuerySet

from ..models import Connection, Merchant
from ..situation import Status

LONGEST = 100  # letters, as the column


class NameTaken(Exception):
    """The merchant has another shop of this name."""


def named(merchant: Merchant) -> QuerySet[Connection]:
    """The shops whose names are in use."""
    rows = Connection.objects.filter(account__merchant=merchant)
    return rows.exclude(status=Status.DISCONNECTED)


def of_name(merchant: Merchant, name: str) -> Connection | None:
    return named(merchant).filter(name__iexact=name).first()


def free_name(merchant: Merchant, wanted: str) -> str:
    """The wanted name, or with the first number that tells it apart: "eBay", "eBay 2" …"""
    used = {name.casefold() for name in named(merchant).values_list("name", flat=True)}
    tails = ("", *(f" {number}" for number in range(2, len(used) + 3)))
    names = (wanted[: LONGEST - len(tail)] + tail for tail in tails)
    return next(name for name in names if name.casefold() not in used)
