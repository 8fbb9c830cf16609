"""Unreadable memos: what happens to a shop when no key of MEMO_KEYS decrypts its memos any more.

No vendor is called with them: a flow would take them for empty and make things twice. The merchant is told
to connect the shop once more, and only that discards the old memos. If the keys are restored before, the
next check finds the shop connected as it was.
"""

from __future__ import annotations

from typing import assert_never

from django.utils import timezone

from onboarding.models import Account, Attempt, Connection
from onboarding.models.memo import Unread
from onboarding.models.status import Answer, Ending, Status, Turn
from onboarding.registry import vendor_name
from vendors.contract import text

from . import transitions
from .outcomes import Verdict

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


def discard(connection: Connection, attempt: Attempt | None = None) -> None:
    """The merchant connects the shop once more: empty the memos that cannot be decrypted."""
    for row, name in _unreadable_columns(connection, attempt):
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
    attempt.tries, attempt.due_at = 0, None
    if attempt.purpose == Attempt.Purpose.END:
        _disconnect_here(attempt)
        return
    changed = transitions.apply(attempt, _reconnect_verdict(attempt.connection))
    if not attempt.connects:
        transitions.end(attempt, Ending.UNREADABLE)
    transitions.publish(attempt, changed=changed)
    require_reconnect(attempt.connection)


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
    changed = transitions.apply(connection, _reconnect_verdict(connection))
    connection.tries, connection.due_at = 0, transitions.next_check(connection, timezone.now())
    transitions.save(connection, *transitions.STATUS_FIELDS)
    if changed:
        transitions.record(connection, connection.note, status=connection.status)


def _reconnect_verdict(connection: Connection) -> Verdict:
    note = text(
        "We can no longer read what %(vendor)s gave us for this shop. Connect it once more.",
        vendor=vendor_name(connection.vendor),
    )
    return Verdict(
        status=Status.ACTION_NEEDED, turn=Turn.MERCHANT, answer=Answer.UNREADABLE, note=note
    )
