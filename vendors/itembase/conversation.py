"""One call's talk with itembase: its draft, and the merchant's sign-in there.

The connection's draft keeps: `links` (state → what its return must bring; older states of the
attempt stay good), `before` (shops that were there when the merchant last decided), `came_back`
(from the process page), `instance` (the chosen shop), `activation` ("out": at that page, "back":
returned from it), `wrong_user` (the state that brought one), `looks` (how often in vain).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from vendors.contract import Declined, Order, Progress, Redirect, Refused, Step, text

from .client import Client
from .returns import stopped
from .signin import SignIn, signed_in, signed_out


@dataclass
class Conversation:
    """One call with its order. `component_ids` is the environment's table: connector → id."""

    client: Client
    component_ids: Mapping[str, int]
    order: Order
    draft: dict[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        self.draft = dict(self.order.memos.connection)

    def _remember(self, state: str, **link: Any) -> None:
        links = self.draft.get("links", {})
        self.draft["links"] = {**links, state: {**links.get(state, {}), **link}}
        self.draft["looks"] = 0

    def _settled(self) -> bool:
        """Whether a shop depends on the account: then it stays with its itembase user."""
        return bool(self.order.account_key and (self.order.siblings or self.order.shop_id))

    def _ask_to_sign_in(self) -> Redirect:
        """This address creates nothing, so it needs no merchant, only a state of its own."""
        if not self.order.state:
            return Redirect(url="", connection=self.draft)
        self._remember(self.order.state, kind="oauth")
        url = self.client.authorize_url(self.order.back, self.order.state)
        return Redirect(url=url, connection=self.draft)

    def _from_oauth(self, params: Mapping[str, str], state: str) -> Step:
        """The exchange is the last act of its call: a code works once."""
        if "stale" in self.draft["links"][state]:
            return self._ask_to_sign_in() if self.order.present else Redirect(url="")
        if params.get("error"):
            return stopped(params["error"])
        if not params.get("code"):
            return Declined(note=text("You came back from itembase without signing in there."))
        try:
            grant = self.client.exchange(params["code"], self.order.back)
        except Refused as refusal:
            if refusal.code != "invalid_grant":
                raise
            # One button, not another hop at once: a browser could be sent round for ever.
            self._remember(state, stale=True)
            return Redirect(url="", connection=self.draft)
        self._remember(state, done=True)
        account = signed_in(grant, self.order.now).memo()
        return Progress(account=account, connection=self.draft)

    def _identify(self, sign_in: SignIn, state: str) -> Step:
        """Whose tokens these are. Another user's are forgotten before anybody is told."""
        user = self.client.me(sign_in.access).uuid
        if user == self.order.account_key or not self._settled():
            account = sign_in.of(user).memo()
            return Progress(
                account=account, account_key=user, promote=True, connection=self.draft,
                done=("sign-in",),
            )  # fmt: skip
        self.draft.pop("came_back", None)
        self.draft["wrong_user"] = state
        return Progress(account=signed_out(self.order), connection=self.draft)

    def _signed(self, sign_in: SignIn, act: Callable[[], Step], lost: Step | None = None) -> Step:
        """Act with the access token; an expired one is renewed first, and the call made again."""
        if not sign_in.expired(self.order.now):
            try:
                return act()
            except Refused as refusal:
                if refusal.status != 401 or sign_in.young(self.order.now):
                    raise
        return self._renew(sign_in, lost or Progress(account=signed_out(self.order)))

    def _renew(self, sign_in: SignIn, lost: Step) -> Step:
        """It works once: the new one is saved at once, for all shops of the account."""
        if not sign_in.refresh:
            return lost
        try:
            grant = self.client.refresh(sign_in.refresh)
        except Refused as refusal:
            if refusal.code != "invalid_grant":
                raise
            return lost
        renewed = sign_in.renewed(grant, self.order.now)
        return Progress(account=renewed.memo(), promote=bool(sign_in.user))
