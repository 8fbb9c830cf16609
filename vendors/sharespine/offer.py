"""What Sharespine offers, what merchants read about it, and what an operator sets."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from vendors.contract import (
    ChecklistItem,
    Entry,
    Json,
    Text,
    UnsureNotes,
    Vendor,
    named_problems,
    text,
)
from vendors.http.settings import address_problem, basic_username_problem, header_problem

from .client import Client, connect

CONTACT = re.compile(r"[!-'*-?A-~]+@[!-'*-?A-~]+")  # sent in a header, between parentheses
HOST = re.compile(r"\.?[a-z0-9-]+(\.[a-z0-9-]+)*(:[0-9]+)?", re.IGNORECASE)


@dataclass(frozen=True)
class Offer(Vendor):
    """Sharespine without its calls."""

    slug: ClassVar[str] = "sharespine"
    name: ClassVar[str] = "Sharespine"
    opens: ClassVar[Literal["same-tab", "new-tab", "nothing"]] = "new-tab"
    summary: ClassVar[Text] = text(
        "We create your Sharespine account. You set up your shop on Sharespine, then come back"
        " and tell us that you have finished."
    )
    prerequisites: ClassVar[Text] = text(
        "The web address of your shop, and an administrator login for it."
    )
    shared_data: ClassVar[tuple[Text, ...]] = (
        text("The name of your business"),
        text("Your name and email address"),
    )
    reads: ClassVar[tuple[Text, ...]] = (
        text("Whether data flows at Sharespine: that orders have arrived, and when."),
        text(
            "We count orders and note the time of the newest one. We keep nothing of what is in them."
        ),
        text("You give Sharespine access to your shop on Sharespine’s own pages."),
    )
    purpose: ClassVar[tuple[Text, ...]] = (
        text("To exchange data between your shop and us through Sharespine."),
        text("Your name and email address become your login there."),
    )
    checklist: ClassVar[tuple[ChecklistItem, ...]] = (
        ChecklistItem(
            text("Creating the data connection"),
            ("tenant", "user", "api_user", "connection"),
            note=text("The data connection was created."),
        ),
        ChecklistItem(text("Set up your shop on Sharespine"), ("set-up",)),
    )
    erase_business: ClassVar[str] = (
        "Delete the tenant, with its users and all data in it: the account’s page has the action, or"
        " ask Sharespine to do it."
    )
    erase_person: ClassVar[str] = (
        "The tenant’s user may have this person’s name and email address. Ask Sharespine to give the"
        " user those of an owner who stays, or to delete it."
    )
    creations: ClassVar[Mapping[str, Text]] = {
        "tenant": text(
            "Look at Sharespine for a tenant with this merchant’s reference, and"
            " enter its code name."
        ),
        "user": text(
            "Look in the tenant for the user that is named in the facts, and enter its login."
        ),
        "api_user": text("Look in the tenant for the user “api”, and enter its login."),
        "connection": text(
            "Look in the tenant for a connection of the type “api”, and enter its id."
        ),
    }
    unsure_notes: ClassVar[Mapping[str, UnsureNotes]] = {
        "tenant": UnsureNotes(
            no_answer=text(
                "We are checking whether Sharespine created your account. This way"
                " you don’t get two."
            ),
            unreadable=text(
                "We could not read Sharespine’s answer. We are checking whether it"
                " created your account."
            ),
        ),
        "user": UnsureNotes(
            no_answer=text(
                "We are checking whether Sharespine created your login. This way you don’t get two."
            ),
            unreadable=text(
                "We could not read Sharespine’s answer. We are checking whether it created your"
                " login."
            ),
        ),
        **dict.fromkeys(
            ("api_user", "connection"),
            UnsureNotes(
                no_answer=text(
                    "We are checking whether Sharespine created your data connection."
                    " This way you don’t get two."
                ),
                unreadable=text(
                    "We could not read Sharespine’s answer. We are checking whether"
                    " it created your data connection."
                ),
            ),
        ),
    }

    api_url: str
    username: str
    password: str = field(repr=False)
    reseller: str
    contact: str
    login_hosts: tuple[str, ...] = (".plugboard.io",)
    options: tuple[str, ...] = ()
    permissions: tuple[str, ...] = ()
    language: str = "swe"
    languages: tuple[str, ...] = ("swe",)
    configuration: Mapping[str, Json] = field(default_factory=dict)
    path: str = "/"
    manage: bool = False

    # -- settings --------------------------------------------------------------------------------

    def problems(self) -> tuple[tuple[str, str], ...]:
        hosts = self.login_hosts and all(HOST.fullmatch(host) for host in self.login_hosts)
        return named_problems(self.slug, {
            "api_url": address_problem(self.api_url),
            "contact": "" if CONTACT.fullmatch(self.contact) else "must be an email address",
            "reseller": header_problem(self.reseller),
            "login_hosts": "" if hosts else "must be host names with commas, like .plugboard.io",
            "username": basic_username_problem(self.username),
            "path": "" if self.path.startswith("/") else "must begin with a slash",
        })  # fmt: skip

    def domains(self) -> tuple[str, ...]:
        """Ports of login hosts are ignored: the login pages may be on any port of such a host."""
        return tuple(host.partition(":")[0] for host in self.login_hosts)

    def addresses(self) -> tuple[str, ...]:
        return (self.api_url,)

    def on_disconnect(self, *, last: bool) -> tuple[Text, ...]:
        if not last:
            return (
                text("Data exchange at Sharespine stays on, because your other shops use it."),
                text("To finish, remove this shop on Sharespine’s pages, so that no data flows."),
            )
        kept = text("Nothing is deleted there. You can connect the shop again later.")
        return (self._switching_off(), kept)

    def on_pause(self, *, last: bool) -> tuple[Text, ...]:
        if not last:
            return (
                text("Data exchange at Sharespine stays on, because your other shops use it."),
                text("Pause this shop on Sharespine’s pages too, so that no data flows."),
            )
        return (self._switching_off(),)

    def _switching_off(self) -> Text:
        if self.manage:
            return text(
                "We switch off data exchange at Sharespine. If that fails, our staff will ask Sharespine"
                " to do it."
            )
        return text(
            "Our staff will ask Sharespine to switch off data exchange. Until then, data may still flow."
        )

    def client(self) -> Client:
        return connect(
            api_url=self.api_url, username=self.username, password=self.password,
            reseller=self.reseller, contact=self.contact,
        )  # fmt: skip

    # -- connectors ------------------------------------------------------------------------------

    def connectors(self) -> tuple[Entry, ...]:
        """One generic entry. Staff may add named ones, with the options `path` and `options`."""
        words = text("WooCommerce, Magento and many more: you choose yours on Sharespine’s pages.")
        entry = Entry(
            key="shop", name=text("another shop system").id, platform="sharespine",
            description=words.id, position=900, any_shop=True,
        )  # fmt: skip
        return (entry,)
