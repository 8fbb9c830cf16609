"""What a visitor and a client do at the itembase sandbox, for the tests beside this file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests

from vendors.sandbox import Running

CLIENT = {"client_id": "gangway-demo", "client_secret": "gangway-demo-secret"}
BACK = "http://localhost:8000/return/itembase/"
SCOPE = "user.minimal user.instances.read user.instances.write"
NEW_USER: dict[str, Any] = {"component_ids": [6], "client_id": "gangway-demo", "action": "create"}
ALLOW = {"case": "approve", "user": "new", "email": "anna@shop.example"}
CONNECT = ALLOW | {"store": "My store"}


def new_token(sandbox: Running, body: object, bearer: str = "") -> requests.Response:
    headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
    url = f"{sandbox.url}/itembase/selfservice/v1/tokens"
    return requests.post(url, json=body, headers=headers, timeout=5)


def submit(url: str, form: Mapping[str, str], **query: str) -> requests.Response:
    return requests.post(url, data=form, params=query, allow_redirects=False, timeout=5)


def sent_to(answer: requests.Response) -> tuple[str, dict[str, str]]:
    parts = urlsplit(answer.headers["Location"])
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    return f"{parts.scheme}://{parts.netloc}{parts.path}", query


def consent(
    sandbox: Running, form: Mapping[str, str] = ALLOW, /, **changed: str
) -> requests.Response:
    query = {"response_type": "code", "client_id": "gangway-demo", "scope": SCOPE, "state": "s t"}
    url = f"{sandbox.url}/itembase/accounts/oauth/v2/auth"
    return submit(url, form, **query | {"redirect_uri": BACK} | changed)


def exchange(sandbox: Running, method: str = "GET", **params: str) -> requests.Response:
    url = f"{sandbox.url}/itembase/accounts/oauth/v2/token"
    where = "params" if method == "GET" else "data"
    return requests.request(method, url, timeout=5, **{where: CLIENT | params})  # type: ignore[arg-type]


def tokens(sandbox: Running, scope: str = SCOPE) -> dict[str, Any]:
    code = sent_to(consent(sandbox, scope=scope))[1]["code"]
    answer = exchange(sandbox, grant_type="authorization_code", code=code, redirect_uri=BACK)
    granted: dict[str, Any] = answer.json()
    return granted


def get(sandbox: Running, path: str, bearer: str) -> requests.Response:
    headers = {"Authorization": f"Bearer {bearer}"}
    return requests.get(f"{sandbox.url}/itembase/{path}", headers=headers, timeout=5)
