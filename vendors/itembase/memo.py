"""itembase's memos: the merchant's sign-in (account), and how far an attempt has come (connection).

The account's memo is `{"access", "refresh", "at", "until", "user"}` (see `SignIn`), with `"renewed"` if
the tokens came by a renewal, or `{"at"}` alone
once its tokens no longer work. The memo of a connected shop is `{"instance": its id}`; the draft of
an attempt has the keys that `Draft` lists.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from vendors.contract import JsonObject, Memo, Order
from vendors.http.times import lifetime

from .client import Grant

ACCESS_SECONDS = 3600  # the shortest lifetime the guide names, for a reply without `expires_in`
FRESH_SECONDS = 10  # in which a renewed token is not renewed again


@dataclass(frozen=True, kw_only=True)
class SignIn:
    """OAuth tokens and whose they are; `user` is "" until itembase was asked. Times: POSIX seconds.

    `is_renewed`: they came by a renewal, not by a sign-in of the merchant.
    """

    access: str = field(repr=False)
    refresh: str = field(repr=False)
    issued_at: float
    expires_at: float
    user: str = ""
    is_renewed: bool = False

    @classmethod
    def granted(cls, grant: Grant, now: datetime, *, old_refresh: str = "") -> SignIn:
        """A lifetime of no time would be renewed for ever: it is at least a second."""
        return cls(
            access=grant.access_token,
            refresh=grant.refresh_token or old_refresh,
            issued_at=now.timestamp(),
            expires_at=now.timestamp() + lifetime(grant.expires_in, ACCESS_SECONDS, floor=1),
        )

    @classmethod
    def read(cls, memo: Memo) -> SignIn | None:
        if not memo.get("access"):
            return None
        return cls(
            access=memo["access"], refresh=memo["refresh"], user=memo["user"],
            issued_at=memo["at"], expires_at=memo["until"], is_renewed="renewed" in memo,
        )  # fmt: skip

    def memo(self) -> JsonObject:
        return {
            "access": self.access, "refresh": self.refresh, "user": self.user,
            "at": self.issued_at, "until": self.expires_at,
            **({"renewed": True} if self.is_renewed else {}),
        }  # fmt: skip

    def of(self, user: str) -> SignIn:
        return replace(self, user=user)

    def renewed(self, grant: Grant, now: datetime) -> SignIn:
        """A refresh token that the reply leaves out stays valid (RFC 6749, section 6)."""
        granted = SignIn.granted(grant, now, old_refresh=self.refresh)
        return replace(granted, user=self.user, is_renewed=True)

    def is_just_renewed(self, now: datetime) -> bool:
        """Renewed a moment ago, and not expired: another renewal would not help."""
        is_young = now.timestamp() - self.issued_at < FRESH_SECONDS
        return self.is_renewed and is_young and not self.is_expired(now)

    def is_expired(self, now: datetime) -> bool:
        return now.timestamp() >= self.expires_at


def signed_out(now: datetime) -> JsonObject:
    """A memo without its dead tokens; its time lets a sibling's later sign-in win."""
    return {"at": now.timestamp()}


def current_sign_in(order: Order) -> SignIn | None:
    """The newest sign-in: the attempt's own, or the live one if a sibling renewed it since."""
    draft, live = order.memos.account, order.live.account
    return SignIn.read(live if _issued_at(live) > _issued_at(draft) else draft)


def _issued_at(memo: Memo) -> float:
    return float(memo.get("at", 0))


def connected_memo(instance_id: str) -> JsonObject:
    """The memo of a connected shop."""
    return {"instance": instance_id}


class Draft:
    """The connection's draft of one attempt, which one call reads and changes.

    links        state → what its return must bring; older states of the attempt stay good
    before       ids of the shops that itembase listed when the merchant last decided; None if they could
                 not be listed then
    seen         id → when itembase first listed this shop in this attempt (POSIX seconds)
    known        the itembase user was known here before this attempt
    came_back    the merchant has returned from the process page
    instance     id of the chosen shop
    activation   "out": the merchant is at the activation page; "back": they returned from it
    wrong_user   the state that brought another itembase user
    looks        how many checks in a row found nothing
    """

    def __init__(self, memo: Memo) -> None:
        self._fields: JsonObject = dict(memo)

    def memo(self) -> JsonObject:
        return dict(self._fields)

    # -- links -------------------------------------------------------------------------------

    def link(self, state: str) -> Memo:
        """What was noted for the link with this state; {} for a state of nobody."""
        found: Memo = self._fields.get("links", {}).get(state, {})
        return found

    def note_link(self, state: str, **facts: object) -> None:
        """Add to what is noted for this state: `kind`, `token`, `done`, `lost`, `stale`."""
        links = self._fields.get("links", {})
        self._fields["links"] = {**links, state: {**links.get(state, {}), **facts}}
        self._fields["looks"] = 0

    @property
    def has_signed_in(self) -> bool:
        """Whether the merchant has signed in during this attempt."""
        links = self._fields.get("links", {}).values()
        return any(link.get("kind") == "oauth" and "done" in link for link in links)

    # -- the merchant ------------------------------------------------------------------------

    @property
    def came_back(self) -> bool:
        return "came_back" in self._fields

    def note_came_back(self) -> None:
        self._fields["came_back"] = True

    def forget_came_back(self) -> None:
        self._fields.pop("came_back", None)

    def is_wrong_user(self, state: str) -> bool:
        return bool(state) and self._fields.get("wrong_user") == state

    def note_wrong_user(self, state: str) -> None:
        self._fields["wrong_user"] = state

    # -- the shop ----------------------------------------------------------------------------

    @property
    def instance(self) -> str:
        return str(self._fields.get("instance") or "")

    def choose(self, instance_id: str) -> None:
        self._fields["instance"] = instance_id

    def forget_choice(self) -> None:
        self._fields.pop("instance", None)

    @property
    def listed_before(self) -> list[str]:
        return list(self._fields.get("before") or ())

    @property
    def was_listed(self) -> bool:
        """Whether it is known which shops were there before the merchant left."""
        return self._fields.get("before") is not None

    def first_seen(self, instance_id: str, now: datetime) -> datetime:
        """When itembase first listed this shop in this attempt; noted, so that it stays the same."""
        seen = {instance_id: now.timestamp(), **self._fields.get("seen", {})}
        self._fields["seen"] = seen
        return datetime.fromtimestamp(seen[instance_id], UTC)

    def note_listed(self, instance_ids: list[str]) -> None:
        self._fields["before"] = instance_ids

    def note_nothing_listed(self) -> None:
        """For a merchant without a sign-in, whose shops cannot be listed yet."""
        self._fields.setdefault("before", None)

    @property
    def is_user_known(self) -> bool:
        return "known" in self._fields

    def note_known_user(self) -> None:
        self._fields["known"] = True

    @property
    def empty_checks(self) -> int:
        return int(self._fields.get("looks", 0))

    def count_empty_check(self) -> None:
        self._fields["looks"] = self.empty_checks + 1

    # -- activation --------------------------------------------------------------------------

    @property
    def activation(self) -> str:
        return str(self._fields.get("activation") or "")

    def note_activation_left(self, instance_id: str) -> None:
        self._fields.update(activation="out", looks=0, instance=instance_id)

    def note_activation_returned(self) -> None:
        self._fields["activation"] = "back"
