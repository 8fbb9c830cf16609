"""Actions of staff on the licence of one shop: renew, change its edition, end, adopt, delete.

A typed answer that does not fit is Refused with the question's key as its `code`, before anything
is sent.
Source: https://github.com/celigo/integrator-api-docs (connector.md, example 4)
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, time, timedelta

from vendors.contract import (
    Action,
    Done,
    Garbled,
    Json,
    JsonObject,
    Order,
    Question,
    Refused,
    Text,
    text,
    wrong_answer,
)
from vendors.contract.characters import one_line
from vendors.http.times import assume_utc

from . import licence_plan
from .client import Client, Licence, format_time
from .memo import LicenceMemo
from .provisioning import CLOCK_SKEW, HELD, LICENCE_ID, holder_of

LONGEST_EDITION = 100  # letters that are shown of it
LONGEST_RENEWAL = timedelta(days=3660)  # a later year is a typing error
ID_QUESTION = Question(
    key="id",
    label=text("Id of the licence"),
    help=text("Type it exactly as it is shown for this shop."),
)
UNTIL_QUESTION = Question(
    key="until",
    label=text("Until when"),
    help=text("A day like 2027-01-31 (to its end, UTC), or a moment like 2027-01-31T12:00:00Z."),
)
KEEP_ADDONS = text("Left empty: they stay. With commas, like store:standard; “none” removes all.")

RENEW = Action(
    key="renew",
    label=text("Renew the licence"),
    explain=text("Sets when the licence ends. Edition and add-ons stay."),
    on="connection",
    questions=(UNTIL_QUESTION,),
)
CHANGE_EDITION = Action(
    key="edition",
    label=text("Change edition and add-ons"),
    explain=text("Sets what the licence allows. When it ends does not change."),
    on="connection",
    questions=(
        licence_plan.edition_question(""),
        replace(licence_plan.addons_question(), help=KEEP_ADDONS),
    ),
)
END = Action(
    key="expire",
    label=text("End the licence now"),
    explain=text(
        "The app stops at integrator.io. Nothing is deleted: renew the licence to start it again."
    ),
    on="connection",
    danger=True,
)
ADOPT = Action(
    key="adopt",
    label=text("Use an existing licence"),
    explain=text(
        "From now on this shop uses a licence that integrator.io already has. If it was"
        " connected before, the merchant has to reconnect it."
    ),
    on="connection",
    questions=(replace(ID_QUESTION, help=text("As integrator.io shows it.")),),
)
DELETE = Action(
    key="delete",
    label=text("Delete the licence"),
    explain=text("This cannot be undone. To stop the app for a while, end the licence."),
    on="connection",
    questions=(ID_QUESTION,),
    danger=True,
)
ACTIONS = (RENEW, CHANGE_EDITION, END, ADOPT, DELETE)


def act(api: Client, order: Order, key: str, answers: Mapping[str, str]) -> Done:
    match key:
        case "renew":
            return _renew(api, order, read_end(answers.get("until", ""), order.now))
        case "edition":
            return _change_edition(api, order, _typed_opts(answers))
        case "expire":
            return _end(api, order)
        case "adopt":
            return _adopt(api, order, answers.get("id", "").strip())
        case "delete":
            return _delete(api, order, answers.get("id", "").strip())
    raise Garbled(f"celigo has no action “{key}”")


def read_end(typed: str, now: datetime) -> datetime:
    """A day lasts to its end; a moment without an offset is UTC."""
    typed = typed.strip()
    try:
        at = datetime.fromisoformat(typed)
    except ValueError:
        note = text("Enter a day like 2027-01-31, or a moment like 2027-01-31T12:00:00Z.")
        raise wrong_answer("until", note) from None
    if re.fullmatch(r"\d{4}-?\d{2}-?\d{2}", typed):
        at = datetime.combine(at, time(23, 59, 59, 999_000))
    at = assume_utc(at)
    if at <= now:
        raise wrong_answer("until", text("This time has passed. Enter a later one."))
    if at - now > LONGEST_RENEWAL:
        raise wrong_answer("until", text("This is more than ten years away. Check the year."))
    return at


def _renew(api: Client, order: Order, end: datetime) -> Done:
    """A shop that the merchant disconnected stays ended; a reconnect lets it run until `end`."""
    memo = LicenceMemo(order)
    id, licence = _require_licence(api, order)
    if memo.is_ended and licence.has_ended(order.now):
        here = text(
            "The shop is disconnected. Reconnected, its licence lasts until %(time)s.", time=end
        )
        there = text("Nothing was sent to integrator.io.")
        return Done(here=here, there=there, account=memo.renewed_while_ended(end))
    if licence.expires != end:
        whole = {**licence.whole(), "expires": format_time(end)}
        licence = api.update_licence(order.connector, id, whole)
    account = memo.not_ended()
    if licence.expires is None or format_time(licence.expires) != format_time(end):
        return _differs(text("integrator.io answered another end of the licence."), account)
    return _done(text("The licence lasts until %(time)s.", time=end), account)


def _change_edition(api: Client, order: Order, wanted: Mapping[str, Json]) -> Done:
    id, licence = _require_licence(api, order)
    opts = {**(licence.opts if isinstance(licence.opts, dict) else {}), **wanted}
    reply = api.update_licence(order.connector, id, {**licence.whole(), "opts": opts})
    account = LicenceMemo(order).unchanged()
    got = reply.opts if isinstance(reply.opts, dict) else {}
    if any(got.get(key) != value for key, value in wanted.items()):
        return _differs(
            text("integrator.io answered the edition “%(edition)s” and %(addons)s add-ons.",
                 edition=edition(reply), addons=_count_addons(got)), account,
        )  # fmt: skip
    here = text(
        "The licence now has the edition “%(edition)s” and %(addons)s add-ons.",
        edition=edition(reply),
        addons=_count_addons(got),
    )
    return _done(here, account)


def _end(api: Client, order: Order) -> Done:
    """A later reconnect must not restore what staff have ended."""
    id, licence = _require_licence(api, order)
    if not licence.has_ended(order.now):
        whole = {**licence.whole(), "expires": format_time(order.now)}
        licence = api.update_licence(order.connector, id, whole)
    account = LicenceMemo(order).not_ended()
    if not licence.has_ended(order.now + CLOCK_SKEW):
        return _differs(text("integrator.io answered that the licence has not ended."), account)
    return _done(text("The licence has ended."), account)


def _adopt(api: Client, order: Order, id: str) -> Done:
    if not LICENCE_ID.fullmatch(id):
        raise wrong_answer("id", text("This is not the id of a licence."))
    if holder_of(order, id) in HELD:
        raise wrong_answer("id", text("Another shop has this licence."))
    licence = api.licence(order.connector, id)
    if licence is None:
        raise wrong_answer("id", text("This connector has no such licence."))
    here = text("This shop now uses the licence of %(email)s.", email=licence.email)
    return replace(_done(here, LicenceMemo(order).created(licence.email, id)), connection_key=id)


def _delete(api: Client, order: Order, typed: str) -> Done:
    memo = LicenceMemo(order)
    if not memo.licence_id:
        raise _no_licence()
    if typed != memo.licence_id:
        note = text("This is not the id of this shop’s licence. Nothing was deleted.")
        raise wrong_answer("id", note)
    existed = api.delete_licence(order.connector, memo.licence_id)
    gone = text("The licence no longer existed.")
    return _done(text("The licence was deleted.") if existed else gone, memo.deleted())


def _require_licence(api: Client, order: Order) -> tuple[str, Licence]:
    """The connection's licence and its id. Raises Refused if there is none."""
    id = LicenceMemo(order).licence_id
    licence = api.licence(order.connector, id) if id else None
    if licence is None:
        raise _no_licence()
    return id, licence


