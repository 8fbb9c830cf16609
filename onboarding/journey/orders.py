"""Rows → `Order`: everything a vendor may know for one call, as plain values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from typing import cast

from allauth.account.models import EmailAddress
from django.db.models import Exists, OuterRef

from onboarding import clock, db_slots, registry
from onboarding.models import Account, Attempt, Connection, Connector, Membership, Merchant
from onboarding.models.memo import readable
from onboarding.models.status import Status
from vendors.contract import Business, Holder, KnownShop, Memos, Order, Person, Purpose

PATIENCE = timedelta(minutes=5)  # how long somebody stays on a page after pressing a button


def chosen_connector(attempt: Attempt) -> Connector | None:
    """The connector that the merchant chose, or the shop's own; None when staff deleted the chosen one."""
    slug = readable(attempt.call).get("connector")
    if not slug:
        return attempt.connection.connector
    return Connector.objects.filter(slug=slug, vendor=attempt.connection.vendor).first()


def is_awaited(attempt: Attempt) -> bool:
    """Whether the person who asked for the call may still be on its page, whoever makes the call."""
    seconds = clock.now().timestamp() - float(readable(attempt.call).get("asked") or 0)
    return seconds < PATIENCE.total_seconds()


def for_attempt(attempt: Attempt, *, state: str, present: bool) -> Order:
    """For the attempt's remembered call. `state` goes into the link it may lead to; `present`: a
    merchant waits for the answer."""
    connection, account = attempt.connection, attempt.connection.account
    draft = account.memo if attempt.account_memo is None else attempt.account_memo
    order = _order(
        connection,
        connector=chosen_connector(attempt) or connection.connector,
        user=lambda: _person(attempt.user.pk, attempt.user.email, attempt.user.name),
        purpose=cast(Purpose, attempt.purpose),  # Attempt.Purpose has no other values
        memos=Memos(account=readable(draft), connection=readable(attempt.connection_memo)),
    )
    is_creator = account.creator_id == attempt.pk
    return replace(
        order,
        present=present,
        state=state,
        announced=account.announced if is_creator else "",
        unsure=account.unsure if is_creator else "",
    )


def for_connection(connection: Connection, purpose: Purpose) -> Order:
    """For a check, or for an action that staff run: no merchant is present, and no link is minted."""
    return _order(
        connection,
        connector=connection.connector,
        user=cache(lambda: _acting_person(connection)),
        purpose=purpose,
        memos=_live_memos(connection),
    )


def _live_memos(connection: Connection) -> Memos:
    return Memos(account=readable(connection.account.memo), connection=readable(connection.memo))


def _acting_person(connection: Connection) -> Person:
    """The user of the latest attempt if they still belong to the merchant, else an owner."""
    try:
        return _find_acting_person(connection)
    finally:
        db_slots.give_back_connection()


def _find_acting_person(connection: Connection) -> Person:
    members = Membership.objects.filter(merchant=connection.account.merchant_id)
    is_member = Exists(members.filter(user=OuterRef("user")))
    who = ("user", "user__email", "user__name")
    attempts = connection.attempts.order_by("-created").values_list(*who, is_member)
    *last, belongs = attempts[0]
    owner = None
    if not belongs:
        owner = members.filter(role=Membership.Role.OWNER).values_list(*who).first()
    return _person(*(owner or last))


def _person(pk: int, email: str, name: str) -> Person:
    return Person(id=str(pk), email=email, name=name)


