"""Operator's page of the Celigo sandbox: licences, install base, pushed updates and switches."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from markupsafe import Markup

from vendors.sandbox import Refused, Request, Response, Row, Store, page
from vendors.sandbox.switches import fields, save

from .connectors import preset
from .licenses import issued, signed_up
from .rules import SWITCHES, WHEN

NAME = "Celigo integrator.io"
TRIAL = timedelta(days=30)

DESK = Markup("""{message}<h2>Licences</h2>{licenses}<h2>Install base</h2>{base}
<h2>Pushed updates</h2>{pushes}
<form method="post"><fieldset><legend>Issue a licence elsewhere</legend>
<label>Connector <select name="connector">{options}</select></label>
<label>Email address <input type="email" name="email" required autocomplete="off"></label>
<button name="do" value="issue">Issue a licence</button></fieldset></form>
<form method="post"><fieldset><legend>How Celigo behaves</legend>{switches}
<p><button name="do" value="switch">Save</button></p></fieldset></form>
<p><a href="/celigo/">integrator.io</a></p>""")


def show(_request: Request, store: Store) -> Response:
    return _desk(store)


def pressed(request: Request, store: Store) -> Response:
    form = request.form_fields()
    if form.get("do") == "issue":
        return _issued(store, form.get("connector", ""), form.get("email", "").strip())
    if form.get("do") == "switch":
        save(SWITCHES, store, form)
        return _desk(store, "Saved.")
    raise Refused(400, "Choose one of the buttons.")


def _issued(store: Store, connector: str, email: str) -> Response:
    """A licence that Gangway knows nothing of; the account is made if there is none."""
    preset(store)
    if store.get("connectors", connector) is None or not re.fullmatch(r"[^@\s]+@[^@\s]+", email):
        raise Refused(400, "A licence needs a connector and an email address.")
    expires = (datetime.now(UTC) + TRIAL).strftime(WHEN) + ".000Z"
    opts = {"connectorEdition": "standard"}
    issued(store, connector, signed_up(store, email), {"expires": expires, "opts": opts})
    return _desk(store, "The licence is issued.")


def _desk(store: Store, message: str = "") -> Response:
    preset(store)
    names = {row["id"]: row["name"] for row in store.rows("connectors", deleted=False)}
    option = Markup('<option value="{id}">{name}</option>')
    body = DESK.format(
        message=Markup('<p role="status">{message}</p>').format(message=message)
        if message
        else Markup(""),
        licenses=_list(store.rows("licenses", deleted=False), ("email", "id", "expires")),
        base=_list(store.rows("integrations", removed=False), ("email", "name", "version", "id")),
        pushes=_list(store.rows("pushes"), ("at", "integrations")),
        options=Markup().join([option.format(id=id, name=name) for id, name in names.items()]),
        switches=fields(SWITCHES, store),
    )
    return page(NAME, "Partner desk", body)


def _list(rows: Sequence[Row], columns: Sequence[str]) -> Markup:
    if not rows:
        return Markup("<p>None.</p>")
    items = [Markup("<li>{text}</li>").format(text=_line(row, columns)) for row in rows]
    return Markup("<ul>{items}</ul>").format(items=Markup().join(items))


def _line(row: Row, columns: Sequence[str]) -> str:
    parts = (row[column] for column in columns)
    return " · ".join(", ".join(part) if isinstance(part, list) else str(part) for part in parts)
