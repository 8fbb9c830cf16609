"""Mails that staff send again: the sweep composes and sends them anew, if what they tell still holds.

Neither what their reader has seen nor the brakes hold them back: staff pressed it on purpose.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from django.apps import apps
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy

from onboarding import clock
from onboarding.models import (
    AccountMail,
    Alert,
    ClosingMail,
    FormerAddress,
    Invitation,
    MailGroup,
    MailOutcome,
    MailRecord,
    Notice,
    WaitlistEntry,
)
from onboarding.models.outbox import WANTED, Mailed

from . import address_mails, choices, invitations, refused_addresses, waitlist
from .kinds import ALERT
from .occasions import Drop, obstacle

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise as StrOrPromise

Why = Notice.Why
NOT_KEPT = gettext_lazy(
    "Its words are not kept: it has a code, or tells what was changed. They can ask for another."
)
GONE = gettext_lazy("What it was about is no longer there.")
NEWER = gettext_lazy("A newer email about the same is on its way.")
REFUSED = gettext_lazy("The mail server refuses this address.")
REASONS = {
    Why.LEFT: gettext_lazy("They no longer belong to this business."),
    Why.NOT_WANTED: gettext_lazy("They have switched these emails off."),
    Why.OVER: gettext_lazy("What it says is no longer true."),
}
# Those whose mail may go at all. For others, what they tell stays true.
STILL_TRUE: Mapping[type[Mailed], Callable[[], QuerySet[Alert | FormerAddress | Invitation]]] = {
    Alert: lambda: Alert.objects.filter(cleared=None),
    FormerAddress: address_mails.still_open,
    Invitation: invitations.still_open,
}


class CannotSendAgain(Exception):
    """Why not, as a sentence for staff."""


@transaction.atomic
def send_again(record: MailRecord) -> None:
    """Make the mail of this line of the log due at once. Raises CannotSendAgain."""
    row = _row_of(record)
    if isinstance(row, Notice):
        _notices_again(row)
    elif isinstance(row, WaitlistEntry):
        _entry_again(row)
    else:
        _refuse_if(record.kind != ALERT and bool(refused_addresses.among([record.to])), REFUSED)
        _again(row, is_open=record.outcome == MailOutcome.WAITING)


def _row_of(record: MailRecord) -> Mailed:
    model = apps.get_model("onboarding", record.source)
    row: Mailed | None = model._default_manager.filter(pk=record.row).first()
    _refuse_if(isinstance(row, AccountMail), NOT_KEPT)
    if row is None or (isinstance(row, ClosingMail) and row.reader is None):
        raise CannotSendAgain(GONE)
    return row


def _refuse_if(is_so: bool, why: StrOrPromise) -> None:
    if is_so:
        raise CannotSendAgain(why)


def _notices_again(notice: Notice) -> None:
    """With what was told in the same mail, as far as it is still so."""
    _refuse_if(refused_addresses.main_one(notice.user) is not None, REFUSED)
    now = clock.now()
    speaks = {row: _speaks_against(row, now) for row in (notice, *notice.also_told.all())}
    true = [row.pk for row, why in speaks.items() if why is None]
    _refuse_if(not true, REASONS[speaks[notice] or Why.OVER])
    Notice.objects.filter(pk__in=true).update(
        **WANTED, dropped=None, why="", told_in=None, not_before=now, asked_again=now
    )


def _speaks_against(notice: Notice, now: datetime) -> Why | None:
    notice.asked_again = now
    found = obstacle(notice)
    return found.why if isinstance(found, Drop) else Why.OVER if found else None


def _entry_again(entry: WaitlistEntry) -> None:
    _refuse_if(refused_addresses.main_one(entry.user) is not None, REFUSED)
    is_wanted = choices.wants(entry.user, entry.merchant, MailGroup.TURN)
    _refuse_if(not is_wanted, REASONS[Why.NOT_WANTED])
    _update(entry, **WANTED, dropped=None)
    _refuse_if(not waitlist.called_back().filter(pk=entry.pk).exists(), REASONS[Why.OVER])


def _again(row: Mailed, *, is_open: bool) -> None:
    """`is_open`: it is still being tried, so only its next try is now."""
    _update(row, **({"mail_retry_at": None} if is_open else WANTED))
    still_true = STILL_TRUE.get(type(row))
    _refuse_if(bool(still_true and not still_true().filter(pk=row.pk)), REASONS[Why.OVER])


def _update(row: Mailed, **fields: object) -> None:
    try:
        with transaction.atomic():
            type(row)._default_manager.filter(pk=row.pk).update(**fields)
    except IntegrityError as error:
        raise CannotSendAgain(NEWER) from error
