"""What every page promises: no caching, no foreign content, a way to sign out, fields as they should be."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from django.http import HttpResponseBase
from django.test import Client
from pytest_django.fixtures import Settings

from tests.conftest import ROOT
from tests.support.people import People
from tests.support.scripted import offered
from tests.support.site_map import Obliging, World, addresses, build, client_of

pytestmark = pytest.mark.usefixtures("inline_executor")
PUBLIC = {
    "SITE_URL": "https://shops.example.com",
    "SECRET_KEY": "gangway-tests-" + "abcdefghij" * 4,
    "MEMO_KEYS": Fernet.generate_key().decode(),
    "EMAIL_URL": "smtps://127.0.0.1:9",  # nothing listens there: a warning of its own
    "STAFF_EMAIL": "staff@example.com",
    "PROXY_COUNT": "1",
    "HSTS_SUBDOMAINS": "1",
}
PASSWORD_FIELD = r'<input[^>]*name="(?:\w+-)?(?:\w*_)?password\d?"[^>]*>'
TO_ELSEWHERE = re.compile(r"""(?:src|href|action)=["'](https?:|//)""")


@pytest.fixture
def world(people: People, settings: Settings) -> World:
    vendor = Obliging()
    settings.VENDORS = offered(vendor)
    return build(people, vendor)


def pages(world: World, visitor: str) -> Iterator[tuple[str, str, HttpResponseBase]]:
    """(path, text, response) of every page that this visitor can open."""
    client = client_of(world.visitors[visitor])
    for path in addresses(world, visitor, rows=1):
        response = client.get(path)
        text = response.content.decode() if not response.streaming else ""
        if response.status_code == 200 and "<html" in text:
            yield path, text, response


def faults_of_any_page(text: str, response: HttpResponseBase) -> Iterator[str]:
    if response.headers["Content-Type"] != "text/html; charset=utf-8":
        yield "does not say its letters"
    if "Access-Control-Allow-Origin" in response.headers:
        yield "is open to other sites"
    own = text.replace("http://localhost:8000", "")
    own = re.sub(r'<link rel="canonical" href="http://localhost/[^"]*">', "", own)  # loads nothing
    for tag in re.findall(r"<(?:script|link|img|iframe|form|source)\b[^>]*>", own):
        if TO_ELSEWHERE.search(tag):
            yield f"loads from elsewhere: {tag}"
    for field in re.findall(PASSWORD_FIELD, text):
        if 'type="password"' not in field or "onpaste" in field:
            yield f"has a password that is not masked, or cannot be pasted: {field}"


def faults_of_a_private_page(path: str, text: str, response: HttpResponseBase) -> Iterator[str]:
    if "no-store" not in response.headers.get("Cache-Control", ""):
        yield "may be stored"
    if "/logout/" not in text:
        yield "has no way to sign out"


@pytest.mark.parametrize("visitor", ["nobody", "alice", "staff"])
def test_every_page_keeps_what_pages_promise(world: World, visitor: str) -> None:
    found = []
    seen = list(pages(world, visitor))
    for path, text, response in seen:
        faults = [*faults_of_any_page(text, response)]
        if visitor != "nobody":
            faults += faults_of_a_private_page(path, text, response)
        found += [f"{path} {fault}" for fault in faults]
    assert found == []
    assert len(seen) > 10


def test_fields_for_passwords_are_looked_at(db: None) -> None:
    text = Client().get("/accounts/login/password/").content.decode()
    assert len(re.findall(PASSWORD_FIELD, text)) == 1


@pytest.mark.parametrize("path", ["/", "/connectors/", "/accounts/login/", "/return/itembase/"])
def test_trace_is_refused(db: None, path: str) -> None:
    assert Client().trace(path).status_code == 405


@pytest.mark.parametrize(
    "path", ["/.git/config", "/static/", "/static/css/", "/manage.py", "/static/../manage.py"]
)
def test_neither_source_nor_a_list_of_files_is_served(db: None, path: str) -> None:
    assert Client().get(path).status_code in {400, 404}


def test_django_has_no_complaint_about_a_public_site(tmp_path: Path) -> None:
    inherited = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    done = subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy"],
        cwd=ROOT,
        env={**inherited, **PUBLIC, "DATA_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    assert "security." not in said
