"""Merchants' commands: begin, continue, answer, return, choose a shop, pause, resume, disconnect.

Each function stores which call somebody wants made, and leaves making it to the engine.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import assert_never

from django.db import transaction
from django.db.models import OuterRef, Q, QuerySet, Subquery

from onboarding import bounds, clock
from onboarding.models import (
    Account,
    Agreement,
    Attempt,
    Connection,
    Connector,
    Consent,
    Event,
    Hop,
    Merchant,
    User,
    memo_key,
)
from onboarding.models.connections import shop_name_key
from onboarding.models.memo import Unread, opened, readable
from onboarding.models.status import SET_UP, Answer, Ending, Status, Turn, dumped
from onboarding.registry import vendor_name, vendor_of
from vendors.contract import Text, text
from vendors.contract.characters import name_key

from . import hops, removal, transitions, unreadable
from .orders import holder, is_other_account, known_account
from .outcomes import Verdict
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

# After these, Continue begins again at `start`.
RESTARTING_ANSWERS = frozenset(
    {
        Answer.DECLINED,
        Answer.REFUSED,
        Answer.WRONG_SHOP,
        Answer.UNREADABLE,
        Answer.START_OVER,
    }
)
FOUND_FIELDS = ("found_shop_id", "found_address", "found_account")
BEGUN_NOTES = {
    Attempt.Purpose.CONNECT: text("Connecting started."),
    Attempt.Purpose.RECONNECT: text("Reconnecting started."),
    Attempt.Purpose.PAUSE: text("Pausing started."),
    Attempt.Purpose.RESUME: text("Resuming started."),
    Attempt.Purpose.END: text("Disconnecting started."),
}


@transaction.atomic
def begin(
    *,
    merchant: Merchant,
    connector: Connector,
    user: User,
    name: str,
    answers: Mapping[str, str],
    default_name: str = "",
    address: str = "",
    seen: str | None = None,
    another: bool = False,
    agreement: Agreement | None = None,
) -> Attempt:
    """Begin to connect a shop: its first attempt, or the open one of a shop that was begun before.

    Whoever has begun a shop of this connector and not finished it goes on there, unless `another` says
    that a second one is meant. `seen` is what `newest_begun` said when the form was shown: the name of a
    shop that was begun since then tells that the same form was sent twice. Without a `name`, the shop is
    called `default_name`, or as its connector, with the first number that is free. `address`: of the shop
    on the web, as `shop_addresses` writes it, "" if it is not known. `agreement`: what the page said that
    the merchant agrees to; it is kept with the attempt that begins here, and not with an earlier one.

    Raises NameTaken when the name belongs to another shop, and bounds.Reached, as does all that begins an
    attempt, when there are too many already.
    """
    transitions.lock_names(merchant.pk)
    earlier = _begun_already(merchant, connector, user, name, answers, seen, another=another)
    if isinstance(earlier, Attempt):
        return _with_address(earlier, address)
    if earlier:
        return _with_address(_go_on(earlier, user, answers, agreement), address)
    bounds.leave_room_for_shop(merchant, user)
    account, _ = Account.objects.get_or_create(merchant=merchant, vendor=connector.vendor)
    connection = Connection.objects.create(
        account=account,
        vendor=account.vendor,
        connector=connector,
        name=name or free_name(merchant, default_name or str(connector)),
        address=address,
        account_label=known_account(merchant, connector.vendor),
        answers=dict(answers),
    )
    attempt = _new_attempt(connection, user, Attempt.Purpose.CONNECT, Start())
    return _agreed(attempt, agreement)


def _agreed(attempt: Attempt, agreement: Agreement | None) -> Attempt:
    """Keep what was agreed to with the attempt that began with it."""
    if agreement:
        Consent.record(attempt, agreement)
    return attempt


def _with_address(attempt: Attempt, address: str) -> Attempt:
    """Keep the address that was entered for a shop that was begun before and is not connected yet."""
    connection = attempt.connection
    if address and not connection.shop_id:
        connection.address = address
        transitions.save(connection, "address")
    return attempt


def _begun_already(
    merchant: Merchant,
    connector: Connector,
    user: User,
    name: str,
    answers: Mapping[str, str],
    seen: str | None,
    *,
    another: bool,
) -> Attempt | Connection | None:
    """The attempt that the merchant is led to instead of a new shop, or the shop to go on with.

    Raises NameTaken.
    """
    if not name:
        mine = _attempts_with(merchant, connector, user).filter(purpose=Attempt.Purpose.CONNECT)
        if attempt := _begun_since(seen, mine):
            return attempt
    same_name = _connection_named(merchant, name) if name else None
    if same_name is None:
        return None if another else _open_connecting_attempt(merchant, connector, user)
    if same_name.connector_id != connector.pk:
        raise NameTaken(name)
    if attempt := _begun_since(seen, same_name.attempts.filter(user=user)):
        return attempt
    if another or same_name.shop_id or not removal.can_remove(same_name):
        raise NameTaken(name)
    return same_name


def _open_connecting_attempt(
    merchant: Merchant, connector: Connector, user: User
) -> Attempt | None:
    rows = Attempt.objects.filter(
        connection__in=unfinished(merchant, connector, user),
        purpose=Attempt.Purpose.CONNECT,
        ended=None,
        deadline__gt=clock.now(),
    )
    return rows.order_by("-pk").first()


def _go_on(
    connection: Connection, user: User, answers: Mapping[str, str], agreement: Agreement | None
) -> Attempt:
    """The open attempt of a shop that was never connected, or a new one with these answers.

    Raises NameTaken when the shop is being disconnected.
    """
    connection = transitions.locked_connection(connection.pk)
    if attempt := _open_attempt(connection):
        if attempt.connects:
            return attempt
        raise NameTaken(connection.name)
    connection.answers = dict(answers)
    transitions.save(connection, "answers")
    attempt = _new_attempt(connection, user, Attempt.Purpose.CONNECT, Start())
    return _agreed(attempt, agreement)


def unfinished(merchant: Merchant, connector: Connector, user: User) -> QuerySet[Connection]:
    """The shops of this connector that this user began and never connected, the newest first."""
    first_event = Event.objects.filter(connection=OuterRef("pk")).order_by("pk")
    rows = Connection.objects.filter(
        account__merchant=merchant, connector=connector, connected_at=None, shop_id=""
    ).exclude(status__in=removal.NOT_REMOVABLE)
    begun_by = Subquery(first_event.values("user")[:1])
    return rows.alias(begun_by=begun_by).filter(begun_by=user.pk).order_by("-pk")


def newest_begun(merchant: Merchant | None, connector: Connector, user: User) -> str:
    """The reference of the newest attempt that this user made with this connector; "" for none.

    Without a `merchant`: of all their businesses.
    """
    return _newest(_attempts_with(merchant, connector, user))


def _attempts_with(
    merchant: Merchant | None, connector: Connector, user: User
) -> QuerySet[Attempt]:
    rows = Attempt.objects.filter(connection__connector=connector, user=user)
    return rows.filter(connection__account__merchant=merchant) if merchant else rows


def newest_attempt(connection: Connection) -> str:
    """The reference of the connection's newest attempt; "" for none."""
    return _newest(connection.attempts.all())


