"""Columns and fields that several admin classes share: the status of a row, and its owner."""

from __future__ import annotations

from django.contrib import admin
from django.utils.translation import gettext_lazy

from onboarding import registry
from onboarding.models import Account, Attempt, Connection
from onboarding.models.status import StatusMixin

from .base import ATTEMPT_SECRETS, BaseAdmin
from .changelist import TURNS
from .tables import NOTHING, badge, explained, facts, link, moment

STATUS_FIELDS = (
    "status_now",
    "whose_turn",
    "merchant_reads",
    "reason",
    "what_to_do",
    "detail",
    "waiting_since",
    "next_check",
)


class StatusColumns(BaseAdmin):
    """The status of connections and attempts."""

    @admin.display(description=gettext_lazy("status"))
    def status_now(self, row: StatusMixin) -> str:
        return badge(row)

    @admin.display(description=gettext_lazy("whose turn"))
    def whose_turn(self, row: StatusMixin) -> str:
        return str(TURNS.get(row.turn, row.turn))

    @admin.display(description=gettext_lazy("what the merchant sees"))
    def merchant_reads(self, row: StatusMixin) -> str:
        return row.sentence or NOTHING

    @admin.display(description=gettext_lazy("for staff"))
    def facts(self, row: Connection | Attempt) -> str:
        return facts(row) or NOTHING

    @admin.display(description=gettext_lazy("why it waits for staff"))
    def reason(self, row: Connection | Attempt) -> str:
        return explained(row).what or NOTHING

    @admin.display(description=gettext_lazy("what to do"))
    def what_to_do(self, row: Connection | Attempt) -> str:
        return explained(row).to_do or NOTHING

    @admin.display(description=gettext_lazy("since"))
    def waiting_since(self, row: StatusMixin) -> str:
        return moment(_active(row).since)

    @admin.display(description=gettext_lazy("next check"))
    def next_check(self, row: StatusMixin) -> str:
        return moment(_active(row).due_at)


def _active(row: StatusMixin) -> StatusMixin:
    """The row whose call is next: for a connection its open attempt, if there is one."""
    if not isinstance(row, Connection):
        return row
    attempts = row.attempts.filter(ended=None).exclude(purpose=Attempt.Purpose.ENTER)
    return attempts.defer(*ATTEMPT_SECRETS).first() or row


class OwnerColumns(BaseAdmin):
    """The merchant and the vendor of an account or a connection."""

    @admin.display(description=gettext_lazy("merchant"))
    def merchant_link(self, row: Account | Connection) -> str:
        return link(row.merchant)

    @admin.display(description=gettext_lazy("vendor"))
    def vendor_name(self, row: Account | Connection) -> str:
        return registry.vendor_name(row.vendor)
