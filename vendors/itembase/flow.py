"""Connecting a shop through itembase: links, the choice of a shop, and the activation of our service.

Two trips lead to itembase's pages: the process page, which adds a shop or activates our service for
one, and OAuth, without which nothing can be listed. A return proves nothing: the list of the user's
instances says whether a shop is there, valid and shared with us.
Source: the itembase connect API guide, examples 1 to 3, and the API guides ("Activation", OAuth).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from vendors.contract import (
    Connected,
    Done,
    NeedsMerchant,
    Order,
    Redirect,
    Refused,
    Step,
    Waiting,
    text,
)
from vendors.http.times import YEAR, lifetime
from vendors.http.urls import add_query

from . import stores
from .client import Activation, Instance, Link, process_url
from .labels import VALID, needs_attention
from .memo import SignIn, connected_memo, current_sign_in
from .returns import compare, other_user, stopped
from .sign_in import SignInCall
from .staff import Staff, unknown_connector

LINK_SECONDS = 1200  # what every sample of the guide says


@dataclass(frozen=True)
class Itembase(Staff):
    def start(self, order: Order) -> Step:
        return self._call(order).start()

    def returned(self, order: Order, params: Mapping[str, str]) -> Step:
        return self._call(order).returned(params)

    def answered(self, order: Order, answers: Mapping[str, str]) -> Step:
        return self._call(order).answered(answers)

    def check(self, order: Order) -> Step:
        return self._call(order).check()

    # itembase documents no revocation, neither of tokens nor of an activation.
    def end(self, order: Order) -> Step:
        """The last shop of an account takes the account's tokens with it."""
        last = not order.siblings()
        here = (
            text(
                "We no longer use or check this shop, and we deleted our access keys for itembase."
            )
            if last
            else text("We no longer use or check this shop.")
        )
        return Done(
            here=here,
            there=text(
                "We cannot remove your shop from itembase, so it stays in your itembase account."
            ),
            todo=text("Sign in to itembase, and remove the shop or our access to it."),
            link=self.address("accounts_url"),
            connection={},
            account={} if last else None,
            promote=last,
        )

    def _call(self, order: Order) -> Call:
        return Call(self.client(), order, self.component_ids())


