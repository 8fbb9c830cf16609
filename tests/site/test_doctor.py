"""`manage.py doctor` on this machine: each check when all is well, and each fault with its fix."""

from __future__ import annotations

import json
import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any, ClassVar

import pytest
from cryptography.fernet import Fernet
from django.core.management import call_command
from django.db import connection
from django.utils import timezone
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from onboarding import clock
from onboarding.conf import service_urls
from onboarding.conf.environment import Site
from onboarding.doctor import Finding, examine, memos, site
from onboarding.models import (
    AccountMail,
    Attempt,
    ClosingMail,
    ReceiptKey,
    WaitlistEntry,
    Worker,
    memo,
)
from onboarding.monitoring import heartbeat
from tests.support.attempts import CONNECTED, begin_attempt, run_step
from tests.support.people import People
from tests.support.scripted import Scripted, offered
from tests.support.site import free_port
from tests.support.workers import Redis
from vendors.contract import Redirect
from vendors.loading import Loaded
from vendors.reader import read

MAIL = "django.core.mail.backends.{}.EmailBackend"


def red(finding: Finding, words: str, fix: str) -> None:
    assert finding.level == "fault"
    assert words in finding.message
    assert fix in finding.fix


def doctor(*words: str) -> tuple[str, int]:
    """What it prints, and its exit status."""
    out = StringIO()
    try:
        call_command("doctor", *words, stdout=out)
    except SystemExit as stopped:
        return out.getvalue(), int(str(stopped.code))
    return out.getvalue(), 0


# -- the command ---------------------------------------------------------------------------------


def test_all_well_is_status_0(scripted: Scripted, db: None) -> None:
    Worker.objects.create(name="here:1")
    said, status = doctor()
    assert (status, "FAULT" in said) == (0, False)
    assert "ok     All migrations are applied." in said


def test_a_fault_is_status_1_and_says_its_fix(scripted: Scripted, db: None) -> None:
    said, status = doctor()
    assert status == 1
    assert "FAULT  No worker has been seen.\n       → .venv/bin/python manage.py worker" in said


def test_json_is_for_machines(scripted: Scripted, db: None) -> None:
    said, status = doctor("--json")
    found = json.loads(said)
    assert (found["ok"], status) == (False, 1)
    assert all(set(each) == {"id", "level", "message", "fix"} for each in found["checks"])
    ids = [each["id"] for each in found["checks"]]
    assert len(set(ids)) == len(ids)
    assert {"settings", "database", "migrations", "cache", "mail", "proxies", "worker"} < set(ids)
    assert {"memos", "backlog", "site", "clock", "return/scripted"} < set(ids)
    Worker.objects.create(name="here:1")
    said, status = doctor("--json")
    assert (json.loads(said)["ok"], status) == (True, 0)


def test_what_needs_the_database_is_left_out_without_it(
    scripted: Scripted, monkeypatch: pytest.MonkeyPatch, db: None
) -> None:
    away = Finding("database", "fault", "The database does not answer: it is away.", "Start it.")
    monkeypatch.setattr("onboarding.doctor.database", lambda: away)
    found = {finding.id: finding for finding in examine()}
    assert found["database"] is away
    left = [id for id, each in found.items() if each.message.startswith("Not checked")]
    assert left == ["migrations", "cache", "worker", "clocks", "backlog", "memos", "staff"]


# -- one by one ----------------------------------------------------------------------------------


def test_settings(settings: Settings) -> None:
    settings.VENDORS = Loaded({}, {}, (("ITEMBASE_TOKEN_METHOD", "must be GET or POST"),))
    [finding] = site.system_checks()
    red(finding, "ITEMBASE_TOKEN_METHOD: must be GET or POST. (onboarding.E009)", "README.md")
    settings.VENDORS = offered()
    [finding] = site.system_checks()
    assert finding.level == "ok"


