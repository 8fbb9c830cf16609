"""What Capillary offers, what merchants read about it and can do, and what an operator sets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from vendors.contract import (
    Action,
    ChecklistItem,
    Entry,
    Question,
    Text,
    UnsureNotes,
    Vendor,
    VendorError,
    named_problems,
    text,
)
from vendors.http.settings import api_url_problem, basic_username_problem

from . import profile
from .client import Client, Scope
from .memo import ClientMemo

CLIENT = "client"  # the only creation
CREDENTIALS = {"oauth": ("key", "secret"), "basic": ("username", "password")}
MERCHANT_ACTIONS = (
    Action(
        key="rotate",
        label=text("Get a new key and secret"),
        explain=text(
            "Use this if you lost your secret, or if somebody else saw it. Your"
            " current key keeps working until you tell us that the new one works. A"
            " new key that you never confirmed is deleted."
        ),
        who="merchant",
        on="connection",
    ),
    Action(
        key="retire",
        label=text("My new key works: delete the old one"),
        explain=text("Everything that still uses the old key stops working at once."),
        who="merchant",
        on="connection",
        danger=True,
        when=lambda live: bool(ClientMemo(live.connection).old_keys),
    ),
    Action(
        key="rescope",
        label=text("Update your key’s permissions"),
        explain=text(
            "We update your key’s permissions to the current set. Your key and secret"
            " stay the same."
        ),
        who="merchant",
        on="connection",
        connectors=text("Which permissions should your key have?"),
    ),
)


@dataclass(frozen=True)
class Offer(Vendor):
    """Capillary without its calls. Which credentials are needed depends on `auth`."""

    slug: ClassVar[str] = "capillary"
    name: ClassVar[str] = "Capillary"
    opens: ClassVar[Literal["same-tab", "new-tab", "nothing"]] = "nothing"
    serial: ClassVar[bool] = True  # the organisation has room for 15 clients
    summary: ClassVar[Text] = text(
        "We create a key and secret for you at Capillary and test them. You see them"
        " here until you confirm that you saved them."
    )
    prerequisites: ClassVar[Text] = text(
        "A safe place for a key and a secret, such as a password manager. You need no"
        " Capillary account."
    )
    shared_data: ClassVar[tuple[Text, ...]] = (
        text("The name of your business"),
        text("The name you give this connection"),
    )
    reads: ClassVar[tuple[Text, ...]] = (
        text("Only whether your key is valid. We read none of your data at Capillary."),
    )
    purpose: ClassVar[tuple[Text, ...]] = (
        text("To give your shop or till a key to Capillary’s API."),
        text("The names tell your key apart from the keys of others at Capillary."),
    )
    checklist: ClassVar[tuple[ChecklistItem, ...]] = (
        ChecklistItem(text("Creating your key"), (CLIENT,), note=text("Your key was created.")),
        ChecklistItem(
            text("Testing the key and secret"),
            ("token",),
            note=text("The key and secret were tested: they work."),
        ),
    )
    erase_business: ClassVar[str] = (
        "The API clients are marked as invalid, not deleted. Ask Capillary to delete them, with their"
        " names and descriptions."
    )
    erase_person: ClassVar[str] = ""  # Capillary gets nothing of a person from us
    creations: ClassVar[Mapping[str, Text]] = {
        CLIENT: text(
            "Look at Capillary for an API client with this connection’s reference in"
            " its description, and enter its client key. We delete it and create a new"
            " one."
        )
    }
    unsure_notes: ClassVar[Mapping[str, UnsureNotes]] = {
        CLIENT: UnsureNotes(
            no_answer=text(
                "We are checking whether Capillary created your key. This way you don’t get two."
            ),
            unreadable=text(
                "We could not read Capillary’s answer. We are checking whether it created your key."
            ),
        ),
    }

    api_url: str
    auth: str = "oauth"
    key: str = ""
    secret: str = field(default="", repr=False)
    username: str = ""
    password: str = field(default="", repr=False)
    till_id: int = 0

    def problems(self) -> tuple[tuple[str, str], ...]:
        found = {"api_url": api_url_problem(self.api_url, version="/v3")}
        if self.auth not in CREDENTIALS:
            found["auth"] = "must be oauth or basic"
        if self.auth == "basic":
            found["username"] = basic_username_problem(self.username)
        for name in CREDENTIALS.get(self.auth, ()):
            if not getattr(self, name).strip():
                found[name] = f"must be set: CAPILLARY_AUTH is {self.auth}"
        if self.till_id < 0:
            found["till_id"] = "must be the id of a till"
        return named_problems(self.slug, found)

    def domains(self) -> tuple[str, ...]:
        """The merchant is sent nowhere."""
        return ()

    def addresses(self) -> tuple[str, ...]:
        return (self.api_url,)

    def on_disconnect(self, *, last: bool) -> tuple[Text, ...]:
        return (
            text("Your key is deleted at Capillary and stops working at once."),
            text("If you connect again, you get a new key and secret."),
            text("To finish, remove the key and secret from wherever you entered them."),
        )

    def client(self) -> Client:
        return Client(
            api_url=self.api_url, auth=self.auth, key=self.key, secret=self.secret,
            username=self.username, password=self.password,
        )  # fmt: skip

    # -- connectors ------------------------------------------------------------------------------

    def connectors(self) -> tuple[Entry, ...]:
        """Access to the API. Each profile of scopes that staff define is a connector of this key."""
        words = text("A key and a secret with which your shop or till talks to Capillary.")
        entry = Entry(
            key="api", name="Capillary API access", platform="capillary", description=words.id,
            category="loyalty",
        )  # fmt: skip
        return (entry,)

    def connector_questions(self, connector: str) -> tuple[Question, ...]:
        """Asks Capillary for its scopes, at most once in ten minutes."""
        return profile.questions(self._scopes(), self.till_id)

    def check_options(self, answers: Mapping[str, str]) -> Mapping[str, Text]:
        return profile.faults(answers, self._scopes(), self.till_id)

    def actions(self) -> tuple[Action, ...]:
        return MERCHANT_ACTIONS

    def _scopes(self) -> tuple[Scope, ...]:
        """For a form, which needs some: the documented ones if Capillary does not answer."""
        try:
            return tuple(self.client().cached_scopes()) or profile.DOCUMENTED
        except VendorError:
            return profile.DOCUMENTED
