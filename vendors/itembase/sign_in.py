"""The merchant's OAuth sign-in at itembase: authorization, code exchange, refresh, and whose it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from vendors.contract import (
    Declined,
    Order,
    Progress,
    Redirect,
    Refused,
    Step,
    Unavailable,
    text,
)

from .client import Client
from .memo import Draft, SignIn, signed_out
from .returns import stopped


@dataclass
class SignInCall:
    """One call with its order, as far as it is about the sign-in."""

    client: Client
    order: Order
    draft: Draft = field(init=False)

    def __post_init__(self) -> None:
        self.draft = Draft(self.order.memos.connection)

    def _ask_to_sign_in(self) -> Redirect:
        """This address creates nothing, so it needs no merchant, only a state of its own."""
        if not self.order.state:
            return Redirect(url="", connection=self.draft.memo())
        self.draft.note_link(self.order.state, kind="oauth")
        url = self.client.authorize_url(self.order.back, self.order.state)
        return Redirect(url=url, connection=self.draft.memo())

    def _from_oauth(self, params: Mapping[str, str], state: str) -> Step:
        """The exchange is the last act of its call, because a code works once."""
        if "stale" in self.draft.link(state):
            return self._ask_to_sign_in() if self.order.present else self._once_more(state)
        if params.get("error"):
            return stopped(params["error"])
        if not params.get("code"):
            return Declined(note=text("You came back from itembase before you signed in there."))
        try:
            grant = self.client.exchange(params["code"], self.order.back)
        except Unavailable as error:
            if error.lost:
                self.draft.note_link(state, lost=True)
                error.connection = self.draft.memo()
            raise
        except Refused as refusal:
            if refusal.code != "invalid_grant":
                raise
            # A button, not another redirect at once: that could send a browser round for ever.
            self.draft.note_link(state, stale=True)
            return self._once_more(state)
        self.draft.note_link(state, done=True)
        account = SignIn.granted(grant, self.order.now).memo()
        return Progress(account=account, connection=self.draft.memo())

    def _once_more(self, state: str) -> Redirect:
        """The merchant has to sign in again, and reads why."""
        if "lost" in self.draft.link(state):
            note = text("We did not receive itembase’s answer. Please allow access again.")
        else:
            note = text(
                "The permission from itembase expired before we could use it. Please"
                " allow access again."
            )
        return Redirect(url="", note=note, connection=self.draft.memo())

    def _identify(self, sign_in: SignIn, state: str) -> Step:
        """Ask whose tokens these are. Another user's are forgotten before anybody is told."""
        me = self.client.me(sign_in.access)
        user = me.uuid
        if user == self.order.account_key or self.order.holder(user) == "other":
            self.draft.note_known_user()
        if user == self.order.account_key or not self._bound_to_user():
            account = sign_in.of(user).memo()
            return Progress(
                account=account, account_key=user, account_label=me.label, promote=True,
                connection=self.draft.memo(), done=("sign-in",),
            )  # fmt: skip
        self.draft.forget_came_back()
        self.draft.note_wrong_user(state)
        return Progress(account=signed_out(self.order.now), connection=self.draft.memo())

    def _bound_to_user(self) -> bool:
        """Whether a shop depends on the account, so that its itembase user cannot change."""
        return bool(self.order.account_key and (self.order.siblings() or self.order.shop_id))

    def _with_token(
        self, sign_in: SignIn, act: Callable[[], Step], unless: Step | None = None
    ) -> Step:
        """`act` with an access token that works: an expired one is refreshed first, in a call of its own.

        `unless` is the step if no refresh is possible any more; by default the merchant signs in again.
        Where neither a refresh nor a new sign-in helps, it is not the merchant's sign-in that is wrong.
        """
        sign_in_again = Progress(account=signed_out(self.order.now))
        if not sign_in.is_expired(self.order.now):
            try:
                return act()
            except Refused as refusal:
                if refusal.status != 401:
                    raise
                if sign_in.is_just_renewed(self.order.now):
                    if unless or self.draft.has_signed_in:
                        raise
                    return sign_in_again
        return self._refresh(sign_in, unless or sign_in_again)

    def _refresh(self, sign_in: SignIn, unless: Step) -> Step:
        """A refresh token works once: the new one is saved at once, for all shops of the account."""
        if not sign_in.refresh:
            return unless
        try:
            grant = self.client.refresh(sign_in.refresh)
        except Refused as refusal:
            if refusal.code != "invalid_grant":
                raise
            return unless
        renewed = sign_in.renewed(grant, self.order.now)
        return Progress(account=renewed.memo(), promote=bool(sign_in.user))
