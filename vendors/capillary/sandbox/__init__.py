"""Sandbox of Capillary: the v3 integrations API with the API clients of one org, and their tokens.

Reference: Capillary API documentation, "Integrations", "Introduction". It answers below
`/capillary`; its page for people is `/capillary/`.
"""

from __future__ import annotations

from vendors.sandbox import Request, Sandbox, Store

from . import clients, console
from .rules import KEY, PASSWORD, SECRET, TILL, USERNAME, guarded, opened, refuse


def environ(base_url: str) -> dict[str, str]:
    """The settings with which Gangway uses this sandbox; its credentials are invented."""
    return {
        "CAPILLARY_API_URL": f"{base_url}/capillary",
        "CAPILLARY_AUTH": "oauth",
        "CAPILLARY_KEY": KEY,
        "CAPILLARY_SECRET": SECRET,
        "CAPILLARY_TILL_ID": str(TILL),
    }


# What staff of a demo have said that a client may do, by the key of the connector.
DEMO_OPTIONS = {"api": {"scope_1": "READ", "scope_3": "READWRITE", "expiry": "600"}}


def basic_environ(base_url: str) -> dict[str, str]:
    """The same settings for authentication as a till, with its password (HTTP Basic)."""
    shared = {k: v for k, v in environ(base_url).items() if k.endswith(("_URL", "_TILL_ID"))}
    till = {"CAPILLARY_USERNAME": USERNAME, "CAPILLARY_PASSWORD": PASSWORD}
    return shared | {"CAPILLARY_AUTH": "basic"} | till


def flow(request: Request, _store: Store) -> str:
    """The client (clientKey) that a call is about; "" for lists and creations."""
    if request.path != "/v3/oauth/token/generate":
        return request.params.get("clientKey", "")
    body = request.get_json(force=True, silent=True)
    return str(body.get("key", "")) if isinstance(body, dict) else ""


sandbox = Sandbox(
    "capillary",
    "Capillary",
    refuse=refuse,
    flow=flow,
    shows={"clients": ("name", "id", "valid", "expirationTokenTime", "description")},
)

ROUTES = {
    ("GET", "/v3/integrations/scopes"): clients.scopes,
    ("POST", "/v3/integrations/clients"): clients.create,
    ("GET", "/v3/integrations/clients"): clients.get_all,
    ("GET", "/v3/integrations/clients/{clientKey}"): clients.get,
    ("PUT", "/v3/integrations/clients/{clientKey}"): clients.update,
    ("DELETE", "/v3/integrations/clients/{clientKey}"): clients.delete,
}
for (method, path), handler in ROUTES.items():
    sandbox.api(method, path)(guarded(handler))
sandbox.api("POST", "/v3/oauth/token/generate")(opened(clients.generate))

sandbox.page("GET", "/")(console.show)
sandbox.page("POST", "/")(console.pressed)
