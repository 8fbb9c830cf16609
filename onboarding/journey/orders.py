"""Rows → `Order`: everything a vendor may know for one call, as plain values."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from allauth.account.models import EmailAddress
from django.utils import timezone

from onboarding import db_lock, registry
from onboarding.models import Account, Attempt, Connection, Connector, Membership, Merchant, User
from onboarding.models.status import Status
from vendors.contract import Business, Holder, Memos, Order, Person, Purpose

WAITS = timedelta(minutes=5)  # that somebody stays at a page after pressing a button


def chosen(attempt: Attempt) -> Connector | None:
    """The connector that the merchant chose; the shop's own where none was asked for.

    None: it no longer exists.
    """
    slug = attempt.call.get("connector")
    if not slug:
        return attempt.connection.connector
    return Connector.objects.filter(slug=slug, vendor=attempt.connection.vendor).first()


def awaited(attempt: Attempt) -> bool:
    """Whether the person who asked for the call may still be at its page, whoever makes the call."""
    since = timezone.now().timestamp() - float(attempt.call.get("asked") or 0)
    return since < WAITS.total_seconds()


def for_attempt(attempt: Attempt, *, state: str, present: bool) -> Order:
    """For the attempt's remembered call; `state` is for the hop it may lead to."""
    connection, account = attempt.connection, attempt.connection.account
    draft = account.memo if attempt.account_memo is None else attempt.account_memo
    mine = account.creator_id == attempt.pk
    return _order(
        connection,
        connector=chosen(attempt) or connection.connector,
        user=attempt.user,
        purpose=attempt.purpose,
        present=present,
        state=state,
        memos=Memos(account=draft, connection=attempt.connection_memo),
        announced=account.announced if mine else "",
        unsure=account.unsure if mine else "",
    )


def for_connection(connection: Connection, purpose: Purpose) -> Order:
    """For a check, or for something staff have done: no merchant is there, no link is made."""
    live = Memos(account=connection.account.memo, connection=connection.memo)
    return _order(
        connection,
        connector=connection.connector,
        user=_somebody(connection),
        purpose=purpose,
        memos=live,
    )


def _somebody(connection: Connection) -> User:
    """Who was last at it, if they still belong to the merchant; else an owner."""
    last = connection.attempts.latest("created").user
    members = connection.account.merchant.memberships
    if members.filter(user=last).exists():
        return last
    owner = members.filter(role=Membership.Role.OWNER).select_related("user").first()
    return owner.user if owner else last


def _order(
    connection: Connection, *, connector: Connector, user: User, memos: Memos, **rest: Any
) -> Order:
    account = connection.account
    return Order(
        merchant=_business(account.merchant),
        user=Person(id=str(user.pk), email=user.email, name=user.name),
        emails=verified_addresses(account.merchant),
        connector=connector.key,
        reference=connection.reference,
        shop_name=connection.name,
        options=connector.options,
        answers=connection.answers,
        staff=account.staff_answers,
        back=registry.return_address(account.vendor),
        memos=memos,
        live=Memos(account=account.memo, connection=connection.memo),
        account_key=account.key,
        connection_key=connection.key,
        shop_id=connection.shop_id,
        now=timezone.now(),
        siblings=_live(account).exclude(pk=connection.pk).count(),
        holder=lambda shop: holder(connection, shop),
        **rest,
    )


def _business(merchant: Merchant) -> Business:
    return Business(reference=merchant.reference, name=merchant.name, language=merchant.language)


def verified_addresses(merchant: Merchant) -> tuple[str, ...]:
    """E-mail addresses of its members, the oldest first."""
    found = EmailAddress.objects.filter(user__memberships__merchant=merchant, verified=True)
    return tuple(found.order_by("pk").values_list("email", flat=True))


def _live(account: Account) -> Any:
    return account.connections.exclude(status=Status.DISCONNECTED)


def holder(connection: Connection, shop: str) -> Holder:
    """Who holds the vendor's object (a shop, an account) in our books.

    A flow may ask this between two HTTP calls.
    """
    try:
        return _holder(connection, shop)
    finally:
        db_lock.give_back_connection()


def _holder(connection: Connection, found: str) -> Holder:
    account = connection.account
    shops = Connection.objects.filter(vendor=account.vendor, shop_id=found)
    row = shops.exclude(status=Status.DISCONNECTED).values("pk", "account_id").first()
    if row is None:
        others = Account.objects.filter(vendor=account.vendor, key=found).exclude(pk=account.pk)
        return "other" if found and others.exists() else "none"
    if row["pk"] == connection.pk:
        return "self"
    return "sibling" if row["account_id"] == account.pk else "other"
