"""What itembase offers, what merchants read about it, and what an operator sets."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar
from urllib.parse import urlsplit

from vendors.contract import ChecklistItem, Entry, Json, Text, Vendor, named_problems, text
from vendors.http.settings import address_problem

from .client import Client

# Reference: itembase API guides, "Base URLs"; the connect API guide names no sandbox for instances.
SERVERS: Mapping[str, Mapping[str, str]] = {
    "production": {
        "selfservice_url": "https://selfservice.itembase.com",
        "accounts_url": "https://accounts.itembase.com",
        "api_url": "https://api.itembase.com",
        "users_url": "https://users.itembase.com",
        "solution_url": "https://solutionservice.itembase.com",
    },
    "sandbox": {
        "selfservice_url": "https://sandbox.selfservice.itembase.io",
        "accounts_url": "https://sandbox.accounts.itembase.io",
        "users_url": "https://sandbox.users.itembase.io",
        "solution_url": "https://sandbox.solutionservice.itembase.io",
    },
}

# Reference: connect API guide, table of core connectors. The sandbox has Magento alone.
COMPONENTS: Mapping[str, Mapping[str, int]] = {
    "production": {
        "ebay": 6, "shopify": 7, "seoshop": 20, "bigcommerce": 12, "magento": 11,
        "prestashop": 14, "gambio": 34, "woocommerce": 22, "virtuemart": 23,
    },
    "sandbox": {"magento": 30},
}  # fmt: skip

PLATFORMS: Mapping[str, str] = {
    "ebay": "eBay", "shopify": "Shopify", "seoshop": "SEO shop", "bigcommerce": "BigCommerce",
    "magento": "Magento", "prestashop": "PrestaShop", "gambio": "Gambio",
    "woocommerce": "WooCommerce", "virtuemart": "VirtueMart",
}  # fmt: skip

SLUG, COMPONENT_ID = re.compile(r"[a-z0-9-]+"), re.compile(r"[1-9][0-9]{0,18}")
URLS = ("selfservice_url", "accounts_url", "api_url", "users_url", "solution_url")


def platform_name(connector: str) -> str:
    """The shop system's name as people write it."""
    return PLATFORMS.get(connector) or connector.replace("-", " ").title()


@dataclass(frozen=True)
class Offer(Vendor):
    """itembase without its calls.

    An empty address is the environment's own; `components` replaces the environment's table.
    """

    slug: ClassVar[str] = "itembase"
    name: ClassVar[str] = "itembase"
    summary: ClassVar[Text] = text(
        "On itembase you sign in (or create an account), add your shop, and give us"
        " access to it. Then itembase sends you back here."
    )
    prerequisites: ClassVar[Text] = text(
        "An administrator login for your shop, and your itembase login if you already have one."
    )
    shared_data: ClassVar[tuple[Text, ...]] = (text("Only which shop system you chose."),)
    reads: ClassVar[tuple[Text, ...]] = (
        text("Who you are at itembase, and the list of your shops there with their status."),
        text(
            "We ask itembase for three permissions: to know who you are there, to read the list of your"
            " shops, and to add a shop to it."
        ),
        text("We do not ask for your orders, products or customers with these permissions."),
    )
    purpose: ClassVar[tuple[Text, ...]] = (
        text("To connect your shop with us, and to tell you when the connection stops working."),
        text("The list of your shops tells us which one you connected."),
    )
    erase_business: ClassVar[str] = (
        "Ask itembase to delete what it keeps of our connection with this user. The account at itembase"
        " belongs to the business: only they can close it, with itembase."
    )
    erase_person: ClassVar[str] = ""  # itembase gets nothing of a person from us
    checklist: ClassVar[tuple[ChecklistItem, ...]] = (
        ChecklistItem(
            text("Sign in to itembase"), ("sign-in",), note=text("You signed in to itembase.")
        ),
        ChecklistItem(text("Add your shop and give us access"), ("store",)),
    )

    client_id: str
    client_secret: str = field(repr=False)
    environment: str = "production"
    selfservice_url: str = ""
    accounts_url: str = ""
    api_url: str = ""
    users_url: str = ""
    solution_url: str = ""
    components: Mapping[str, Json] = field(default_factory=dict)
    token_method: str = "GET"

    # -- settings --------------------------------------------------------------------------------

    def problems(self) -> tuple[tuple[str, str], ...]:
        found = {name: address_problem(url) for name in URLS if (url := getattr(self, name))}
        if self.environment not in SERVERS:
            found["environment"] = "must be production or sandbox"
        elif not self.address("api_url"):
            found["api_url"] = "must be set: itembase documents none for the sandbox"
        if self.token_method not in {"GET", "POST"}:
            found["token_method"] = "must be GET or POST"
        found["components"] = _components_problem(self.components)
        return named_problems(self.slug, found)

    def address(self, name: str) -> str:
        """One of URLS: as it is set, else the environment's own."""
        url: str = getattr(self, name) or SERVERS.get(self.environment, {}).get(name, "")
        return url.rstrip("/")

    def addresses(self) -> tuple[str, ...]:
        return tuple(self.address(name) for name in URLS)

    def domains(self) -> tuple[str, ...]:
        pages = ("selfservice_url", "accounts_url", "solution_url")
        return tuple(urlsplit(self.address(name)).netloc for name in pages)

    def on_disconnect(self, *, last: bool) -> tuple[Text, ...]:
        here = (text("We delete our access keys for itembase."),) if last else ()
        return (
            *here,
            text("We cannot remove your shop from itembase: it stays in your itembase account."),
            text("To finish, remove the shop or our access to it there."),
        )

    def client(self) -> Client:
        return Client(
            selfservice_url=self.address("selfservice_url"),
            accounts_url=self.address("accounts_url"),
            api_url=self.address("api_url"),
            users_url=self.address("users_url"),
            solution_url=self.address("solution_url"),
            client_id=self.client_id,
            client_secret=self.client_secret,
            token_method=self.token_method,
        )

    # -- connectors ------------------------------------------------------------------------------

    def component_ids(self) -> dict[str, int]:
        """Connector → itembase's component id."""
        table = self.components or COMPONENTS.get(self.environment, {})
        return {key: int(str(component)) for key, component in table.items()}

    def connectors(self) -> tuple[Entry, ...]:
        return tuple(
            Entry(key=key, name=platform_name(key), platform=key) for key in self.component_ids()
        )


def _components_problem(components: Json) -> str:
    if not isinstance(components, Mapping):
        return 'must be a JSON object such as {"ebay": 6}'
    if all(SLUG.fullmatch(str(key)) and _is_id(value) for key, value in components.items()):
        return ""
    return 'must name lower-case platforms and their component ids: {"ebay": 6}'


def _is_id(value: Json) -> bool:
    """Up to 19 digits, as a number or in quotes."""
    return isinstance(value, int | str) and bool(COMPONENT_ID.fullmatch(str(value)))
