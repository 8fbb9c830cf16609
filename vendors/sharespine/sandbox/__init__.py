"""An imitation of Sharespine's Reseller API, Tenant API root, and the wizard behind a login URL.

Reference: Sharespine developers, "Onboard tenant".
"""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote, urlsplit

from vendors.sandbox import Answer, Imitation, Refused, Request, Row, Store, reply
from vendors.sharespine.sandbox import wizard

USERNAME = "demo-reseller"
PASSWORD = "demo-reseller-secret"
RESELLER = "demo"
PREFIX = "demo"
LOGIN_SECONDS = 600
AGENT = re.compile(r"\S+/\S+ \([^()\s@]+@[^()\s@]+\.[^()\s@]+\)")


def environ(base_url: str) -> dict[str, str]:
    """The settings with which Gangway uses this sandbox; its credentials are invented."""
    return {
        "SHARESPINE_API_URL": f"{base_url}/sharespine",
        "SHARESPINE_USERNAME": USERNAME,
        "SHARESPINE_PASSWORD": PASSWORD,
        "SHARESPINE_RESELLER": RESELLER,
        "SHARESPINE_CONTACT": "gangway@example.com",
        "SHARESPINE_LOGIN_HOSTS": urlsplit(base_url).hostname or "",
        "SHARESPINE_OPTIONS": "wizard,orders",
        "SHARESPINE_PERMISSIONS": "wizard,orders",
        "SHARESPINE_LANGUAGE": "swe",
        "SHARESPINE_LANGUAGES": "swe,eng",
    }


def refuse(status: int, message: str) -> Answer:
    # The shape of Sharespine's Error record is not public.
    return reply({"message": message}, status)


def flow(request: Request, _store: Store) -> str:
    """The tenant (codeName) that a call is about."""
    return request.params.get("codeName") or request.headers.get("x-tenant", "")


sandbox = Imitation(
    "sharespine",
    "Sharespine",
    refuse=refuse,
    flow=flow,
    shows={
        "tenants": ("id", "fullName"),
        "users": ("tenant", "login", "password"),
        "connections": ("tenant", "id", "name"),
        "setups": ("tenant", "login", "shop"),
    },
)

Check = Callable[[Any], bool]


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_reference(value: Any) -> bool:
    return isinstance(value, str) and bool(re.fullmatch(r"[a-z0-9][a-z0-9_-]*", value))


def _is_email(value: Any) -> bool:
    return isinstance(value, str) and bool(re.fullmatch(r"[^@\s]+@[^@\s]+", value))


def _is_language(value: Any) -> bool:
    return isinstance(value, str) and bool(re.fullmatch(r"[a-z]{3}", value))


def _is_flag(value: Any) -> bool:
    return isinstance(value, bool)


def _is_object(value: Any) -> bool:
    return isinstance(value, dict)


def _is_path(value: Any) -> bool:
    return isinstance(value, str) and bool(re.fullmatch(r"/[!-\[\]-~]*", value))


def _list_of(check: Check) -> Check:
    return lambda value: isinstance(value, list) and all(check(one) for one in value)


TENANT: dict[str, Check] = {
    "customerReference": _is_reference,
    "active": _is_flag,
    "fullName": _is_text,
    "email": _is_email,
    "defaultLanguage": _is_language,
    "languages": _list_of(_is_language),
    "options": _list_of(_is_text),
}
USER: dict[str, Check] = {
    "login": _is_text,
    "fullName": _is_text,
    "email": _is_email,
    "permissions": _list_of(_is_text),
    "defaultLanguage": _is_language,
}
CONNECTION: dict[str, Check] = {
    "active": _is_flag,
    "name": _is_text,
    "type": lambda value: value == "api",
    "configuration": _is_object,
}
LOGIN: dict[str, Check] = {"path": _is_path}


def _demanded(request: Request, fields: Mapping[str, Check]) -> dict[str, Any]:
    """The JSON body, which must have exactly these fields."""
    body = request.json()
    wrong = sorted(name for name in fields if name not in body or not fields[name](body[name]))
    unknown = sorted(set(body) - set(fields))
    if wrong or unknown:
        raise Refused(400, f"Missing, wrong or unknown: {', '.join(wrong + unknown)}.")
    return body