def _typed_opts(answers: Mapping[str, str]) -> JsonObject:
    """The part of `opts` that was answered; the rest does not change."""
    addons = answers.get("addons", "").strip()
    typed = {"edition": answers.get("edition", ""), "addons": "" if addons == "none" else addons}
    for key, fault in licence_plan.faults(typed).items():
        raise wrong_answer(key, fault)
    answered = {"connectorEdition": typed["edition"].strip(), "addonLicenses": addons}
    wanted = {key: value for key, value in licence_plan.opts(typed).items() if answered[key]}
    if not wanted:
        raise wrong_answer("edition", text("Choose an edition, or enter add-ons."))
    return wanted


def edition(licence: Licence) -> str:
    opts = licence.opts if isinstance(licence.opts, dict) else {}
    return one_line(str(opts.get("connectorEdition") or ""))[:LONGEST_EDITION]


def _count_addons(opts: Mapping[str, Json]) -> str:
    rows = opts.get("addonLicenses")
    rows = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    lists = [each for row in rows if isinstance(each := row.get("licenses"), list)]
    return str(sum(map(len, lists)))


def _done(here: Text, account: Mapping[str, Json]) -> Done:
    return Done(here=here, there=text("integrator.io has confirmed it."), account=account)


def _differs(here: Text, account: Mapping[str, Json]) -> Done:
    there = text("This is not what we asked for. Check the licence in integrator.io.")
    return Done(here=here, there=there, account=account)


def _no_licence() -> Refused:
    note = text("There is no licence for this shop at integrator.io.")
    return Refused("there is no licence", who="staff", note=note, code="no-licence")