def _newest(attempts: QuerySet[Attempt]) -> str:
    found = attempts.order_by("-pk").values_list("reference", flat=True).first()
    return found or ""


def _begun_since(seen: str | None, attempts: QuerySet[Attempt]) -> Attempt | None:
    """The newest of these attempts, if it is newer than the one that a page knew when it was shown.

    Then the same button, or the same form, was sent before. `seen` is that attempt's reference, "" where
    there was none, None where nobody can say.
    """
    known = Attempt.objects.filter(reference=seen).values_list("pk", flat=True).first()
    if seen is None or (seen and known is None):
        return None
    return attempts.filter(pk__gt=known or 0).order_by("-pk").first()


def _new_attempt(
    connection: Connection,
    user: User,
    purpose: Attempt.Purpose,
    call: ContractCall,
    chosen: Connector | None = None,
) -> Attempt:
    bounds.leave_room_for_attempt(user)
    attempt = Attempt(connection=connection, user=user, purpose=purpose, call_number=1)
    if attempt.connects:
        unreadable.discard(connection)
    attempt.call = stored(call) | {"connector": chosen and chosen.slug}
    transitions.reset(attempt, Status.IN_PROGRESS, clock.now() + transitions.GRACE)
    attempt.save()
    label = _action_label(connection, call.key) if isinstance(call, Act) else None
    transitions.record(connection, label or BEGUN_NOTES.get(purpose), attempt=attempt, user=user)
    transitions.publish(attempt, changed=False)
    return attempt


def _action_label(connection: Connection, key: str) -> Text | None:
    """The vendor's label of an action, for the timeline."""
    vendor = vendor_of(connection.vendor)
    actions = vendor.actions() if vendor else ()
    return next((each.label for each in actions if each.key == key), None)


