"""What merchants and staff read about Sharespine, and what an operator sets."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from vendors.contract import Action, Entry, Question, Text, Vendor, text
from vendors.http.hosts import address_problem

from .client import knock

CONTACT = re.compile(r"[!-'*-?A-~]+@[!-'*-?A-~]+")  # stands in a header, between parentheses
HOST = re.compile(r"\.?[a-z0-9-]+(\.[a-z0-9-]+)*(:[0-9]+)?", re.IGNORECASE)
DELETE = "delete-tenant"
CODE_NAME = Question(
    key="code_name", label=text("The code name of the tenant, exactly as it stands in the account")
)
STATE = Question(
    key="state",
    label=text("Is it still there?"),
    choices=(
        ("there", text("Yes: delete it")),
        ("gone", text("No: Sharespine has deleted it, forget it here too")),
    ),
    initial="there",
)


@dataclass(frozen=True)
class Offer(Vendor):
    """Sharespine without its calls."""

    slug: ClassVar[str] = "sharespine"
    name: ClassVar[str] = "Sharespine"
    summary: ClassVar[Text] = text(
        "We prepare a space for you at Sharespine and sign you in there. You set up your shop on"
        " Sharespine's pages, then come back here and tell us that you have finished."
    )
    at_hand: ClassVar[Text] = text(
        "The address of your shop, and a sign-in with administrator rights for it."
    )
    shares: ClassVar[tuple[Text, ...]] = (
        text("the name of your business"),
        text("your name and your e-mail address"),
    )
    checklist: ClassVar[tuple[tuple[str, Text], ...]] = (
        ("tenant", text("Your space at Sharespine is made")),
        ("user", text("Your sign-in there is made")),
        ("api_user", text("A sign-in for the exchange of data is made")),
        ("connection", text("The connection for the exchange of data is made")),
        ("login", text("The door to Sharespine is open")),
    )
    creations: ClassVar[Mapping[str, Text]] = {
        "tenant": text(
            "Look at Sharespine for a tenant with this merchant's reference,"
            " and enter its code name."
        ),
        "user": text(
            "Look in the tenant for the user that is named in the facts, and enter its login."
        ),
        "api_user": text("Look in the tenant for the user “api”, and enter its login."),
        "connection": text(
            "Look in the tenant for a connection of the type “api”, and enter its id."
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
    configuration: Mapping[str, Any] = field(default_factory=dict)
    path: str = "/"
    manage: bool = False

    # -- settings --------------------------------------------------------------------------------

    def problems(self) -> tuple[tuple[str, str], ...]:
        hosts = self.login_hosts and all(HOST.fullmatch(host) for host in self.login_hosts)
        found = {
            "API_URL": address_problem(self.api_url),
            "CONTACT": "" if CONTACT.fullmatch(self.contact) else "must be an e-mail address",
            "RESELLER": "" if re.fullmatch(r"[!-~]+", self.reseller) else "must be plain ASCII",
            "LOGIN_HOSTS": "" if hosts else "must be host names with commas, like .plugboard.io",
            "USERNAME": "must not hold a colon" if ":" in self.username else "",
            "PATH": "" if self.path.startswith("/") else "must begin with a slash",
        }
        return tuple((f"SHARESPINE_{name}", words) for name, words in found.items() if words)

    def domains(self) -> tuple[str, ...]:
        """Ports of login hosts are ignored: the login pages may be on any port of such a host."""
        return tuple(host.partition(":")[0] for host in self.login_hosts)

    def addresses(self) -> tuple[str, ...]:
        return (self.api_url,)

    def knock(self) -> None:
        """Of the Reseller API only calls that make something are documented."""
        knock(self.api_url, self.contact)

    def connectors(self) -> tuple[Entry, ...]:
        """One generic entry. Staff may add named ones, with the options `path` and `options`."""
        words = "WooCommerce, Magento and many more: you choose yours on Sharespine's pages."
        name = "Any other shop system"
        entry = Entry(key="shop", name=name, platform="sharespine", description=words, position=900)
        return (entry,)

    def staff_questions(self) -> tuple[Question, ...]:
        question = Question(
            key="api_password",
            label=text("Password of the user “api” at Sharespine"),
            help=text(
                "No call gives it to us: ask Sharespine for it, or set it there. With it we can ask"
                " Sharespine whether the shop is connected, and count its orders."
            ),
            required=False,
            secret=True,
        )
        return (question,)

    def actions(self) -> tuple[Action, ...]:
        delete = Action(
            key=DELETE,
            label=text("Delete the space at Sharespine"),
            explain=text(
                "Sharespine deletes the tenant and all data in it, for every shop of this merchant."
                " This cannot be taken back. To let a shop rest, pause or disconnect it instead."
            ),
            on="account",
            questions=(CODE_NAME, STATE),
            danger=True,
        )
        return (delete,)
