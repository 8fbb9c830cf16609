"""Page of the Capillary sandbox: the org's API clients, fault cases and switches."""

from __future__ import annotations

from markupsafe import Markup

from vendors.sandbox import CASE_BUTTONS, Refused, Request, Response, Row, Store, page
from vendors.sandbox.switches import fields, save

from .clients import MOST, SCOPES, add, everyone, remove, valid
from .rules import KEY, SWITCHES, TILL

NAME = "Capillary"
CREATE = "POST /v3/integrations/clients"

CONSOLE = Markup("""{message}<p>{count} of {most} clients are valid.</p>{clients}
<form method="post"><p class="row"><button name="do" value="one">Create a client elsewhere</button>
<button name="do" value="fill">Create clients until 15 are valid</button></p>{cases}</form>
<form method="post"><fieldset><legend>How Capillary behaves</legend>{switches}
<p><button name="do" value="switch">Save</button></p></fieldset></form>""")

CLIENT = Markup("""<section><h2>{name}</h2>
<p>{state} Key <code>{key}</code>, till {till}, {time}, scopes: {scopes}. {description}</p>
{button}</section>""")

MESSAGE = Markup('<p role="status">{message}</p>')
DELETE = Markup("""<form method="post"><input type="hidden" name="key" value="{key}">
<button name="do" value="delete">Delete behind Gangway’s back</button></form>""")

MESSAGES = {
    "expired": "Every token has expired.",
    "slow": "For a minute, calls are slow.",
    "dead": "For a minute, calls are not answered.",
    "garbled": "For a minute, answers are garbled.",
    "lost": "The answer to the next creation is lost, after the deed.",
}


def show(_request: Request, store: Store) -> Response:
    return _console(store)


def pressed(request: Request, store: Store) -> Response:
    form = request.form_fields()
    case, do = form.get("case", ""), form.get("do", "")
    if case in MESSAGES:
        return _played(store, case)
    if do == "switch":
        save(SWITCHES, store, form)
        return _console(store, "Saved.")
    if do == "delete":
        return _deleted(store, form.get("key", ""))
    if do in {"one", "fill"}:
        return _filled(store, MOST - len(valid(store)) if do == "fill" else 1)
    raise Refused(400, "Choose one of the buttons.")


def _played(store: Store, case: str) -> Response:
    if case == "expired":
        for token in store.rows("tokens"):
            store.change("tokens", token["id"], expires_at=0)
    return _console(store, MESSAGES[case]).then_play(case, "", CREATE if case == "lost" else "*")


def _deleted(store: Store, key: str) -> Response:
    row = store.get("clients", key)
    if row is None or not row["valid"]:
        raise Refused(404, "There is no such valid client.")
    remove(store, row)
    return _console(store, "The client is deleted.")


def _filled(store: Store, count: int) -> Response:
    """Add clients that do not come from Gangway."""
    if len(valid(store)) + count > MOST:
        raise Refused(409, "An org may have 15 valid clients.")
    for _ in range(count):
        number = store.count().get("clients", 0) + 1
        scopes = [{"entityId": 2, "permission": "READ", "resources": []}]
        about = {"name": f"elsewhere {number}", "description": "Made elsewhere.", "scopes": scopes}
        add(store, {**about, "expirationTokenTime": 600, "defaultTillId": TILL})
    return _console(store, "Made.")


def _console(store: Store, message: str = "") -> Response:
    body = CONSOLE.format(
        message=MESSAGE.format(message=message) if message else Markup(""),
        count=len(valid(store)),
        most=MOST,
        clients=Markup().join([_section(row) for row in everyone(store)]),
        cases=CASE_BUTTONS,
        switches=fields(SWITCHES, store),
    )
    return page(NAME, "API clients of the org", body)


def _section(row: Row) -> Markup:
    deletable = row["valid"] and row["id"] != KEY
    return CLIENT.format(
        name=row["name"],
        state="Valid." if row["valid"] else "Deleted.",
        key=row["id"],
        till=row["defaultTillId"],
        time=f"tokens for {row['expirationTokenTime']}",
        scopes=", ".join(f"{SCOPES[s['entityId']]} {s['permission']}" for s in row["scopes"]),
        description=row["description"],
        button=DELETE.format(key=row["id"]) if deletable else Markup(""),
    )