@transaction.atomic
def reconnect(
    connection: Connection,
    user: User,
    seen: str | None = None,
    agreement: Agreement | None = None,
) -> Attempt:
    """Continue the open attempt, or begin a new one. A removed shop is back in the merchant's list.

    `seen`: what `newest_attempt` said when the button was shown. What was connected since then was
    connected by an earlier press of the same button. `agreement`: as for `begin`, where the page asked again.
    """
    transitions.lock_names(connection.account.merchant_id)
    connection = transitions.locked_connection(connection.pk)
    if attempt := _open_attempt(connection):
        return continue_attempt(attempt, user)
    if attempt := _begun_since(seen, connection.attempts.filter(ending=Ending.CONNECTED)):
        return attempt
    if connection.removed_at:
        connection.removed_at = None
        transitions.save(connection, "removed_at")
    if connection.status == Status.DISCONNECTED:
        _ensure_unique_name(connection, user)
    if connection.shop_id and holder(connection, connection.shop_id) in {"sibling", "other"}:
        connection.shop_id = ""  # somebody else has connected it since it was disconnected here
        transitions.save(connection, "shop_id")
    never_connected = connection.connected_at is None
    purpose = Attempt.Purpose.CONNECT if never_connected else Attempt.Purpose.RECONNECT
    return _agreed(_new_attempt(connection, user, purpose, Start()), agreement)


def _ensure_unique_name(connection: Connection, user: User) -> None:
    """Another shop may have taken the name while this one was disconnected: then this one changes it."""
    old, name = connection.name, free_name(connection.account.merchant, connection.name)
    if name == old:
        return
    transitions.set_name(connection, name)
    note = text(
        "Another shop is already called “%(old)s”, so this one is now “%(name)s”.",
        old=old,
        name=name,
    )
    transitions.record(connection, note, user=user)


@transaction.atomic
def enter(connection: Connection, user: User) -> Attempt:
    """Open the vendor's pages again for a connected shop. Never changes its status."""
    connection = transitions.locked_connection(connection.pk)
    own_visits = connection.attempts.filter(ended=None, purpose=Attempt.Purpose.ENTER, user=user)
    if attempt := own_visits.first():
        return continue_attempt(attempt, user)
    return _new_attempt(connection, user, Attempt.Purpose.ENTER, Enter())


class StatusChanged(Exception):
    """The shop's status is no longer the one that this begins from: somebody was faster."""


def may_begin(connection: Connection, purpose: Attempt.Purpose) -> bool:
    """Whether the shop's status lets this begin.

    While a pause or a resume waits for staff, the merchant may change their mind, and nothing else.
    """
    waiting = connection.task_attempt
    match purpose:
        case Attempt.Purpose.PAUSE if waiting:
            return waiting.purpose == Attempt.Purpose.RESUME
        case Attempt.Purpose.PAUSE:
            return connection.is_set_up
        case Attempt.Purpose.RESUME if waiting:
            return waiting.purpose == Attempt.Purpose.PAUSE
        case Attempt.Purpose.RESUME:
            return connection.status == Status.PAUSED
        case Attempt.Purpose.ACT:
            return connection.is_set_up or connection.status == Status.ACTION_NEEDED
        case Attempt.Purpose.END:
            return connection.status != Status.DISCONNECTED
        case Attempt.Purpose.CONNECT | Attempt.Purpose.RECONNECT | Attempt.Purpose.ENTER:
            return True
    assert_never(purpose)


def pause(connection: Connection, user: User) -> Attempt:
    """Pause a connected shop, instead of any other open attempt. Raises StatusChanged."""
    return _replace_open_attempt(connection, user, Attempt.Purpose.PAUSE, Pause())


def resume(connection: Connection, user: User) -> Attempt:
    """Resume a paused shop, instead of any other open attempt. Raises StatusChanged."""
    return _replace_open_attempt(connection, user, Attempt.Purpose.RESUME, Resume())


def disconnect(connection: Connection, user: User) -> Attempt:
    """Disconnect a shop, instead of any other open attempt. Raises StatusChanged."""
    return _replace_open_attempt(connection, user, Attempt.Purpose.END, End())


