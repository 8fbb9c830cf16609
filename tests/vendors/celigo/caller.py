"""A caller of the Celigo sandbox, and a visitor of its pages, for the tests beside this file."""

from __future__ import annotations

from typing import Any

import requests

from vendors.sandbox import Running

TOKEN = "gangway-demo-celigo-token"
SHOPIFY = "54fa0b38a7044f9252000036"
OTHER = "54fa0b38a7044f9252000037"
LICENSES = f"/connectors/{SHOPIFY}/licenses"
EXPIRES = "2031-11-01T18:29:59.999Z"
OPTS = {
    "addonLicenses": [{"licenses": [{"addOnEdition": "standard"}], "type": "store"}],
    "connectorEdition": "standard",
}
BODY: dict[str, Any] = {"email": "test@shop.example", "expires": EXPIRES, "opts": OPTS}


def call(
    sandbox: Running, method: str, path: str, body: object = None, **options: Any
) -> requests.Response:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    given: dict[str, Any] = {"headers": headers, "json": body, "timeout": 5} | options
    return requests.request(method, f"{sandbox.url}/celigo/v1{path}", **given)


def press(sandbox: Running, browser: requests.Session, case: str, **form: str) -> str:
    """Press a button of integrator.io; the page that follows."""
    answer = browser.post(f"{sandbox.url}/celigo/", data={"case": case, **form}, timeout=5)
    return answer.text if answer.ok else f"{answer.status_code} {answer.text}"


def sign_up(sandbox: Running, email: str = "test@shop.example") -> requests.Session:
    browser = requests.Session()
    press(sandbox, browser, "approve", user="new", email=email)
    return browser


def issue(sandbox: Running, **changes: Any) -> dict[str, Any]:
    """A licence for somebody who has an account."""
    sign_up(sandbox).close()
    answer = call(sandbox, "POST", LICENSES, BODY | changes)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def desk(sandbox: Running, **form: str) -> requests.Response:
    """Press a button of the operator's desk; without `do`, turn switches."""
    data = {"do": "switch"} | form
    return requests.post(f"{sandbox.url}/celigo/partner", data=data, timeout=5)
