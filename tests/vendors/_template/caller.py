"""A caller of the vendor's sandbox, with no flow in between, for the tests beside this file."""

from __future__ import annotations

import requests

from vendors._template.sandbox import TOKEN
from vendors.sandbox import Running

LIST, CREATE = "GET /v1/shops", "POST /v1/shops"  # the sandbox's names of its calls
READ, DELETE = "GET /v1/shops/{id}", "DELETE /v1/shops/{id}"


def call(
    sandbox: Running, method: str, path: str, body: object = None, token: str = TOKEN
) -> requests.Response:
    url, headers = f"{sandbox.url}/_template{path}", {"Authorization": f"Bearer {token}"}
    return requests.request(method, url, json=body, headers=headers, timeout=5)


def press(link: str, case: str = "approve") -> str:
    """Press a button of the page behind the link; the address that it leads to."""
    answer = requests.post(link, data={"case": case}, allow_redirects=False, timeout=5)
    return str(answer.headers["Location"])
