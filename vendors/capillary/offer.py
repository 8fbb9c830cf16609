"""What merchants and staff read about Capillary, what an operator sets, and what can be done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from vendors.contract import Action, Entry, Question, Text, Vendor, VendorError, text
from vendors.http.hosts import address_problem

from . import profile
from .client import Client, Scope

CLIENT = "client"  # the one thing that is made
NEEDED = {"oauth": ("key", "secret"), "basic": ("username", "password")}
SCOPES_HELP = text(
    "One or several: number, permission, patterns of paths; a semicolon between them."
    " 1 READWRITE .*v3/targetGroups.*; 2 WRITE"
)


def _change(required: bool) -> tuple[Question, ...]:
    """What of a client can be changed. What is left empty stays, but Capillary tells no resources."""
    return (
        Question(key="name", label=text("Name"), required=False),
        Question(key="description", label=text("Description"), required=False),
        *profile.number_questions("", "", till_needed=False),
        Question(key="scopes", label=text("Scopes"), help=SCOPES_HELP, required=required),
    )


ACTIONS = (
    Action(
        key="rotate",
        label=text("Get a new key and secret"),
        explain=text(
            "For a secret that is lost or was seen by others. The key that you use goes on working"
            " until you tell us that the new one works. If you have asked before and did not tell"
            " us so, the key that you got then is deleted."
        ),
        who="merchant",
        on="connection",
    ),
    Action(
        key="retire",
        label=text("The new key works: delete the old one"),
        explain=text("Whatever still uses the old key stops working at once."),
        who="merchant",
        on="connection",
        danger=True,
        when=lambda live: bool(live.connection.get("old")),
    ),
    Action(
        key="rescope",
        label=text("Change what your key opens"),
        explain=text(
            "Your key and secret stay the same. What they open is set anew, as it is offered now."
        ),
        who="merchant",
        on="connection",
        connectors=text("What shall your key open?"),
    ),
    Action(
        key="edit",
        label=text("Change the API client"),
        explain=text("What you leave empty stays as it is."),
        on="connection",
        questions=_change(required=False),
    ),
    Action(
        key="clients",
        label=text("Show all API clients"),
        explain=text("All that Capillary lists for your organisation, also deleted ones."),
        on="vendor",
    ),
    Action(
        key="edit-client",
        label=text("Change the chosen API client"),
        explain=text(
            "For one that was not made here. Its scopes are replaced: enter all of them, with their"
            " resources, which Capillary does not tell. What else you leave empty stays as it is."
        ),
        on="vendor",
        questions=_change(required=True),
        hidden=True,
    ),
    Action(
        key="delete-client",
        label=text("Delete an API client"),
        explain=text("Whatever uses its key stops working at once."),
        on="vendor",
        questions=(Question(key="key", label=text("Its client key, typed in full")),),
        danger=True,
    ),
)


@dataclass(frozen=True)
class Offer(Vendor):
    """Capillary without its calls. Which credentials are needed depends on `auth`."""

    slug: ClassVar[str] = "capillary"
    name: ClassVar[str] = "Capillary"
    leaves: ClassVar[bool] = False
    serial: ClassVar[bool] = True  # the organisation has room for 15 clients
    summary: ClassVar[Text] = text(
        "We make an API client for you at Capillary, try it out, and show you its key and its"
        " secret once. You need no sign-in at Capillary."
    )
    at_hand: ClassVar[Text] = text("A safe place for a key and a secret that are shown only once.")
    shares: ClassVar[tuple[Text, ...]] = (
        text("the name of your business"),
        text("the name that you give to this connection"),
    )
    checklist: ClassVar[tuple[tuple[str, Text], ...]] = (
        (CLIENT, text("Your API client is made")),
        ("token", text("Its key and secret were tried out")),
    )
    creations: ClassVar[Mapping[str, Text]] = {
        CLIENT: text(
            "Look at Capillary for an API client with this connection's reference in its"
            " description, and enter its client key: it is deleted and made anew."
        )
    }

    api_url: str
    auth: str = "oauth"
    key: str = ""
    secret: str = field(default="", repr=False)
    username: str = ""
    password: str = field(default="", repr=False)
    till_id: int = 0

    def problems(self) -> tuple[tuple[str, str], ...]:
        versioned = "must end before /v3" if self.api_url.endswith("/v3") else ""
        found = {"API_URL": address_problem(self.api_url) or versioned}
        if self.auth not in NEEDED:
            found["AUTH"] = "must be oauth or basic"
        for name in NEEDED.get(self.auth, ()):
            if not getattr(self, name).strip():
                found[name.upper()] = f"must be set: CAPILLARY_AUTH is {self.auth}"
        if self.auth == "basic" and ":" in self.username:
            found["USERNAME"] = "must not hold a colon"
        if self.till_id < 0:
            found["TILL_ID"] = "must be the id of a till"
        return tuple((f"CAPILLARY_{name}", words) for name, words in found.items() if words)

    def domains(self) -> tuple[str, ...]:
        """The merchant is sent nowhere."""
        return ()

    def addresses(self) -> tuple[str, ...]:
        return (self.api_url,)

    def probe(self) -> None:
        self._api().scopes()

    def connectors(self) -> tuple[Entry, ...]:
        """Access to the API. Each profile of scopes that staff define is a connector of this key."""
        words = "A key and a secret with which your shop or till talks to Capillary."
        entry = Entry(
            key="api", name="Capillary API access", platform="capillary", description=words,
            category="loyalty",
        )  # fmt: skip
        return (entry,)

    def connector_questions(self, connector: str) -> tuple[Question, ...]:
        """Asks Capillary for its scopes, at most once in ten minutes."""
        return profile.questions(self._scopes(), self.till_id)

    def check_options(self, answers: Mapping[str, str]) -> Mapping[str, Text]:
        return profile.faults(answers, self._scopes(), self.till_id)

    def actions(self) -> tuple[Action, ...]:
        return ACTIONS

    def _scopes(self) -> tuple[Scope, ...]:
        """For a form, which needs some: the documented ones while Capillary does not answer."""
        try:
            return tuple(self._api().known_scopes()) or profile.DOCUMENTED
        except VendorError:
            return profile.DOCUMENTED

    def _api(self) -> Client:
        return Client(
            api_url=self.api_url, auth=self.auth, key=self.key, secret=self.secret,
            username=self.username, password=self.password,
        )  # fmt: skip
