"""No page takes more than a short form: what is longer, or a file, is refused before it is kept anywhere."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import requests
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from tests.security.attacks import MULTIPART, UPLOADS, URLENCODED
from tests.security.running import web_server
from tests.support.site import Site
from tests.support.staff import listed, staff_client
from tests.support.visit import visible_text

PATHS = ["/accounts/login/", "/", "/return/itembase/", "/admin/login/", "/nothing-here/"]
TOKEN = "t" * 32
TOO_MUCH = "You sent too much at once"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("site")
    (folder / "tmp").mkdir()
    with web_server(folder, TMPDIR=str(folder / "tmp")) as running:
        yield running


def posted(site: Site, path: str, body: object, content_type: str) -> requests.Response:
    url = f"http://127.0.0.1:{site.port}{path}"
    # With the cookie, the CSRF check looks into the form.
    cookie = f"gangway_csrf={TOKEN}"
    headers = {"Host": "localhost", "Content-Type": content_type, "Cookie": cookie}
    return requests.post(url, data=body, headers=headers, timeout=30, allow_redirects=False)  # type: ignore[arg-type]


def refused(answer: requests.Response) -> bool:
    assert answer.headers["Connection"] == "close"
    assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
    return answer.status_code == 413 and TOO_MUCH in answer.text


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("content_type", [URLENCODED, MULTIPART, "application/json", "text/plain"])
def test_20_megabytes_are_refused_on_every_page(site: Site, path: str, content_type: str) -> None:
    assert refused(posted(site, path, b"x" * 20_000_000, content_type))


def test_the_refusal_comes_before_the_body(site: Site) -> None:
    head = (
        "POST /accounts/login/ HTTP/1.1\r\nHost: localhost\r\n"
        f"Content-Type: {MULTIPART}\r\nContent-Length: 400000000\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", site.port), 10) as client:
        client.sendall(head.encode())
        said = b""
        while TOO_MUCH.encode() not in said:
            said += (more := client.recv(65_536))
            assert more
    assert said.startswith(b"HTTP/1.1 413 ")


def test_a_file_of_400_megabytes_is_neither_read_nor_kept(site: Site) -> None:
    process = site.processes["web"].pid
    before = _written(process)
    with suppress(OSError), socket.create_connection(("127.0.0.1", site.port), 10) as client:
        UPLOADS["a file of 400 MB"].pour(client)  # the connection is closed meanwhile
        client.recv(1000)
    assert [*(site.folder / "tmp").iterdir()] == []
    assert _written(process) - before < 5_000_000


def _written(pid: int) -> int:
    """Bytes that this process and its children have written to files and sockets."""
    tasks = Path(f"/proc/{pid}/task")
    children = [
        int(child) for task in tasks.iterdir() for child in (task / "children").read_text().split()
    ]
    counts = [Path(f"/proc/{each}/io").read_text().split() for each in [pid, *children]]
    return sum(int(count[count.index("wchar:") + 1]) for count in counts)


@pytest.mark.parametrize("pieces", [1, 30])
def test_a_body_in_chunks_is_refused_at_the_limit(site: Site, pieces: int) -> None:
    body = (b"x" * (settings.LONGEST_BODY // pieces + 1) for _ in range(pieces))
    assert refused(posted(site, "/accounts/login/", body, URLENCODED))


def test_a_short_form_in_chunks_is_a_form_like_any_other(site: Site) -> None:
    answer = posted(site, "/return/itembase/", iter([b"state=", b"a"]), URLENCODED)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/return/itembase/lost/")
    form = iter([b"email=ann%40example.com&csrf", f"middlewaretoken={TOKEN}".encode()])
    answer = posted(site, "/accounts/login/", form, URLENCODED)
    assert (answer.status_code, answer.headers["Location"]) == (
        302,
        "/accounts/login/code/confirm/",
    )


def test_20_000_fields_are_refused_fast(site: Site) -> None:
    started = time.monotonic()
    answer = posted(site, "/accounts/login/", "a=1&" * 20_000, URLENCODED)
    assert (answer.status_code, TOO_MUCH in answer.text) == (413, True)
    assert posted(site, "/accounts/login/", "a=&" * 87_000, URLENCODED).status_code == 413
    assert time.monotonic() - started < 5


@pytest.mark.parametrize("path", PATHS)
def test_a_form_with_a_file_is_refused(client: Client, db: None, path: str) -> None:
    file = SimpleUploadedFile("f.txt", b"x" * 100)
    for each in (client, Client(enforce_csrf_checks=True)):
        answer = each.post(path, {"email": "ann@example.com", "file": file})
        assert (answer.status_code, TOO_MUCH in visible_text(answer)) == (413, True)


@pytest.mark.django_db
def test_staff_send_no_file_either() -> None:
    file = SimpleUploadedFile("f.txt", b"x" * 100)
    answer = staff_client().post(listed("merchant"), {"action": "x", "file": file})
    assert (answer.status_code, TOO_MUCH in visible_text(answer)) == (413, True)


def test_many_fields_in_an_address_are_refused(client: Client, db: None) -> None:
    answer = client.get("/connectors/?" + "q=1&" * 1_500)
    assert (answer.status_code, TOO_MUCH in visible_text(answer)) == (413, True)


def test_the_longest_form_gets_through(client: Client, db: None) -> None:
    form = {"email": "ann@example.com", **{f"field{n}": "x" for n in range(900)}}
    assert client.post("/accounts/login/", form).status_code == 302
    text = "x" * (settings.LONGEST_BODY - 10_000)
    assert client.post("/accounts/login/", {"email": text}).status_code == 200


def test_no_upload_is_configured() -> None:
    assert settings.FILE_UPLOAD_HANDLERS == ["onboarding.conf.uploads.RefuseFiles"]
    assert settings.DATA_UPLOAD_MAX_MEMORY_SIZE == settings.LONGEST_BODY
