"""Which of the merchant's shops at itembase is meant, and what its status means."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import timedelta

from ..contract import Ask, Connected, NeedsMerchant, Order, Question, Step, Text, Waiting, text
from .client import Instance
from .places import platform

VALID = "connection.valid"
FIRST_LOOK, SLOWEST_LOOK = timedelta(seconds=15), timedelta(minutes=15)
PATIENCE = timedelta(hours=24)
GIVE_TIME = timedelta(minutes=10)


def again(looks: int) -> timedelta:
    """15 s, then twice as long after each look in vain, up to a quarter of an hour."""
    return min(FIRST_LOOK * (1 << min(looks, 10)), SLOWEST_LOOK)


def of_component(rows: Sequence[Instance], component_id: int) -> list[Instance]:
    """The shops of one platform, in an order that stays; never a solution."""
    shops = (row for row in rows if row.component_type == "connection")
    return sorted((row for row in shops if row.component_id == component_id), key=_id)


def free(shops: Sequence[Instance], order: Order, before: Collection[str]) -> list[Instance]:
    """Those that may be this connection's: held by nobody and new, or its own already."""
    holders = {shop.id: order.holder(shop.id) for shop in shops}
    return [
        shop
        for shop in shops
        if holders[shop.id] == "self" or (holders[shop.id] == "none" and shop.id not in before)
    ]


def judge(shop: Instance, rows: Sequence[Instance], connector: str) -> Step:
    """What the chosen shop's status means; those beyond valid and pending are undocumented."""
    key, name, status = shop.id, platform(connector), shop.status or ""
    if status == VALID and not any(row.component_type == "solution" for row in rows):
        note = text("Your %(platform)s shop is there, but not shared with us yet.", platform=name)
        return _wait(note, key)
    if status == VALID:
        evidence = text("itembase lists your %(platform)s shop as valid.", platform=name)
        return Connected(shop=key, evidence=evidence, connection_key=key, done=("store",))
    if status.startswith("connection.") and status != "connection.pending":
        return _attention(name, key)
    return _wait(text("itembase is still checking your %(platform)s shop.", platform=name), key)


def none_yet(connector: str) -> Waiting:
    name = platform(connector)
    return _wait(text("itembase does not list your new %(platform)s shop yet.", platform=name))


def gone(connector: str) -> NeedsMerchant:
    note = text(
        "itembase no longer lists this %(platform)s shop. If you removed it there, disconnect it"
        " here and connect it as a new shop.",
        platform=platform(connector),
    )
    return NeedsMerchant(code="store-gone", note=note)


def ask(shops: Sequence[Instance], connector: str) -> Ask:
    name = platform(connector)
    note = text("itembase lists several %(platform)s shops. Choose yours.", platform=name)
    choices = tuple((shop.id, _words(shop, n, name)) for n, shop in enumerate(shops, start=1))
    label = text("Which %(platform)s shop do you want to connect?", platform=name)
    return Ask(note=note, questions=(Question(key="store", label=label, choices=choices),))


def _wait(note: Text, key: str = "") -> Waiting:
    return Waiting(note=note, again=FIRST_LOOK, until=PATIENCE, connection_key=key)


def _attention(name: str, key: str) -> NeedsMerchant:
    note = text(
        "itembase reports a problem with your %(platform)s shop. Sign in to itembase, look at the"
        " shop there, then check again.",
        platform=name,
    )
    return NeedsMerchant(code="store-attention", note=note, again=GIVE_TIME, connection_key=key)


def _words(shop: Instance, number: int, name: str) -> Text:
    """A shop in words: itembase tells no name of it, and its id says nothing to a merchant."""
    params = {"platform": name, "number": str(number)}
    if shop.status == VALID:
        return text(
            "%(platform)s shop %(number)s (connected at itembase, not used here yet)", **params
        )
    if (shop.status or "connection.pending") == "connection.pending":
        return text("%(platform)s shop %(number)s (itembase is still checking it)", **params)
    return text("%(platform)s shop %(number)s (needs attention at itembase)", **params)


def _id(shop: Instance) -> str:
    return shop.id