def run_action(
    connection: Connection,
    user: User,
    key: str,
    answers: Mapping[str, str],
    chosen: Connector | None = None,
    seen: str | None = None,
) -> Attempt:
    """Run one of the vendor's actions for merchants. It may create things, so it is an attempt.

    After a refusal it begins again with the new answers. `chosen` becomes the shop's connector when the
    action succeeds, even if staff hide that connector in between. `seen`: what `newest_attempt` said
    when the form was shown; the same action that was done since then was this form, sent before.
    Raises StatusChanged.
    """
    call = Act(key, dict(answers))
    return _replace_open_attempt(connection, user, Attempt.Purpose.ACT, call, chosen, seen)


@transaction.atomic
def rename(connection: Connection, name: str, address: str | None = None) -> None:
    """Give a shop another name and, unless it is None, another address on the web.

    Raises NameTaken when the merchant has another shop of this name.
    """
    merchant = connection.account.merchant
    transitions.lock_names(merchant.pk)
    same_name = _connection_named(merchant, name)
    if same_name and same_name.pk != connection.pk:
        raise NameTaken(name)
    transitions.set_name(connection, name)
    if address is not None:
        connection.address = address
        transitions.save(connection, "address")


@transaction.atomic
def confirm_secrets_received(
    connection_id: int, user: User, were_shown: Callable[[Connection], bool]
) -> bool:
    """Delete the secrets that are shown only once: the merchant has them.

    `were_shown` says whether the current ones are those that the merchant saw. False: there are none,
    or newer ones.
    """
    connection = transitions.locked_connection(connection_id)
    if not connection.secret_waits or not were_shown(connection):
        return False
    note = text("You confirmed that you saved the key and secret.")
    transitions.record(connection, note, user=user)
    connection.reveal = None
    transitions.save(connection, "reveal")
    return True


@transaction.atomic
def _replace_open_attempt(
    connection: Connection,
    user: User,
    purpose: Attempt.Purpose,
    call: ContractCall,
    chosen: Connector | None = None,
    seen: str | None = None,
) -> Attempt:
    """Begin an attempt and end any other. Idempotent: a second press returns the same attempt."""
    connection = transitions.locked_connection(connection.pk)
    attempt = _open_attempt(connection)
    if attempt and attempt.purpose == purpose:
        was_refused = isinstance(call, Act) and attempt.answer in RESTARTING_ANSWERS
        if not was_refused:
            return attempt
    if isinstance(call, Act) and (attempt := _done_since(seen, connection, call)):
        return attempt
    if not may_begin(connection, purpose):
        raise StatusChanged(connection.status)
    transitions.end_open_attempts(connection, Ending.REPLACED)
    return _new_attempt(connection, user, purpose, call, chosen)


def _done_since(seen: str | None, connection: Connection, call: Act) -> Attempt | None:
    done = connection.attempts.filter(ending__in=[Ending.CONNECTED, Ending.DONE])
    attempt = _begun_since(seen, done.filter(purpose=Attempt.Purpose.ACT))
    if attempt is None:
        return None
    made = remembered(attempt)
    return attempt if isinstance(made, Act) and made.key == call.key else None


def _open_attempt(connection: Connection) -> Attempt | None:
    """The open attempt, but no visit to the vendor's pages; one whose deadline is over is ended."""
    rows = connection.attempts.filter(ended=None).exclude(purpose=Attempt.Purpose.ENTER)
    attempt = rows.first()
    if attempt and attempt.deadline <= clock.now():
        transitions.expire(transitions.locked_attempt(attempt.pk))
        return None
    return attempt


@transaction.atomic
def continue_attempt(attempt: Attempt, user: User) -> Attempt:
    """Continue, Try again, Check again: the same call once more, or `start` after a refusal."""
    attempt = transitions.locked_attempt(attempt.pk)
    if (
        attempt.ended
        or attempt.answer == Answer.PROGRESS
        or (attempt.turn == Turn.STAFF and attempt.answer != Answer.WAITING)
    ):
        return attempt
    attempt.user = user
    is_unreadable = unreadable.is_unreadable(attempt.connection, attempt)
    if attempt.connects and (is_unreadable or attempt.answer in RESTARTING_ANSWERS):
        unreadable.discard(attempt.connection, attempt)
        attempt.account_memo = None
        return _request_call(attempt, Start())
    if (
        is_unreadable
    ):  # the engine stops it: no vendor is called with memos that cannot be decrypted
        attempt.due_at = clock.now()
        transitions.save(attempt, "due_at")
        return attempt
    return _repeat_call(attempt)


def _request_call(attempt: Attempt, call: ContractCall) -> Attempt:
    transitions.remember_call(attempt, call)
    return attempt