def test_a_sender_that_is_no_mailbox(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, db: None
) -> None:
    environ = {"EMAIL_FROM": "Acme, Inc. <us@example.com>", "BRAND_NAME": "Acme\nInc."}
    settings.ENVIRON = read(Site, environ)
    settings.VENDORS = offered()
    found = {each.message: each.level for each in site.system_checks()}
    assert list(found.values()) == ["fault", "fault"]
    assert any(words.startswith("EMAIL_FROM: must be one mailbox") for words in found)
    assert any(words.startswith("BRAND_NAME: must be one line") for words in found)


def test_migrations(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    assert site.migrations().level == "ok"
    monkeypatch.setattr(
        heartbeat, "pending_migrations", lambda: ["onboarding.0002_x", "onboarding.0003_y"]
    )
    red(site.migrations(), "2 migrations are not applied", "manage.py migrate")


def test_the_cache_table(db: None, settings: Settings) -> None:
    assert site.cache().level == "ok"
    settings.CACHES = {"default": {**service_urls.cache(""), "LOCATION": "no_such_table"}}
    red(site.cache(), "The cache does not work", "manage.py createcachetable")
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}
    red(site.cache(), "loses", "manage.py createcachetable")


def test_redis(db: None, broker: Redis, settings: Settings) -> None:
    settings.REDIS_URL = broker.url
    settings.CACHES = {**settings.CACHES, "default": service_urls.cache(broker.url)}
    assert site.cache().level == "ok"
    broker.stop()
    red(site.cache(), "Redis does not answer", "Start Redis")
    assert broker.url not in site.cache().fix + site.cache().message


class MailServer(socketserver.StreamRequestHandler):
    """Knows who may send; writes down whether a mail was begun."""

    said: ClassVar[list[str]] = []

    def handle(self) -> None:
        self.wfile.write(b"220 mail.example\r\n")
        for line in self.rfile:
            word = line.decode().split()[0].upper()
            self.said.append(word)
            answer = {"EHLO": "250-mail.example\r\n250 AUTH PLAIN", "QUIT": "221 bye"}
            right = b"AGFubgByaWdodA==" in line  # ann, right
            if word == "AUTH":
                answer["AUTH"] = "235 yes" if right else "535 no, geheim is wrong"
            self.wfile.write(f"{answer.get(word, '500 what')}\r\n".encode())


@contextmanager
def mail_server() -> Iterator[int]:
    MailServer.said.clear()
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), MailServer) as server:
        server.daemon_threads = True  # a client that stays must not hang the test
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


def test_a_mail_server(settings: Settings) -> None:
    settings.EMAIL_BACKEND, settings.EMAIL_HOST = MAIL.format("smtp"), "127.0.0.1"
    settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = "ann", "right"
    with mail_server() as settings.EMAIL_PORT:
        assert site.mail().level == "ok"
        assert not {"MAIL", "RCPT", "DATA"} & set(MailServer.said)
        settings.EMAIL_HOST_PASSWORD = "geheim"
        red(site.mail(), "refuses our user or password", "EMAIL_URL")
        assert "geheim" not in site.mail().message
    red(site.mail(), "cannot be used (ConnectionRefusedError)", "host, port")


def test_a_folder_for_mails(settings: Settings, tmp_path: Path) -> None:
    settings.EMAIL_BACKEND = MAIL.format("filebased")
    settings.EMAIL_FILE_PATH = str(tmp_path / "mails")
    assert site.mail().level == "ok"
    assert not (tmp_path / "mails").exists()
    (tmp_path / "file").touch()
    settings.EMAIL_FILE_PATH = str(tmp_path / "file" / "mails")
    red(site.mail(), "cannot be written", "mkdir -p")


def test_the_sites_address(live_server: LiveServer, settings: Settings) -> None:
    settings.SITE_URL = live_server.url
    assert site.site().level == "ok"
    settings.SITE_URL = f"http://localhost:{free_port()}"
    assert (site.site().level, site.site().fix) == ("note", "Start it: make serve")
    settings.SITE_URL, settings.LOOPBACK = "https://shops.example.com", False
    assert site.site().fix == "Open https://shops.example.com/health/live in a browser."


