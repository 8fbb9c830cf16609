"""What a vendor has of ours, beside what stands here. It changes nothing on either side."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from onboarding.models import Account, Connection, Merchant
from onboarding.models.status import Status
from vendors.contract import Item

LISTED = 200  # rows of each kind that the page shows
SHOP = ("pk", "key", "name", "status", "account_id", "account__key", *(
    f"account__merchant{part}" for part in ("_id", "__name")
))  # fmt: skip
ACCOUNT = ("pk", "key", "merchant_id", "merchant__name")


def compared(vendor: str, items: Iterable[Item]) -> dict[str, Any]:
    """For admin/parts/inventory.html: `astray` is only there, `missing` only here, `known` both."""
    there = {item.id: item for item in items}
    shops = list(Connection.objects.filter(vendor=vendor).exclude(key="").values(*SHOP))
    accounts = list(Account.objects.filter(vendor=vendor).exclude(key="").values(*ACCOUNT))
    owners = {row["key"]: _of_account(row) for row in accounts}
    owners |= {row["key"]: _of_shop(row) for row in sorted(shops, key=_alive)}
    lost = [*_lost_shops(shops, there), *_lost_accounts(accounts, shops, there)]
    both = [{"item": there[key], "owner": owners[key]} for key in there if key in owners]
    astray = [item for key, item in there.items() if key not in owners]
    return {
        "astray": _cut(_with_hints(astray[:LISTED]), len(astray)),
        "missing": _cut(lost, len(lost)),
        "known": _cut(both, len(both)),
    }


def _cut(rows: list[dict[str, Any]], count: int) -> dict[str, Any]:
    return {"rows": rows[:LISTED], "count": count, "more": max(count - LISTED, 0)}


def _alive(row: dict[str, Any]) -> bool:
    """Of two shops with the same key the one that is not disconnected is meant."""
    return bool(row["status"] != Status.DISCONNECTED)


def _of_shop(row: dict[str, Any]) -> dict[str, Any]:
    merchant = row["account__merchant_id"], row["account__merchant__name"]
    return {"merchant": merchant, "shop": (row["pk"], row["name"]), "status": row["status"]}


def _of_account(row: dict[str, Any]) -> dict[str, Any]:
    return {"merchant": (row["merchant_id"], row["merchant__name"]), "account": row["pk"]}


def _lost_shops(shops: list[dict[str, Any]], there: dict[str, Item]) -> list[dict[str, Any]]:
    """A vendor may list what belongs to shops or what belongs to accounts: either is enough."""
    return [
        {"key": row["key"], "owner": _of_shop(row)}
        for row in shops
        if _alive(row) and row["key"] not in there and row["account__key"] not in there
    ]


def _lost_accounts(
    accounts: list[dict[str, Any]], shops: list[dict[str, Any]], there: dict[str, Item]
) -> list[dict[str, Any]]:
    told_by_shops = {row["account_id"] for row in shops}
    return [
        {"key": row["key"], "owner": _of_account(row)}
        for row in accounts
        if row["key"] not in there and row["pk"] not in told_by_shops
    ]


def _with_hints(items: list[Item]) -> list[dict[str, Any]]:
    """Whose it seems to be, where it bears a reference of ours."""
    said = {item.reference for item in items if item.reference}
    shops = Connection.objects.filter(reference__in=said).values("reference", *SHOP)
    merchants = Merchant.objects.filter(reference__in=said).values("reference", "pk", "name")
    owners = {row["reference"]: {"merchant": (row["pk"], row["name"])} for row in merchants} | {
        row["reference"]: _of_shop(row) for row in shops
    }
    return [{"item": item, "owner": owners.get(item.reference)} for item in items]
