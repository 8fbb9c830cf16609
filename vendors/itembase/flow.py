"""The itembase vendor: its settings, what it offers, and its calls."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from vendors.contract import Done, Entry, Order, Step, Vendor, text
from vendors.http.hosts import address_problem

from .calls import Call
from .client import Client
from .places import COMPONENTS, SERVERS, platform

SLUG, COMPONENT_ID = re.compile(r"[a-z0-9-]+"), re.compile(r"[1-9][0-9]{0,18}")
URLS = ("selfservice_url", "accounts_url", "api_url", "users_url", "solution_url")


@dataclass(frozen=True)
class Itembase(Vendor):
    """An empty address is the environment's own; `components` replaces the environment's table."""

    client_id: str
    client_secret: str = field(repr=False)
    environment: str = "production"
    selfservice_url: str = ""
    accounts_url: str = ""
    api_url: str = ""
    users_url: str = ""
    solution_url: str = ""
    components: Mapping[str, Any] = field(default_factory=dict)
    token_method: str = "GET"

    slug = "itembase"
    name = "itembase"
    summary = text(
        "On itembase's pages you sign in or open an itembase account, add your shop and allow us"
        " to read it. Then itembase sends you back here."
    )
    at_hand = text(
        "The sign-in of your shop, and that of your itembase account if you already have one."
    )
    shares = (text("Which kind of shop you want to connect; nothing else of yours."),)
    checklist = (
        ("link", text("A private link to itembase is made")),
        ("sign-in", text("You are signed in at itembase")),
        ("store", text("Your shop is found")),
    )

    def problems(self) -> tuple[tuple[str, str], ...]:
        found = [(name, address_problem(url)) for name in URLS if (url := getattr(self, name))]
        if self.environment not in SERVERS:
            found.append(("environment", "must be production or sandbox"))
        elif not self.address("api_url"):
            found.append(("api_url", "must be set: itembase documents none for the sandbox"))
        if self.token_method not in {"GET", "POST"}:
            found.append(("token_method", "must be GET or POST"))
        found.append(("components", _components_problem(self.components)))
        return tuple((f"ITEMBASE_{name.upper()}", problem) for name, problem in found if problem)

    def address(self, name: str) -> str:
        """One of URLS: as set, else the environment's."""
        url: str = getattr(self, name) or SERVERS.get(self.environment, {}).get(name, "")
        return url.rstrip("/")

    def addresses(self) -> tuple[str, ...]:
        return tuple(self.address(name) for name in URLS)

    def domains(self) -> tuple[str, ...]:
        pages = ("selfservice_url", "accounts_url", "solution_url")
        return tuple(urlsplit(self.address(name)).netloc for name in pages)

    def component_ids(self) -> dict[str, int]:
        table = self.components or COMPONENTS.get(self.environment, {})
        return {key: int(component) for key, component in table.items()}

    def connectors(self) -> tuple[Entry, ...]:
        return tuple(
            Entry(key=key, name=platform(key), platform=key) for key in self.component_ids()
        )

    def probe(self) -> None:
        """The credentials at the accounts' server; then a link that nobody opens, and that runs out."""
        client = self.client()
        client.prove()
        for component in list(self.component_ids().values())[:1]:
            client.link_for_anyone(component)

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

    def start(self, order: Order) -> Step:
        return self._call(order).start()

    def returned(self, order: Order, params: Mapping[str, str]) -> Step:
        return self._call(order).returned(params)

    def answered(self, order: Order, answers: Mapping[str, str]) -> Step:
        return self._call(order).answered(answers)

    def check(self, order: Order) -> Step:
        return self._call(order).check()

    # itembase documents no revocation, neither of tokens nor of an activation.
    def end(self, order: Order) -> Step:
        """The last shop of an account takes the account's tokens with it."""
        last = not order.siblings
        here = (
            text("We no longer use or check this shop, and we have deleted our keys to itembase.")
            if last
            else text("We no longer use or check this shop.")
        )
        return Done(
            here=here,
            there=text("itembase documents no way to end it from here: your shop stays there."),
            todo=text("Remove the shop or our access to it in your itembase account."),
            connection={},
            account={} if last else None,
            promote=last,
        )

    def _call(self, order: Order) -> Call:
        return Call(self.client(), self.component_ids(), order)


def _components_problem(components: Any) -> str:
    if not isinstance(components, Mapping):
        return 'must be a JSON object such as {"ebay": 6}'
    if all(SLUG.fullmatch(str(key)) and _is_id(value) for key, value in components.items()):
        return ""
    return 'must name lower-case platforms and their component ids: {"ebay": 6}'


def _is_id(value: Any) -> bool:
    """Up to 19 digits, as a number or in quotes."""
    return isinstance(value, int | str) and bool(COMPONENT_ID.fullmatch(str(value)))
