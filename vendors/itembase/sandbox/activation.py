"""Activation of our client in the itembase sandbox, started by Gangway or at itembase."""

from __future__ import annotations

import secrets
import time
from urllib.parse import urlsplit

from markupsafe import Markup

from vendors.sandbox import Refused, Request, Response, Row, Store, json_response, page, redirect

from .accounts import CLIENT_ID, CODE_SECONDS, add_code, authorised, registered, signed_in
from .pages import NAME, merged, picker
from .selfservice import activated

SECONDS = 1200
SCOPE = "user.minimal user.instances.read user.instances.write"
ADDRESS = "http://localhost:8000/return/itembase/"

FINISH = Markup("""<form method="post"><p>Activate <strong>{client}</strong> for your stores?</p>
<p class="row"><button class="main" name="case" value="approve">Activate</button>
<button name="case" value="decline">Cancel</button></p></form>""")

DIRECTORY = Markup("""<p>Services that work with the stores at itembase. Who starts here arrives with a
code that nobody asked for.</p><form method="post">{who}
<label>Its registered return address
<input type="text" name="redirect_uri" value="{address}" required></label>
<p class="row"><button class="main" name="case" value="approve">Start {client}</button></p></form>""")


# Reference: "Activation", step 2
def activate(request: Request, store: Store) -> Response:
    grant = authorised(request, store)
    expires_at = int(time.time()) + SECONDS
    fields = {"user": grant["user"], "redirect_uri": grant["redirect_uri"], "used": False}
    row = store.add("activations", secrets.token_hex(20), expires_at=expires_at, **fields)
    url = f"{request.root_url}solution/finish/{row['id']}"
    return json_response({"activation_url": url, "expires_at": expires_at})


# Reference: "Activation", step 3
def finish(request: Request, store: Store) -> Response:
    _activation(request, store)
    return page(NAME, "Activate the application", FINISH.format(client=CLIENT_ID))


def finish_done(request: Request, store: Store) -> Response:
    """Redirect to the registered address without any parameter, so the return proves nothing."""
    row = _activation(request, store)
    case = request.form_fields().get("case", "")
    if case not in {"approve", "decline"}:
        raise Refused(400, "Choose one of the buttons.")
    if case == "approve":
        store.change("activations", row["id"], used=True)
        activated(store, row["user"])
    return redirect(urlsplit(row["redirect_uri"])._replace(query="").geturl())


def _activation(request: Request, store: Store) -> Row:
    row = store.get("activations", request.params["code"])
    if row is None or row["used"] or row["expires_at"] <= time.time():
        raise Refused(404, "This link does not exist, was used or has expired.")
    return row


# Reference: "Activation": the flow may start at itembase, "requires no dedicated handling"
def directory(request: Request, store: Store) -> Response:
    grants = store.rows("grants")
    address = grants[-1]["redirect_uri"] if grants else ADDRESS
    who = picker(request, store)
    body = DIRECTORY.format(who=who, address=address, client=CLIENT_ID)
    return page(NAME, "Services", body)


def directory_done(request: Request, store: Store) -> Response:
    """Redirect with a code but no state: a client that accepts it connects a stranger's stores."""
    form = request.form_fields()
    address = form.get("redirect_uri", "")
    if not registered(address):
        raise Refused(400, "redirect_uri is not registered.")
    user = signed_in(store, form.get("user", ""), form.get("email", "").strip())
    return redirect(merged(address, {"code": add_code(store, user, SCOPE, address, CODE_SECONDS)}))
