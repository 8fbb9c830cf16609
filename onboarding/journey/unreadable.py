"""Unreadable memos: what happens to a shop when no key of MEMO_KEYS opens its memos any more.

No vendor is asked with them: a flow would take them for empty and make things twice. The merchant is told
to connect the shop once more, and only that gives the old memos up. If the keys come back before, the
next check finds the shop connected as it was.
"""

from __future__ import annotations

from django.utils import timezone

from onboarding.models import Account, Attempt, Connection
from onboarding.models.memo import Unread
from onboarding.models.status import Answer, Status, Turn
from onboarding.registry import vendor_name
from vendors.contract import text

from . import transitions
from .outcomes import Verdict

ON_ACCOUNT, ON_SHOP = ("memo", "staff_answers"), ("memo", "answers", "reveal")
ON_ATTEMPT = ("call", "account_memo", "connection_memo")
ENDED_HERE = text("We no longer use or check this shop.")


def unreadable(connection: Connection, attempt: Attempt | None = None) -> bool:
    """Whether something that the vendor would be asked with cannot be read."""
    return any(_unread(connection, attempt))


def _unread(
    connection: Connection, attempt: Attempt | None
) -> list[tuple[Account | Connection | Attempt, str]]:
    rows: list[tuple[Account | Connection | Attempt | None, tuple[str, ...]]] = [
        (connection.account, ON_ACCOUNT), (connection, ON_SHOP), (attempt, ON_ATTEMPT),
    ]  # fmt: skip
    return [
        (row, name)
        for row, names in rows
        if row is not None
        for name in names
        if isinstance(getattr(row, name), Unread)
    ]


def give_up(connection: Connection, attempt: Attempt | None = None) -> None:
    """The merchant connects anew: what cannot be read is forgotten."""
    for row, name in _unread(connection, attempt):
        setattr(row, name, None if name in {"account_memo", "reveal"} else {})
        match row:
            case Account() as account:
                account.save(update_fields=[name])
            case Attempt() | Connection():
                transitions.save(row, name)


def stop(attempt: Attempt) -> None:
    """An attempt that cannot go on: disconnecting ends here, all else is the merchant's turn."""
    attempt.tries, attempt.due_at = 0, None
    if attempt.purpose == Attempt.Purpose.END:
        _end(attempt)
        return
    changed = transitions.apply(attempt, _verdict(attempt.connection))
    if not attempt.connects:
        attempt.ended = timezone.now()
        transitions.save(attempt, "ended")
    transitions.publish(attempt, changed=changed)
    lower(attempt.connection)


def _end(attempt: Attempt) -> None:
    """What is at the vendor stays there: staff have to end it by hand."""
    connection = attempt.connection
    vendor = vendor_name(connection.vendor)
    connection.task = (
        f"End this shop at {vendor} by hand: its memos cannot be read. Id: {connection.key}"
    )
    connection.due_at, connection.reveal = None, None
    transitions.save(connection, "task", "due_at", "reveal")
    ended = Verdict(
        status=Status.DISCONNECTED, turn=Turn.MERCHANT, answer=Answer.DONE, note=ENDED_HERE
    )
    attempt.ended = timezone.now()
    transitions.save(attempt, "ended")
    transitions.publish(attempt, changed=transitions.apply(attempt, ended))
    transitions.apply(connection, ended)
    transitions.save(connection, *transitions.STATUS_FIELDS)


def lower(connection: Connection) -> None:
    """A shop whose memos cannot be read needs the merchant; the next check looks at it again."""
    if not connection.shop_id or connection.due_at is None:
        return  # it never was connected, is paused or has ended
    changed = transitions.apply(connection, _verdict(connection))
    connection.tries, connection.due_at = 0, transitions.next_check(connection, timezone.now())
    transitions.save(connection, *transitions.STATUS_FIELDS)
    if changed:
        transitions.record(connection, connection.note, status=connection.status)


def _verdict(connection: Connection) -> Verdict:
    note = text(
        "We can no longer read what %(vendor)s gave us for this shop. Connect it once more.",
        vendor=vendor_name(connection.vendor),
    )
    return Verdict(
        status=Status.ACTION_NEEDED, turn=Turn.MERCHANT, answer=Answer.UNREADABLE, note=note
    )
