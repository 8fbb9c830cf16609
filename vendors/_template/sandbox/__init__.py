"""The vendor as its documentation describes it: what a merchant and our client meet on localhost.

Read the documentation a second time for it, and do not look at client.py.
"""

from __future__ import annotations

import secrets
from urllib.parse import urlencode

from markupsafe import Markup

from vendors.sandbox import (
    CASE_BUTTONS,
    Refused,
    Request,
    Response,
    Row,
    Sandbox,
    Store,
    json_response,
    page,
    redirect,
)

NAME = "Template"
TOKEN = "gangway-demo-_template-token"
STATUS = {"decline": "declined", "expired": "pending"}  # after a case; every other one approves

FORM = Markup("""<form method="post"><p>Approve <strong>{name}</strong>?</p>
<p><label>Address of the shop, if you like <input type="text" name="address"></label></p>
<p class="row"><button class="main" name="case" value="approve">Approve</button>
<button name="case" value="decline">Decline</button></p>{cases}</form>""")

sandbox = Sandbox("_template", NAME, shows={"shops": ("name", "address", "status", "deleted")})


def environ(base_url: str) -> dict[str, str]:
    """The settings with which Gangway uses this sandbox; its credentials are invented."""
    return {"_TEMPLATE_API_URL": f"{base_url}/_template", "_TEMPLATE_API_TOKEN": TOKEN}


# -- the API -------------------------------------------------------------------------------------


# Reference: "Create a shop"
@sandbox.api("POST", "/v1/shops")
def create(request: Request, store: Store) -> Response:
    _authorised(request)
    fields = request.json_object()
    given = {key: fields.get(key) for key in ("reference", "name")}
    if not all(isinstance(value, str) and value for value in given.values()):
        raise Refused(400, "A shop needs a reference and a name.")
    row = store.add(
        "shops", secrets.token_hex(8), **given, address="", status="pending", deleted=False
    )
    return json_response(_shown(request, row), 201)


# Reference: "List shops"
@sandbox.api("GET", "/v1/shops")
def listed(request: Request, store: Store) -> Response:
    _authorised(request)
    wanted = request.args.get("reference")
    rows = [row for row in store.rows("shops") if not row["deleted"]]
    return json_response(
        [_shown(request, row) for row in rows if wanted in (None, row["reference"])]
    )


# Reference: "Read a shop"
@sandbox.api("GET", "/v1/shops/{id}")
def read(request: Request, store: Store) -> Response:
    _authorised(request)
    return json_response(_shown(request, _shop(request, store)))


# Reference: "Delete a shop"
@sandbox.api("DELETE", "/v1/shops/{id}")
def delete(request: Request, store: Store) -> Response:
    _authorised(request)
    store.change("shops", _shop(request, store)["id"], deleted=True)
    return Response(status=204)


def _authorised(request: Request) -> None:
    if request.bearer() != TOKEN:
        raise Refused(401, "The token is missing or unknown.")


def _shop(request: Request, store: Store) -> Row:
    row = store.get("shops", request.params["id"])
    if row is None or row["deleted"]:
        raise Refused(404, "There is no such shop.")
    return row


def _shown(request: Request, row: Row) -> Row:
    fields = {key: row[key] for key in ("id", "reference", "name", "status", "address")}
    return {**fields, "approval_url": f"{request.root_url}approve/{row['id']}"}


# -- the merchant's page -------------------------------------------------------------------------


# Reference: "Approval"
@sandbox.page("GET", "/approve/{id}")
def approval(request: Request, store: Store) -> Response:
    row = _shop(request, store)
    _back(request)
    body = FORM.format(name=row["name"], cases=CASE_BUTTONS)
    return page(NAME, "Approve the shop", body)


@sandbox.page("POST", "/approve/{id}")
def approved(request: Request, store: Store) -> Response:
    """The approval is noted before the merchant is sent back."""
    row, back, fields = _shop(request, store), _back(request), request.form_fields()
    case, address = fields.get("case", ""), fields.get("address", "")
    store.change("shops", row["id"], status=STATUS.get(case, "active"), address=address)
    return redirect(back).then_play(case, "")


def _back(request: Request) -> str:
    """`return_to` with the caller's `state`."""
    url = request.args.get("return_to", "")
    if not url.startswith(("https://", "http://")):
        raise Refused(400, "return_to is not a web address.")
    return f"{url}?{urlencode({'state': request.args.get('state', '')})}"
