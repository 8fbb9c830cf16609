"""API clients, scopes and tokens of the Capillary sandbox.

Reference: Capillary API documentation, "Integrations" and "OAuth".
"""

from __future__ import annotations

import base64
import json
import secrets
import string
import time

from vendors.sandbox import JsonObject, Request, Response, Row, Store

from .rules import (
    BAD_KEY,
    CREATED,
    DELETED,
    KEY,
    SECRET,
    TILL,
    TILLS,
    UNIT,
    USERNAME,
    Wrong,
    at,
    done,
    whole,
)

SCOPES = {1: "TargetGroups", 2: "All", 3: "Transaction"}
PERMISSIONS = ("READ", "READWRITE", "WRITE")
MOST = 15
LONGEST = 3600  # seconds; "max 60 min by default"
FIRST_ID = 880
ALPHABET = string.ascii_letters + string.digits
ORG = 100458
FULL = "An org may have 15 valid clients."

CLIENT = ("name", "description", "expirationTokenTime", "defaultTillId", "scopes")
OPTIONAL_IN_PUT = ("name", "description")
SCOPE = ("entityId", "permission", "resources")


def preset(store: Store) -> None:
    """The client whose key and secret the operator uses: one of the org's 15."""
    if not store.rows("operators"):
        fields = {"name": "Gangway", "description": "The operator's own client."}
        scopes = [{"entityId": 2, "permission": "READWRITE", "resources": []}]
        about = {"expirationTokenTime": 300, "defaultTillId": TILL, "scopes": scopes}
        state = {"number": 865, "secret": SECRET, "valid": True, "created": 1586757692.0}
        store.add("operators", KEY, updated=1586757692.0, **fields, **about, **state)


def everyone(store: Store) -> list[Row]:
    preset(store)
    return store.rows("operators") + store.rows("clients")


def valid(store: Store) -> list[Row]:
    return [row for row in everyone(store) if row["valid"]]


def add(store: Store, fields: JsonObject) -> Row:
    """A new client; 15 are the most that may be valid."""
    if len(valid(store)) >= MOST:
        raise Wrong(400, FULL, 320015)
    number = FIRST_ID + store.count().get("clients", 0)
    state = {"number": number, "secret": _text(40), "valid": True}
    times = {"created": time.time(), "updated": time.time()}
    return store.add("clients", _text(25), **fields, **state, **times)


def remove(store: Store, row: Row) -> Row:
    return store.change(_kind(row), row["id"], valid=False, updated=time.time())


def _text(length: int) -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(length))


def _kind(row: Row) -> str:
    return "operators" if row["id"] == KEY else "clients"


# -- shapes ----------------------------------------------------------------------------------------


def _shown(row: Row, *, new: bool = False, changed: bool = False) -> JsonObject:
    """A client as every answer has it; times of this very call have their milliseconds."""
    till = {"id": TILL, "code": USERNAME, "description": "", "name": USERNAME, "type": "TILL"}
    attribution = {
        "createdOn": at(row["created"], exact=new),
        "lastUpdatedOn": at(row["updated"], exact=new or changed),
        "lastUpdatedBy": till,
        "createdBy": till,
    }
    shown = {"id": row["number"], "attribution": attribution, "name": row["name"]}
    shown |= {"clientKey": row["id"]} | ({"clientSecret": row["secret"]} if new else {})
    more = ("description", "expirationTokenTime", "defaultTillId")
    return shown | {"isValid": row["valid"]} | {name: row[name] for name in more}


def _scopes(row: Row) -> JsonObject:
    names = ("permission", "entityId")
    return {"scopes": [{name: scope[name] for name in names} for scope in row["scopes"]]}


# -- what a body must be ---------------------------------------------------------------------------


def _validated(body: JsonObject, optional: tuple[str, ...] = ()) -> JsonObject:
    unknown = sorted(set(body) - set(CLIENT))
    missing = [name for name in CLIENT if name not in body and name not in optional]
    wrong = [name for name in CLIENT if name in body and not _fits(name, body[name])]
    if unknown or missing or wrong:
        raise Wrong(400, f"Missing, wrong or unknown: {', '.join(missing + wrong + unknown)}.")
    return body


