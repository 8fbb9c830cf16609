"""What people do: each verb writes what they want, and leaves the vendor to `carry`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from onboarding.models import Account, Attempt, Connection, Connector, Hop, Merchant, User
from onboarding.models.status import Status, Turn, dumped
from onboarding.registry import vendor_name, vendor_of
from vendors.contract import Text, text

from . import hops, transitions, unreadable
from .orders import holder

GRACE = timedelta(seconds=10)  # the web process does it now; the sweep only if that process dies
AFRESH = {
    "declined",
    "refused",
    "wrong_shop",
    "lost",
    "start_over",
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
        if twin.connector_id != connector.pk or twin.shop_id or attempt is None:
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
        unreadable.give_up(connection)
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
    transitions.record(connection, said.get(Attempt.Purpose(purpose)), attempt=attempt, user=user)
    transitions.tell(attempt, told=False)
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
    connection = transitions.connection(connection.pk)
    if attempt := _open(connection):
        return go_on(attempt, user)
    if connection.status == Status.DISCONNECTED:
        _name_of_its_own(connection, user)
    if connection.shop_id and holder(connection, connection.shop_id) in {"sibling", "other"}:
        connection.shop_id = ""  # connected anew by somebody after we had disconnected it
        connection.save(update_fields=["shop_id"])
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
    transitions.record(connection, said, user=user)


@transaction.atomic
def enter(connection: Connection, user: User) -> Attempt:
    """Open the vendor's pages again for a connected shop. Never changes its status."""
    connection = transitions.connection(connection.pk)
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
    connection = transitions.connection(connection.pk)
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
        transitions.expire(transitions.attempt(attempt.pk))
        return None
    return attempt


@transaction.atomic
def go_on(attempt: Attempt, user: User) -> Attempt:
    """Continue, Try again, Check again: the same call once more, or from the start after a no."""
    row = transitions.attempt(attempt.pk)
    if (
        row.ended
        or row.answer == "progress"
        or (row.turn == Turn.STAFF and row.answer != "waiting")
    ):
        return row
    row.user = user
    gone = unreadable.unreadable(row.connection, row)
    if row.purpose in TRAVELS and (gone or row.answer in AFRESH):
        unreadable.give_up(row.connection, row)
        row.account_memo = None
        return call(row, "start")
    return repeat(row)


def repeat(row: Attempt) -> Attempt:
    """The call that is remembered, once more."""
    linkless = bool(row.call.get("linkless"))
    return call(row, row.call.get("name", "start"), row.call.get("argument"), linkless=linkless)


@transaction.atomic
def answer(attempt: Attempt, user: User, answers: Mapping[str, str]) -> Attempt:
    """The merchant's answers to the questions of an `Ask`."""
    row = transitions.attempt(attempt.pk)
    if row.ended or row.answer not in {"ask", "needs"}:
        return row
    row.user = user
    return call(row, "answered", dict(answers))


def call(row: Attempt, name: str, argument: Any = None, *, linkless: bool = False) -> Attempt:
    """Remember the call; an answer to an older one no longer counts.

    `linkless`: it was made before, and led to no link (`settlement`).
    """
    row.call = row.call | _remembered(name, argument) | {"linkless": linkless}
    row.call_number += 1
    row.status = Status.CHECKING if name == "returned" else Status.IN_PROGRESS
    row.turn, row.answer, row.note, row.cause = Turn.US, "progress", {}, ""
    row.detail, row.link, row.questions = "", "", []
    row.tries, row.crashes, row.since = 0, 0, timezone.now()
    row.due_at = timezone.now() + GRACE
    row.version += 1
    row.save(update_fields=["user", "call", "call_number", "account_memo", "accepted_shop_id"])
    transitions.tell(row, told=False)
    return row


# -- arrivals: The merchant comes back from a vendor's pages, or says so.


@transaction.atomic
def finish(attempt: Attempt, user: User) -> Attempt:
    """ "I have finished": the return of a vendor that sends nobody back."""
    row = transitions.attempt(attempt.pk)
    if row.ended or not went_without_return(row):
        return row
    row.user = user
    row.connection.merchant_finished_at = timezone.now()
    row.connection.save(update_fields=["merchant_finished_at"])
    said = text("Said: I have finished.")
    return _arrived(row, user, said, {})


def went_without_return(attempt: Attempt) -> bool:
    """Whether the merchant is at a vendor's page that will not send them back."""
    if attempt.purpose == Attempt.Purpose.ENTER or attempt.answer != "redirect":
        return False
    return attempt.hops.filter(returns=False).exclude(taken=None).exists()


@transaction.atomic
def arrive(hop: Hop, params: Mapping[str, str], user: User | None) -> Attempt:
    """A return: spent once, kept, and worked on when the bound user's browser brought it."""
    row = transitions.attempt(hop.attempt_id)
    spent = hops.spend(hop, params)
    if spent and user is not None:
        return _claim(row, hop, user)
    return row


