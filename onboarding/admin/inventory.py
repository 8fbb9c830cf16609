"""Inventory: compares what a vendor lists as ours with the database. Changes nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypedDict, cast

from django.db.models import QuerySet
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext

from onboarding.models import Account, Connection, Merchant
from onboarding.models.status import Status
from vendors.contract import Item

from .tables import NOTHING, Table, link_to

LISTED = 200  # rows of each table


class ConnectionRow(TypedDict):
    """The columns of a connection that are compared."""

    pk: int
    key: str
    name: str
    status: str
    reference: str
    account_id: int
    account__key: str
    account__merchant_id: int
    account__merchant__name: str


class AccountRow(TypedDict):
    """The columns of an account that are compared."""

    pk: int
    key: str
    merchant_id: int
    merchant__name: str


CONNECTION, ACCOUNT = tuple(ConnectionRow.__annotations__), tuple(AccountRow.__annotations__)


def _connection_rows(connections: QuerySet[Connection]) -> list[ConnectionRow]:
    return cast("list[ConnectionRow]", list(connections.values(*CONNECTION)))


@dataclass(frozen=True)
class Owner:
    """The merchant that a thing belongs to, and the connection or account of theirs."""

    merchant: tuple[int, str]
    connection: tuple[int, str] | None = None
    account: int | None = None
    alive: bool = True

    def cells(self) -> tuple[str, str]:
        return link_to(Merchant, *self.merchant), self._place()

    def _place(self) -> str:
        if self.connection and self.alive:
            return link_to(Connection, *self.connection)
        if self.connection:
            place, state = link_to(Connection, *self.connection), gettext("disconnected")
            return format_html('{} <span class="gw-quiet">({})</span>', place, state)
        return link_to(Account, self.account, gettext("the account")) if self.account else NOTHING


Row = tuple[Item, Owner | None]


def inventory_tables(vendor: str, items: Iterable[Item]) -> list[Table]:
    """What is only at the vendor, what is only here, and what is on both sides."""
    at_vendor = {item.id: item for item in items}
    connections = _connection_rows(Connection.objects.filter(vendor=vendor).exclude(key=""))
    accounts = cast(
        "list[AccountRow]",
        list(Account.objects.filter(vendor=vendor).exclude(key="").values(*ACCOUNT)),
    )
    owners = {row["key"]: _account_owner(row) for row in accounts}
    owners |= {row["key"]: _connection_owner(row) for row in sorted(connections, key=_alive)}
    only_at_vendor = [item for key, item in at_vendor.items() if key not in owners]
    only_here = [
        *_missing_connections(connections, at_vendor),
        *_missing_accounts(accounts, connections, at_vendor),
    ]
    both: list[Row] = [(item, owners[key]) for key, item in at_vendor.items() if key in owners]
    hinted = _with_hints(only_at_vendor[:LISTED])
    return [
        _table("gw-only-there", gettext("Only at the vendor"), hinted, len(only_at_vendor)),
        _table("gw-only-here", gettext("Only here"), only_here, len(only_here)),
        _table("gw-both", gettext("On both sides"), both, len(both)),
    ]


def _table(id: str, title: str, rows: list[Row], count: int) -> Table:
    return Table(
        id=id,
        title=f"{title}: {count}",
        columns=(
            gettext("ID at the vendor"),
            gettext("Details"),
            gettext("Merchant"),
            gettext("Shop"),
            gettext("Our reference"),
        ),
        rows=[_cells(*row) for row in rows[:LISTED]],
        empty=gettext("None."),
        more=max(count - LISTED, 0),
    )


def _cells(item: Item, owner: Owner | None) -> tuple[str, ...]:
    facts = ((f"{name}: {value}",) for name, value in item.facts.items() if value)
    lines = format_html_join("", '<br><span class="gw-quiet">{}</span>', facts)
    what = format_html("{}{}", item.label or NOTHING, lines)
    merchant, place = owner.cells() if owner else (NOTHING, NOTHING)
    return item.id, what, merchant, place, item.reference or NOTHING


def _alive(row: ConnectionRow) -> bool:
    """Of two connections with the same key, the one that is not disconnected counts."""
    return row["status"] != Status.DISCONNECTED


def _connection_owner(row: ConnectionRow) -> Owner:
    merchant = row["account__merchant_id"], row["account__merchant__name"]
    return Owner(merchant, connection=(row["pk"], row["name"]), alive=_alive(row))


def _account_owner(row: AccountRow) -> Owner:
    return Owner((row["merchant_id"], row["merchant__name"]), account=row["pk"])


def _missing_connections(connections: list[ConnectionRow], at_vendor: dict[str, Item]) -> list[Row]:
    """A vendor may list what belongs to connections or to accounts: either is enough."""
    return [
        (Item(id=row["key"], label=""), _connection_owner(row))
        for row in connections
        if _alive(row) and row["key"] not in at_vendor and row["account__key"] not in at_vendor
    ]


def _missing_accounts(
    accounts: list[AccountRow], connections: list[ConnectionRow], at_vendor: dict[str, Item]
) -> list[Row]:
    with_connections = {row["account_id"] for row in connections}
    return [
        (Item(id=row["key"], label=""), _account_owner(row))
        for row in accounts
        if row["key"] not in at_vendor and row["pk"] not in with_connections
    ]


def _with_hints(items: list[Item]) -> list[Row]:
    """Unknown items, each with the owner whose reference it has, if any."""
    references = {item.reference for item in items if item.reference}
    connections = Connection.objects.filter(reference__in=references)
    merchants = Merchant.objects.filter(reference__in=references)
    owners = {each.reference: Owner((each.pk, each.name)) for each in merchants} | {
        row["reference"]: _connection_owner(row) for row in _connection_rows(connections)
    }
    return [(item, owners.get(item.reference)) for item in items]
