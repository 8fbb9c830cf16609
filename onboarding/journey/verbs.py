"""What people do: each verb writes what they want, and leaves the vendor to `carry`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from vendors.contract import Text, text

from ..models import Account, Attempt, Connection, Connector, Merchant, User
from ..situation import Status, Turn
from . import lost, records
from .names import NameTaken, free_name, of_name
from .orders import holder, vendor_of

GRACE = timedelta(seconds=10)  # the web process does it now; the sweep only if that process dies
AFRESH = {
    "declined",
    "refused",
    "wrong_shop",
    "lost",
}  # after these, Continue begins from the start


TRAVELS = {Attempt.Purpose.CONNECT, Attempt.Purpose.RECONNECT}


@transaction.atomic
def begin(
    *, merchant: Merchant, connector: Connector, user: User, name: str, answers: Mapping[str, str]
) -> Attempt:
    """A new connection and its first attempt; pressed twice, the same attempt.

    Raises NameTaken when the name belongs to another shop.
    """
    account, _ = Account.objects.get_or_create(merchant=merchant, vendor=connector.vendor)
    Account.objects.select_for_update(no_key=True).get(pk=account.pk)
    if twin := of_name(merchant, name):
        attempt = twin.attempts.filter(ended=None, purpose=Attempt.Purpose.CONNECT).first()
        if twin.connector_id != connector.pk or twin.shop or attempt is None:
            raise NameTaken(name)
        return attempt
    connection = Connection.objects.create(
        account=account,
        vendor=account.vendor,
        connector=connector,
        name=name,
        answers=dict(answers),
    )
    return _attempt(connection, user, Attempt.Purpose.CONNECT, "start")


def _attempt(
    connection: Connection,
    user: User,
    purpose: str,
    call: str,
    argument: Any = None,
    chosen: Connector | None = None,
) -> Attempt:
    if purpose in TRAVELS:
        lost.give_up(connection)
    attempt = Attempt.objects.create(
        connection=connection,
        user=user,
        purpose=purpose,
        call=_remembered(call, argument) | {"connector": chosen and chosen.slug},
        call_number=1,
        status=Status.IN_PROGRESS,
        turn=Turn.US,
        answer="progress",
        due_at=timezone.now() + GRACE,
    )
    said = {
        Attempt.Purpose.CONNECT: text("The connection was begun."),
        Attempt.Purpose.RECONNECT: text("Reconnecting was begun."),
        Attempt.Purpose.PAUSE: text("Pausing was begun."),
        Attempt.Purpose.RESUME: text("Resuming was begun."),
        Attempt.Purpose.END: text("Disconnecting was begun."),
        Attempt.Purpose.ACT: argument and _label(connection, argument["key"]),
    }
    records.record(connection, said.get(Attempt.Purpose(purpose)), attempt=attempt, user=user)
    records.tell(attempt, told=False)
    return attempt


def _remembered(name: str, argument: Any) -> dict[str, Any]:
    """The call, and when somebody asked for it (POSIX seconds): `orders.awaited`."""
    return {"name": name, "argument": argument, "asked": timezone.now().timestamp()}


def _label(connection: Connection, key: str) -> Text | None:
    """What the vendor calls an action: that is what its asker wanted."""
    vendor = vendor_of(connection.vendor)
    actions = vendor.actions() if vendor else ()
    return next((each.label for each in actions if each.key == key), None)


@transaction.atomic
def reconnect(connection: Connection, user: User) -> Attempt:
    """Go on with the attempt that is open, else begin a new one."""
    connection = records.connection(connection.pk)
    if attempt := _open(connection):
        return go_on(attempt, user)
    if connection.status == Status.DISCONNECTED:
        _name_of_its_own(connection, user)
    if connection.shop and holder(connection, connection.shop) in {"sibling", "other"}:
        connection.shop = ""  # connected anew by somebody after we had disconnected it
        connection.save(update_fields=["shop"])
    first = connection.connected_at is None
    purpose = Attempt.Purpose.CONNECT if first else Attempt.Purpose.RECONNECT
    return _attempt(connection, user, purpose, "start")


def _name_of_its_own(connection: Connection, user: User) -> None:
    """Another shop may have taken the name while this one was disconnected: that one keeps it."""
    old, name = connection.name, free_name(connection.account.merchant, connection.name)
    if name == old:
        return
    connection.name = name
    connection.save(update_fields=["name"])
    said = text(
        "Another shop is called “%(old)s” now: this one became “%(name)s”.", old=old, name=name
    )
    records.record(connection, said, user=user)


@transaction.atomic
def enter(connection: Connection, user: User) -> Attempt:
    """Open the vendor's pages again for a connected shop. Never changes its status."""
    connection = records.connection(connection.pk)
    mine = connection.attempts.filter(ended=None, purpose=Attempt.Purpose.ENTER, user=user)
    if attempt := mine.first():
        return go_on(attempt, user)
    return _attempt(connection, user, Attempt.Purpose.ENTER, "enter")


