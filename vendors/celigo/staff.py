"""What staff do with one licence, and the choice of what they may do.

A typed answer that does not fit is Refused with the question's key as its `code`, before anything
is sent. With connectors: shelf.py.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any

from vendors.contract import Action, Done, Garbled, Item, Order, Question, Refused, Text, text

from . import notes, plan, shelf
from .client import Client, Connector, Licence, moment

FURTHEST = timedelta(days=3660)  # a longer renewal is a slip of the pen
LICENCE_ID = Question(
    key="id",
    label=text("Id of the licence"),
    help=text("Type it exactly as it is shown for this shop."),
)
UNTIL = Question(
    key="until",
    label=text("Until when"),
    help=text("A day like 2027-01-31 (to its end, UTC), or a moment like 2027-01-31T12:00:00Z."),
)
KEEP = text("Left empty: they stay. With commas, like store:standard; “none” takes all away.")

RENEW = Action(
    key="renew",
    label=text("Renew the licence"),
    explain=text("Sets when the licence ends. Edition and add-ons stay."),
    on="connection",
    questions=(UNTIL,),
)
CHANGE = Action(
    key="edition",
    label=text("Change edition and add-ons"),
    explain=text("Sets what the licence allows. When it ends does not change."),
    on="connection",
    questions=(plan.edition_question(""), replace(plan.addons_question(), help=KEEP)),
)
EXPIRE = Action(
    key="expire",
    label=text("End the licence now"),
    explain=text("The app stops at integrator.io. Nothing is deleted; renewing it wakes it."),
    on="connection",
    danger=True,
)
ADOPT = Action(
    key="adopt",
    label=text("Use an existing licence"),
    explain=text(
        "From now on this shop stands for a licence that integrator.io has already. If it was"
        " connected before, the merchant has to reconnect it."
    ),
    on="connection",
    questions=(replace(LICENCE_ID, help=text("As integrator.io shows it.")),),
)
DELETE = Action(
    key="delete",
    label=text("Delete the licence"),
    explain=text("This cannot be taken back. To stop the app for a while, end the licence."),
    on="connection",
    questions=(LICENCE_ID,),
    danger=True,
)
ACTIONS = (RENEW, CHANGE, EXPIRE, ADOPT, DELETE, *shelf.ACTIONS)
run = shelf.run


def item(connector: Connector, licence: Licence) -> Item:
    facts = {
        "connector": connector.name or connector.id,
        "e-mail": licence.email,
        "ends": moment(licence.expires) if licence.expires else "",
        "installed as": licence.integration_id or "",
        "edition": _edition(licence),
    }
    label = f"{connector.name or connector.id}: {licence.email}"
    return Item(id=licence.id, label=label, facts=facts)


def act(api: Client, order: Order, key: str, answers: Mapping[str, str]) -> Done:
    match key:
        case "renew":
            return _renew(api, order, until(answers.get("until", ""), order.now))
        case "edition":
            return _change_edition(api, order, _opts(answers))
        case "expire":
            return _expire(api, order)
        case "adopt":
            return _adopt(api, order, answers.get("id", "").strip())
        case "delete":
            return _delete(api, order, answers.get("id", "").strip())
    raise Garbled(f"celigo has no action “{key}”")


def until(typed: str, now: datetime) -> datetime:
    """A day lasts to its end; a moment without an offset is UTC."""
    typed = typed.strip()
    try:
        at = datetime.fromisoformat(typed)
    except ValueError:
        said = text("Enter a day like 2027-01-31, or a moment like 2027-01-31T12:00:00Z.")
        raise _wrong("until", said) from None
    if re.fullmatch(r"\d{4}-?\d{2}-?\d{2}", typed):
        at = datetime.combine(at, time(23, 59, 59, 999_000))
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    if at <= now:
        raise _wrong("until", text("This is over already. Enter a day that is still to come."))
    if at - now > FURTHEST:
        raise _wrong("until", text("This is more than ten years away. Look at the year again."))
    return at


def _renew(api: Client, order: Order, end: datetime) -> Done:
    """A shop that the merchant disconnected stays ended, and is woken by a reconnect until `end`."""
    id, licence = _licence(api, order)
    note = notes.mine(order)
    if "former" in note and licence.over(order.now):
        here = text(
            "The shop is disconnected. Reconnected, its licence lasts until %(time)s.", time=end
        )
        there = text("Nothing was sent to integrator.io.")
        return Done(
            here=here, there=there, account=notes.kept(order, {**note, "former": moment(end)})
        )
    if licence.expires != end:
        whole = {**licence.whole(), "expires": moment(end)}
        licence = api.update_licence(order.connector, id, whole)
    memo = notes.kept(order, notes.without(note, "former"))
    if licence.expires is None or moment(licence.expires) != moment(end):
        return _differs(text("integrator.io answered another end of the licence."), memo)
    return _done(text("The licence lasts until %(time)s.", time=end), memo)


def _change_edition(api: Client, order: Order, wanted: Mapping[str, Any]) -> Done:
    id, licence = _licence(api, order)
    opts = {**(licence.opts if isinstance(licence.opts, dict) else {}), **wanted}
    answer = api.update_licence(order.connector, id, {**licence.whole(), "opts": opts})
    memo = notes.kept(order, notes.mine(order))
    got = answer.opts if isinstance(answer.opts, dict) else {}
    if any(got.get(key) != value for key, value in wanted.items()):
        return _differs(
            text("integrator.io answered the edition “%(edition)s” and %(addons)s add-ons.",
                 edition=_edition(answer), addons=_count(got)), memo,
        )  # fmt: skip
    said = text(
        "The licence now has the edition “%(edition)s” and %(addons)s add-ons.",
        edition=_edition(answer),
        addons=_count(got),
    )
    return _done(said, memo)


def _expire(api: Client, order: Order) -> Done:
    """What a disconnect had kept goes too: a reconnect must not wake what staff have ended."""
    id, licence = _licence(api, order)
    if not licence.over(order.now):
        whole = {**licence.whole(), "expires": moment(order.now)}
        licence = api.update_licence(order.connector, id, whole)
    memo = notes.kept(order, notes.without(notes.mine(order), "former"))
    if not licence.over(order.now + timedelta(minutes=1)):
        return _differs(text("integrator.io answered that the licence goes on."), memo)
    return _done(text("The licence has ended."), memo)


def _adopt(api: Client, order: Order, id: str) -> Done:
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,100}", id):
        raise _wrong("id", text("This is not the id of a licence."))
    if notes.sibling(order, id) or order.holder(id) in ("sibling", "other"):
        raise _wrong("id", text("Another shop has this licence."))
    try:
        licence = api.licence(order.connector, id)
    except Refused as no:
        if no.status != 404:
            raise
        raise _wrong("id", text("This connector has no such licence.")) from None
    memo = notes.kept(order, {"email": licence.email, "id": id})
    done = _done(
        text("This shop now stands for the licence of %(email)s.", email=licence.email), memo
    )
    return replace(done, connection_key=id)


def _delete(api: Client, order: Order, typed: str) -> Done:
    id = notes.licence_id(order)
    if not id:
        raise _none()
    if typed != id:
        raise _wrong("id", text("This is not the id of this shop's licence. Nothing was deleted."))
    there = api.delete_licence(order.connector, id)
    said = text("The licence was deleted.") if there else text("The licence was gone already.")
    return _done(said, notes.kept(order, {}))


def _licence(api: Client, order: Order) -> tuple[str, Licence]:
    id = notes.licence_id(order)
    if not id:
        raise _none()
    try:
        return id, api.licence(order.connector, id)
    except Refused as no:
        if no.status != 404:
            raise
        raise _none() from None


def _opts(answers: Mapping[str, str]) -> dict[str, Any]:
    """Only what was answered is to change."""
    addons = answers.get("addons", "").strip()
    said = {"edition": answers.get("edition", ""), "addons": "" if addons == "none" else addons}
    for key, fault in plan.faults(said).items():
        raise _wrong(key, fault)
    opts = plan.opts(said)
    kept = {"connectorEdition": said["edition"].strip(), "addonLicenses": addons}
    wanted = {key: value for key, value in opts.items() if kept[key]}
    if not wanted:
        raise _wrong("edition", text("Choose an edition, or enter add-ons."))
    return wanted


def _edition(licence: Licence) -> str:
    opts = licence.opts if isinstance(licence.opts, dict) else {}
    return str(opts.get("connectorEdition") or "")


def _count(opts: Mapping[str, Any]) -> str:
    rows = opts.get("addonLicenses")
    rows = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    return str(sum(len(row.get("licenses") or ()) for row in rows))


def _done(here: Text, memo: Mapping[str, Any]) -> Done:
    return Done(here=here, there=text("integrator.io has confirmed it."), account=memo)


def _differs(here: Text, memo: Mapping[str, Any]) -> Done:
    there = text("This is not what we asked for: look at the licence in integrator.io.")
    return Done(here=here, there=there, account=memo)


def _wrong(key: str, said: Text) -> Refused:
    return Refused(f"not accepted: {key}", who="staff", note=said, code=key)


def _none() -> Refused:
    said = text("There is no licence for this shop at integrator.io.")
    return Refused("there is no licence", who="staff", note=said, code="no-licence")