def _demand_agent(request: Request) -> None:
    if not AGENT.match(request.headers.get("user-agent", "")):
        raise Refused(400, "User-Agent must be like my-app/1.0 (you@example.com).")


def _demand_reseller(request: Request) -> None:
    """Basic authentication, X-Reseller and a User-Agent with a contact address."""
    _demand_agent(request)
    if request.basic() != (USERNAME, PASSWORD):
        raise Refused(401, "Wrong user name or password.", {"WWW-Authenticate": "Basic"})
    if request.headers.get("x-reseller") != RESELLER:
        raise Refused(403, "X-Reseller is missing or not yours.")


def _tenant(request: Request, store: Store) -> Row:
    tenant = store.get("tenants", request.params["codeName"])
    if tenant is None:
        raise Refused(404, "No such tenant.")
    return tenant


# Reference: "Create tenant"
@sandbox.api("POST", "/reseller/tenant")
def create_tenant(request: Request, store: Store) -> Answer:
    _demand_reseller(request)
    body = _demanded(request, TENANT)
    if body["defaultLanguage"] not in body["languages"]:
        raise Refused(400, "defaultLanguage is not one of languages.")
    number = store.count().get("tenants", 0) + 1
    tenant = store.add("tenants", f"{PREFIX}{body['customerReference']}-{number}", **body)
    return reply({"codeName": tenant["id"]}, 201)


# Reference: "Create tenant user"
@sandbox.api("POST", "/reseller/tenant/{codeName}/user")
def create_user(request: Request, store: Store) -> Answer:
    _demand_reseller(request)
    tenant, body = _tenant(request, store), _demanded(request, USER)
    if store.rows("users", tenant=tenant["id"], login=body["login"]):
        raise Refused(409, "This login exists in the tenant.")
    # How a tenant user gets a password is not documented; ours is shown in the sandbox's pages.
    password = secrets.token_urlsafe(12)
    store.add("users", secrets.token_hex(16), tenant=tenant["id"], password=password, **body)
    return reply(body, 201)


# Reference: "Create an API Connection"
@sandbox.api("POST", "/reseller/tenant/{codeName}/connection")
def create_connection(request: Request, store: Store) -> Answer:
    _demand_reseller(request)
    tenant, body = _tenant(request, store), _demanded(request, CONNECTION)
    row = store.add("connections", secrets.token_hex(16), tenant=tenant["id"], **body)
    return reply({"id": row["id"]} | body, 201)


# Reference: "Create a login URL for specific tenant user"
@sandbox.api("POST", "/reseller/tenant/{codeName}/login/{login}")
def create_login(request: Request, store: Store) -> Answer:
    _demand_reseller(request)
    tenant, body = _tenant(request, store), _demanded(request, LOGIN)
    login = request.params["login"]
    if not store.rows("users", tenant=tenant["id"], login=login):
        raise Refused(404, "No such login in the tenant.")
    expires_at = int(time.time()) + LOGIN_SECONDS
    fields = {"tenant": tenant["id"], "login": login, "path": body["path"]}
    row = store.add("logins", secrets.token_hex(16), used=False, expires_at=expires_at, **fields)
    url = f"{request.origin}/sharespine/my/_tokenlogin/{quote(login, safe='')}/{row['id']}"
    expires = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(expires_at))
    return reply({"path": body["path"], "loginUrl": url, "expires": expires})


# Reference: "Access tenant data"
@sandbox.api("GET", "/api/")
def tenant_root(request: Request, store: Store) -> Answer:
    """Metadata of the API connection, which is also how credentials are checked."""
    _demand_agent(request)
    login, password = request.basic() or ("", "")
    of = {"tenant": request.headers.get("x-tenant", "")}
    if not store.rows("users", login=login, password=password, **of):
        raise Refused(401, "Wrong tenant, login or password.", {"WWW-Authenticate": "Basic"})
    found = store.rows("connections", id=request.headers.get("x-connectionid", ""), **of)
    if not found or not found[0]["active"]:
        raise Refused(403, "X-ConnectionId is missing, unknown or not active.")
    return reply({name: found[0][name] for name in ("id", "name", "type", "active")})


sandbox.page("GET", "/my/_tokenlogin/{login}/{id}")(wizard.sign_in)
sandbox.page("GET", "/my/{path...}")(wizard.show)
sandbox.page("POST", "/my/{path...}")(wizard.set_up)
