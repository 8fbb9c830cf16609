"""Admin page of the itembase sandbox: changes to stores and sign-ins that do not come from Gangway."""

from __future__ import annotations

import uuid

from markupsafe import Markup

from vendors.sandbox import Refused, Request, Response, Row, Store, page, redirect

from .accounts import signed_in
from .pages import NAME, picker
from .selfservice import COMPONENTS, listed

PATH = "/itembase/accounts/stores"
STATUSES = "connection.valid", "connection.pending", "connection.invalid", "something.new", ""

PAGE = Markup("""<p>What happens at itembase without anybody else.</p>{stores}
<form method="post"><h2>Add a store</h2>{who}
<label>Platform <select name="component">{components}</select></label>
<label>Name <input type="text" name="store" value="An older store" required maxlength="80"></label>
<p class="row"><button class="main" name="do" value="add">Add it</button></p></form>
<h2>Sign-ins of other applications</h2>{users}
<p><a href="/itembase/solution/directory">Services that can be started from here</a></p>""")

STORE = Markup("""<form method="post"><fieldset><legend>{name} of {email}, {platform}</legend>
<input type="hidden" name="id" value="{id}">
<label>Status <select name="status">{statuses}</select></label>
<p class="row"><button name="do" value="status">Set the status</button>
<button name="do" value="remove">Remove the store</button></p></fieldset></form>""")

USER = Markup("""<form method="post"><fieldset><legend>{email}</legend>
<input type="hidden" name="user" value="{id}">
<p class="row"><button name="do" value="expire">Let access tokens expire</button>
<button name="do" value="lose">… and lose the answer to the next renewal</button>
<button name="do" value="revoke">End all sign-ins</button>
<button name="do" value="deactivate">Take the activation away</button></p></fieldset></form>""")

OPTION = Markup("""<option value="{value}"{selected}>{label}</option>""")


def stores(request: Request, store: Store) -> Response:
    rows = [_store(row, store) for row in store.rows("connections") if listed(row)]
    users = [USER.format(email=user["email"], id=user["id"]) for user in store.rows("users")]
    components = {str(number): name for number, name in COMPONENTS.items()}
    body = PAGE.format(
        stores=Markup().join(rows),
        who=picker(request, store),
        components=_options(components, "6"),
        users=Markup().join(users),
    )
    return page(NAME, "Users and stores", body)


def _store(row: Row, store: Store) -> Markup:
    user = store.get("users", row["user"]) or {"email": "nobody"}
    return STORE.format(
        id=row["id"],
        name=row["name"],
        email=user["email"],
        platform=COMPONENTS.get(row["component_id"], "another platform"),
        statuses=_options({one: one or "(none)" for one in STATUSES}, row["status"] or ""),
    )


def _options(choices: dict[str, str], chosen: str) -> Markup:
    return Markup().join(
        [
            OPTION.format(value=value, label=label, selected=" selected" * (value == chosen))
            for value, label in choices.items()
        ]
    )


def stores_done(request: Request, store: Store) -> Response:
    form = request.form_fields()
    action = form.get("do", "")
    response = redirect(PATH)
    if action == "add":
        _add(store, form)
    elif action in {"status", "remove"}:
        _change(store, form, action)
    elif action in {"expire", "lose", "revoke", "deactivate"}:
        user = _known(store, "users", form.get("user", ""))["id"]
        _sign_out(store, user, action)
        if action == "lose":
            return response.then_play("lost", user, "* /accounts/oauth/v2/token")
    else:
        raise Refused(400, "Choose one of the buttons.")
    return response


def _add(store: Store, form: dict[str, str]) -> None:
    component = form.get("component", "")
    if component not in map(str, COMPONENTS):
        raise Refused(400, "Choose a platform.")
    user = signed_in(store, form.get("user", ""), form.get("email", "").strip())
    fields = {"component_id": int(component), "status": "connection.valid"}
    name = form.get("store", "")
    store.add("connections", str(uuid.uuid4()), user=user["id"], name=name, **fields)


def _change(store: Store, form: dict[str, str], action: str) -> None:
    row = _known(store, "connections", form.get("id", ""))
    if action == "remove":
        store.change("connections", row["id"], removed=True)
        return
    if form.get("status") not in STATUSES:
        raise Refused(400, "Choose a status.")
    store.change("connections", row["id"], status=form["status"] or None)


def _sign_out(store: Store, user: str, action: str) -> None:
    for grant in store.rows("grants", user=user) if action != "deactivate" else []:
        dead = {"refresh_token": None} if action == "revoke" else {}
        store.change("grants", grant["id"], expires_at=0, **dead)
    for solution in store.rows("solutions", user=user) if action == "deactivate" else []:
        store.change("solutions", solution["id"], removed=True)


def _known(store: Store, kind: str, id: str) -> Row:
    row = store.get(kind, id)
    if row is None:
        raise Refused(404, "Not found.")
    return row
