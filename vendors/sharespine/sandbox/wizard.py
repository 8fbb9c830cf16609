"""Set-up wizard of the Sharespine sandbox. It never redirects back to Gangway."""

from __future__ import annotations

import secrets
import time

from markupsafe import Markup

from vendors.sandbox import CASE_BUTTONS, Refused, Request, Response, Row, Store, page, redirect

from . import tenantapi

NAME = "Sharespine"
COOKIE = "sharespine_sandbox"

WIZARD = Markup("""<p>Tenant <strong>{tenant}</strong> · signed in as <strong>{login}</strong></p>{done}
<form method="post">
<label>Web address of your shop
<input type="text" name="shop" value="shop.example" required maxlength="200"></label>
<p class="row"><button class="main" name="case" value="approve">Set up my shop</button>
<button name="case" value="decline">Leave without setting up</button></p>{cases}</form>
<form method="post"><p>Orders in this tenant: {orders}</p>
<p class="row"><button name="case" value="order">Place a test order</button></p></form>
<details><summary>For the operator (sandbox only)</summary>
<p>Passwords for the Tenant API. How a tenant user gets one is not documented.</p>
<ul>{users}</ul><p>Connections:</p><ul>{connections}</ul>
<p><a href="/sharespine/operator">What was agreed with the reseller</a></p></details>""")

CLOSE = Markup(
    "<p>You can close this page. Go back to where you came from and say that you have finished:"
    " Sharespine sends nobody back.</p>"
)
EXPIRED = Markup(
    "<p>It was only valid for a short time. Ask for a new one where you came from.</p>"
)
USER = Markup("<li>{login}: <code>{password}</code></li>")
CONNECTION = Markup("<li>{name}: <code>{id}</code></li>")


def sign_in(request: Request, store: Store) -> Response:
    """A login URL: works once, until it expires, and leads to the path that was asked for."""
    row = store.get("logins", request.params["id"])
    if row is None or row["login"] != request.params["login"]:
        raise Refused(404, "This link does not exist.")
    if row["expires_at"] <= time.time():
        return _expired()
    if row["used"]:
        raise Refused(410, "This link has been used. Ask for a new one where you came from.")
    store.change("logins", row["id"], used=True)
    fields = {"tenant": row["tenant"], "login": row["login"]}
    session = store.add("sessions", secrets.token_urlsafe(24), **fields)
    response = redirect(f"/sharespine/my{row['path']}")
    response.set_cookie(COOKIE, session["id"], path="/sharespine", httponly=True, samesite="Lax")
    return response


def _expired() -> Response:
    return page(NAME, "This link has expired", EXPIRED, 410)


def _session(request: Request, store: Store) -> Row:
    session = store.get("sessions", request.cookies.get(COOKIE, ""))
    if session is None:
        raise Refused(403, "You are not signed in. Ask for a new link where you came from.")
    tenant = store.get("tenants", session["tenant"])
    if tenant is None or tenant.get("deleted") or not tenant["active"]:
        raise Refused(403, "This tenant is switched off.")
    return session


def show(request: Request, store: Store) -> Response:
    session = _session(request, store)
    tenant = {"tenant": session["tenant"]}
    users = [_user(row) for row in store.rows("users", **tenant)]
    connections = [_connection(row) for row in store.rows("connections", **tenant)]
    done = (
        Markup("<p>A shop is already set up.</p>") if store.rows("setups", **tenant) else Markup("")
    )
    body = WIZARD.format(
        tenant=session["tenant"],
        login=session["login"],
        done=done,
        cases=CASE_BUTTONS,
        orders=len(store.rows("orders", **tenant)),
        users=Markup().join(users),
        connections=Markup().join(connections),
    )
    return page(NAME, "Set up your shop", body)


def _user(row: Row) -> Markup:
    return USER.format(login=row["login"], password=row["password"])


def _connection(row: Row) -> Markup:
    return CONNECTION.format(name=row["name"], id=row["id"])


def set_up(request: Request, store: Store) -> Response:
    session, form = _session(request, store), request.form_fields()
    case = form.get("case", "")
    if case == "order":
        tenantapi.place(store, session["tenant"], "buyer@shop.example")
        return redirect(request.base_url)
    if case == "decline":
        return page(NAME, "Nothing was set up", CLOSE)
    if case == "expired":
        for row in store.rows("logins", tenant=session["tenant"]):
            store.change("logins", row["id"], expires_at=0)
        return _expired()
    if case not in {"approve", "slow", "dead", "garbled", "lost"}:
        raise Refused(400, "Choose one of the buttons.")
    fields = {"tenant": session["tenant"], "login": session["login"], "shop": form.get("shop", "")}
    store.add("setups", secrets.token_hex(8), at=int(time.time()), **fields)
    return page(NAME, "Your shop is set up", CLOSE).then_play(case, session["tenant"])
