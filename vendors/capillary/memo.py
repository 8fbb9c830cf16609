"""Capillary's memo: the API client of a connection. The account has none.

    key                   of the client, which the merchant uses
    name                  of the client, without a number
    number                how many clients this connection has had
    scopes, expiry, till  the client's profile (see `Profile.memo`)
    old                   keys that still work beside `key`

A draft has these too:

    secret       from the creation until it is revealed
    spare        a key to be deleted once the new one works
    warned       a name that is taken, about which the merchant was warned
    lost         how many answers of creations were lost
    not_before   POSIX seconds: no creation before, because a lost one may still arrive
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from vendors.contract import JsonObject, Memo, Order
from vendors.contract.backoff import pause_after

from .profile import Profile

LONGEST_PAUSE = timedelta(hours=1)
LIVE = ("key", "name", "number", "scopes", "expiry", "till", "old")


class ClientMemo:
    """Reads the memo of a working connection. What changes it returns the new memo."""

    def __init__(self, fields: Memo) -> None:
        self._fields = fields

    @classmethod
    def live(cls, order: Order) -> ClientMemo:
        return cls(order.live.connection)

    @property
    def key(self) -> str:
        """Empty if the connection has no client."""
        return str(self._fields.get("key") or "")

    @property
    def name(self) -> str:
        return str(self._fields["name"])

    @property
    def old_keys(self) -> list[str]:
        return list(self._fields.get("old", ()))

    @property
    def profile(self) -> Profile:
        return Profile.from_memo(self._fields)

    def unchanged(self) -> JsonObject:
        return dict(self._fields)

    def without_old_keys(self) -> JsonObject:
        return {**self._fields, "old": []}

    def with_profile(self, profile: Profile, name: str = "") -> JsonObject:
        """`name`: a new one, or "" for the same."""
        return {**self._fields, **profile.memo(), "name": name or self.name}

    def next_draft(self) -> Draft:
        """For another client of the same connection, which keeps its name."""
        fields = {"number": self._fields.get("number", 0) + 1, "old": self.old_keys}
        return Draft({**fields, "name": self.name} if "name" in self._fields else fields)


class Draft:
    """The draft of one attempt, which one call reads and changes."""

    def __init__(self, fields: Memo) -> None:
        self._fields: JsonObject = dict(fields)

    def memo(self) -> JsonObject:
        return dict(self._fields)

    @property
    def is_empty(self) -> bool:
        return not self._fields

    # -- before the creation ---------------------------------------------------------------------

    @property
    def name(self) -> str:
        return str(self._fields["name"])

    @property
    def number(self) -> int:
        return int(self._fields["number"])

    def rename(self, name: str) -> None:
        self._fields["name"] = name

    def name_if_new(self, name: str) -> None:
        self._fields.setdefault("name", name)

    @property
    def is_warned(self) -> bool:
        """Whether the merchant was warned that this name is taken."""
        return "name" in self._fields and self.name == self._fields.get("warned")

    def note_warned(self) -> None:
        self._fields["warned"] = self.name

    def replace_key(self, key: str) -> None:
        """The merchant's key stays beside the new one."""
        self._fields["old"] = [key]

    def note_spare(self, key: str) -> None:
        self._fields["spare"] = key

    # -- a lost answer ---------------------------------------------------------------------------

    @property
    def lost_answers(self) -> int:
        return int(self._fields.get("lost", 0))

    @property
    def paused_until(self) -> datetime | None:
        seconds = self._fields.get("not_before")
        return None if seconds is None else datetime.fromtimestamp(seconds, UTC)

    def count_lost_answer(self) -> None:
        self._fields["lost"] = self.lost_answers + 1

    def pause(self, now: datetime) -> None:
        """Longer with each lost answer, because each may cost Capillary a client."""
        pause = pause_after(self.lost_answers, longest=LONGEST_PAUSE)
        self._fields["not_before"] = (now + pause).timestamp()

    # -- after the creation ----------------------------------------------------------------------

    @property
    def key(self) -> str:
        """Empty until a client is created."""
        return str(self._fields.get("key") or "")

    @property
    def secret(self) -> str:
        """Empty until a client is created."""
        return str(self._fields.get("secret") or "")

    @property
    def expiry(self) -> int:
        return int(self._fields["expiry"])

    @property
    def old_keys(self) -> list[str]:
        return list(self._fields["old"])

    def created(self, profile: Profile, key: str, secret: str) -> JsonObject:
        """The draft after a creation."""
        return {**self._fields, **profile.memo(), "key": key, "secret": secret}

    def take_spare(self) -> str:
        return str(self._fields.pop("spare", ""))

    def note_undeleted(self, key: str) -> None:
        self._fields["old"] = [*self.old_keys, key]

    def live_memo(self) -> JsonObject:
        """The memo of the working connection: without the secret."""
        return {name: self._fields[name] for name in LIVE}
