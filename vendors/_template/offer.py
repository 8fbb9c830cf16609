"""What the vendor offers, what merchants read about it, and what an operator sets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar
from urllib.parse import urlsplit

from vendors.contract import ChecklistItem, Entry, Text, UnsureNotes, Vendor, text
from vendors.contract.vendor import named_problems
from vendors.http.settings import api_url_problem, header_problem

from .client import Client, connect

SHOP = "shop"  # names the creation, its tick in the checklist, and the connector


@dataclass(frozen=True)
class Offer(Vendor):
    """The vendor without its calls."""

    slug: ClassVar[str] = "_template"
    name: ClassVar[str] = "Template"
    summary: ClassVar[Text] = text("We create your shop at Template. You approve it there.")
    prerequisites: ClassVar[Text] = text("Your Template login.")
    shared_data: ClassVar[tuple[Text, ...]] = (text("The name of your shop"),)
    reads: ClassVar[tuple[Text, ...]] = (text("Whether your shop at Template is open."),)
    checklist: ClassVar[tuple[ChecklistItem, ...]] = (
        ChecklistItem(text("Creating your shop at Template"), (SHOP,)),
    )
    tells_address: ClassVar[bool] = False  # only if the merchant entered it at Template
    erase_business: ClassVar[str] = "The shop is deleted. Ask Template to delete its log of it."
    erase_person: ClassVar[str] = ""  # Template gets nothing of a person from us
    creations: ClassVar[Mapping[str, Text]] = {
        SHOP: text("Look at Template for a shop with this reference, and enter its id."),
    }
    unsure_notes: ClassVar[Mapping[str, UnsureNotes]] = {
        SHOP: UnsureNotes(
            no_answer=text(
                "We are checking whether Template created your shop. This way you don’t get two."
            ),
            unreadable=text(
                "We could not read Template’s answer. We are checking whether it created your shop."
            ),
        ),
    }

    # The settings: _TEMPLATE_API_URL (what stands before /v1) and _TEMPLATE_API_TOKEN.
    api_url: str
    api_token: str = field(repr=False)

    def problems(self) -> tuple[tuple[str, str], ...]:
        return named_problems(
            self.slug,
            {
                "api_url": api_url_problem(self.api_url, version="/v1"),
                "api_token": header_problem(self.api_token),
            },
        )

    def domains(self) -> tuple[str, ...]:
        return (urlsplit(self.api_url).netloc,)

    def addresses(self) -> tuple[str, ...]:
        return (self.api_url,)

    def on_disconnect(self, *, last: bool) -> tuple[Text, ...]:
        return (text("Your shop is deleted at Template."),)

    def client(self) -> Client:
        return connect(api_url=self.api_url, token=self.api_token)

    def connectors(self) -> tuple[Entry, ...]:
        """What merchants choose in the catalogue; a vendor with a list of connectors asks for it here."""
        return (Entry(key=SHOP, name="Shop at Template", platform="_template"),)
