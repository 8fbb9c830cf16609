"""Memos that no key of MEMO_KEYS opens any more.

No vendor is asked with them, for a flow would take them for empty and make things twice. The merchant
is told to connect the shop once more; only that gives the old memos up. Come the keys back before, the
next check finds the shop connected as it was.
"""

from __future__ import annotations

from django.utils import timezone

from onboarding.models import Account, Attempt, Connection
from onboarding.models.memo import Unread
from onboarding.models.status import Status, Turn
from onboarding.registry import vendor_name
from vendors.contract import text

from . import transitions
from .outcomes import Verdict, write

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
        row.save(update_fields=[name])


def stop(row: Attempt) -> None:
    """An attempt that cannot go on: disconnecting ends here, all else is the merchant's turn."""
    row.tries, row.due_at = 0, None
    if row.purpose == Attempt.Purpose.END:
        _end(row)
        return
    told = write(row, _verdict(row.connection))
    if row.purpose not in {Attempt.Purpose.CONNECT, Attempt.Purpose.RECONNECT}:
        row.ended = timezone.now()
        row.save(update_fields=["ended"])
    transitions.tell(row, told)
    lower(row.connection)


def _end(row: Attempt) -> None:
    """What is there stays there: staff have to end it by hand."""
    target = row.connection
    vendor = vendor_name(target.vendor)
    target.task = f"End this shop at {vendor} by hand: its memos cannot be read. Id: {target.key}"
    target.due_at, target.reveal = None, None
    target.save(update_fields=["task", "due_at", "reveal"])
    ended = Verdict(status=Status.DISCONNECTED, turn=Turn.MERCHANT, answer="done", note=ENDED_HERE)
    row.ended = timezone.now()
    row.save(update_fields=["ended"])
    transitions.tell(row, write(row, ended))
    write(target, ended)
    target.save(update_fields=transitions.ROW_FIELDS)


def lower(target: Connection) -> None:
    """A shop whose memos cannot be read is lowered, and looked at again at the next check."""
    if not target.shop_id or target.due_at is None:
        return  # it never was connected, rests or has ended
    told = write(target, _verdict(target))
    target.tries, target.due_at = 0, transitions.next_check(target, timezone.now())
    target.save(update_fields=transitions.ROW_FIELDS)
    if told:
        transitions.record(target, target.note, status=target.status)


def _verdict(connection: Connection) -> Verdict:
    note = text(
        "We can no longer read what %(vendor)s gave us for this shop. Connect it once more.",
        vendor=vendor_name(connection.vendor),
    )
    return Verdict(status=Status.ACTION_NEEDED, turn=Turn.MERCHANT, answer="lost", note=note)
