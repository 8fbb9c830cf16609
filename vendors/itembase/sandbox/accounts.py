"""OAuth of the itembase sandbox: users, authorisation codes, access and refresh tokens."""

from __future__ import annotations

import re
import secrets
import time
import uuid
from collections.abc import Mapping
from urllib.parse import urlsplit

from vendors.sandbox import Refused, Request, Response, Row, Store, json_response

CLIENT_ID = "gangway-demo"
CLIENT_SECRET = "gangway-demo-secret"
SCOPES = {
    "user.minimal",
    "user.instances.read",
    "user.instances.write",
    "connection.transaction",
    "connection.product",
    "connection.profile",
    "connection.buyer",
}
CODE_SECONDS = 30
ACCESS_SECONDS = 2592000


def signed_in(store: Store, user: str, email: str) -> Row:
    """The user with this uuid; for "new" the one with this email, made if there is none."""
    if user != "new":
        found = store.get("users", user)
        if found is None:
            raise Refused(400, "Choose as whom to sign in.")
        return found
    if not re.fullmatch(r"[^@\s]+@[^@\s]+", email):
        raise Refused(400, "A new user needs an email address.")
    known = store.rows("users", email=email)
    return known[0] if known else store.add("users", str(uuid.uuid4()), email=email)


def registered(redirect_uri: str) -> bool:
    """Whether a redirect_uri is registered: the return address of a local Gangway.

    It may have a query: a public client of itembase adds a parameter to the address that is registered
    (python-social-auth, REDIRECT_STATE), so addresses are compared without their query.
    """
    try:
        parts = urlsplit(redirect_uri)
        local = parts.hostname in {"localhost", "127.0.0.1", "::1"} and parts.username is None
    except ValueError:
        return False
    ours = parts.path.endswith("/return/itembase/") and "#" not in redirect_uri
    return parts.scheme in {"http", "https"} and local and ours


def add_code(store: Store, user: Row, scope: str, redirect_uri: str, lives: float) -> str:
    """A new authorisation code, valid for `lives` seconds."""
    code = secrets.token_urlsafe(32)
    fields = {"user": user["id"], "scope": scope, "redirect_uri": redirect_uri}
    store.add("codes", code, used=False, expires_at=time.time() + lives, **fields)
    return code


def authorised(request: Request, store: Store, *scopes: str) -> Row:
    """The grant behind the Bearer token; 401 without a valid one, 403 without the scopes."""
    challenge = {"WWW-Authenticate": "Bearer"}
    grant = store.get("grants", request.bearer())
    if grant is None or grant["expires_at"] <= time.time():
        raise Refused(401, "The access token is missing, wrong or expired.", challenge)
    missing = set(scopes) - set(grant["scope"].split())
    if missing:
        raise Refused(403, f"The scope {' '.join(sorted(missing))} is missing.", challenge)
    return grant


# Reference: "Authorization and authentication with OAuth 2.0", steps 4 and 6 (GET, as documented)
def token_by_get(request: Request, store: Store) -> Response:
    return _token(request.args, store)


def token_by_post(request: Request, store: Store) -> Response:
    """RFC 6749's form POST, which is what ordinary OAuth libraries send."""
    if request.query_string:
        return _error("invalid_request", "Parameters belong into the body of a POST.")
    try:
        args = request.form_fields()
    except Refused as no:
        return _error("invalid_request", no.description)
    return _token(args, store)


def _token(args: Mapping[str, str], store: Store) -> Response:
    if not {"client_id", "client_secret", "grant_type"} <= set(args):
        return _error("invalid_request", "client_id, client_secret or grant_type is missing.")
    if (args["client_id"], args["client_secret"]) != (CLIENT_ID, CLIENT_SECRET):
        return _error("invalid_client", "The client credentials are invalid.", 401)
    if args["grant_type"] == "authorization_code":
        return _exchanged(args, store)
    if args["grant_type"] == "refresh_token":
        return _refreshed(args, store)
    return _error("unsupported_grant_type", "Use authorization_code or refresh_token.")


def _exchanged(args: Mapping[str, str], store: Store) -> Response:
    # "ignored but must be present and allowed"
    if not args.get("code") or not registered(args.get("redirect_uri", "")):
        return _error("invalid_request", "code or an allowed redirect_uri is missing.")
    code = store.get("codes", args["code"])
    if code is None or code["used"] or code["expires_at"] <= time.time():
        return _error("invalid_grant", "The code does not exist, is used or has expired.")
    store.change("codes", code["id"], used=True)
    return _granted(store, code)


def _refreshed(args: Mapping[str, str], store: Store) -> Response:
    old = store.rows("grants", refresh_token=args.get("refresh_token", ""))
    if not old:
        return _error("invalid_grant", "The refresh token is invalid.")
    store.change("grants", old[0]["id"], refresh_token=None)
    return _granted(store, old[0])


def _granted(store: Store, source: Row) -> Response:
    """New tokens for the user and scope of a code or of an older grant."""
    grant = store.add(
        "grants",
        secrets.token_urlsafe(36),
        user=source["user"],
        scope=source["scope"],
        redirect_uri=source["redirect_uri"],
        refresh_token=secrets.token_urlsafe(36),
        expires_at=time.time() + ACCESS_SECONDS,
    )
    shown = {
        "access_token": grant["id"],
        "expires_in": ACCESS_SECONDS,
        "token_type": "bearer",
        "scope": grant["scope"],
        "refresh_token": grant["refresh_token"],
    }
    return json_response(shown, headers={"Cache-Control": "no-store"})


def _error(code: str, description: str, status: int = 400) -> Response:
    return json_response({"error": code, "error_description": description}, status)


# Reference: "Getting basic user information"
def me(request: Request, store: Store) -> Response:
    user = store.get("users", authorised(request, store, "user.minimal")["user"])
    if user is None:
        raise Refused(404, "Not found.")
    name = user["email"].partition("@")[0]
    shown = {
        "uuid": user["id"],
        "username": name,
        "email": user["email"],
        "first_name": name.title(),
        "middle_name": None,
        "last_name": "Sandbox",
        "name_format": "first middle last",
        "locale": "en",
        "preferred_currency": "EUR",
    }
    return json_response(shown)
