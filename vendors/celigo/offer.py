"""What integrator.io offers, what merchants read about it, and what an operator sets."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal
from urllib.parse import urlsplit

from vendors.contract import (
    ChecklistItem,
    Entry,
    Question,
    Text,
    UnsureNotes,
    Vendor,
    named_problems,
    text,
)
from vendors.contract.characters import is_visible
from vendors.http.settings import api_url_problem, header_problem
from vendors.http.urls import is_loopback

from . import licence_plan
from .client import Client, Connector, connect

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
    opens: ClassVar[Literal["same-tab", "new-tab", "nothing"]] = "nothing"
    next_step: ClassVar[Text] = text("Next you install the app on integrator.io, in a new tab.")
    summary: ClassVar[Text] = text(
        "We issue a licence to your email address at integrator.io, and see when you have"
        " installed the app."
    )
    prerequisites: ClassVar[Text] = text(
        "An integrator.io account with your email address, and administrator logins"
        " for the systems you want to connect."
    )
    shared_data: ClassVar[tuple[Text, ...]] = (text("Your email address"),)
    reads: ClassVar[tuple[Text, ...]] = (
        text("Whether you installed the app at integrator.io, and when your licence ends."),
        text("The app reads your systems at integrator.io with the logins that you enter there."),
    )
    purpose: ClassVar[tuple[Text, ...]] = (
        text("To give you the integration app that connects your systems."),
        text("integrator.io issues a licence to an email address, so it gets yours."),
    )
    checklist: ClassVar[tuple[ChecklistItem, ...]] = (
        ChecklistItem(
            text("Preparing your licence"), (LICENCE,), note=text("Your licence was issued.")
        ),
        ChecklistItem(text("Install the app on integrator.io"), ("install",)),
    )
    erase_business: ClassVar[str] = (
        "The licence has ended. It still holds the email address of whoever installed the app. When the"
        " app is uninstalled at integrator.io, delete the licence: the shop’s page has the action."
    )
    erase_person: ClassVar[str] = (
        "The licence may hold this person’s email address. If so, ask the business for another address"
        " at integrator.io, issue the licence to it, and delete the old one."
    )
    creations: ClassVar[Mapping[str, Text]] = {
        LICENCE: text(
            "Look in integrator.io for a licence of this connector for the address that is named"
            " in the facts, created at that time, and enter its ID."
        ),
    }
    unsure_notes: ClassVar[Mapping[str, UnsureNotes]] = {
        LICENCE: UnsureNotes(
            no_answer=text(
                "We are checking whether integrator.io created your licence. This way"
                " you don’t get two."
            ),
            unreadable=text(
                "We could not read integrator.io’s answer. We are checking whether it"
                " created your licence."
            ),
        ),
    }

    api_token: str = field(repr=False)
    api_url: str = "https://api.integrator.io"

    # -- settings --------------------------------------------------------------------------------

    @property
    def token(self) -> str:
        """Without a pasted “Bearer ”, which would be sent twice and refused."""
        return re.sub(r"^(bearer(\s+|$))+", "", self.api_token.strip(), flags=re.IGNORECASE)

    def problems(self) -> tuple[tuple[str, str], ...]:
        return named_problems(self.slug, {
            "api_url": api_url_problem(self.api_url, version="/v1"),
            "api_token": header_problem(self.token),
        })  # fmt: skip

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

    def on_disconnect(self, *, last: bool) -> tuple[Text, ...]:
        return (
            text("Your licence at integrator.io ends at once, and the app no longer runs there."),
            text("The app stays installed. Uninstall it there if you do not want to come back."),
        )

    def client(self) -> Client:
        return connect(api_url=self.api_url, token=self.token)

    # -- connectors ------------------------------------------------------------------------------

    def connectors(self) -> tuple[Entry, ...]:
        rows = self.client().connectors()
        return tuple(_entry(row) for row in rows if row.is_published)

    def connector_questions(self, connector: str) -> tuple[Question, ...]:
        return licence_plan.questions()

    def check_options(self, answers: Mapping[str, str]) -> Mapping[str, Text]:
        return licence_plan.faults(answers)


def _entry(row: Connector) -> Entry:
    name = next(
        each for each in (row.name, row.handle, row.id) if each and is_visible(each)
    ).strip()
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