def _repeat_call(attempt: Attempt) -> Attempt:
    """Ask for the remembered call once more."""
    linkless = bool(readable(attempt.call).get("linkless"))
    transitions.remember_call(attempt, remembered(attempt), linkless=linkless)
    return attempt


@transaction.atomic
def submit_answers(attempt: Attempt, user: User, answers: Mapping[str, str]) -> Attempt:
    """The merchant's answers to the questions of an `Ask`."""
    attempt = transitions.locked_attempt(attempt.pk)
    if attempt.ended or attempt.answer not in {Answer.ASK, Answer.NEEDS_MERCHANT}:
        return attempt
    attempt.user = user
    return _request_call(attempt, Answered(dict(answers)))


# -- back from the vendor's pages ------------------------------------------------------------------


@transaction.atomic
def report_finished(attempt: Attempt, user: User) -> Attempt:
    """ "I have finished": the return of a vendor that sends nobody back."""
    attempt = transitions.locked_attempt(attempt.pk)
    if attempt.ended or not is_at_vendor_without_return(attempt):
        return attempt
    attempt.user = user
    attempt.connection.merchant_finished_at = clock.now()
    transitions.save(attempt.connection, "merchant_finished_at")
    return _arrive(attempt, user, text("You marked the set-up as finished."), {})


def is_at_vendor_without_return(attempt: Attempt) -> bool:
    """Whether the merchant has gone to a vendor's page that will not send them back."""
    if attempt.purpose == Attempt.Purpose.ENTER or attempt.answer != Answer.REDIRECT:
        return False
    return attempt.hops.filter(returns=False).exclude(taken=None).exists()


@transaction.atomic
def record_return(hop: Hop, params: Mapping[str, str], user: User | None) -> Attempt:
    """Spend a return and store its parameters. It is processed when its user's browser brought it."""
    attempt = transitions.locked_attempt(hop.attempt_id)
    is_first = hops.spend(hop, params)
    if is_first and user is not None:
        return _claim(attempt, hop, user)
    return attempt


def claim_return(attempt: Attempt, user: User) -> bool:
    """Process a return that came before its user had signed in. False when there is none.

    Every view of the page calls this, so the usual case takes no lock.
    """
    hop = hops.unclaimed(attempt, user)
    if hop is None:
        return False
    with transaction.atomic():
        _claim(transitions.locked_attempt(attempt.pk), hop, user)
    return True


def _claim(attempt: Attempt, hop: Hop, user: User) -> Attempt:
    hop.refresh_from_db(fields=["params"])
    if isinstance(hop.params, Unread) and not memo_key.loss_is_confirmed():
        return attempt  # what the merchant brought waits for its key
    if not hops.claim(hop):
        return attempt
    attempt.connection.returned_at = clock.now()
    transitions.save(attempt.connection, "returned_at")
    if attempt.ended:
        return attempt
    note = text("Came back from %(vendor)s.", vendor=vendor_name(attempt.connection.vendor))
    return _arrive(attempt, user, note, opened(hop.params) or {})


def _arrive(attempt: Attempt, user: User, note: Text, params: Mapping[str, str]) -> Attempt:
    transitions.record(attempt.connection, note, attempt=attempt, user=user)
    return _request_call(attempt, Returned(dict(params)))


# -- another shop was found than was meant ---------------------------------------------------------


@transaction.atomic
def use_found_shop(attempt: Attempt, user: User) -> Attempt:
    """The other shop is meant after all. If a sibling connection has it, nothing more is needed."""
    attempt = transitions.locked_attempt(attempt.pk)
    if attempt.ended or attempt.answer != Answer.WRONG_SHOP:
        return attempt
    attempt.user = user
    if holder(attempt.connection, attempt.found_shop_id) == "sibling":
        return _leave_to_sibling(attempt, user)
    attempt.accepted_shop_id = attempt.found_shop_id
    note = text("You chose to use the shop that was found.")
    transitions.record(attempt.connection, note, attempt=attempt, user=user)
    return _repeat_call(attempt)


def _leave_to_sibling(attempt: Attempt, user: User) -> Attempt:
    """End the attempt: a sibling has the shop. A connection that was never connected is disconnected."""
    note = text("You kept the connection that this shop already has.")
    transitions.record(attempt.connection, note, attempt=attempt, user=user)
    transitions.end(attempt, Ending.KEPT_SIBLING)
    if attempt.connection.connected_at is None:
        attempt.connection.status, attempt.connection.note = Status.DISCONNECTED, dumped(note)
        transitions.save(attempt.connection, "status", "note")
    return attempt