def claim(attempt: Attempt, user: User) -> bool:
    """The bound user is back and signed in: a return that waited for them is worked on.

    Every look at the page asks, so that no look may wait for those who write.
    """
    hop = hops.unclaimed(attempt, user)
    if hop is None:
        return False
    with transaction.atomic():
        _claim(transitions.attempt(attempt.pk), hop, user)
    return True


def _claim(row: Attempt, hop: Hop, user: User) -> Attempt:
    if not hops.claim(hop):
        return row
    row.connection.returned_at = timezone.now()
    row.connection.save(update_fields=["returned_at"])
    if row.ended:
        return row
    hop.refresh_from_db(fields=["params"])
    return _arrived(
        row,
        user,
        text("Came back from %(vendor)s.", vendor=vendor_name(row.connection.vendor)),
        hop.params or {},
    )


def _arrived(row: Attempt, user: User, said: Text, params: Mapping[str, str]) -> Attempt:
    transitions.record(row.connection, said, attempt=row, user=user)
    return call(row, "returned", dict(params))


# -- choices: Another shop was found than was meant: use it, go back, or it is mine too.


@transaction.atomic
def use_found(attempt: Attempt, user: User) -> Attempt:
    """The other shop is meant after all. One that a sibling holds already needs nothing more."""
    row = transitions.attempt(attempt.pk)
    if row.ended or row.answer != "wrong_shop":
        return row
    row.user = user
    if holder(row.connection, row.found_shop_id) == "sibling":
        return _leave_to_sibling(row, user)
    row.accepted_shop_id = row.found_shop_id
    said = text("You chose to use the other shop from now on.")
    transitions.record(row.connection, said, attempt=row, user=user)
    return repeat(row)


def _leave_to_sibling(row: Attempt, user: User) -> Attempt:
    """The shop is connected already; a connection that never was one goes."""
    said = text("You kept the connection that this shop already has.")
    transitions.record(row.connection, said, attempt=row, user=user)
    row.ended, row.due_at = timezone.now(), None
    row.save(update_fields=["ended", "due_at"])
    if row.connection.connected_at is None:
        row.connection.status, row.connection.note = Status.DISCONNECTED, dumped(said)
        row.connection.save(update_fields=["status", "note"])
    return row


def found_elsewhere(attempt: Attempt) -> Connection | None:
    """The other connection of this account that has the shop which was found."""
    shops = Connection.objects.filter(
        account=attempt.connection.account_id, shop_id=attempt.found_shop_id
    )
    gone = Q(pk=attempt.connection_id) | Q(shop_id="") | Q(status=Status.DISCONNECTED)
    return shops.exclude(gone).first()


@transaction.atomic
def both(attempt: Attempt, user: User, name: str) -> Attempt:
    """ "It is mine too": a second connection with a name of its own, the first one untouched."""
    row = transitions.attempt(attempt.pk)
    if row.ended or row.answer != "wrong_shop":
        return row
    first = row.connection
    if of_name(first.account.merchant, name) or found_elsewhere(row):
        raise NameTaken(name)
    said = text("Another shop was found: it became “%(name)s”.", name=name)
    transitions.record(first, said, attempt=row, user=user)
    row.connection = Connection.objects.create(
        account=first.account, vendor=first.vendor, connector=first.connector, name=name
    )
    row.user, row.purpose = user, Attempt.Purpose.CONNECT
    row.save(update_fields=["connection", "purpose"])
    transitions.record(row.connection, text("The connection was begun."), attempt=row, user=user)
    return repeat(row)


@transaction.atomic
def go_back(attempt: Attempt, user: User) -> Attempt:
    """ "That was not the shop I meant": from the start, without what was found."""
    row = transitions.attempt(attempt.pk)
    if row.ended or row.answer != "wrong_shop":
        return row
    row.user, row.found_shop_id, row.account_memo, row.connection_memo = user, "", None, {}
    row.save(update_fields=["found_shop_id", "connection_memo"])
    return call(row, "start")


# -- names: Names tell a merchant's shops apart; a disconnected shop holds none.


LONGEST = 100  # letters, as the column


class NameTaken(Exception):
    """The merchant has another shop of this name."""


def named(merchant: Merchant) -> QuerySet[Connection]:
    """The shops whose names are in use."""
    rows = Connection.objects.filter(account__merchant=merchant)
    return rows.exclude(status=Status.DISCONNECTED)


def of_name(merchant: Merchant, name: str) -> Connection | None:
    return named(merchant).filter(name__iexact=name).first()


def free_name(merchant: Merchant, wanted: str) -> str:
    """The wanted name, or with the first number that tells it apart: "eBay", "eBay 2" …"""
    used = {name.casefold() for name in named(merchant).values_list("name", flat=True)}
    tails = ("", *(f" {number}" for number in range(2, len(used) + 3)))
    names = (wanted[: LONGEST - len(tail)] + tail for tail in tails)
    return next(name for name in names if name.casefold() not in used)
