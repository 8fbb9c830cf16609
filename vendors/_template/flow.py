"""Connecting a shop: we create it at the vendor, and the merchant approves it on the vendor's page.

Our reference stands in each shop that we create, so a shop whose answer was lost is found by it.
Source: name the documentation here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from vendors.contract import (
    Connected,
    Declined,
    Done,
    NeedsMerchant,
    Order,
    Progress,
    Redirect,
    StartOver,
    Step,
    text,
)
from vendors.contract.backoff import raise_while_paused
from vendors.http.urls import add_query

from .client import Shop
from .memo import ShopMemo, created
from .offer import SHOP
from .staff import Staff


@dataclass(frozen=True)
class Template(Staff):
    def start(self, order: Order) -> Step:
        """Decides from the memo and from the vendor, so that no call creates a second shop."""
        memo = ShopMemo(order)
        if order.announced == SHOP:
            return self._create(order)
        if shop := self._find(order):
            return self._onward(order, shop)
        if order.unsure == SHOP:
            return Progress(connection=memo.answer_lost(order.now))
        raise_while_paused(memo.paused_until, order.now)
        return Progress(announce=SHOP, connection=memo.unchanged())

    def returned(self, order: Order, params: Mapping[str, str]) -> Step:
        """A return proves nothing, so `params` are not looked at: the vendor is asked."""
        shop = self._find(order)
        if shop and shop.status == "active":
            return _connected(order, shop)
        if shop and shop.status == "declined":
            return Declined()
        note = text("Template has not noted your approval.")
        return StartOver(note=note, connection=created(shop.id) if shop else None)

    def check(self, order: Order) -> Step:
        shop = self._find(order)
        if shop and shop.status == "active":
            return _connected(order, shop)
        note = text("Template no longer lists your shop as approved. Reconnect it.")
        return NeedsMerchant(code="revoked", note=note)

    def end(self, order: Order) -> Step:
        """Delete all shops that bear our reference, also one whose answer was lost."""
        client = self.client()
        for shop in client.shops(order.reference):
            client.delete_shop(shop.id)
        return Done(
            here=text("We no longer use or check this shop."),
            there=text("Your shop at Template is deleted."),
            connection={},
        )

    def _create(self, order: Order) -> Step:
        """The creation is the last act of its call: whatever comes after it could lose its answer."""
        name = order.shop_name or order.merchant.name
        shop = self.client().create_shop({"reference": order.reference, "name": name})
        return Progress(connection=created(shop.id), connection_key=shop.id, done=(SHOP,))

    def _find(self, order: Order) -> Shop | None:
        """The shop that the memo knows, else the one that bears our reference."""
        client, shop_id = self.client(), ShopMemo(order).shop_id
        if shop_id and (shop := client.shop(shop_id)):
            return shop
        return next(iter(client.shops(order.reference)), None)

    def _onward(self, order: Order, shop: Shop) -> Step:
        if shop.status == "active":
            return _connected(order, shop)
        back = {"return_to": order.back, "state": order.state}
        return Redirect(
            url=add_query(shop.approval_url, back) if order.present else "",
            connection=created(shop.id),
            connection_key=shop.id,
            done=(SHOP,),
        )


def _connected(order: Order, shop: Shop) -> Connected:
    """Our reference identifies the shop: after a disconnect it is created again with another id."""
    return Connected(
        shop_id=order.reference,
        evidence=text("Template confirms that your shop is approved."),
        address=shop.address or "",
        connection=created(shop.id),
        connection_key=shop.id,
        done=(SHOP,),
    )
