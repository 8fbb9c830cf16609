"""Unreadable memos: what happens to a shop when no key of MEMO_KEYS decrypts its memos any more.

No vendor is called with them: a flow would take them for empty and make things twice. Until the operator has
said that the key is lost for good (`manage.py rekey --lost`), nothing else happens either: every row stays as
it is. After that the merchant is told to connect the shop once more, and only that discards the old memos.
If the keys are restored, `wake_readable` has everything that stopped for them asked again at once.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import assert_never

from onboarding import clock
from onboarding.models import Account, Alert, Attempt, Connection, memo_key
from onboarding.models.memo import Unread
from onboarding.models.status import Answer, Cause, Ending, Status, Turn
from onboarding.registry import vendor_name
from vendors.contract import text

from . import transitions
from .outcomes import Verdict

log = logging.getLogger(__name__)
PUT_OFF = timedelta(minutes=1)  # for a row that waits for its key
ACCOUNT_COLUMNS = ("memo", "staff_answers")
CONNECTION_COLUMNS = ("memo", "answers", "reveal")
ATTEMPT_COLUMNS = ("call", "account_memo", "connection_memo")
ENDED_HERE = text("We no longer use or check this shop.")


def is_unreadable(connection: Connection, attempt: Attempt | None = None) -> bool:
    """Whether something that a call to the vendor is made with cannot be decrypted."""
    return any(_unreadable_columns(connection, attempt))


def _unreadable_columns(
    connection: Connection, attempt: Attempt | None
) -> list[tuple[Account | Connection | Attempt, str]]:
    rows: list[tuple[Account | Connection | Attempt | None, tuple[str, ...]]] = [
        (connection.account, ACCOUNT_COLUMNS),
        (connection, CONNECTION_COLUMNS),
        (attempt, ATTEMPT_COLUMNS),
    ]
    return [
        (row, name)
        for row, names in rows
        if row is not None
        for name in names
        if isinstance(getattr(row, name), Unread)
    ]


def require_loss() -> None:
    """Before anything that gives up an unreadable memo. Raises MemoKeyMissing unless its key is lost."""
    if not memo_key.loss_is_confirmed():
        raise memo_key.MemoKeyMissing


def discard(connection: Connection, attempt: Attempt | None = None) -> None:
    """The merchant connects the shop once more: empty the memos that cannot be decrypted.

    Raises MemoKeyMissing while their key may come back.
    """
    columns = _unreadable_columns(connection, attempt)
    if columns:
        require_loss()
    for row, name in columns:
        setattr(row, name, None if name in {"account_memo", "reveal"} else {})
        match row:
            case Account() as account:
                account.save(update_fields=[name])
            case Attempt() | Connection():
                transitions.save(row, name)
            case _:
                assert_never(row)


def stop_attempt(attempt: Attempt) -> None:
    """The vendor cannot be called: disconnecting ends the connection here, all else needs the merchant."""
    if _waits_for_its_key(attempt):
        return
    attempt.tries, attempt.due_at = 0, None
    if attempt.purpose == Attempt.Purpose.END:
        _disconnect_here(attempt)
        return
    changed = transitions.apply(attempt, _reconnect_verdict(attempt.connection))
    if not attempt.connects:
        transitions.end(attempt, Ending.UNREADABLE)
    transitions.publish(attempt, changed=changed)
    require_reconnect(attempt.connection)


def _waits_for_its_key(row: Attempt | Connection) -> bool:
    """Leave the row as it is, tell staff, and try it again soon, unless its key is lost for good."""
    if memo_key.loss_is_confirmed():
        return False
    log.error("%s: not asked about. %s %s", row.reference, memo_key.MISSING, memo_key.FIX)
    Alert.objects.get_or_create(vendor=Cause.MEMO_KEYS, cause=Cause.MEMO_KEYS, cleared=None)
    row.due_at = clock.now() + PUT_OFF
    transitions.save(row, "due_at")
    return True


def wake_readable() -> int:
    """MEMO_KEYS are proven: what stopped because of them and can be read is asked again at once."""
    shops = Connection.objects.filter(answer=Answer.UNREADABLE).exclude(due_at=None)
    attempts = Attempt.objects.filter(answer=Answer.UNREADABLE, ended=None)
    readable = [each.pk for each in shops.select_related("account") if not is_unreadable(each)]
    stopped = [
        each.pk
        for each in attempts.select_related("connection__account")
        if not is_unreadable(each.connection, each)
    ]
    now = clock.now()
    woken = transitions.update(Connection.objects.filter(pk__in=readable), due_at=now)
    return woken + transitions.update(Attempt.objects.filter(pk__in=stopped), due_at=now)


def _disconnect_here(attempt: Attempt) -> None:
    """What is at the vendor stays there, so staff get the task to end it by hand."""
    connection = attempt.connection
    vendor = vendor_name(connection.vendor)
    connection.task = (
        f"End this shop at {vendor} by hand: its memos cannot be read. Id: {connection.key}"
    )
    connection.due_at, connection.reveal = None, None
    transitions.save(connection, "task", "due_at", "reveal")
    verdict = Verdict(
        status=Status.DISCONNECTED, turn=Turn.MERCHANT, answer=Answer.DONE, note=ENDED_HERE
    )
    transitions.end(attempt, Ending.DONE)
    transitions.publish(attempt, changed=transitions.apply(attempt, verdict))
    transitions.apply(connection, verdict)
    transitions.save(connection, *transitions.STATUS_FIELDS)


def require_reconnect(connection: Connection) -> None:
    """The merchant has to connect a checked shop once more; the next check tries the keys again."""
    if not connection.shop_id or connection.due_at is None:
        return  # it was never connected, is paused or has ended
    if _waits_for_its_key(connection):
        return
    changed = transitions.apply(connection, _reconnect_verdict(connection))
    connection.tries, connection.due_at = 0, transitions.next_check(connection, clock.now())
    transitions.save(connection, *transitions.STATUS_FIELDS)
    if changed:
        transitions.record(connection, connection.note, status=connection.status)


def _reconnect_verdict(connection: Connection) -> Verdict:
    note = text(
        "We can no longer use the access that %(vendor)s gave us for this shop."
        " Please connect it again.",
        vendor=vendor_name(connection.vendor),
    )
    return Verdict(
        status=Status.ACTION_NEEDED, turn=Turn.MERCHANT, answer=Answer.UNREADABLE, note=note
    )
