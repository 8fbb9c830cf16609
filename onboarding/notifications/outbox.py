"""Outbox: each mail is a row that stays due until its mail is sent, so a later sweep retries it.

A process that dies between sending and saving sends the mail twice; no mail gets lost. A mail ends at once
when the mail server refuses its recipients for good.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import TypeVar

from django.db import connection, transaction
from django.db.models import F, Q, QuerySet

from onboarding import clock
from onboarding.models import AccountMail, Invitation
from onboarding.models.outbox import MAX_TRIES, Mailed, MailState

from . import mail_log, refused_addresses
from .mail import AddressRefused, Mail, NotSent
from .sending import Delivery, outcome, pool, wait_for

log = logging.getLogger(__name__)
FIRST_RETRY_DELAY = timedelta(minutes=1)  # longer than a mail takes (smtp.SECONDS)
LONGEST_RETRY_DELAY = timedelta(hours=1)
ALERT_FOR = timedelta(days=7)  # how long undelivered mails keep the alert open


Row = TypeVar("Row", bound=Mailed)
Compose = Callable[[Row], Mail]
Conclude = Callable[[Row, NotSent | None], None]


def send_due(
    rows: QuerySet[Row], compose: Compose[Row], concluded: Conclude[Row] | None = None
) -> None:
    """Send the mails of those rows that are due now. A bug in one mail does not stop the others."""
    for row in rows.filter(due()):
        send_one(row, compose, concluded)


def send_one(row: Row, compose: Compose[Row], concluded: Conclude[Row] | None = None) -> None:
    """Send it as one of many: a bug is logged, and the row stays due."""
    try:
        send(row, compose, concluded)
    except Exception:
        log.exception("a mail met a bug: %s", type(row).__name__)


def send(row: Row, compose: Compose[Row], concluded: Conclude[Row] | None = None) -> None:
    """Send the mail of this row, unless another process is sending it. A failed mail is retried later.

    `concluded`: called instead of `conclude`.
    """
    if claim(row):
        send_claimed(row, compose, concluded)


def send_claimed(row: Row, compose: Compose[Row], concluded: Conclude[Row] | None = None) -> None:
    """Send the mail of a row that this process has claimed."""
    mail = compose(row)
    error = _begin(row, mail) or outcome(mail)
    if error and not isinstance(error, AddressRefused):
        log.warning("a mail is tried again: %s, %s", type(row).__name__, error)
    _end(row, mail, concluded, error)


def send_now(row: Row, mail: Mail, concluded: Conclude[Row] | None = None) -> Delivery:
    """Send this mail in a thread of its own while a page waits for it, a moment at most.

    What becomes of it later is written into the row. Without a place in the queue, the sweep sends it. In
    a transaction nobody waits, and it is sent after the commit: it would hold locks meanwhile.
    """
    write_down = partial(_end, row, mail, concluded)
    still_mine, awaited = partial(claim, row, again=True), not _in_transaction()
    delivery = Delivery(mail, write_down, still_mine, awaited=awaited)
    if not claim(row):
        return delivery
    if error := _begin(row, mail):
        delivery.is_over, delivery.error = True, error
        write_down(error)
    elif not awaited:
        transaction.on_commit(partial(_submit, row, delivery))
    elif _submit(row, delivery):
        wait_for(delivery)
    return delivery


def _begin(row: Mailed, mail: Mail) -> NotSent | None:
    """The log knows of each try. An error: no address is left that takes it, so it is not tried."""
    to = list(mail.to)
    error = refused_addresses.leave_out(mail)
    mail_log.note_try(row, mail, to)
    return error


def _end(row: Row, mail: Mail, concluded: Conclude[Row] | None, error: NotSent | None) -> None:
    """Write down what became of a try: in the row, in the log, and at an address that refuses mails."""
    (concluded or conclude)(row, error)
    mail_log.note_end(row, error)
    refused_addresses.learn(mail, error)


def _submit(row: Row, delivery: Delivery) -> bool:
    if pool.submit(delivery):
        return True
    _same(row).update(mail_retry_at=clock.now())
    log.warning("too many mails wait: %s is left to the sweep", type(row).__name__)
    return False


def _in_transaction() -> bool:
    """Whether the caller has opened one. (A test may run in one that never ends.)"""
    return any(not getattr(block, "_from_testcase", False) for block in connection.atomic_blocks)


def conclude(row: Row, error: NotSent | None) -> None:
    """Write down what became of a try."""
    fields: dict[str, object] = {}
    if error is None:
        state, fields = MailState.SENT, {"mailed": clock.now(), "mail_retry_at": None}
    elif isinstance(error, AddressRefused):
        state, fields = MailState.REFUSED, {"mail_refused": True}
    else:
        state = MailState.WAITING
    if fields := fields | row.also_after_try(state):
        _same(row).update(**fields)


def claim(row: Row, *, again: bool = False) -> bool:
    """Whether this process sends the mail. `again`: its own earlier claim counts, another's does not."""
    if not row.is_of_use:
        return False
    now = clock.now()
    free = Q(mail_retry_at=row.mail_retry_at) & _unsent() if again else due()
    retry_at = now + retry_delay(row.mail_tries)
    claimed = _same(row).filter(free).update(mail_retry_at=retry_at, mail_tries=F("mail_tries") + 1)
    if claimed:
        row.mail_retry_at = retry_at
    return bool(claimed)


def _same(row: Row) -> QuerySet[Row]:
    return type(row)._default_manager.filter(pk=row.pk)


def retry_delay(tries: int) -> timedelta:
    """Exponential backoff after this many tries: 1 min, 2 min, 4 min … 1 h."""
    return min(FIRST_RETRY_DELAY * (1 << min(tries, 10)), LONGEST_RETRY_DELAY)


def undelivered() -> list[Mailed]:
    """The dead letters: rows whose mail was given up within the last ALERT_FOR, of all models.

    Whoever invited a refused address, or waits for a code, is told so on the page.
    """
    recent = Q(mailed=None, mail_retry_at__gt=clock.now() - ALERT_FOR)
    over = recent & (Q(mail_tries__gte=MAX_TRIES) | Q(mail_refused=True))
    models = dict.fromkeys(Mailed.__subclasses__(), over)
    del models[AccountMail]
    models[Invitation] &= Q(mail_refused=False)
    return [
        row for model, given_up in models.items() for row in model._default_manager.filter(given_up)
    ]


def due() -> Q:
    return _unsent() & (Q(mail_retry_at=None) | Q(mail_retry_at__lte=clock.now()))


def _unsent() -> Q:
    return Q(mailed=None, mail_refused=False, mail_tries__lt=MAX_TRIES)
