"""Sandbox of itembase: selfservice, accounts, users, API and solution service.

Reference: itembase API guides, "Signing up users and add services with the connect API",
"Authorization and authentication with OAuth 2.0" and "Activation".
"""

from __future__ import annotations

from vendors.sandbox import Request, Response, Sandbox, Store, json_response

from . import accounts, activation, admin_pages, pages, selfservice


def environ(base_url: str) -> dict[str, str]:
    """The settings with which Gangway uses this sandbox; its credentials are invented."""
    base = f"{base_url}/itembase"
    return {
        "ITEMBASE_CLIENT_ID": accounts.CLIENT_ID,
        "ITEMBASE_CLIENT_SECRET": accounts.CLIENT_SECRET,
        "ITEMBASE_SELFSERVICE_URL": f"{base}/selfservice",
        "ITEMBASE_ACCOUNTS_URL": f"{base}/accounts",
        "ITEMBASE_API_URL": f"{base}/api",
        "ITEMBASE_USERS_URL": f"{base}/users",
        "ITEMBASE_SOLUTION_URL": f"{base}/solution",
    }


def refuse(status: int, message: str) -> Response:
    # itembase's table of errors has no 415: a body it cannot read is a 400.
    status = 400 if status == 415 else status
    return json_response({"message": message, "code": status}, status)


def flow(request: Request, store: Store) -> str:
    """The itembase user (uuid) on whose behalf a call comes; "" before one is known."""
    if request.path == "/accounts/oauth/v2/token":
        args = request.form_fields() if request.method == "POST" else request.args
        code = store.get("codes", args.get("code", ""))
        grants = store.rows("grants", refresh_token=args.get("refresh_token", ""))
        owner = code or next(iter(grants), None)
    else:
        owner = store.get("grants", request.bearer())
    return str(owner["user"]) if owner else ""


sandbox = Sandbox(
    "itembase",
    "itembase",
    refuse=refuse,
    flow=flow,
    shows={
        "users": ("email", "id"),
        "connections": ("name", "component_id", "status", "user"),
        "tokens": ("status", "component_ids"),
    },
)

sandbox.api("POST", "/selfservice/v1/tokens")(selfservice.create_token)
sandbox.api("GET", "/accounts/oauth/v2/token")(accounts.token_by_get)
sandbox.api("POST", "/accounts/oauth/v2/token")(accounts.token_by_post)
sandbox.api("GET", "/users/v1/me")(accounts.me)
sandbox.api("GET", "/api/v1/users/{user}/instances")(selfservice.instances)
sandbox.api("GET", "/solution/activate")(activation.activate)
sandbox.page("GET", "/selfservice/process/{token}")(pages.process)
sandbox.page("POST", "/selfservice/process/{token}")(pages.process_done)
sandbox.page("GET", "/accounts/oauth/v2/auth")(pages.consent)
sandbox.page("POST", "/accounts/oauth/v2/auth")(pages.consent_done)
sandbox.page("GET", "/solution/finish/{code}")(activation.finish)
sandbox.page("POST", "/solution/finish/{code}")(activation.finish_done)
sandbox.page("GET", "/solution/directory")(activation.directory)
sandbox.page("POST", "/solution/directory")(activation.directory_done)
sandbox.page("GET", "/accounts")(admin_pages.stores)
sandbox.page("GET", "/accounts/stores")(admin_pages.stores)
sandbox.page("POST", "/accounts/stores")(admin_pages.stores_done)
