"""What merchants do: begin, continue, answer, come back, choose a shop, pause, disconnect.

Each function writes what somebody wants (the remembered call) and leaves the vendor to the engine.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from onboarding.models import Account, Attempt, Connection, Connector, Hop, Merchant, User
from onboarding.models.memo import opened
from onboarding.models.status import Answer, Status, Turn, dumped
from onboarding.registry import vendor_name, vendor_of
from vendors.contract import Text, text

from . import hops, transitions, unreadable
from .orders import holder
from .vendor_call import (
    Act,
    Answered,
    ContractCall,
    End,
    Enter,
    Pause,
    Resume,
    Returned,
    Start,
    remembered,
    stored,
)

# After these, Continue begins from the start.
BEGINS_AGAIN = frozenset(
    {
        Answer.DECLINED,
        Answer.REFUSED,
        Answer.WRONG_SHOP,
        Answer.UNREADABLE,
        Answer.START_OVER,
    }
)


BEGUN = {
    Attempt.Purpose.CONNECT: text("The connection was begun."),
    Attempt.Purpose.RECONNECT: text("Reconnecting was begun."),
    Attempt.Purpose.PAUSE: text("Pausing was begun."),
    Attempt.Purpose.RESUME: text("Resuming was begun."),
    Attempt.Purpose.END: text("Disconnecting was begun."),
}


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
    return _attempt(connection, user, Attempt.Purpose.CONNECT, Start())


def _attempt(
    connection: Connection,
    user: User,
    purpose: Attempt.Purpose,
    call: ContractCall,
    chosen: Connector | None = None,
) -> Attempt:
    attempt = Attempt(connection=connection, user=user, purpose=purpose, call_number=1)
    if attempt.connects:
        unreadable.give_up(connection)
    attempt.call = stored(call) | {"connector": chosen and chosen.slug}
    transitions.reset(attempt, Status.IN_PROGRESS, timezone.now() + transitions.GRACE)
    attempt.save()
    begun = _action_label(connection, call.key) if isinstance(call, Act) else BEGUN.get(purpose)
    transitions.record(connection, begun, attempt=attempt, user=user)
    transitions.publish(attempt, changed=False)
    return attempt


def _action_label(connection: Connection, key: str) -> Text | None:
    """What the vendor calls an action: that is what its asker wanted."""
    vendor = vendor_of(connection.vendor)
    actions = vendor.actions() if vendor else ()
    return next((each.label for each in actions if each.key == key), None)


@transaction.atomic
def reconnect(connection: Connection, user: User) -> Attempt:
    """Go on with the attempt that is open, else begin a new one."""
    connection = transitions.locked_connection(connection.pk)
    if attempt := _open(connection):
        return continue_attempt(attempt, user)
    if connection.status == Status.DISCONNECTED:
        _name_of_its_own(connection, user)
    if connection.shop_id and holder(connection, connection.shop_id) in {"sibling", "other"}:
        connection.shop_id = ""  # connected anew by somebody after we had disconnected it
        transitions.save(connection, "shop_id")
    first = connection.connected_at is None
    purpose = Attempt.Purpose.CONNECT if first else Attempt.Purpose.RECONNECT
    return _attempt(connection, user, purpose, Start())


def _name_of_its_own(connection: Connection, user: User) -> None:
    """Another shop may have taken the name while this one was disconnected: that one keeps it."""
    old, name = connection.name, free_name(connection.account.merchant, connection.name)
    if name == old:
        return
    connection.name = name
    transitions.save(connection, "name")
    said = text(
        "Another shop is called “%(old)s” now: this one became “%(name)s”.", old=old, name=name
    )
    transitions.record(connection, said, user=user)


@transaction.atomic
def enter(connection: Connection, user: User) -> Attempt:
    """Open the vendor's pages again for a connected shop. Never changes its status."""
    connection = transitions.locked_connection(connection.pk)
    mine = connection.attempts.filter(ended=None, purpose=Attempt.Purpose.ENTER, user=user)
    if attempt := mine.first():
        return continue_attempt(attempt, user)
    return _attempt(connection, user, Attempt.Purpose.ENTER, Enter())


def pause(connection: Connection, user: User) -> Attempt:
    """Let a connected shop rest; whatever was open for it stops."""
    return _instead(connection, user, Attempt.Purpose.PAUSE, Pause())


def resume(connection: Connection, user: User) -> Attempt:
    """Wake a paused shop."""
    return _instead(connection, user, Attempt.Purpose.RESUME, Resume())


def disconnect(connection: Connection, user: User) -> Attempt:
    """End a connection; whatever was open for it stops."""
    return _instead(connection, user, Attempt.Purpose.END, End())