def _fits(name: str, value: object) -> bool:
    if name == "scopes":
        return isinstance(value, list) and bool(value) and _are_scopes(value)
    if name == "expirationTokenTime":
        return whole(value) and 1 <= value <= LONGEST
    if name == "defaultTillId":
        return whole(value) and value in TILLS
    return isinstance(value, str) and bool(value.strip())


def _are_scopes(scopes: list[JsonObject]) -> bool:
    if not all(isinstance(scope, dict) and _is_scope(scope) for scope in scopes):
        return False
    return len({scope["entityId"] for scope in scopes}) == len(scopes)


def _is_scope(scope: JsonObject) -> bool:
    if set(scope) != set(SCOPE) or not isinstance(scope["resources"], list):
        return False
    known = whole(scope["entityId"]) and scope["entityId"] in SCOPES
    paths = all(isinstance(path, str) and path.strip() for path in scope["resources"])
    return known and scope["permission"] in PERMISSIONS and paths


def _client(request: Request, store: Store) -> Row:
    key = request.params["clientKey"]
    preset(store)
    row = store.get("operators", key) or store.get("clients", key)
    if row is None or (not row["valid"] and DELETED.value(store) == "gone"):
        raise Wrong(404, "Client not found")
    return row


# -- the calls -------------------------------------------------------------------------------------


def scopes(_request: Request, store: Store) -> Response:
    return done(store, [{"id": id, "entity": entity} for id, entity in SCOPES.items()])


def create(request: Request, store: Store) -> Response:
    """The only answer that holds the secret. A repeated call makes a second client."""
    fields, answer = _validated(request.json_object()), CREATED.value(store)
    if answer == "201-errors":
        raise Wrong(201, "The client could not be created.", 320020)
    row = add(store, fields)
    return done(store, _shown(row, new=True) | _scopes(row), int(answer))


def get_all(_request: Request, store: Store) -> Response:
    rows = valid(store) if DELETED.value(store) == "gone" else everyone(store)
    return done(store, [_shown(row) for row in rows])


def get(request: Request, store: Store) -> Response:
    row = _client(request, store)
    return done(store, _shown(row) | _scopes(row))


def update(request: Request, store: Store) -> Response:
    """The scopes are replaced; name and description stay if they are left out."""
    row = _client(request, store)
    fields = _validated(request.json_object(), OPTIONAL_IN_PUT)
    if not row["valid"]:
        raise Wrong(400, "The client is not valid.", 320016)
    row = store.change(_kind(row), row["id"], updated=time.time(), **fields)
    return done(store, _shown(row, changed=True) | _scopes(row))


def delete(request: Request, store: Store) -> Response:
    """The client stays, no longer valid; its tokens stop working."""
    row = _client(request, store)
    row = remove(store, row) if row["valid"] else row
    return done(store, _shown(row, changed=True))


def generate(request: Request, store: Store) -> Response:
    """An access token for a key and secret; it lives as long as its client says."""
    body = request.json_object()
    if set(body) != {"key", "secret"} or not all(isinstance(v, str) for v in body.values()):
        raise Wrong(400, "key and secret are validated, and nothing else.")
    row = next((row for row in valid(store) if row["id"] == body["key"]), None)
    if row is None or not secrets.compare_digest(row["secret"].encode(), body["secret"].encode()):
        raise Wrong(int(BAD_KEY.value(store)), "Invalid client key and secret", 320001)
    seconds = _seconds(row, store)
    token = _jwt(row, seconds)
    store.add("tokens", token, client=row["id"], ttl=seconds, expires_at=time.time() + seconds)
    return done(store, {"accessToken": token, "ttlSeconds": seconds})


def _seconds(row: Row, store: Store) -> int:
    minutes = row["id"] != KEY and UNIT.value(store) == "minutes"
    return int(row["expirationTokenTime"]) * (60 if minutes else 1)


def _jwt(row: Row, seconds: int) -> str:
    issued = int(time.time())
    times = {"iat": issued, "exp": issued + seconds, "jti": secrets.token_hex(8)}
    about = {"client_id": row["number"], "org_id": ORG, "token_use": "access"}
    claims = {"iss": "capillary", "sub": row["id"], **times, **about}
    parts = [json.dumps(part).encode() for part in ({"alg": "RS256", "typ": "JWT"}, claims)]
    parts.append(secrets.token_bytes(32))
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)