def connection_of_found_shop(attempt: Attempt) -> Connection | None:
    """The other connection of this account that has the found shop already."""
    same_shop = Connection.objects.filter(
        account=attempt.connection.account_id, shop_id=attempt.found_shop_id
    )
    irrelevant = Q(pk=attempt.connection_id) | Q(shop_id="") | Q(status=Status.DISCONNECTED)
    return same_shop.exclude(irrelevant).first()


@transaction.atomic
def connect_both(attempt: Attempt, user: User, name: str) -> Attempt:
    """ "It is mine too": the found shop becomes a second connection; the first one stays as it is.

    Raises NameTaken when the name, or the shop, belongs to another connection.
    """
    transitions.lock_names(attempt.connection.account.merchant_id)
    attempt = transitions.locked_attempt(attempt.pk)
    if attempt.ended or attempt.answer != Answer.WRONG_SHOP:
        return attempt
    first = attempt.connection
    if _connection_named(first.account.merchant, name) or connection_of_found_shop(attempt):
        raise NameTaken(name)
    note = text("A different shop was found. It was added as “%(name)s”.", name=name)
    transitions.record(first, note, attempt=attempt, user=user)
    attempt.connection = Connection.objects.create(
        account=first.account,
        vendor=first.vendor,
        connector=first.connector,
        name=name,
        address=attempt.found_address,
        account_label=attempt.found_account,
    )
    if first.connected_at is None:
        _leave_unconnected(first)
    attempt.user, attempt.purpose = user, Attempt.Purpose.CONNECT
    transitions.save(attempt, "connection", "purpose")
    begun = BEGUN_NOTES[Attempt.Purpose.CONNECT]
    transitions.record(attempt.connection, begun, attempt=attempt, user=user)
    return _repeat_call(attempt)


def _leave_unconnected(connection: Connection) -> None:
    """The shop that was meant waits for another attempt: the one it had became another shop's."""
    note = text("“%(name)s” is not connected yet. Start again to connect it.", name=connection.name)
    row = Verdict(
        status=Status.ACTION_NEEDED, turn=Turn.MERCHANT, answer=Answer.START_OVER, note=note
    )
    transitions.apply(connection, row)
    transitions.save(connection, *transitions.STATUS_FIELDS)


@transaction.atomic
def reject_found_shop(attempt: Attempt, user: User) -> Attempt:
    """ "That was not the shop I meant": begin again at `start`, without what was found."""
    attempt = transitions.locked_attempt(attempt.pk)
    if attempt.ended or attempt.answer != Answer.WRONG_SHOP:
        return attempt
    if is_other_account(attempt):
        _forget_sign_in(attempt.connection.account)
    attempt.user = user
    attempt.found_shop_id = attempt.found_address = attempt.found_account = ""
    attempt.account_memo, attempt.connection_memo = None, {}
    transitions.save(attempt, *FOUND_FIELDS, "connection_memo")
    return _request_call(attempt, Start())


def _forget_sign_in(account: Account) -> None:
    """Another account was used than is meant, so the vendor's module must not go on with it.

    No shop depends on it: a vendor's module lets an account be replaced only while none is connected.
    """
    if not account.connections.filter(status__in=SET_UP).exists():
        account.memo = {}
        account.save(update_fields=["memo"])


# -- names of a merchant's shops -------------------------------------------------------------------

LONGEST_NAME = 100  # characters, as the column


class NameTaken(Exception):
    """The merchant has another shop of this name."""


def named_connections(merchant: Merchant) -> QuerySet[Connection]:
    """The connections whose names are in use: all but the disconnected ones."""
    rows = Connection.objects.filter(account__merchant=merchant)
    return rows.exclude(status=Status.DISCONNECTED)


def _connection_named(merchant: Merchant, name: str) -> Connection | None:
    return named_connections(merchant).filter(name_key=shop_name_key(merchant.pk, name)).first()


def free_name(merchant: Merchant, wanted: str) -> str:
    """The wanted name, or with the first number that tells it apart: "eBay", "eBay 2" …"""
    used = {name_key(name) for name in named_connections(merchant).values_list("name", flat=True)}
    suffixes = ("", *(f" {number}" for number in range(2, len(used) + 3)))
    names = (wanted[: LONGEST_NAME - len(suffix)] + suffix for suffix in suffixes)
    return next(name for name in names if name_key(name) not in used)