def run_action(
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
    return _instead(connection, user, Attempt.Purpose.ACT, Act(key, dict(answers)), chosen)


def rename(connection: Connection, name: str) -> None:
    """Give a shop another name; the caller has looked that no other shop has it."""
    connection.name = name
    transitions.save(connection, "name")


@transaction.atomic
def confirm_secrets_received(
    connection_id: int, user: User, were_seen: Callable[[Connection], bool]
) -> bool:
    """The merchant has what is shown only once: forget it. False: there is none, or a newer one."""
    connection = transitions.locked_connection(connection_id)
    if not connection.secret_waits or not were_seen(connection):
        return False
    confirmed = text("Confirmed: kept what is shown only once.")
    transitions.record(connection, confirmed, user=user)
    connection.reveal = None
    transitions.save(connection, "reveal")
    return True


@transaction.atomic
def _instead(
    connection: Connection,
    user: User,
    purpose: Attempt.Purpose,
    call: ContractCall,
    chosen: Connector | None = None,
) -> Attempt:
    """An attempt instead of whatever is open; pressed twice, the same one."""
    connection = transitions.locked_connection(connection.pk)
    attempt = _open(connection)
    if attempt and attempt.purpose == purpose:
        refused = isinstance(call, Act) and attempt.answer in BEGINS_AGAIN
        if not refused:
            return attempt
    transitions.end_open_attempts(connection)
    return _attempt(connection, user, purpose, call, chosen)


def _open(connection: Connection) -> Attempt | None:
    rows = connection.attempts.filter(ended=None).exclude(purpose=Attempt.Purpose.ENTER)
    attempt = rows.first()
    if attempt and attempt.deadline <= timezone.now():
        transitions.expire(transitions.locked_attempt(attempt.pk))
        return None
    return attempt


@transaction.atomic
def continue_attempt(attempt: Attempt, user: User) -> Attempt:
    """Continue, Try again, Check again: the same call once more, or from the start after a no."""
    attempt = transitions.locked_attempt(attempt.pk)
    if (
        attempt.ended
        or attempt.answer == Answer.PROGRESS
        or (attempt.turn == Turn.STAFF and attempt.answer != Answer.WAITING)
    ):
        return attempt
    attempt.user = user
    gone = unreadable.unreadable(attempt.connection, attempt)
    if attempt.connects and (gone or attempt.answer in BEGINS_AGAIN):
        unreadable.give_up(attempt.connection, attempt)
        attempt.account_memo = None
        return _remember(attempt, Start())
    if gone:  # the engine ends it: no vendor is asked with what cannot be read
        attempt.due_at = timezone.now()
        transitions.save(attempt, "due_at")
        return attempt
    return _repeat(attempt)


def _remember(attempt: Attempt, call: ContractCall) -> Attempt:
    transitions.remember_call(attempt, call)
    return attempt


def _repeat(attempt: Attempt) -> Attempt:
    """The remembered call once more."""
    linkless = bool(attempt.call.get("linkless"))
    transitions.remember_call(attempt, remembered(attempt), linkless=linkless)
    return attempt


@transaction.atomic
def submit_answers(attempt: Attempt, user: User, answers: Mapping[str, str]) -> Attempt:
    """The merchant's answers to the questions of an `Ask`."""
    attempt = transitions.locked_attempt(attempt.pk)
    if attempt.ended or attempt.answer not in {Answer.ASK, Answer.NEEDS_MERCHANT}:
        return attempt
    attempt.user = user
    return _remember(attempt, Answered(dict(answers)))


# -- back from the vendor's pages -----------------------------------------------------------------


@transaction.atomic
def report_finished(attempt: Attempt, user: User) -> Attempt:
    """ "I have finished": the return of a vendor that sends nobody back."""
    attempt = transitions.locked_attempt(attempt.pk)
    if attempt.ended or not is_away_without_return(attempt):
        return attempt
    attempt.user = user
    attempt.connection.merchant_finished_at = timezone.now()
    transitions.save(attempt.connection, "merchant_finished_at")
    said = text("Said: I have finished.")
    return _arrived(attempt, user, said, {})


def is_away_without_return(attempt: Attempt) -> bool:
    """Whether the merchant is at a vendor's page that will not send them back."""
    if attempt.purpose == Attempt.Purpose.ENTER or attempt.answer != Answer.REDIRECT:
        return False
    return attempt.hops.filter(returns=False).exclude(taken=None).exists()


@transaction.atomic
def record_return(hop: Hop, params: Mapping[str, str], user: User | None) -> Attempt:
    """A return: spent once, kept, and worked on when the bound user's browser brought it."""
    attempt = transitions.locked_attempt(hop.attempt_id)
    spent = hops.spend(hop, params)
    if spent and user is not None:
        return _claim(attempt, hop, user)
    return attempt


def claim_return(attempt: Attempt, user: User) -> bool:
    """The bound user is back and signed in: a return that waited for them is worked on.

    Every look at the page asks, so that no look may wait for those who write.
    """
    hop = hops.unclaimed(attempt, user)
    if hop is None:
        return False
    with transaction.atomic():
        _claim(transitions.locked_attempt(attempt.pk), hop, user)
    return True


def _claim(attempt: Attempt, hop: Hop, user: User) -> Attempt:
    if not hops.claim(hop):
        return attempt
    attempt.connection.returned_at = timezone.now()
    transitions.save(attempt.connection, "returned_at")
    if attempt.ended:
        return attempt
    hop.refresh_from_db(fields=["params"])
    return _arrived(
        attempt,
        user,
        text("Came back from %(vendor)s.", vendor=vendor_name(attempt.connection.vendor)),
        opened(hop.params) or {},
    )


def _arrived(attempt: Attempt, user: User, said: Text, params: Mapping[str, str]) -> Attempt:
    transitions.record(attempt.connection, said, attempt=attempt, user=user)
    return _remember(attempt, Returned(dict(params)))


# -- another shop was found than was meant ---------------------------------------------------------


@transaction.atomic
def use_found_shop(attempt: Attempt, user: User) -> Attempt:
    """The other shop is meant after all. One that a sibling holds already needs nothing more."""
    attempt = transitions.locked_attempt(attempt.pk)
    if attempt.ended or attempt.answer != Answer.WRONG_SHOP:
        return attempt
    attempt.user = user
    if holder(attempt.connection, attempt.found_shop_id) == "sibling":
        return _leave_to_sibling(attempt, user)
    attempt.accepted_shop_id = attempt.found_shop_id
    said = text("You chose to use the other shop from now on.")
    transitions.record(attempt.connection, said, attempt=attempt, user=user)
    return _repeat(attempt)


def _leave_to_sibling(attempt: Attempt, user: User) -> Attempt:
    """The shop is connected already; a connection that never was one goes."""
    said = text("You kept the connection that this shop already has.")
    transitions.record(attempt.connection, said, attempt=attempt, user=user)
    attempt.ended, attempt.due_at = timezone.now(), None
    transitions.save(attempt, "ended", "due_at")
    if attempt.connection.connected_at is None:
        attempt.connection.status, attempt.connection.note = Status.DISCONNECTED, dumped(said)
        transitions.save(attempt.connection, "status", "note")
    return attempt


def found_elsewhere(attempt: Attempt) -> Connection | None:
    """The other connection of this account that has the shop which was found."""
    shops = Connection.objects.filter(
        account=attempt.connection.account_id, shop_id=attempt.found_shop_id
    )
    gone = Q(pk=attempt.connection_id) | Q(shop_id="") | Q(status=Status.DISCONNECTED)
    return shops.exclude(gone).first()


@transaction.atomic
def connect_both(attempt: Attempt, user: User, name: str) -> Attempt:
    """ "It is mine too": a second connection with a name of its own, the first one untouched."""
    attempt = transitions.locked_attempt(attempt.pk)
    if attempt.ended or attempt.answer != Answer.WRONG_SHOP:
        return attempt
    first = attempt.connection
    if of_name(first.account.merchant, name) or found_elsewhere(attempt):
        raise NameTaken(name)
    said = text("Another shop was found: it became “%(name)s”.", name=name)
    transitions.record(first, said, attempt=attempt, user=user)
    attempt.connection = Connection.objects.create(
        account=first.account, vendor=first.vendor, connector=first.connector, name=name
    )
    attempt.user, attempt.purpose = user, Attempt.Purpose.CONNECT
    transitions.save(attempt, "connection", "purpose")
    transitions.record(
        attempt.connection, text("The connection was begun."), attempt=attempt, user=user
    )
    return _repeat(attempt)


@transaction.atomic
def reject_found_shop(attempt: Attempt, user: User) -> Attempt:
    """ "That was not the shop I meant": from the start, without what was found."""
    attempt = transitions.locked_attempt(attempt.pk)
    if attempt.ended or attempt.answer != Answer.WRONG_SHOP:
        return attempt
    attempt.user, attempt.found_shop_id = user, ""
    attempt.account_memo, attempt.connection_memo = None, {}
    transitions.save(attempt, "found_shop_id", "connection_memo")
    return _remember(attempt, Start())


# -- names tell a merchant's shops apart -----------------------------------------------------------

LONGEST_NAME = 100  # letters, as the column


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
    names = (wanted[: LONGEST_NAME - len(tail)] + tail for tail in tails)
    return next(name for name in names if name.casefold() not in used)