@dataclass
class Call(SignInCall):
    """One call with its order. `component_ids` is the environment's table: connector → id."""

    component_ids: Mapping[str, int]

    def start(self) -> Step:
        """The first link. What this attempt has already achieved is not asked for again."""
        if not self.order.present:
            return Redirect(url="", connection=self.draft.memo())
        sign_in = current_sign_in(self.order)
        if sign_in and sign_in.user:
            return self._with_token(sign_in, lambda: self._begin(sign_in))
        if self._wanted() or self.draft.came_back or self._bound_to_user():
            return self._ask_to_sign_in()
        self.draft.note_nothing_listed()
        return self._leave_by(self.client.link_for_anyone(self._component_id()))

    def returned(self, params: Mapping[str, str]) -> Step:
        """`params`: what itembase appended, and the `state` that says which link it answers.

        Without any, the merchant is back from the activation page, which knows no state.
        """
        state = params.get("state", "")
        if self.draft.is_wrong_user(state):
            raise other_user()
        link = self.draft.link(state)
        if link.get("kind") == "oauth" and "done" not in link:
            return self._from_oauth(params, state)
        if link.get("kind") == "process":
            if params.get("error"):
                return self._stopped(params["error"])
            compare(params, link["token"])
            self.draft.note_came_back()
        return self._onward(state)

    def answered(self, answers: Mapping[str, str]) -> Step:
        sign_in = current_sign_in(self.order)
        if sign_in is None or not sign_in.user:
            return self._ask_to_sign_in()
        answer = answers.get("store", "")
        if answer == stores.NEW:  # none of those that were listed on return
            self.draft.forget_came_back()
        act = self._inspect if self.draft.came_back else self._chosen
        return self._with_token(sign_in, lambda: act(sign_in, answer))

    def check(self) -> Step:
        sign_in = current_sign_in(self.order)
        again = NeedsMerchant(code="sign-in", note=text("Sign in at itembase again."))
        if sign_in is None or not sign_in.user:
            return again if self._wanted() else Redirect(url="")
        return self._with_token(sign_in, lambda: self._inspect(sign_in), unless=again)

    # -- between the links -------------------------------------------------------------------

    def _stopped(self, error: str) -> Step:
        """A merchant who said no may choose another shop."""
        step = stopped(error)
        self.draft.forget_choice()
        return replace(step, connection=self.draft.memo())

    def _onward(self, state: str) -> Step:
        sign_in = current_sign_in(self.order)
        if sign_in is None:
            return self._ask_to_sign_in()
        if not sign_in.user:
            return self._with_token(sign_in, lambda: self._identify(sign_in, state))
        if not self.draft.came_back:
            return self.start()
        return self._with_token(sign_in, lambda: self._inspect(sign_in, just_back=not state))

    def _begin(self, sign_in: SignIn) -> Step:
        """Examples 2 and 3: a shop that is there already, or a new one."""
        if self._refusal_of(self._wanted()):
            self.draft.forget_choice()
        if wanted := self._wanted():
            return self._link_existing(sign_in, wanted)
        rows = self._instances(sign_in)
        if self.draft.came_back and (found := self._found(sign_in, rows)):
            return self._with_memos(found, sign_in)
        self.draft.forget_came_back()
        if stores.free(self._shops(rows), self.order):
            return self._offer(rows)
        self._note_listed(rows)
        return self._link_new(sign_in)

    def _chosen(self, sign_in: SignIn, answer: str) -> Step:
        """The merchant's answer to `_offer`, or that the shop they want was not there yet."""
        if not self.order.present:
            return Redirect(url="", connection=self.draft.memo())
        if refusal := self._refusal_of(answer):
            raise refusal
        rows = self._instances(sign_in)
        shops = self._shops(rows)
        if answer == stores.NEW and not self.draft.was_listed:
            self._note_listed(rows)
        if answer == stores.NEW and not self._new(shops):
            self.draft.forget_choice()
            return self._link_new(sign_in)
        if answer not in [shop.id for shop in shops]:
            return self._offer(rows)
        self.draft.choose(answer)
        return self._link_existing(sign_in, answer)

    def _offer(self, rows: list[Instance]) -> Step:
        self._note_listed(rows)
        step = stores.offer(self._shops(rows), self.order, self.draft)
        return replace(step, connection=self.draft.memo())

    def _note_listed(self, rows: list[Instance]) -> None:
        self.draft.note_listed([shop.id for shop in self._shops(rows)])

    # -- links -------------------------------------------------------------------------------

    def _link_new(self, sign_in: SignIn) -> Step:
        return self._leave_by(self.client.link_for_user(sign_in.access, self._component_id()))

    def _link_existing(self, sign_in: SignIn, instance_id: str) -> Step:
        try:
            return self._leave_by(self.client.link_for_instance(sign_in.access, instance_id))
        except Refused as refusal:
            if refusal.status != 404:
                raise
        return self._with_memos(stores.gone(self.order.connector), sign_in)

    def _leave_by(self, link: Link) -> Redirect:
        back = add_query(self.order.back, {"state": self.order.state})
        self.draft.note_link(self.order.state, kind="process", token=link.token)
        return Redirect(
            url=process_url(link.uri, back),
            expires_at=self.order.now + timedelta(seconds=lifetime(link.expires_in, LINK_SECONDS)),
            connection=self.draft.memo(),
            done=("link",),
        )

    def _share(self, sign_in: SignIn, shop: Instance, just_back: bool) -> Step:
        """The operator's service is to be activated: once, and whenever the merchant continues."""
        activation = self.draft.activation
        if just_back and activation == "out":
            self.draft.note_activation_returned()
        elif self.order.present:
            self.draft.note_activation_left(shop.id)
            link = self.client.activation(sign_in.access)
            return Redirect(url=link.activation_url, expires_at=self._end_of(link), bare=True)
        elif not activation and shop.status == VALID:
            return Redirect(url="")
        return stores.not_shared_yet(shop, self.order.connector, self.client.accounts_url)

    def _end_of(self, link: Activation) -> datetime | None:
        """None if it is of no use: in the past, by whichever clock, or absurdly far away."""
        now = self.order.now.timestamp()
        if link.expires_at is None or not now < link.expires_at < now + YEAR:
            return None
        return datetime.fromtimestamp(link.expires_at, UTC)

    # -- the shop ----------------------------------------------------------------------------

    def _wanted(self) -> str:
        """The id of the shop if it is known already: chosen in this attempt, or connected."""
        return self.draft.instance or self.order.shop_id

    def _refusal_of(self, shop: str) -> Refused | None:
        """Why this shop cannot be chosen; None if it can."""
        holder = "" if shop in ("", stores.NEW, self.order.shop_id) else self.order.holder(shop)
        return stores.refusal_of(holder)

    def _component_id(self) -> int:
        if component_id := self.component_ids.get(self.order.connector):
            return component_id
        raise unknown_connector()

    def _instances(self, sign_in: SignIn) -> list[Instance]:
        return self.client.instances(sign_in.access, sign_in.user)

    def _shops(self, rows: list[Instance]) -> list[Instance]:
        return stores.of_component(rows, self._component_id())

    def _new(self, shops: list[Instance]) -> list[Instance]:
        """Free, and not there when the merchant decided."""
        return stores.free(shops, self.order, self.draft.listed_before)

    def _may_be_old(self, choice: list[Instance]) -> bool:
        """Whether a shop that looks new may have been there before the merchant left.

        Without a list of before (example 1) nothing tells, so that a shop is taken without a question
        only if neither its user nor the shop itself was known here before.
        """
        known = self.draft.is_user_known or any(self.order.last_used(shop.id) for shop in choice)
        return known and not self.draft.was_listed

    def _inspect(self, sign_in: SignIn, answer: str = "", just_back: bool = False) -> Step:
        if refusal := self._refusal_of(answer or self._wanted()):
            raise refusal
        rows = self._instances(sign_in)
        step = self._found(sign_in, rows, answer, just_back) or stores.none_yet(
            self._shops(rows), self.order, self.draft
        )
        return self._with_memos(step, sign_in)

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
            unclear = self._may_be_old(choice) and not answer
            if choice and (unclear or len(meant) != 1):
                may_be_old = self._may_be_old(choice)
                return stores.ask(choice, self.order, self.draft, may_be_old=may_be_old)
        return self._step_for(sign_in, meant[0], rows, just_back) if meant else None

    def _step_for(
        self, sign_in: SignIn, shop: Instance, rows: list[Instance], just_back: bool
    ) -> Step:
        if stores.shared(rows) or needs_attention(shop):
            return stores.status_step(shop, self.order.connector, self.client.accounts_url)
        if self.order.purpose == "check":
            return stores.no_longer_shared(self.order.connector)
        return self._share(sign_in, shop, just_back)

    def _with_memos(self, step: Step, sign_in: SignIn) -> Step:
        """The step with the memos that belong to it: `Connected` promotes both drafts."""
        if isinstance(step, Connected):
            return replace(step, account=sign_in.memo(), connection=connected_memo(step.shop_id))
        if step.connection_key:
            self.draft.choose(step.connection_key)
        elif isinstance(step, NeedsMerchant):
            self.draft.forget_choice()
        if isinstance(step, Waiting):
            self.draft.count_empty_check()
        return replace(step, connection=self.draft.memo())