def pause(connection: Connection, user: User) -> Attempt:
    """Let a connected shop rest; whatever was open for it stops."""
    return _instead(connection, user, Attempt.Purpose.PAUSE)


def resume(connection: Connection, user: User) -> Attempt:
    """Wake a paused shop."""
    return _instead(connection, user, Attempt.Purpose.RESUME)


def disconnect(connection: Connection, user: User) -> Attempt:
    """End a connection; whatever was open for it stops."""
    return _instead(connection, user, Attempt.Purpose.END)


def have_done(
    connection: Connection,
    user: User,
    key: str,
    answers: Mapping[str, str],
    chosen: Connector | None = None,
) -> Attempt:
    """One of the vendor's actions for merchants: it may make things, so it is an attempt.

    After a no it is begun anew, with the new answers. `chosen` becomes the shop's connector when it
    succeeds; what is begun goes on, also when staff hide that connector meanwhile.
    """
    argument = {"key": key, "answers": dict(answers)}
    return _instead(connection, user, Attempt.Purpose.ACT, argument, chosen)


def revealed(connection_id: int) -> bool:
    """The merchant has what was shown once: it is forgotten. False when there was nothing."""
    rows = Connection.objects.filter(pk=connection_id, reveal__isnull=False)
    return bool(rows.update(reveal=None))


@transaction.atomic
def _instead(
    connection: Connection,
    user: User,
    purpose: Attempt.Purpose,
    argument: Any = None,
    chosen: Connector | None = None,
) -> Attempt:
    """An attempt instead of whatever is open; pressed twice, the same one."""
    connection = records.connection(connection.pk)
    attempt = _open(connection)
    anew = argument is not None and attempt is not None and attempt.answer in AFRESH
    if attempt and attempt.purpose == purpose and not anew:
        return attempt
    connection.attempts.filter(ended=None).update(ended=timezone.now(), due_at=None)
    return _attempt(connection, user, purpose, purpose.value, argument, chosen)


def _open(connection: Connection) -> Attempt | None:
    rows = connection.attempts.filter(ended=None).exclude(purpose=Attempt.Purpose.ENTER)
    attempt = rows.first()
    if attempt and attempt.deadline <= timezone.now():
        records.expire(records.attempt(attempt.pk))
        return None
    return attempt


@transaction.atomic
def go_on(attempt: Attempt, user: User) -> Attempt:
    """Continue, Try again, Check again: the same call once more, or from the start after a no."""
    row = records.attempt(attempt.pk)
    if (
        row.ended
        or row.answer == "progress"
        or (row.turn == Turn.STAFF and row.answer != "waiting")
    ):
        return row
    row.user = user
    gone = lost.unreadable(row.connection, row)
    if row.purpose in TRAVELS and (gone or row.answer in AFRESH):
        lost.give_up(row.connection, row)
        row.account_memo = None
        return call(row, "start")
    return repeat(row)


def repeat(row: Attempt) -> Attempt:
    """The call that is remembered, once more."""
    return call(row, row.call.get("name", "start"), row.call.get("argument"))


@transaction.atomic
def answer(attempt: Attempt, user: User, answers: Mapping[str, str]) -> Attempt:
    """The merchant's answers to the questions of an `Ask`."""
    row = records.attempt(attempt.pk)
    if row.ended or row.answer not in {"ask", "needs"}:
        return row
    row.user = user
    return call(row, "answered", dict(answers))


def call(row: Attempt, name: str, argument: Any = None) -> Attempt:
    """Remember the call; an answer to an older one no longer counts."""
    row.call = row.call | _remembered(name, argument)
    row.call_number += 1
    row.status = Status.CHECKING if name == "returned" else Status.IN_PROGRESS
    row.turn, row.answer, row.note, row.cause = Turn.US, "progress", {}, ""
    row.detail, row.link, row.questions = "", "", []
    row.tries, row.deaths, row.since = 0, 0, timezone.now()
    row.due_at = timezone.now() + GRACE
    row.version += 1
    row.save(update_fields=["user", "call", "call_number", "account_memo", "accepted"])
    records.tell(row, told=False)
    return row
