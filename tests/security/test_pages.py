"""What every page promises: no caching, no foreign content, a way to sign out, fields as they should be."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from django.http import HttpResponse
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
TO_ELSEWHERE = re.compile(r"""(?:src|href|action)=["'](https?:|//)""")


@pytest.fixture
def world(people: People, settings: Settings) -> World:
    vendor = Obliging()
    settings.VENDORS = offered(vendor)
    return build(people, vendor)


def pages(world: World, visitor: str) -> list[tuple[str, str, HttpResponse]]:
    """(path, text, response) of every HTML page that this visitor can open."""
    client = client_of(world.visitors[visitor])
    found = []
    for path in addresses(world, visitor, rows=2):
        response = client.get(path)
        if response.status_code == 200 and "html" in response.headers.get("Content-Type", ""):
            found.append((path, response.content.decode(), response))
    assert len(found) > 10
    return found


@pytest.mark.parametrize("visitor", ["alice", "staff"])
def test_pages_of_people_are_never_stored(world: World, visitor: str) -> None:
    stored = [
        path
        for path, _, response in pages(world, visitor)
        if "no-store" not in response.headers.get("Cache-Control", "")
        and path.startswith(("/m/", "/shops/", "/admin/", "/accounts/"))
    ]
    assert stored == []


@pytest.mark.parametrize("visitor", ["nobody", "alice", "staff"])
def test_every_page_says_its_letters_and_loads_nothing_from_elsewhere(
    world: World, visitor: str
) -> None:
    for path, text, response in pages(world, visitor):
        assert response.headers["Content-Type"] == "text/html; charset=utf-8", path
        assert "Access-Control-Allow-Origin" not in response.headers, path
        for tag in re.findall(r"<(?:script|link|img|iframe|form|source)\b[^>]*>", text):
            assert not TO_ELSEWHERE.search(tag.replace("http://localhost:8000", "")), (path, tag)


@pytest.mark.parametrize("visitor", ["alice", "staff"])
def test_every_page_of_somebody_who_is_signed_in_has_a_way_out(world: World, visitor: str) -> None:
    without = [path for path, text, _ in pages(world, visitor) if "/logout/" not in text]
    assert without == []


@pytest.mark.parametrize("visitor", ["nobody", "alice", "staff"])
def test_passwords_are_masked_and_may_be_pasted(world: World, visitor: str) -> None:
    fields = [
        tag
        for _, text, _ in pages(world, visitor)
        for tag in re.findall(r"<input[^>]*password[^>]*>", text)
        if 'type="hidden"' not in tag
    ]
    for tag in fields:
        assert 'type="password"' in tag or "username" in tag, tag
        assert "onpaste" not in tag
    assert fields or visitor == "staff"


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
