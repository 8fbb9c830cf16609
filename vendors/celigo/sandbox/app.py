"""Merchants' pages of the Celigo sandbox (integrator.io): sign-up, licences and "Install"."""

from __future__ import annotations

import re

from markupsafe import Markup

from vendors.sandbox import CASE_BUTTONS, Refused, Request, Response, Row, Store, page

from .licenses import install, signed_up, uninstall
from .rules import now

NAME = "integrator.io"
COOKIE = "celigo_sandbox"
POST_LICENSE = "POST /v1/connectors/{_id}/licenses"
CASES = {"slow", "dead", "garbled", "lost"}

SIGN_IN = Markup("""{message}<form method="post"><input type="hidden" name="user" value="new">
<label>Email address <input type="email" name="email" value="{email}" required
autocomplete="off"></label>
<p class="row"><button class="main" name="case" value="approve">Create an integrator.io
account</button></p>{cases}</form>{known}
<form method="post"><button name="case" value="decline">Leave</button></form>{desk}""")

KNOWN = Markup("""<form method="post"><input type="hidden" name="case" value="approve">
<p class="row">{buttons}</p></form>""")
CHOICE = Markup('<button name="user" value="{id}">Sign in as {email}</button>')

HOME = Markup("""{message}<p>Signed in as <strong>{email}</strong></p>
{licenses}
<form method="post"><p class="row"><button name="case" value="decline">Leave without installing</button>
<button name="case" value="signout">Sign out</button></p>{cases}</form>{desk}""")

LICENSE = Markup("""<section><h2>{connector}</h2><p>{state} Expires {expires}. Edition: {edition}.</p>
<form method="post"><input type="hidden" name="license" value="{id}">
<p class="row">{button}</p></form></section>""")

LEFT = Markup("<p>You can close this page. Go back to where you came from.</p>")
INSTALL = Markup('<button class="main" name="case" value="approve">Install</button>')
UNINSTALL = Markup('<button name="case" value="uninstall">Uninstall</button>')
DESK = Markup(
    '<p class="hint">For the operator (sandbox only): <a href="/celigo/partner">desk</a></p>'
)


def show(request: Request, store: Store) -> Response:
    user = store.get("users", request.cookies.get(COOKIE, ""))
    return _home(store, user) if user else _sign_in(store)


def pressed(request: Request, store: Store) -> Response:
    """Any button: of the page for signing in, or of the page of whoever is signed in."""
    form = request.form_fields()
    case = form.get("case", "")
    if case not in {"approve", "decline", "signout", "uninstall", "expired"} | CASES:
        raise Refused(400, "Choose one of the buttons.")
    user = store.get("users", request.cookies.get(COOKIE, ""))
    if case in {"decline", "signout"}:
        return _signed_out(store, case)
    if user is None:
        return _signed_in(store, form, case)
    return _acted(store, user, form.get("license", ""), case)


def _signed_out(store: Store, case: str) -> Response:
    if case == "decline":
        return page(NAME, "Nothing was installed", LEFT)
    response = _sign_in(store, "You are signed out.")
    response.delete_cookie(COOKIE, path="/celigo")
    return response


def _signed_in(store: Store, form: dict[str, str], case: str) -> Response:
    user = _chosen(store, form.get("user", ""), form.get("email", "").strip())
    if case == "expired":
        _expire(store, user)
    response = _home(store, user, "You are signed in.")
    response.set_cookie(COOKIE, user["id"], path="/celigo", httponly=True, samesite="Lax")
    # Before a licence is issued, the worst reply to lose is the one that contains it.
    return response.then_play(case, "", POST_LICENSE if case == "lost" else "*")


def _chosen(store: Store, id: str, email: str) -> Row:
    if id != "new":
        found = store.get("users", id)
        if found is None:
            raise Refused(400, "Choose as whom to sign in.")
        return found
    if not re.fullmatch(r"[^@\s]+@[^@\s]+", email):
        raise Refused(400, "A new account needs an email address.")
    return signed_up(store, email)


def _acted(store: Store, user: Row, license_id: str, case: str) -> Response:
    if case == "expired":
        _expire(store, user)
        return _home(store, user, "Your licences have expired.")
    row = _license(store, user, license_id, installed=case == "uninstall")
    if row is None:
        message = "There is nothing to do."
    elif case == "uninstall":
        uninstall(store, row)
        message = "It is uninstalled."
    else:
        install(store, row, user["name"])
        message = "It is installed."
    return _home(store, user, message).then_play(case, "")


def _license(store: Store, user: Row, id: str, installed: bool) -> Row | None:
    """The licence with this id; without one, the newest that can be (un)installed."""
    licences = _licences_of(store, user)
    if not id:
        fitting = (row for row in licences if bool(row["integration"]) == installed)
        alive = [row for row in fitting if row["expires"] > now()]
        return alive[-1] if alive else None
    found = [row for row in licences if row["id"] == id]
    if not found:
        raise Refused(404, "This licence does not exist.")
    if not installed and found[0]["expires"] <= now():
        raise Refused(409, "This licence has expired.")
    return found[0]


def _licences_of(store: Store, user: Row) -> list[Row]:
    return store.rows("licenses", owner=user["id"], deleted=False)


def _expire(store: Store, user: Row) -> None:
    for row in _licences_of(store, user):
        store.change("licenses", row["id"], expires=now())


def _message(text: str) -> Markup:
    return Markup('<p role="status">{text}</p>').format(text=text) if text else Markup("")


def _sign_in(store: Store, message: str = "") -> Response:
    users = store.rows("users")
    buttons = [CHOICE.format(id=user["id"], email=user["email"]) for user in users]
    body = SIGN_IN.format(
        message=_message(message),
        email=f"merchant{len(users) + 1}@shop.example",
        known=KNOWN.format(buttons=Markup().join(buttons)) if buttons else Markup(""),
        cases=CASE_BUTTONS,
        desk=DESK,
    )
    return page(NAME, "Your integrator.io account", body)


def _home(store: Store, user: Row, message: str = "") -> Response:
    sections = [_section(store, row) for row in _licences_of(store, user)]
    body = HOME.format(
        message=_message(message),
        email=user["email"],
        licenses=Markup().join(sections)
        or Markup("<p>No licence has been issued to this address.</p>"),
        cases=CASE_BUTTONS,
        desk=DESK,
    )
    return page(NAME, "Your licences", body)


def _section(store: Store, row: Row) -> Markup:
    found, over = store.get("connectors", row["connector"]), row["expires"] <= now()
    edition = (row["opts"] or {}).get("connectorEdition", "none")
    return LICENSE.format(
        connector=found["name"] if found else "",
        state="Expired." if over else "Installed." if row["integration"] else "Not installed.",
        expires=row["expires"],
        edition=edition,
        id=row["id"],
        button=UNINSTALL if row["integration"] else Markup("") if over else INSTALL,
    )
