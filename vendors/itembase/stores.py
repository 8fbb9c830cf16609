"""Which of the merchant's shops at itembase is meant, and what its status means."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import timedelta

from vendors.contract import (
    Ask,
    Connected,
    NeedsMerchant,
    Order,
    Question,
    Refused,
    Step,
    Text,
    Waiting,
    text,
)

from . import labels
from .client import Instance
from .labels import VALID, needs_attention
from .memo import Draft
from .offer import platform_name

NEW = "new"  # cannot be an id of itembase's, which are uuids
POLL_FIRST, POLL_EVERY = timedelta(seconds=15), timedelta(minutes=15)
GIVE_UP_AFTER = timedelta(hours=24)
POLL_ACTIVATION_EVERY = timedelta(hours=1)
MAX_EMPTY_CHECKS = 6  # checks that found nothing: a minute and a half


def connections(rows: Sequence[Instance]) -> list[Instance]:
    """Shops: neither solutions nor types that are not documented."""
    return [row for row in rows if row.component_type == "connection"]


def shared(rows: Sequence[Instance]) -> bool:
    """Whether the operator's service is activated for this user."""
    return any(row.component_type == "solution" for row in rows)


def of_component(rows: Sequence[Instance], component_id: int) -> list[Instance]:
    """The shops of one platform, each once, always in the same order."""
    shops = {row.id: row for row in connections(rows) if row.component_id == component_id}
    return sorted(shops.values(), key=lambda shop: shop.id)


def free(shops: Sequence[Instance], order: Order, before: Collection[str] = ()) -> list[Instance]:
    """Those this connection may take: held by nobody and new, or its own already."""
    holders = {shop.id: order.holder(shop.id) for shop in shops}
    return [
        shop
        for shop in shops
        if holders[shop.id] == "self" or (holders[shop.id] == "none" and shop.id not in before)
    ]


def refusal_of(holder: str) -> Refused | None:
    """The refusal of a shop that another connection of ours holds; None if none does."""
    if holder == "other":
        note = text(
            "Another business has already connected this shop. Start again and choose another"
            " one, or write to us if it is yours."
        )
        heading = text("Choose another shop")
        return Refused(
            "held by another merchant", who="merchant", code="held", note=note, heading=heading
        )
    if holder == "sibling":
        note = text("You have already connected this shop under another name. Choose another one.")
        heading = text("This shop is already connected")
        return Refused(
            "held by a sibling", who="merchant", code="held-by-you", note=note, heading=heading
        )
    return None


def status_step(shop: Instance, connector: str, link: str) -> Step:
    """What the status of a shop means. `link`: where its merchant signs in at itembase."""
    key, name = shop.id, platform_name(connector)
    if shop.status == VALID:
        evidence = text(
            "itembase confirms that your %(platform)s shop is connected.", platform=name
        )
        return Connected(shop_id=key, evidence=evidence, connection_key=key, done=("store",))
    if needs_attention(shop):
        return _attention(name, key, link)
    return _wait(text("itembase is still checking your %(platform)s shop.", platform=name), key)


def not_shared_yet(shop: Instance, connector: str, link: str) -> Step:
    """The merchant has not allowed it, or itembase is a moment late: nothing says which it is."""
    if shop.status != VALID:
        return status_step(shop, connector, link)
    note = text(
        "Allow itembase to share your %(platform)s shop with us. If you have just allowed it, this page"
        " continues by itself.",
        platform=platform_name(connector),
    )
    return NeedsMerchant(
        code="not-shared-yet",
        note=note,
        goes_on=True,
        poll_first=POLL_FIRST,
        poll_every=POLL_ACTIVATION_EVERY,
        connection_key=shop.id,
    )


def no_longer_shared(connector: str) -> NeedsMerchant:
    note = text(
        "itembase no longer shares your %(platform)s shop with us. Reconnect it to allow it again.",
        platform=platform_name(connector),
    )
    return NeedsMerchant(code="not-shared", note=note, poll_every=POLL_ACTIVATION_EVERY)


def none_yet(shops: Sequence[Instance], order: Order, draft: Draft) -> Waiting:
    """itembase lists no shop that is new and free.

    Raises Refused if, after a while, the only new ones are another business's: then itembase has
    probably listed the very shop that was added, and no other one will come.
    """
    added = [shop for shop in shops if shop.id not in draft.listed_before]
    held = any(order.holder(shop.id) == "other" for shop in added)
    if held and draft.empty_checks >= MAX_EMPTY_CHECKS and (refusal := refusal_of("other")):
        raise refusal
    name = platform_name(order.connector)
    return _wait(text("itembase does not list your new %(platform)s shop yet.", platform=name))


def gone(connector: str) -> NeedsMerchant:
    note = text(
        "itembase no longer lists this %(platform)s shop. If you removed it there, disconnect it"
        " here and connect it as a new shop.",
        platform=platform_name(connector),
    )
    return NeedsMerchant(code="store-gone", note=note)


def ask(shops: Sequence[Instance], order: Order, draft: Draft, *, may_be_old: bool) -> Ask:
    """Which one was just added. `may_be_old`: perhaps none of them, so there is a choice for that."""
    name = platform_name(order.connector)
    heading = text("Which %(platform)s shop?", platform=name)
    note = text("itembase lists several %(platform)s shops. Choose yours.", platform=name)
    label = text("Which %(platform)s shop do you want to connect?", platform=name)
    if len(shops) == 1:
        heading = text("Is this your %(platform)s shop?", platform=name)
        note = text(
            "itembase lists this %(platform)s shop, but not when it was added. Is it the one you"
            " want to connect?",
            platform=name,
        )
        label = text("Is this the shop?")
    choices = labels.choices(shops, order, draft)
    none = (NEW, text("No, add another %(platform)s shop", platform=name))
    return _question(heading, note, label, (*choices, *((none,) if may_be_old else ())))


def offer(shops: Sequence[Instance], order: Order, draft: Draft) -> Ask:
    """The choice between the shops that are at itembase already and a new one."""
    name, choice = platform_name(order.connector), free(shops, order)
    heading = text("Which %(platform)s shop?", platform=name)
    note = text(
        "itembase lists %(platform)s shops that are not connected to us yet.", platform=name
    )
    if not choice:
        note = text("That shop can no longer be chosen.")
    label = text("Which %(platform)s shop do you want to connect?", platform=name)
    new = (NEW, text("Add a new %(platform)s shop", platform=name))
    held = [shop for shop in shops if order.holder(shop.id) == "sibling"]
    return _question(
        heading,
        note,
        label,
        (*labels.choices(choice, order, draft), new),
        labels.connected(held, order),
    )


def _question(
    heading: Text,
    note: Text,
    label: Text,
    choices: tuple[tuple[str, Text], ...],
    help: Text | None = None,
) -> Ask:
    question = Question(key="store", label=label, choices=choices, help=help)
    return Ask(heading=heading, note=note, questions=(question,))


def _wait(note: Text, key: str = "") -> Waiting:
    return Waiting(
        note=note,
        poll_first=POLL_FIRST,
        poll_every=POLL_EVERY,
        give_up_after=GIVE_UP_AFTER,
        connection_key=key,
    )


def _attention(name: str, key: str, link: str) -> NeedsMerchant:
    note = text(
        "itembase reports a problem with your %(platform)s shop. Sign in to itembase, solve it"
        " there, then check again here.",
        platform=name,
    )
    return NeedsMerchant(
        code="store-attention",
        note=note,
        link=link,
        poll_every=POLL_ACTIVATION_EVERY,
        connection_key=key,
    )
