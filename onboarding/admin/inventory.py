"""The inventory: what a vendor lists as ours, compared with our rows. Nothing is changed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext

from onboarding.models import Account, Connection, Merchant
from onboarding.models.status import Status
from vendors.contract import Item

from .tables import NOTHING, Table, link_to

LISTED = 200  # rows of each table
CONNECTION = ("pk", "key", "name", "status", "account_id", "account__key", *(
    f"account__merchant{part}" for part in ("_id", "__name")
))  # fmt: skip
ACCOUNT = ("pk", "key", "merchant_id", "merchant__name")


@dataclass(frozen=True)
class Owner:
    """Whose a thing is, and which connection or account of theirs it belongs to."""

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
    there = {item.id: item for item in items}
    connections = list(Connection.objects.filter(vendor=vendor).exclude(key="").values(*CONNECTION))
    accounts = list(Account.objects.filter(vendor=vendor).exclude(key="").values(*ACCOUNT))
    owners = {row["key"]: _account_owner(row) for row in accounts}
    owners |= {row["key"]: _connection_owner(row) for row in sorted(connections, key=_alive)}
    only_there = [item for key, item in there.items() if key not in owners]
    only_here = [
        *_missing_connections(connections, there),
        *_missing_accounts(accounts, connections, there),
    ]
    both: list[Row] = [(item, owners[key]) for key, item in there.items() if key in owners]
    hinted = _with_hints(only_there[:LISTED])
    return [
        _table("gw-only-there", gettext("There and not here"), hinted, len(only_there)),
        _table("gw-only-here", gettext("Here and not there"), only_here, len(only_here)),
        _table("gw-both", gettext("On both sides"), both, len(both)),
    ]


def _table(id: str, title: str, rows: list[Row], count: int) -> Table:
    return Table(
        id=id,
        title=f"{title}: {count}",
        columns=(
            gettext("Id there"),
            gettext("What it is"),
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


def _alive(row: dict[str, Any]) -> bool:
    """Of two connections with the same key the one that is not disconnected is meant."""
    return bool(row["status"] != Status.DISCONNECTED)


def _connection_owner(row: dict[str, Any]) -> Owner:
    merchant = row["account__merchant_id"], row["account__merchant__name"]
    return Owner(merchant, connection=(row["pk"], row["name"]), alive=_alive(row))


def _account_owner(row: dict[str, Any]) -> Owner:
    return Owner((row["merchant_id"], row["merchant__name"]), account=row["pk"])


def _missing_connections(connections: list[dict[str, Any]], there: dict[str, Item]) -> list[Row]:
    """A vendor may list what belongs to connections or to accounts: either is enough."""
    return [
        (Item(id=row["key"], label=""), _connection_owner(row))
        for row in connections
        if _alive(row) and row["key"] not in there and row["account__key"] not in there
    ]


def _missing_accounts(
    accounts: list[dict[str, Any]], connections: list[dict[str, Any]], there: dict[str, Item]
) -> list[Row]:
    with_connections = {row["account_id"] for row in connections}
    return [
        (Item(id=row["key"], label=""), _account_owner(row))
        for row in accounts
        if row["key"] not in there and row["pk"] not in with_connections
    ]


def _with_hints(items: list[Item]) -> list[Row]:
    """Items that we do not know, with the owner whose reference they carry, if any."""
    references = {item.reference for item in items if item.reference}
    connections = Connection.objects.filter(reference__in=references)
    merchants = Merchant.objects.filter(reference__in=references)
    owners = {row.reference: Owner((row.pk, row.name)) for row in merchants} | {
        row["reference"]: _connection_owner(row)
        for row in connections.values("reference", *CONNECTION)
    }
    return [(item, owners.get(item.reference)) for item in items]
