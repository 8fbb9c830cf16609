"""What staff see and do at Sharespine: the API user's password, deleting a space, unsure creations.

A tenant can be deactivated, and deleted with all its data, but no call for it is documented. Where
the call does not work, staff get the words to send to Sharespine.
Source: https://developers.sharespine.com/docs/tutorials/resellerapi/onboard-tenant.html, "active"
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from vendors.contract import (
    Action,
    CauseNote,
    Done,
    Garbled,
    Order,
    Progress,
    Question,
    Refused,
    Step,
    Text,
    text,
)

from .memo import CREATIONS, SpaceMemo
from .provisioning import (
    Provisioning,
    created,
    found_by_staff,
    is_plausible,
    search_facts,
    tenant_proved,
)

API_PASSWORD = Question(
    key="api_password",
    label=text("Password of the user “api” at Sharespine"),
    help=text(
        "Ask Sharespine for it, or set it there: we cannot read it. With it, we ask Sharespine"
        " whether the shop is connected, and count its orders."
    ),
    required=False,
    secret=True,
)
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
DELETE = Action(
    key="delete-tenant",
    label=text("Delete the tenant at Sharespine"),
    explain=text(
        "Sharespine deletes the tenant and all data in it, for every shop of this merchant."
        " This cannot be undone. To stop a shop for a while, pause or disconnect it instead."
    ),
    on="account",
    questions=(CODE_NAME, STATE),
    danger=True,
)
LOGINS = ("user", "api_user")
DELETED = text("Your Sharespine account is deleted, with all data in it. This cannot be undone.")


@dataclass(frozen=True)
class Staff(Provisioning):
    cause_notes: ClassVar[Mapping[str, CauseNote]] = {
        "api-password": CauseNote(
            what=text("Sharespine refuses the API password of a merchant’s tenant."),
            to_do=text(
                "Look in the tenant: is the API connection on, and is the password on the"
                " account’s page right? If not, correct it."
            ),
        ),
        "refused-inactive": CauseNote(
            what=text("The API connection of a merchant’s tenant is off."),
            to_do=text("Switch it on in the tenant at Sharespine."),
        ),
    }

    def probe(self) -> None:
        self.client().try_credentials()

    def staff_questions(self) -> tuple[Question, ...]:
        return (API_PASSWORD,)

    def actions(self) -> tuple[Action, ...]:
        return (DELETE,)

    def act(self, order: Order, key: str, answers: Mapping[str, str]) -> Step:
        if key != DELETE.key:
            return super().act(order, key, answers)
        tenant = _typed_tenant(order, answers.get("code_name", ""))
        if answers.get("state") == "gone":
            return _deleted(DELETED)
        if not self.manage:
            return _to_be_deleted(tenant)
        try:
            self.client().delete_tenant(tenant)
        except Refused as refusal:
            return _not_deleted(tenant, refusal)
        return _deleted(DELETED)

    def resolve(self, order: Order, found: str | None) -> Step:
        key = order.unsure
        if key not in CREATIONS:
            raise Garbled(f"sharespine creates nothing called “{key}”")
        if found is None:
            return Progress(account=SpaceMemo(order).missed(key), promote=True)
        if not is_plausible(order, key, found):
            note = text("This is not an ID that we could have created. Please check again.")
            detail = f"not plausible: {search_facts(order, key)}"
            raise Refused(detail, who="staff", note=note)
        if key in LOGINS:
            self._require_user(order, found)
            return tenant_proved(order, created(order, key, found))
        return found_by_staff(order, key, found)

    def _require_user(self, order: Order, login: str) -> None:
        """A login URL is made for users that exist. Nobody gets it, and it expires."""
        tenant = SpaceMemo(order).tenant
        try:
            self.client().login_link(tenant, login, self.path)
        except Refused as refusal:
            if refusal.status != 404:
                raise
            note = text("Sharespine does not know this login in the tenant. Check again.")
            detail = f"Sharespine knows no user {login} in the tenant {tenant}"
            raise Refused(detail, who="staff", status=404, note=note) from None


# -- tasks for staff -----------------------------------------------------------------------------


def switch_task(tenant: str, *, active: bool) -> str:
    word = "active" if active else "inactive"
    return _task(f"Set the tenant {tenant} of our reseller account {word}.")


def _task(words: str) -> str:
    """A task with the words to send."""
    return f"Please ask Sharespine: “{words}”"


# -- deleting a space ----------------------------------------------------------------------------


def _typed_tenant(order: Order, typed: str) -> str:
    """The tenant, if its code name was typed exactly. Nothing has been sent yet."""
    tenant = SpaceMemo(order).tenant
    if not tenant:
        note = text("There is no tenant at Sharespine to delete.")
        raise Refused("there is no tenant", who="staff", note=note, code="no-tenant")
    if typed != tenant:
        note = text("This is not the code name of the tenant. Nothing was deleted.")
        raise Refused("another code name was typed", who="staff", note=note, code="wrong-name")
    return tenant


def _deleted(there: Text, staff_task: str = "") -> Done:
    return Done(
        here=text("The shops that used this Sharespine account are disconnected."),
        there=there, staff_task=staff_task, ends=True, account={}, promote=True,
    )  # fmt: skip


def _not_deleted(tenant: str, refusal: Refused) -> Done:
    """404 is also what a server answers that has no such call, so staff should make sure."""
    if refusal.status == 404:
        there = text("This Sharespine account no longer exists.")
        question = f"Does the tenant {tenant} of our reseller account exist still?"
        return _deleted(there, _task(question))
    if refusal.status in (405, 501):
        return _to_be_deleted(tenant)
    raise refusal


def _to_be_deleted(tenant: str) -> Done:
    task = _task(f"Delete the tenant {tenant} of our reseller account, with all data in it.")
    return Done(
        here=text("Nothing has changed here yet."),
        there=text("Your Sharespine account still exists. We ask Sharespine to delete it."),
        staff_task=f"{task} When it is gone, come back to this action and say so.",
    )
