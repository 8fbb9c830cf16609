"""The vendor's calls that we use. Source: name the documentation here, and below each call its page.

The type of a reply stands above its call and names only the fields that we use.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypedDict

from vendors.http.api import Api, Empty, Reply, none_if_missing
from vendors.http.reply import Id, OptionalWords, Url, Words


class NewShop(TypedDict):
    reference: str
    name: str


class Shop(Reply):
    """`status` is pending, active, declined or revoked. `approval_url` is the merchant's page.

    `address`: the merchant may enter it on that page.
    """

    id: Id
    reference: Words
    status: Words
    approval_url: Url
    address: OptionalWords = None


@dataclass(frozen=True)
class Client:
    api: Api

    # Reference: "List shops"
    def shops(self, reference: str = "") -> list[Shop]:
        """All shops, or those that bear this reference. Deleted ones are not listed."""
        query = {"reference": reference} if reference else None
        return self.api.send("GET", "/v1/shops", list[Shop], ok=(200,), query=query)

    # Reference: "Create a shop"; there is no idempotency key, so the call is marked with `creates`
    def create_shop(self, shop: NewShop) -> Shop:
        return self.api.send("POST", "/v1/shops", Shop, ok=(201,), json=shop, creates=True)

    # Reference: "Read a shop"
    def shop(self, shop_id: str) -> Shop | None:
        """None if there is no such shop, or it is deleted."""
        parts = {"id": shop_id}
        return none_if_missing(
            lambda: self.api.send("GET", "/v1/shops/{id}", Shop, ok=(200,), parts=parts)
        )

    # Reference: "Delete a shop": 204 without a body
    def delete_shop(self, shop_id: str) -> None:
        """A shop that is already deleted is no error, so the call can be repeated."""
        parts = {"id": shop_id}
        none_if_missing(
            lambda: self.api.send("DELETE", "/v1/shops/{id}", Empty, ok=(204,), parts=parts)
        )


def connect(*, api_url: str, token: str) -> Client:
    headers = {"Authorization": f"Bearer {token}"}
    return Client(Api(name="_template", base_url=api_url, headers=headers))
