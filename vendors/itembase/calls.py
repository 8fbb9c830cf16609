"""One call at itembase: links, sign-in, and the search for the shop.

The connection's draft keeps: `links` (state → what its return must bring; older states of the
attempt stay good), `before` (shops that were there when the link was made), `came_back` (from the
process page), `instance` (the chosen shop), `looks` (how often we have looked for it in vain).
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from ..contract import (
    Connected,
    Declined,
    NeedsMerchant,
    Order,
    Progress,
    Redirect,
    Refused,
    Step,
    Waiting,
    text,
)
from . import stores
from .client import Client, Instance, Link, process_url
from .signin import SignIn, current, seconds, signed_in, signed_out

LINK_SECONDS = 1200  # what every sample of the guide says
OURS = {"invalid_request", "invalid_scope", "unauthorized_client", "unsupported_response_type"}


@dataclass
class Call:
    """One call with its order. `component_ids` is the environment's table: connector → id."""

    client: Client
    component_ids: Mapping[str, int]
    order: Order
    draft: dict[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        self.draft = dict(self.order.memos.connection)

    # -- the calls ---------------------------------------------------------------------------

    def start(self) -> Step:
        """The first link. What this attempt has already achieved is not asked for again."""
        if not self.order.present:
            return Redirect(url="")
        sign_in = current(self.order)
        if sign_in and sign_in.user:
            return self._signed(sign_in, lambda: self._link_signed_in(sign_in))
        if self._wanted() or "came_back" in self.draft:
            return self._ask_to_sign_in()
        self.draft.setdefault("before", [])
        return self._redirect(self.client.link_for_anyone(self._component_id()))

    def returned(self, params: Mapping[str, str]) -> Step:
        """`params`: what itembase appended, and the `state` that says which link it answers."""
        state = params.get("state", "")
        if self.draft.get("wrong_user") == state:
            raise _other_user()
        link = self.draft.get("links", {}).get(state, {})
        if link.get("kind") == "oauth" and "done" not in link:
            return self._from_oauth(params, state)
        if link.get("kind") == "process":
            if params.get("error"):
                return _stopped(params["error"])
            _compare(params, link["token"])
            self.draft["came_back"] = True
        return self._onward(state)

    def answered(self, answers: Mapping[str, str]) -> Step:
        sign_in = current(self.order)
        if sign_in is None or not sign_in.user:
            return self._ask_to_sign_in()
        return self._signed(sign_in, lambda: self._look(sign_in, answers.get("store", "")))

    def check(self) -> Step:
        sign_in = current(self.order)
        again = NeedsMerchant(code="sign-in", note=text("Sign in at itembase again."))
        if sign_in is None or not sign_in.user:
            return again if self._wanted() else Redirect(url="")
        return self._signed(sign_in, lambda: self._look(sign_in), lost=again)

    # -- links -------------------------------------------------------------------------------

    def _link_signed_in(self, sign_in: SignIn) -> Step:
        if wanted := self._wanted():
            return self._link_existing(sign_in, wanted)
        if "before" not in self.draft:
            self.draft["before"] = [shop.id for shop in self._shops(self._instances(sign_in))]
        elif "came_back" in self.draft and (found := self._found(self._instances(sign_in))):
            return self._carrying(found, sign_in)
        return self._redirect(self.client.link_for_user(sign_in.access, self._component_id()))

    def _link_existing(self, sign_in: SignIn, instance_id: str) -> Step:
        try:
            return self._redirect(self.client.link_for_instance(sign_in.access, instance_id))
        except Refused as refusal:
            if refusal.status != 404:
                raise
        return self._carrying(stores.gone(self.order.connector), sign_in)

    def _redirect(self, link: Link) -> Redirect:
        back = f"{self.order.back}?{urlencode({'state': self.order.state})}"
        life = timedelta(seconds=seconds(link.expires_in, LINK_SECONDS))
        self._remember(self.order.state, kind="process", token=link.token)
        return Redirect(
            url=process_url(link.uri, back),
            expires=self.order.now + life,
            connection=self.draft,
            done=("link",),
        )

    def _ask_to_sign_in(self) -> Redirect:
        """This address creates nothing, so it needs no merchant, only a state of its own."""
        if not self.order.state:
            return Redirect(url="", connection=self.draft)
        self._remember(self.order.state, kind="oauth")
        url = self.client.authorize_url(self.order.back, self.order.state)
        return Redirect(url=url, connection=self.draft)

    def _remember(self, state: str, **link: Any) -> None:
        links = self.draft.get("links", {})
        self.draft["links"] = {**links, state: {**links.get(state, {}), **link}}
        self.draft["looks"] = 0

    # -- signing in --------------------------------------------------------------------------

    def _from_oauth(self, params: Mapping[str, str], state: str) -> Step:
        """The exchange is the last act of its call: a code works once."""
        if "stale" in self.draft["links"][state]:
            return self._ask_to_sign_in() if self.order.present else Redirect(url="")
        if params.get("error"):
            return _stopped(params["error"])
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

    def _onward(self, state: str) -> Step:
        sign_in = current(self.order)
        if sign_in is None:
            return self._ask_to_sign_in()
        if not sign_in.user:
            return self._signed(sign_in, lambda: self._identify(sign_in, state))
        if self.order.purpose == "reconnect" and "came_back" not in self.draft:
            return self.start()
        return self._signed(sign_in, lambda: self._look(sign_in))

    def _identify(self, sign_in: SignIn, state: str) -> Step:
        """Whose tokens these are. Another user's are forgotten before anybody is told."""
        user = self.client.me(sign_in.access).uuid
        if self.order.account_key in ("", user):
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

    # -- the shop ----------------------------------------------------------------------------

    def _wanted(self) -> str:
        """The id of the shop, where it is known already: chosen in this attempt, or held."""
        held = self.order.shop or self.order.live.connection.get("instance", "")
        return str(self.draft.get("instance") or held)

    def _component_id(self) -> int:
        if component_id := self.component_ids.get(self.order.connector):
            return component_id
        note = text("itembase no longer offers this kind of shop.")
        raise Refused("unknown connector", who="staff", code="connector", note=note)

    def _instances(self, sign_in: SignIn) -> list[Instance]:
        return self.client.instances(sign_in.access, sign_in.user)

    def _shops(self, rows: list[Instance]) -> list[Instance]:
        return stores.of_component(rows, self._component_id())

    def _look(self, sign_in: SignIn, answer: str = "") -> Step:
        rows = self._instances(sign_in)
        step = self._found(rows, answer) or stores.none_yet(self.order.connector)
        return self._carrying(step, sign_in)

    def _found(self, rows: list[Instance], answer: str = "") -> Step | None:
        """The step for the one shop that is meant; None while itembase lists none."""
        if wanted := self._wanted():
            meant = [row for row in rows if row.id == wanted]
            if not meant:
                return stores.gone(self.order.connector)
        else:
            choice = stores.free(self._shops(rows), self.order, self.draft.get("before", []))
            meant = [row for row in choice if row.id == answer] if answer else choice
            if choice and len(meant) != 1:
                return stores.ask(choice, self.order.connector)
        return stores.judge(meant[0], rows, self.order.connector) if meant else None

    def _carrying(self, step: Step, sign_in: SignIn) -> Step:
        """The step with the memos that belong to it: `Connected` promotes both drafts."""
        if isinstance(step, Connected):
            return replace(step, account=sign_in.memo(), connection={"instance": step.shop})
        if step.connection_key:
            self.draft["instance"] = step.connection_key
        elif isinstance(step, NeedsMerchant):
            self.draft.pop("instance", None)
        if isinstance(step, Waiting):
            looks = int(self.draft.get("looks", 0))
            self.draft["looks"] = looks + 1
            step = replace(step, again=stores.again(looks))
        return replace(step, connection=self.draft)


def _compare(params: Mapping[str, str], token: str) -> None:
    """A return proves nothing, so none at all is fine; another attempt's token is not."""
    given = params.get("ibsstoken") or params.get("token") or token
    if not hmac.compare_digest(given.encode(), token.encode()):
        note = text(
            "itembase sent back something that does not belong to this attempt. Nothing was"
            " changed. Start again."
        )
        raise Refused("another token came back", who="merchant", code="token-mismatch", note=note)


def _stopped(error: str) -> Step:
    """The merchant came back with `error`: they said no, or something did not work there."""
    if any(word in error.lower() for word in ("denied", "cancel", "declin", "abort")):
        return Declined(note=text("You stopped at itembase. Nothing was connected."))
    if error in OURS:
        raise Refused(f"came back with {error}", who="staff", code=error)
    if "expire" in error.lower():
        note = text("The link to itembase was no longer valid. Start again to get a new one.")
        raise Refused("came back too late", who="merchant", code="expired", note=note)
    note = text("itembase could not finish this. Nothing was connected. Start again.")
    raise Refused("came back with an error", who="merchant", code="stopped", note=note)


def _other_user() -> Refused:
    note = text(
        "You signed in at itembase as another user than before. Nothing was changed. Sign out"
        " there, then start again and sign in as the user who connected your other shops."
    )
    return Refused("another itembase user", who="merchant", code="other-user", note=note)
