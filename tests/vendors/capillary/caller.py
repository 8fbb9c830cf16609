"""A caller of the Capillary sandbox, for the tests beside this file."""

from __future__ import annotations

import hashlib
from typing import Any

import requests

from vendors.sandbox import Running

KEY = "gangwayDemoOperatorKey001"
SECRET = "gangwayDemoOperatorSecretOfFortyLetters0"
CLIENTS = "/integrations/clients"
JSON = {"Content-Type": "application/json", "Accept": "application/json"}
BODY: dict[str, Any] = {
    "description": "Sample description",
    "name": "NewName3",
    "expirationTokenTime": 600,
    "defaultTillId": 15000449,
    "scopes": [
        {"entityId": 1, "permission": "READWRITE", "resources": [".*v3/targetGroups.*"]},
        {"entityId": 2, "permission": "WRITE", "resources": []},
    ],
}
AS_TILL = ("demo.till.1", hashlib.md5(b"demo-till-password").hexdigest())


def generate(sandbox: Running, key: str = KEY, secret: str = SECRET) -> requests.Response:
    url = f"{sandbox.url}/capillary/v3/oauth/token/generate"
    return requests.post(url, json={"key": key, "secret": secret}, timeout=5)


def token(sandbox: Running, key: str = KEY, secret: str = SECRET) -> str:
    return str(generate(sandbox, key, secret).json()["data"]["accessToken"])


def call(
    sandbox: Running, method: str, path: str, body: object = None, **options: Any
) -> requests.Response:
    """As a till, unless other headers or another `auth` are given."""
    given: dict[str, Any] = {"headers": JSON, "json": body, "auth": AS_TILL, "timeout": 5}
    return requests.request(method, f"{sandbox.url}/capillary/v3{path}", **given | options)


def by_token(sandbox: Running, value: str, method: str = "GET") -> requests.Response:
    headers = JSON | {"X-CAP-API-OAUTH-TOKEN": value}
    return call(sandbox, method, CLIENTS, headers=headers, auth=None)


def create(sandbox: Running, **changes: Any) -> dict[str, Any]:
    answer = call(sandbox, "POST", CLIENTS, BODY | changes)
    assert (answer.status_code, answer.json()["data"] is None) == (200, False), answer.text
    return dict(answer.json()["data"])


def console(sandbox: Running, **form: str) -> requests.Response:
    """Press a button of the page; without `do` or `case`, turn switches."""
    data = form if {"do", "case"} & set(form) else {"do": "switch"} | form
    return requests.post(f"{sandbox.url}/capillary/", data=data, timeout=5)
