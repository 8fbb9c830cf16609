"""Sandbox of Celigo: the Connector API, and integrator.io where a merchant installs a licence.

Reference: Celigo, "Connector API"; Celigo developer portal. It answers below `/celigo`; the pages
are `/celigo/` (integrator.io) and `/celigo/partner` (the operator's page).
"""

from __future__ import annotations

from vendors.sandbox import Request, Sandbox, Store

from . import app, connectors, licenses, partner
from .rules import TOKEN, guarded, refuse


def environ(base_url: str) -> dict[str, str]:
    """The settings with which Gangway uses this sandbox; its token is invented."""
    return {"CELIGO_API_URL": f"{base_url}/celigo", "CELIGO_API_TOKEN": TOKEN}


def flow(request: Request, store: Store) -> str:
    """The email address of the licence that a call is about; "" for all other calls."""
    row = store.get("licenses", request.params.get("_id_of_license", ""))
    if row:
        return str(row["email"])
    body = request.get_json(force=True, silent=True)
    return str(body.get("email", "")) if isinstance(body, dict) else ""


sandbox = Sandbox(
    "celigo",
    "Celigo integrator.io",
    refuse=refuse,
    flow=flow,
    shows={
        "connectors": ("id", "name", "published", "deleted"),
        "users": ("email", "name"),
        "licenses": ("email", "id", "expires", "integration", "deleted"),
        "pushes": ("connector", "integrations", "at"),
    },
)

ROUTES = {
    ("GET", "/v1/tokenInfo"): connectors.token_info,
    ("GET", "/v1/connectors"): connectors.get_all,
    ("GET", "/v1/connectors/{_id}"): connectors.get,
    ("POST", "/v1/connectors"): connectors.create,
    ("PUT", "/v1/connectors/{_id}"): connectors.update,
    ("DELETE", "/v1/connectors/{_id}"): connectors.delete,
    ("GET", "/v1/connectors/{_id}/installBase"): connectors.install_base,
    ("PUT", "/v1/connectors/{_id}/update"): connectors.push,
    ("GET", "/v1/connectors/{_id}/licenses"): licenses.get_all,
    ("POST", "/v1/connectors/{_id}/licenses"): licenses.create,
    ("GET", "/v1/connectors/{_id}/licenses/{_id_of_license}"): licenses.get,
    ("PUT", "/v1/connectors/{_id}/licenses/{_id_of_license}"): licenses.update,
    ("DELETE", "/v1/connectors/{_id}/licenses/{_id_of_license}"): licenses.delete,
}
for (method, path), handler in ROUTES.items():
    sandbox.api(method, path)(guarded(handler))

for path in ("/", "/signup", "/signin"):
    sandbox.page("GET", path)(app.show)
    sandbox.page("POST", path)(app.pressed)
sandbox.page("GET", "/partner")(partner.show)
sandbox.page("POST", "/partner")(partner.pressed)
