"""Notices: the mails about shops and attempts, each once, to one person, in their own language and zone.

The rows are written where the state changes (`journey/notices.py`) and, for what only time brings, by a
sweep (`expiry_warnings`, `reminders`). Here they are sent when their turn comes: if they are still true
(`occasions`), and when the brakes allow it (`brakes`).
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from functools import partial
from typing import NamedTuple

from django.conf import settings
from django.db import transaction

from onboarding import clock, moments
from onboarding.models import Attempt, MailGroup, Notice, User
from onboarding.models.status import Ending, shown
from onboarding.registry import vendor_name

from . import brakes, choices, expiry_warnings, outbox, reminders
from .mail import Mail, NotSent, compose_for, quoted
from .occasions import Drop, Wait, obstacle
from .readers import Reader, reading_as

log = logging.getLogger(__name__)
Kind = Notice.Kind
LIMIT = 200  # mails in a sweep
# What has happened comes before what could be done.
ORDER = {MailGroup.TURN: 0, MailGroup.PROBLEMS: 1, MailGroup.REMINDERS: 2}
READ = ("user", "attempt", "connection__connector", "connection__account__merchant")


def write_due() -> None:
    """Write what only time brings. Any number of workers may do so."""
    expiry_warnings.write()
    reminders.write()


def mail_due() -> None:
    """Send what is due. Any number of workers may do so."""
    due = Notice.unsent().filter(outbox.due(), not_before__lte=clock.now())
    rows = due.order_by("not_before", "pk")[:LIMIT]
    for row in sorted(rows, key=lambda row: ORDER[row.group]):
        try:
            send(row)
        except Exception:
            log.exception("a mail met a bug: %s", row.kind)


def send(row: Notice) -> None:
    """Send the mail of this row if its turn has come and nothing speaks against it."""
    if found := _claimed(row):
        notice, others = found
        compose = partial(_compose, others=others)
        outbox.send_claimed(notice, compose, partial(_conclude, others))


@transaction.atomic
def _claimed(row: Notice) -> tuple[Notice, list[Notice]] | None:
    """The row as it is now, with what is told in the same mail, both claimed by this process.

    One mail at a time is weighed against what its reader has got: hence the lock.
    """
    User.objects.select_for_update(no_key=True).only("pk").get(pk=row.user_id)
    rows = Notice.unsent().filter(outbox.due(), pk=row.pk, not_before__lte=clock.now())
    notice = rows.select_related(*READ).first()
    if notice is None or not _may_go(notice) or not outbox.claim(notice):
        return None
    return notice, _claim_others(notice)


def _may_go(notice: Notice) -> bool:
    found = obstacle(notice)
    if found is None and (until := brakes.free_from(notice)):
        found = Wait(until)
    _note(notice, found)
    return found is None


def _note(notice: Notice, found: Drop | Wait | None) -> None:
    """Write down what speaks against it, unless the state has changed at this moment."""
    rows = Notice.unsent().filter(pk=notice.pk, not_before=notice.not_before)
    if isinstance(found, Drop):
        rows.update(dropped=clock.now(), why=found.why)
    elif isinstance(found, Wait):
        rows.update(not_before=found.until)


def _claim_others(notice: Notice) -> list[Notice]:
    """What else has happened to shops of the same business: it is told in the same mail."""
    if notice.kind not in Notice.TOLD_TOGETHER:
        return []
    merchant = notice.connection.account.merchant_id
    rows = Notice.unsent().filter(
        outbox.due(),
        kind=notice.kind,
        user=notice.user,
        connection__account__merchant=merchant,
        not_before__isnull=False,
    )
    found = []
    for row in rows.exclude(pk=notice.pk).select_related(*READ).order_by("pk")[:LIMIT]:
        if (speaks := obstacle(row)) is not None:
            _note(row, speaks)
        elif outbox.claim(row):
            found.append(row)
    return found


def _conclude(others: Sequence[Notice], notice: Notice, error: NotSent | None) -> None:
    """Write down what became of the mail, for all that it told.

    A row that waits again was sent for a state that is over: its promise still holds.
    """
    with transaction.atomic():
        same = Notice.objects.select_for_update().filter(pk=notice.pk)
        if not same.filter(not_before=notice.not_before):
            return
        outbox.conclude(notice, error)
        for row in others:
            outbox.conclude(row, error)
        if error is None:
            Notice.objects.filter(pk__in=[row.pk for row in others]).update(told_in=notice)


def promised_to(attempt: Attempt, user: User) -> str:
    """The address of this reader, if they will get a mail when the wait is over; "" if not. A page says so
    only then."""
    promise = Notice.promised(attempt)
    if promise is None or promise.user_id != user.pk:
        return ""
    wanted = choices.wants(user, attempt.connection.account.merchant, promise.group)
    return user.email if wanted else ""


# -- the mails -------------------------------------------------------------------------------------


class Shop(NamedTuple):
    """A shop in a mail about several."""

    name: str
    sentence: str
    ends: str


def _compose(notice: Notice, *, others: Sequence[Notice] = ()) -> Mail:
    """The mail of `templates/onboarding/email/<kind>_….txt`."""
    merchant = notice.connection.account.merchant
    reader = Reader(notice.user, merchant)
    with reading_as(reader):
        context = _context(notice, [notice, *others])
    return compose_for(
        reader,
        f"onboarding/email/{notice.kind}",
        context,
        kind=notice.kind,
        group=notice.group,
        merchant=merchant,
    )


def _context(notice: Notice, told: Sequence[Notice]) -> Mapping[str, object]:
    connection = notice.connection
    return {
        "shop": quoted(connection.name),
        "business": quoted(connection.account.merchant.name),
        "vendor_name": vendor_name(connection.vendor),
        "sentence": _sentence(notice),
        "is_over": _is_over(notice),
        "shops": [_shop(row) for row in told],
        "count": len(told),
        "step": notice.step,
        "ends": moments.in_full(notice.at),
        "address": settings.SITE_URL + _page(notice, told),
    }


def _shop(row: Notice) -> Shop:
    ends = moments.in_full(row.at)
    return Shop(quoted(row.connection.name), _sentence(row), ends)


def _sentence(notice: Notice) -> str:
    """What its page says, with the dates of the times in it."""
    row = notice.attempt or notice.connection
    return shown(row.note, moments.in_full)


def _page(notice: Notice, told: Sequence[Notice]) -> str:
    if len(told) > 1:
        return notice.connection.account.merchant.get_absolute_url()
    if notice.attempt and not _is_over(notice):
        return notice.attempt.get_absolute_url()
    return notice.connection.get_absolute_url()


def _is_over(notice: Notice) -> bool:
    """Whether what was begun is done: then the shop's own page says the rest."""
    ending = notice.attempt.ending if notice.attempt else ""
    return ending in {Ending.CONNECTED, Ending.DONE}
