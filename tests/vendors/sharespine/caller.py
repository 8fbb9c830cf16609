"""A caller of the Sharespine sandbox and of its control API, for the tests beside this file."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor

import requests

from vendors.sandbox import Running

MANAGE = {"SHARESPINE_MANAGE": "1"}  # the operator has agreed on the undocumented verbs
TENANT = "POST /reseller/tenant"
BODY = {
    "customerReference": "acme",
    "active": True,
    "fullName": "Acme",
    "email": "acme@shop.example",
    "defaultLanguage": "swe",
    "languages": ["swe"],
    "options": ["orders"],
}
HEADERS = {"X-Reseller": "demo", "User-Agent": "gangway/1.0 (gangway@example.com)"}


def create(sandbox: Running, timeout: float = 10) -> requests.Response:
    url = f"{sandbox.url}/sharespine/reseller/tenant"
    auth = ("demo-reseller", "demo-reseller-secret")
    return requests.post(url, json=BODY, headers=HEADERS, auth=auth, timeout=timeout)


def in_background(sandbox: Running) -> Future[requests.Response]:
    return ThreadPoolExecutor(1).submit(create, sandbox)


def control(sandbox: Running, what: str, **body: object) -> requests.Response:
    return requests.post(f"{sandbox.url}/_control/{what}", json=body, timeout=10)


def agree(sandbox: Running) -> None:
    """Sharespine has agreed too: its undocumented verbs work from now on."""
    url = f"{sandbox.url}/sharespine/operator"
    requests.post(url, data={"manage": "1"}, timeout=60).raise_for_status()
