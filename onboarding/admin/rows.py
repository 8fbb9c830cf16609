"""What staff read of accounts, connections and attempts: facts and words, never a secret."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Model, QuerySet
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timezone import localtime

from onboarding.models import Account, Attempt, Connection, Event, Hop
from onboarding.models.status import StatusMixin, dumped, shown
from onboarding.registry import vendor_name, vendor_of
from vendors.contract import Vendor

from .lists import TURNS

LISTED = 100  # rows of another kind that a page lists
ENTRIES = 200  # of a timeline
HOP_FACTS = (
    "created",
    "minted",
    "taken",
    "spent",
    "claimed",
    "expires_at",
    "returns",
    "user__email",
)
ATTEMPT_SECRETS = ("call", "account_memo", "connection_memo")
CONNECTION_SECRETS = ("answers", "memo", "reveal")
ACCOUNT_SECRETS = ("memo", "staff_answers")
OF_ITS_ACCOUNT = tuple(f"account__{name}" for name in ACCOUNT_SECRETS)


def link(row: Model | None, words: str = "") -> SafeString | str:
    """A link to a row's own page in the admin."""
    if row is None:
        return "–"
    opts = row._meta
    address = reverse(f"admin:{opts.app_label}_{opts.model_name}_change", args=[row.pk])
    return format_html('<a href="{}">{}</a>', address, words or str(row))


def turn(row: StatusMixin) -> Any:
    return TURNS.get(row.turn, row.turn)


def status(row: StatusMixin) -> SafeString:
    return format_html(
        '<span class="gw-status gw-status--{}">{}</span>', row.status, row.get_status_display()
    )


def moment(at: datetime | None) -> str:
    return date_format(localtime(at), "DATETIME_FORMAT") if at else "–"


def driver(row: StatusMixin) -> StatusMixin:
    """What moves this row: for a connection its open attempt, if there is one."""
    if not isinstance(row, Connection):
        return row
    trips = row.attempts.filter(ended=None).exclude(purpose=Attempt.Purpose.ENTER)
    return trips.defer(*ATTEMPT_SECRETS).first() or row


def timeline(events: QuerySet[Event]) -> list[Event]:
    """The newest entries, oldest first."""
    newest = events.select_related("user").order_by("-at", "-pk")[:ENTRIES]
    return list(reversed(newest))


def attempts(rows: QuerySet[Attempt]) -> QuerySet[Attempt]:
    return rows.select_related("user").defer(*ATTEMPT_SECRETS).order_by("-created")[:LISTED]


def connections(rows: QuerySet[Connection]) -> QuerySet[Connection]:
    readable = rows.select_related("connector", "account__merchant")
    return readable.defer(*CONNECTION_SECRETS, *OF_ITS_ACCOUNT).order_by("-pk")[:LISTED]


def hops(attempt: Attempt) -> list[dict[str, Any]]:
    """When the browser left and came back; never where to, nor what it brought."""
    return list(Hop.objects.filter(attempt=attempt).order_by("created").values(*HOP_FACTS))


def unsure(account: Account) -> dict[str, Any] | None:
    """The facts of a creation whose answer was lost; None when nothing is unsure.

    `seen` names this very doubt: a button pressed on an old page must not decide a newer one.
    """
    if not account.unsure:
        return None
    vendor = vendor_of(account.vendor)
    creators = Attempt.objects.select_related("connection", "user").defer(
        *ATTEMPT_SECRETS, *(f"connection__{name}" for name in CONNECTION_SECRETS)
    )
    creator = creators.filter(pk=account.creator_id or 0).first()
    return {
        "account": account,
        "creation": account.unsure,
        "look": _look(vendor, account.unsure),
        "vendor": vendor_name(account.vendor),
        "decidable": vendor is not None and vendor.can("resolve") and creator is not None,
        "creator": creator,
        "timeline": timeline(creator.events.all()) if creator else [],
        "seen": seen(account, creator),
    }


def seen(account: Account, creator: Attempt | None) -> str:
    return f"{account.unsure}-{creator.pk}-{creator.version}" if creator else account.unsure


def _look(vendor: Vendor | None, creation: str) -> str:
    """What the vendor's module asks staff to look for."""
    asked = vendor.creations.get(creation) if vendor else None
    return shown(dumped(asked))
