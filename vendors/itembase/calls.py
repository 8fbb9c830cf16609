"""One call at itembase: links, the choice of a shop, the search for it, and its activation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

from vendors.contract import Connected, NeedsMerchant, Redirect, Refused, Step, Waiting, text

from . import stores
from .client import Activation, Instance, Link, process_url
from .conversation import Conversation
from .returns import compare, other_user, stopped
from .signin import YEAR, SignIn, current, seconds

LINK_SECONDS = 1200  # what every sample of the guide says


class Call(Conversation):
    """The vendor's calls. Their names are the contract's."""

    def start(self) -> Step:
        """The first link. What this attempt has already achieved is not asked for again."""
        if not self.order.present:
            return Redirect(url="", connection=self.draft)
        sign_in = current(self.order)
        if sign_in and sign_in.user:
            return self._signed(sign_in, lambda: self._begin(sign_in))
        if self._wanted() or "came_back" in self.draft or self._settled():
            return self._ask_to_sign_in()
        self.draft.setdefault("before", [])
        return self._leave_by(self.client.link_for_anyone(self._component_id()))

    def returned(self, params: Mapping[str, str]) -> Step:
        """`params`: what itembase appended, and the `state` that says which link it answers.

        None at all: back from the activation page, which knows no state.
        """
        state = params.get("state", "")
        if state and self.draft.get("wrong_user") == state:
            raise other_user()
        link = self.draft.get("links", {}).get(state, {})
        if link.get("kind") == "oauth" and "done" not in link:
            return self._from_oauth(params, state)
        if link.get("kind") == "process":
            if params.get("error"):
                return self._stopped(params["error"])
            compare(params, link["token"])
            self.draft["came_back"] = True
        return self._onward(state)

    def answered(self, answers: Mapping[str, str]) -> Step:
        sign_in = current(self.order)
        if sign_in is None or not sign_in.user:
            return self._ask_to_sign_in()
        act = self._look if "came_back" in self.draft else self._chosen
        return self._signed(sign_in, lambda: act(sign_in, answers.get("store", "")))

    def check(self) -> Step:
        sign_in = current(self.order)
        again = NeedsMerchant(code="sign-in", note=text("Sign in at itembase again."))
        if sign_in is None or not sign_in.user:
            return again if self._wanted() else Redirect(url="")
        return self._signed(sign_in, lambda: self._look(sign_in), lost=again)

    # -- on the way --------------------------------------------------------------------------

    def _stopped(self, error: str) -> Step:
        """After a no the merchant may choose another shop."""
        step = stopped(error)
        self.draft.pop("instance", None)
        return replace(step, connection=self.draft)

    def _onward(self, state: str) -> Step:
        sign_in = current(self.order)
        if sign_in is None:
            return self._ask_to_sign_in()
        if not sign_in.user:
            return self._signed(sign_in, lambda: self._identify(sign_in, state))
        if "came_back" not in self.draft:
            return self.start()
        return self._signed(sign_in, lambda: self._look(sign_in, just_back=not state))

    def _begin(self, sign_in: SignIn) -> Step:
        """Examples 2 and 3: a shop that is there already, or a new one."""
        if self._taken(self._wanted()):
            self.draft.pop("instance", None)
        if wanted := self._wanted():
            return self._link_existing(sign_in, wanted)
        rows = self._instances(sign_in)
        if "came_back" in self.draft and (found := self._found(sign_in, rows)):
            return self._carrying(found, sign_in)
        self.draft.pop("came_back", None)
        if stores.free(self._shops(rows), self.order):
            return self._offer(rows)
        self._note_shops(rows)
        return self._link_new(sign_in)

    def _chosen(self, sign_in: SignIn, answer: str) -> Step:
        """The merchant's answer to `_offer`."""
        if not self.order.present:
            return Redirect(url="", connection=self.draft)
        if refusal := self._taken(answer):
            raise refusal
        rows = self._instances(sign_in)
        shops = self._shops(rows)
        if answer == stores.NEW and not self._new(shops):
            self.draft.pop("instance", None)
            return self._link_new(sign_in)
        if answer not in [shop.id for shop in shops]:
            return self._offer(rows)
        self.draft["instance"] = answer
        return self._link_existing(sign_in, answer)

    def _offer(self, rows: list[Instance]) -> Step:
        self._note_shops(rows)
        choice = stores.free(self._shops(rows), self.order)
        return replace(stores.offer(choice, self.order.connector), connection=self.draft)

    def _note_shops(self, rows: list[Instance]) -> None:
        self.draft["before"] = [shop.id for shop in self._shops(rows)]

    # -- links -------------------------------------------------------------------------------

    def _link_new(self, sign_in: SignIn) -> Step:
        return self._leave_by(self.client.link_for_user(sign_in.access, self._component_id()))

    def _link_existing(self, sign_in: SignIn, instance_id: str) -> Step:
        try:
            return self._leave_by(self.client.link_for_instance(sign_in.access, instance_id))
        except Refused as refusal:
            if refusal.status != 404:
                raise
        return self._carrying(stores.gone(self.order.connector), sign_in)

    def _leave_by(self, link: Link) -> Redirect:
        back = f"{self.order.back}?{urlencode({'state': self.order.state})}"
        life = timedelta(seconds=seconds(link.expires_in, LINK_SECONDS))
        self._remember(self.order.state, kind="process", token=link.token)
        return Redirect(
            url=process_url(link.uri, back),
            expires_at=self.order.now + life,
            connection=self.draft,
            done=("link",),
        )

    def _share(self, sign_in: SignIn, shop: Instance, just_back: bool) -> Step:
        """The operator's service is to be activated: once, and whenever the merchant goes on."""
        went = self.draft.get("activation")
        if just_back and went == "out":
            self.draft["activation"] = "back"
        elif self.order.present:
            self.draft.update(activation="out", looks=0, instance=shop.id)
            link = self.client.activation(sign_in.access)
            return Redirect(url=link.activation_url, expires_at=self._until(link), bare=True)
        elif not went and shop.status == stores.VALID:
            return Redirect(url="")
        return stores.not_shared_yet(shop, self.order.connector, self.draft.get("looks", 0))

    def _until(self, link: Activation) -> datetime | None:
        """None where it says nothing of use: a moment that is over, by whichever clock."""
        now = self.order.now.timestamp()
        if link.expires_at is None or not now < link.expires_at < now + YEAR:
            return None
        return datetime.fromtimestamp(link.expires_at, UTC)

    # -- the shop ----------------------------------------------------------------------------

    def _wanted(self) -> str:
        """The id of the shop, where it is known already: chosen in this attempt, or held."""
        return str(self.draft.get("instance") or self.order.shop_id)

    def _taken(self, shop: str) -> Refused | None:
        """Why this shop cannot be chosen."""
        held = "" if shop in ("", stores.NEW, self.order.shop_id) else self.order.holder(shop)
        return stores.taken(held)

    def _component_id(self) -> int:
        if component_id := self.component_ids.get(self.order.connector):
            return component_id
        note = text("itembase no longer offers this kind of shop.")
        raise Refused("unknown connector", who="staff", code="connector", note=note)

    def _instances(self, sign_in: SignIn) -> list[Instance]:
        return self.client.instances(sign_in.access, sign_in.user)

    def _shops(self, rows: list[Instance]) -> list[Instance]:
        return stores.of_component(rows, self._component_id())

    def _new(self, shops: list[Instance]) -> list[Instance]:
        """Free, and not there when the merchant decided."""
        return stores.free(shops, self.order, self.draft.get("before", []))

    def _look(self, sign_in: SignIn, answer: str = "", just_back: bool = False) -> Step:
        if refusal := self._taken(answer or self._wanted()):
            raise refusal
        rows = self._instances(sign_in)
        step = self._found(sign_in, rows, answer, just_back) or stores.none_yet(
            self._shops(rows), self.order, self.draft
        )
        return self._carrying(step, sign_in)

    def _found(
        self, sign_in: SignIn, rows: list[Instance], answer: str = "", just_back: bool = False
    ) -> Step | None:
        """The step for the one shop that is meant; None while itembase lists none."""
        if wanted := self._wanted():
            meant = [row for row in stores.connections(rows) if row.id == wanted]
            if not meant:
                return stores.gone(self.order.connector)
        else:
            choice = self._new(self._shops(rows))
            meant = [row for row in choice if row.id == answer] if answer else choice
            if choice and len(meant) != 1:
                return stores.ask(choice, self.order.connector)
        return self._judge(sign_in, meant[0], rows, just_back) if meant else None

    def _judge(
        self, sign_in: SignIn, shop: Instance, rows: list[Instance], just_back: bool
    ) -> Step:
        if stores.shared(rows) or stores.needs_attention(shop):
            return stores.judge(shop, self.order.connector)
        if self.order.purpose == "check":
            return stores.no_longer_shared(self.order.connector)
        return self._share(sign_in, shop, just_back)

    def _carrying(self, step: Step, sign_in: SignIn) -> Step:
        """The step with the memos that belong to it: `Connected` promotes both drafts."""
        if isinstance(step, Connected):
            return replace(step, account=sign_in.memo(), connection={"instance": step.shop_id})
        if step.connection_key:
            self.draft["instance"] = step.connection_key
        elif isinstance(step, NeedsMerchant):
            self.draft.pop("instance", None)
        if isinstance(step, Waiting):
            self.draft["looks"] = int(self.draft.get("looks", 0)) + 1
        return replace(step, connection=self.draft)
