"""Sandbox of Sharespine: its Reseller API. The Tenant API and the wizard are modules beside this one.

Reference: Sharespine developers, "Onboard tenant".
"""

from __future__ import annotations

import secrets
import time
from urllib.parse import quote, urlsplit

from vendors.sandbox import Refused, Request, Response, Row, Sandbox, Store, json_response

from . import operator, tenantapi, wizard
from .validation import CONNECTION, LOGIN, TENANT, USER, partial_body, require_user_agent, validated

USERNAME = "demo-reseller"
PASSWORD = "demo-reseller-secret"
RESELLER = "demo"
PREFIX = "demo"
LOGIN_SECONDS = 600


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


def refuse(status: int, message: str) -> Response:
    # The shape of Sharespine's Error record is not public.
    return json_response({"message": message}, status)


def flow(request: Request, _store: Store) -> str:
    """The tenant (codeName) that a call is about."""
    return request.params.get("codeName") or request.headers.get("x-tenant", "")


sandbox = Sandbox(
    "sharespine",
    "Sharespine",
    refuse=refuse,
    flow=flow,
    shows={
        "tenants": ("id", "fullName", "active"),
        "users": ("tenant", "login", "password"),
        "connections": ("tenant", "id", "name"),
        "setups": ("tenant", "login", "shop"),
        "orders": ("tenant", "id", "lastModified"),
    },
)


def _require_reseller(request: Request) -> None:
    """Basic authentication, X-Reseller and a User-Agent with a contact address."""
    require_user_agent(request)
    if request.basic() != (USERNAME, PASSWORD):
        raise Refused(401, "Wrong user name or password.", {"WWW-Authenticate": "Basic"})
    if request.headers.get("x-reseller") != RESELLER:
        raise Refused(403, "X-Reseller is missing or not yours.")


def _tenant(request: Request, store: Store) -> Row:
    tenant = store.get("tenants", request.params["codeName"])
    if tenant is None or tenant.get("deleted"):
        raise Refused(404, "No such tenant.")
    return tenant


# Reference: "Create tenant"
@sandbox.api("POST", "/reseller/tenant")
def create_tenant(request: Request, store: Store) -> Response:
    _require_reseller(request)
    body = validated(request, TENANT)
    if body["defaultLanguage"] not in body["languages"]:
        raise Refused(400, "defaultLanguage is not one of languages.")
    number = store.count().get("tenants", 0) + 1
    tenant = store.add(
        "tenants", f"{PREFIX}{body['customerReference']}-{number}", deleted=False, **body
    )
    return json_response({"codeName": tenant["id"]}, 201)


# Reference: "Create tenant user"
@sandbox.api("POST", "/reseller/tenant/{codeName}/user")
def create_user(request: Request, store: Store) -> Response:
    _require_reseller(request)
    tenant, body = _tenant(request, store), validated(request, USER)
    if store.rows("users", tenant=tenant["id"], login=body["login"]):
        raise Refused(409, "This login exists in the tenant.")
    # How a tenant user gets a password is not documented; ours is shown in the sandbox's pages.
    password = secrets.token_urlsafe(12)
    store.add("users", secrets.token_hex(16), tenant=tenant["id"], password=password, **body)
    return json_response(body, 201)


# Reference: "Create an API Connection"
@sandbox.api("POST", "/reseller/tenant/{codeName}/connection")
def create_connection(request: Request, store: Store) -> Response:
    _require_reseller(request)
    tenant, body = _tenant(request, store), validated(request, CONNECTION)
    row = store.add("connections", secrets.token_hex(16), tenant=tenant["id"], **body)
    return json_response({"id": row["id"]} | body, 201)


# Reference: "Create a login URL for specific tenant user"
@sandbox.api("POST", "/reseller/tenant/{codeName}/login/{login}")
def create_login(request: Request, store: Store) -> Response:
    _require_reseller(request)
    tenant, body = _tenant(request, store), validated(request, LOGIN)
    if not tenant["active"]:
        raise Refused(403, "The tenant is not active.")
    login = request.params["login"]
    if not store.rows("users", tenant=tenant["id"], login=login):
        raise Refused(404, "No such login in the tenant.")
    expires_at = int(time.time()) + LOGIN_SECONDS
    fields = {"tenant": tenant["id"], "login": login, "path": body["path"]}
    row = store.add("logins", secrets.token_hex(16), used=False, expires_at=expires_at, **fields)
    url = f"{request.root_url}my/_tokenlogin/{quote(login, safe='')}/{row['id']}"
    expires = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(expires_at))
    return json_response({"path": body["path"], "loginUrl": url, "expires": expires})


# Reference: "active" under "Create tenant": deactivate it, delete it (all data will be lost). How is
# not documented, so only resellers for whom it was switched on can (`operator.py`).
@sandbox.api("PUT", "/reseller/tenant/{codeName}")
def change_tenant(request: Request, store: Store) -> Response:
    tenant = _managed(request, store)
    part = partial_body(request, TENANT)
    changed = store.change("tenants", tenant["id"], **part)
    return json_response({"codeName": tenant["id"]} | {name: changed[name] for name in TENANT})


@sandbox.api("DELETE", "/reseller/tenant/{codeName}")
def delete_tenant(request: Request, store: Store) -> Response:
    tenant = _managed(request, store)
    store.change("tenants", tenant["id"], deleted=True)
    return Response(status=204)


def _managed(request: Request, store: Store) -> Row:
    _require_reseller(request)
    if not operator.manages(store):
        raise Refused(405, "Method not allowed.", {"Allow": ""})
    return _tenant(request, store)


sandbox.api("GET", "/api/")(tenantapi.root)
sandbox.api("GET", "/api/order")(tenantapi.orders)

sandbox.page("GET", "/operator")(operator.show)
sandbox.page("POST", "/operator")(operator.switch)
sandbox.page("GET", "/my/_tokenlogin/{login}/{id}")(wizard.sign_in)
sandbox.page("GET", "/my/{path...}")(wizard.show)
sandbox.page("POST", "/my/{path...}")(wizard.set_up)
