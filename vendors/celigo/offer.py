"""What merchants and staff read about integrator.io, and what an operator sets."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar
from urllib.parse import urlsplit

from vendors.contract import Action, Entry, Item, Question, Text, Vendor, text
from vendors.http.hosts import address_problem, is_loopback

from . import client, plan, staff
from .client import Connector

LICENCE = "licence"
SHOPS = (
    "shopify", "bigcommerce", "magento", "woocommerce", "prestashop", "ebay", "amazon", "walmart",
    "etsy", "wayfair", "squarespace", "wix", "shopware", "lightspeed", "salesforce", "netsuite",
)  # fmt: skip


@dataclass(frozen=True)
class Offer(Vendor):
    """Celigo without its calls."""

    slug: ClassVar[str] = "celigo"
    name: ClassVar[str] = "Celigo integrator.io"
    leaves: ClassVar[bool] = False  # the merchant goes there without us
    summary: ClassVar[Text] = text(
        "We issue a licence for the integration app to your e-mail address at integrator.io. You"
        " install the app there, and we see when it is installed."
    )
    at_hand: ClassVar[Text] = text(
        "An account at integrator.io with your e-mail address, and sign-ins with administrator"
        " rights for the systems that are to be connected."
    )
    shares: ClassVar[tuple[Text, ...]] = (text("your e-mail address"),)
    checklist: ClassVar[tuple[tuple[str, Text], ...]] = (
        (LICENCE, text("Your licence is issued")),
        ("install", text("The app is installed at integrator.io")),
    )
    creations: ClassVar[Mapping[str, Text]] = {
        LICENCE: text(
            "Look in integrator.io for a licence of this connector for the address that is named"
            " in the facts, made at that time, and enter its id."
        ),
    }

    api_token: str = field(repr=False)
    api_url: str = "https://api.integrator.io"

    # -- settings --------------------------------------------------------------------------------

    @property
    def token(self) -> str:
        """A pasted “Bearer ” would be doubled, which integrator.io refuses."""
        return re.sub(r"^(bearer(\s+|$))+", "", self.api_token.strip(), flags=re.IGNORECASE)

    def problems(self) -> tuple[tuple[str, str], ...]:
        version = urlsplit(self.api_url).path.rstrip("/").endswith("/v1")
        found = {
            "API_URL": address_problem(self.api_url) or ("must end before /v1" if version else ""),
            "API_TOKEN": "" if re.fullmatch(r"[!-~]+", self.token) else "must be plain ASCII",
        }
        return tuple((f"CELIGO_{name}", words) for name, words in found.items() if words)

    def site(self) -> str:
        """Where merchants sign in: each region has pages of its own beside its API."""
        host = urlsplit(self.api_url).hostname or ""
        if is_loopback(host):
            return f"{self.api_url}/"
        return f"https://{host[4:] if host.startswith('api.') else 'integrator.io'}/"

    def domains(self) -> tuple[str, ...]:
        return (urlsplit(self.site()).netloc,)

    def addresses(self) -> tuple[str, ...]:
        return (self.api_url,)

    def client(self) -> client.Client:
        return client.connect(api_url=self.api_url, token=self.token)

    def probe(self) -> None:
        self.client().connectors()

    # -- what there is ---------------------------------------------------------------------------

    def connectors(self) -> tuple[Entry, ...]:
        rows = self.client().connectors()
        return tuple(_entry(row) for row in rows if row.offered)

    def connector_questions(self, connector: str) -> tuple[Question, ...]:
        return plan.questions()

    def check_options(self, answers: Mapping[str, str]) -> Mapping[str, Text]:
        return plan.faults(answers)

    def actions(self) -> tuple[Action, ...]:
        return staff.ACTIONS

    def inventory(self) -> tuple[Item, ...]:
        """Every licence of every connector, also of those that are not published."""
        api = self.client()
        return tuple(
            staff.item(connector, licence)
            for connector in api.connectors()
            for licence in api.licences(connector.id)
        )


def _entry(row: Connector) -> Entry:
    name = (row.name or row.handle or row.id).strip()
    return Entry(
        key=row.id,
        name=name[:200],
        platform=_platform(row, name),
        description=(row.description or "").strip(),
    )


def _platform(row: Connector, name: str) -> str:
    """The shop system: a known one among the applications, or in the name; else the name itself."""
    applications = row.applications if isinstance(row.applications, list) else []
    words = [*map(str, applications), *re.findall(r"[A-Za-z0-9]+", f"{name} {row.handle or ''}")]
    named = [shop for shop in SHOPS if shop in (word.lower() for word in words)]
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    return named[0] if named else slug[:60] or LICENCE