def test_a_public_site_is_not_called_from_here(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def called(*_: Any, **__: Any) -> None:
        raise AssertionError("it was")

    monkeypatch.setattr(socket, "create_connection", called)
    settings.SITE_URL, settings.LOOPBACK = "https://shops.example.com", False
    assert site.site().level == "note"


@pytest.mark.parametrize(
    ("https", "count", "level"),
    [(False, 0, "ok"), (True, 1, "ok"), (True, 0, "fault"), (False, 1, "note")],
)
def test_proxies(settings: Settings, https: bool, count: int, level: str) -> None:
    settings.HTTPS, settings.PROXY_COUNT = https, count
    assert site.proxies().level == level
    assert bool(site.proxies().fix) == (level != "ok")


def test_workers_and_what_is_due(people: People, scripted: Scripted) -> None:
    old = Worker.objects.create(name="here:1", at=timezone.now() - timedelta(seconds=95))
    red(site.worker(), "No worker has been seen for 9", "manage.py worker")
    Worker.objects.filter(pk=old.pk).update(at=timezone.now())
    assert (site.worker().level, site.backlog().level) == ("ok", "ok")
    Worker.objects.create(name="there:2", at=timezone.now() - timedelta(minutes=5))
    assert (site.worker().level, "there:2" in site.worker().message) == ("note", True)
    begin_attempt(people)
    Attempt.objects.update(due_at=timezone.now() - timedelta(minutes=10))
    red(site.backlog(), "1 rows are due, the oldest since 60", "start more workers")


def test_clocks_that_are_off(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    Worker.objects.create(name="here:1")
    assert site.clocks().level == "ok"
    monkeypatch.setattr(connection, "vendor", "postgresql")
    monkeypatch.setattr(clock, "read", lambda: None)
    assert site.clocks().message == "All clocks agree with the database’s."
    monkeypatch.setattr(clock, "skew", lambda: timedelta(seconds=-6))
    red(site.clocks(), "This machine’s clock is 6 s behind the database’s.", "timedatectl")
    Worker.objects.update(skew=timedelta(hours=1))
    red(site.clocks(), "The worker here:1’s clock is 3600 s ahead of the database’s.", "no rows")
    red(site.worker(), "No worker takes rows", "timedatectl")


# -- memos ---------------------------------------------------------------------------------------


def test_keys_that_open_every_memo(people: People, scripted: Scripted, settings: Settings) -> None:
    run_step(begin_attempt(people), scripted, CONNECTED)
    settings.MEMO_KEYS = [Fernet.generate_key().decode(), *settings.MEMO_KEYS]
    assert memos.keys().level == "ok"


def test_for_a_lost_key_it_names_tables_and_shops(
    people: People, scripted: Scripted, settings: Settings
) -> None:
    shop = run_step(
        begin_attempt(people), scripted, Redirect(url="https://vendor.example/x")
    ).connection
    settings.MEMO_KEYS = [Fernet.generate_key().decode()]
    found = memos.keys()
    red(found, "1 account, 1 connection, 1 attempt, 1 hop.", "behind the new one")
    assert found.message.endswith(f"Shops that need it: {shop.reference}.")
    assert "rekey --lost" in found.fix


def test_every_table_with_memos_leads_to_its_shops() -> None:
    tables = {model for model, _ in memo.columns()}
    assert tables - set(memos.LOOKUPS) == {
        *(WaitlistEntry, AccountMail, ClosingMail, ReceiptKey),  # of no shop
    }


def test_keys_that_are_none_are_the_settings_fault(settings: Settings, db: None) -> None:
    for keys in ([], ["short"]):
        settings.MEMO_KEYS = keys
        assert memos.keys().level == "note"