def _order(
    connection: Connection,
    *,
    connector: Connector,
    user: Callable[[], Person],
    purpose: Purpose,
    memos: Memos,
) -> Order:
    account = connection.account
    return Order(
        merchant=_business(account.merchant),
        user=user,
        connector=connector.key,
        reference=connection.reference,
        shop_name=connection.name,
        options=connector.options,
        answers=readable(connection.answers),
        staff=readable(account.staff_answers),
        purpose=purpose,
        back=registry.return_address(account.vendor),
        memos=memos,
        live=_live_memos(connection),
        account_key=account.key,
        account_label=account.label,
        found=account.found,
        connection_key=connection.key,
        shop_id=connection.shop_id,
        now=clock.now(),
        siblings=lambda: _count_siblings(connection),
        emails=lambda: _emails(account.merchant),
        holder=lambda vendor_id: holder(connection, vendor_id),
        last_used=lambda vendor_id: last_used(connection.vendor, vendor_id),
        known_shop=lambda vendor_id: known_shop(account, vendor_id),
    )


def _business(merchant: Merchant) -> Business:
    return Business(reference=merchant.reference, name=merchant.name, language=merchant.language)


def verified_addresses(merchant: Merchant) -> tuple[str, ...]:
    """Verified email addresses of the merchant's members, the oldest first."""
    addresses = EmailAddress.objects.filter(user__memberships__merchant=merchant, verified=True)
    return tuple(addresses.order_by("pk").values_list("email", flat=True))


def _emails(merchant: Merchant) -> tuple[str, ...]:
    try:
        return verified_addresses(merchant)
    finally:
        db_slots.give_back_connection()


def _count_siblings(connection: Connection) -> int:
    try:
        others = connection.account.connections.exclude(pk=connection.pk)
        return others.exclude(status=Status.DISCONNECTED).count()
    finally:
        db_slots.give_back_connection()


def holder(connection: Connection, vendor_id: str) -> Holder:
    """Who has the vendor's object of this id (a shop, an account) in our database.

    A flow may ask this between two HTTP calls, so no database connection of the pool is held after it.
    """
    try:
        return _holder(connection, vendor_id)
    finally:
        db_slots.give_back_connection()


def last_used(vendor: str, shop_id: str) -> datetime | None:
    """When a shop that is no longer connected here was disconnected; None if it never was connected."""
    try:
        rows = Connection.objects.filter(vendor=vendor, shop_id=shop_id, status=Status.DISCONNECTED)
        former = rows.exclude(shop_id="").order_by("-since").first()
        return (former.since or former.created) if former else None
    finally:
        db_slots.give_back_connection()


def known_shop(account: Account, shop_id: str) -> KnownShop | None:
    """What the merchant called this shop when they connected it last; None if they never did."""
    try:
        rows = account.connections.filter(shop_id=shop_id).exclude(shop_id="")
        newest = rows.order_by("-connected_at", "-pk").values_list("name", "address").first()
        return KnownShop(name=newest[0], address=newest[1]) if newest else None
    finally:
        db_slots.give_back_connection()


def known_account(merchant: Merchant, vendor: str) -> str:
    """The label of the account at this vendor through which the merchant connected a shop last; or ""."""
    rows = Connection.objects.filter(account__merchant=merchant, vendor=vendor)
    connected = rows.exclude(connected_at=None).exclude(account_label="")
    newest = connected.order_by("-connected_at", "-pk").values_list("account_label", flat=True)
    return newest.first() or ""


def is_other_account(attempt: Attempt) -> bool:
    """Whether the merchant used another account at the vendor than for their shops before.

    Where the account has no id at the vendor, the merchant chooses whose it is for each shop.
    """
    connection, found = attempt.connection, attempt.found_account
    expected = connection.account_label
    is_one = bool(connection.account.key)
    return is_one and bool(expected and found) and expected.casefold() != found.casefold()


def _holder(connection: Connection, vendor_id: str) -> Holder:
    account = connection.account
    same_shop = Connection.objects.filter(vendor=account.vendor, shop_id=vendor_id)
    live = same_shop.exclude(status=Status.DISCONNECTED).values_list("pk", "account_id").first()
    if live is None:
        others = Account.objects.filter(vendor=account.vendor, key=vendor_id).exclude(pk=account.pk)
        return "other" if vendor_id and others.exists() else "none"
    connection_id, account_id = live
    if connection_id == connection.pk:
        return "self"
    return "sibling" if account_id == account.pk else "other"
