"""Columns and fields that several models share: where a row stands, and whose it is."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy

from onboarding import registry
from onboarding.models import Account, Attempt, Connection
from onboarding.models.status import StatusMixin

from .base import ATTEMPT_SECRETS, BaseAdmin
from .changelist import TURNS
from .tables import NOTHING, badge, link, moment

STATUS_FIELDS = (
    "status_now",
    "whose_turn",
    "merchant_reads",
    "cause",
    "detail",
    "waits_since",
    "next_check",
)


class StatusColumns(BaseAdmin):
    """Where connections and attempts stand."""

    @admin.display(description=gettext_lazy("status"))
    def status_now(self, row: StatusMixin) -> str:
        return badge(row)

    @admin.display(description=gettext_lazy("whose turn"))
    def whose_turn(self, row: StatusMixin) -> str:
        return str(TURNS.get(row.turn, row.turn))

    @admin.display(description=gettext_lazy("the merchant reads"))
    def merchant_reads(self, row: StatusMixin) -> str:
        return row.sentence or NOTHING

    @admin.display(description=gettext_lazy("for staff"))
    def facts(self, row: StatusMixin) -> str:
        detail = Truncator(row.detail).chars(120)
        return ": ".join(part for part in (row.cause, detail) if part) or NOTHING

    @admin.display(description=gettext_lazy("since"))
    def waits_since(self, row: StatusMixin) -> str:
        return moment(_active(row).since, "DATETIME_FORMAT")

    @admin.display(description=gettext_lazy("the vendor is asked again"))
    def next_check(self, row: StatusMixin) -> str:
        return moment(_active(row).due_at, "DATETIME_FORMAT")


def _active(row: StatusMixin) -> StatusMixin:
    """The row that waits: for a connection its open attempt, if there is one."""
    if not isinstance(row, Connection):
        return row
    attempts = row.attempts.filter(ended=None).exclude(purpose=Attempt.Purpose.ENTER)
    return attempts.defer(*ATTEMPT_SECRETS).first() or row


class OwnerColumns(BaseAdmin):
    """Whose an account or a connection is, and at which vendor."""

    @admin.display(description=gettext_lazy("merchant"))
    def merchant_link(self, row: Account | Connection) -> str:
        return link(row.merchant)

    @admin.display(description=gettext_lazy("vendor"))
    def vendor_name(self, row: Any) -> str:
        return registry.vendor_name(row.vendor)
