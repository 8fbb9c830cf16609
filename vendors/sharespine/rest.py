"""What pausing, ending and deleting say and leave for staff; the words to send to Sharespine.

A tenant can be deactivated, and deleted with all its data, but no call for it is documented.
Source: https://developers.sharespine.com/docs/tutorials/resellerapi/onboard-tenant.html, "active"
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from vendors.contract import Done, Order, Refused, Text, text


@dataclass(frozen=True)
class Words:
    here: Text
    todo: Text  # while other shops keep the tenant


PAUSE = Words(
    here=text("This shop is paused: we do not watch it for now."),
    todo=text("Pause this shop on Sharespine's pages, so that no data flows meanwhile."),
)
END = Words(
    here=text("We have stopped watching this shop."),
    todo=text("Remove this shop on Sharespine's pages, so that no data flows any more."),
)
NOTHING = text("Nothing was made at Sharespine for this shop.")
SHARED = text("Your space at Sharespine stays, because other shops of yours use it.")
OFF = text("Your space at Sharespine is switched off. Nothing in it was deleted.")
STILL_ON = text("We ask Sharespine to switch your space off. Until it has, data may still flow.")
AGAIN = text("We watch this shop again.")
STILL_OFF = text("We ask Sharespine to switch your space on. Until it has, no data may flow.")
GONE_HERE = text("The shops that used this space are disconnected.")
GONE = text("Your space at Sharespine is deleted, with all data in it. This cannot be taken back.")
UNKNOWN_THERE = text("Sharespine does not know this space any more.")
KEPT = text("Nothing has changed here yet.")
WILL_GO = text("Your space at Sharespine is still there. We ask Sharespine to delete it.")
WRONG_NAME = text("This is not the code name of the space. Nothing was deleted.")
NO_SPACE = text("There is no space at Sharespine to delete.")


def ask(what: str) -> str:
    """A task for staff, with the words to send."""
    return f"Please ask Sharespine: “{what}”"


def switch_words(tenant: str, active: bool) -> str:
    return ask(f"Set the tenant {tenant} of our reseller account {_word(active)}.")


def _word(active: bool) -> str:
    return "active" if active else "inactive"


def rest(order: Order, words: Words, switched_off: Callable[[str], bool]) -> Done:
    """`switched_off(tenant)` tries; it is asked only when no other shop uses the tenant."""
    memo = order.memos.account
    tenant = memo.get("tenant")
    if not tenant:
        return Done(here=words.here, there=NOTHING)
    if order.siblings:
        return Done(here=words.here, there=SHARED, todo=words.todo)
    off = switched_off(tenant)
    return Done(
        here=words.here,
        there=OFF if off else STILL_ON,
        staff_task="" if off else switch_words(tenant, False),
        account={**memo, "active": False},
        promote=True,
    )


def still_off(order: Order) -> Done:
    memo = order.memos.account
    task = switch_words(memo["tenant"], True)
    account = {**memo, "active": True}  # from now on it is meant to be on
    return Done(here=AGAIN, there=STILL_OFF, staff_task=task, account=account, promote=True)


def named(order: Order, typed: str) -> str:
    """The tenant, if its code name was typed exactly; else nothing has been sent yet."""
    tenant = str(order.memos.account.get("tenant", ""))
    if not tenant:
        raise Refused("there is no tenant", who="staff", note=NO_SPACE, code="no-tenant")
    if typed != tenant:
        raise Refused("another name was typed", who="staff", note=WRONG_NAME, code="wrong-name")
    return tenant


def will_go(tenant: str) -> Done:
    task = ask(f"Delete the tenant {tenant} of our reseller account, with all data in it.")
    task += " When it is gone, come back to this action and say so."
    return Done(here=KEPT, there=WILL_GO, staff_task=task)


def gone(there: Text, staff_task: str = "") -> Done:
    return Done(
        here=GONE_HERE, there=there, staff_task=staff_task, ends=True, account={}, promote=True
    )


def unknown(tenant: str) -> Done:
    """404 is also what a server answers that has no such call: staff should make sure."""
    return gone(
        UNKNOWN_THERE, ask(f"Does the tenant {tenant} of our reseller account exist still?")
    )
