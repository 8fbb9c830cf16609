"""Real worker processes on the test database, with the sandbox as their vendors."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path

import redis
import requests
from django.conf import settings
from django.db import connection
from django.db.models import F
from django.utils import timezone

from onboarding import journey
from onboarding.journey.leases import LEASE
from onboarding.models import Account, Attempt, Connection, Connector, Merchant
from onboarding.models.connections import shop_name_key
from tests.support.people import business, person
from tests.support.site import ROOT, free_port, wait_until
from vendors import sandbox
from vendors.celigo.sandbox.licenses import install, issued

WORKER = [sys.executable, "manage.py", "worker"]
PASSWORD = "c4n4ry-redis-password"
ISSUE, LIST = "POST /v1/connectors/{_id}/licenses", "GET /v1/connectors/{_id}/licenses"
STATEMENTS = """
SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state <> 'idle'
AND backend_type = 'client backend' AND pid <> pg_backend_pid()
"""
PRESET = "54fa0b38a7044f9252000036"


def database_url() -> str:
    """The database that this test uses, as an operator would name it."""
    if connection.vendor == "sqlite":
        return f"sqlite:///{connection.settings_dict['NAME']}"
    server, _, _ = os.environ["DATABASE_URL"].rpartition("/")
    return f"{server}/{connection.settings_dict['NAME']}"


@dataclass
class Workers:
    """Processes by name. `more`: settings on top of the usual ones."""

    folder: Path
    stage: sandbox.Running
    extra_env: dict[str, str] = field(default_factory=dict)
    command: list[str] = field(default_factory=lambda: WORKER)
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def env(self) -> dict[str, str]:
        inherited = {
            name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ
        }
        return {
            **inherited,
            **sandbox.environ(self.stage.url, "celigo"),
            "DATA_DIR": str(self.folder / "data"),
            "DATABASE_URL": database_url(),
            "SECRET_KEY": settings.SECRET_KEY,
            "MEMO_KEYS": ",".join(settings.MEMO_KEYS),
            "EMAIL_URL": f"file://{self.folder / 'mails'}",
            "STAFF_EMAIL": "staff@example.com",
            "PYTHONWARNINGS": "error",
            **self.extra_env,
        }

    def start(self, *names: str) -> None:
        """Start them and wait until each reports that it has started."""
        for name in names:
            with self.log(name).open("ab") as log:
                self.processes[name] = subprocess.Popen(
                    self.command, cwd=ROOT, env=self.env, stdout=log, stderr=log
                )
        for name in names:
            wait_until(f"{name} works", partial(self._works, name))

    def _works(self, name: str) -> bool:
        return "Worker started" in self.log(name).read_text()

    def log(self, name: str) -> Path:
        return self.folder / f"{name}.log"

    def logs(self) -> str:
        return "".join(path.read_text() for path in sorted(self.folder.glob("*.log")))

    def kill(self, name: str) -> None:
        process = self.processes.pop(name)
        process.send_signal(signal.SIGKILL)
        process.wait()

    def stop(self) -> list[int]:
        """Stop them as an operator does (SIGTERM). Returns their exit statuses."""
        for process in self.processes.values():
            process.terminate()
        found = [process.wait(30) for process in self.processes.values()]
        self.processes.clear()
        return found


@dataclass
class Redis:
    """A temporary Redis server without persistence."""

    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://:{PASSWORD}@127.0.0.1:{self.port}/0"

    def start(self) -> None:
        arguments = [
            "--port",
            str(self.port),
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--appendonly",
            "no",
        ]
        command = [shutil.which("redis-server") or "", *arguments, "--requirepass", PASSWORD]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        wait_until("Redis answers", self._answers)

    def _answers(self) -> bool:
        try:
            return bool(self.client().ping())
        except redis.ConnectionError:
            return False

    def client(self) -> redis.Redis:
        return redis.Redis.from_url(self.url, single_connection_client=True)

    def stop(self) -> None:
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None


# -- the work that they find --------------------------------------------------------------------------


def preset() -> Connector:
    """The sandbox's connector. A worker that has started may write it at the same moment."""
    made, _ = Connector.objects.get_or_create(
        vendor="celigo", key=PRESET, staff_made=False,
        defaults={
            "vendor_name": "celigo", "platform": PRESET, "slug": f"celigo-{PRESET}",
        },
    )  # fmt: skip
    return made


def merchants(stage: sandbox.Running, *names: str) -> list[Attempt]:
    """One merchant per name, with an account at integrator.io and an attempt that is due now."""
    chosen = preset()
    return [_merchant(stage, chosen, name) for name in names]


def _merchant(stage: sandbox.Running, chosen: Connector, name: str) -> Attempt:
    user = person(f"{name}@example.org", name)
    form = {"user": "new", "email": user.email, "case": "approve"}
    requests.post(f"{stage.url}/celigo", data=form, timeout=5).raise_for_status()
    shop = f"{name}'s shop"
    merchant = business(name, owner=user)
    attempt = journey.begin(merchant=merchant, connector=chosen, user=user, name=shop, answers={})
    Attempt.objects.filter(pk=attempt.pk).update(due_at=timezone.now())
    return attempt


def connected_shops(stage: sandbox.Running, count: int) -> list[Connection]:
    """One merchant with one connected shop each. They are due one after the other, and all are due by now."""
    chosen = preset()
    made = Merchant.objects.bulk_create(Merchant(name=f"Business {n}") for n in range(count))
    accounts = Account.objects.bulk_create(Account(merchant=each, vendor="celigo") for each in made)
    licences, now, user = _installed(stage, count), timezone.now(), person("ann@example.org", "Ann")
    shops = Connection.objects.bulk_create(
        Connection(
            account=account, vendor="celigo", connector=chosen, name="My shop",
            name_key=shop_name_key(account.merchant_id, "My shop"), key=licence, shop_id=licence,
            status="connected", turn="", answer="connected", connected_at=now,
            due_at=now - timedelta(seconds=count - number),
        )
        for number, (account, licence) in enumerate(zip(accounts, licences, strict=True))
    )  # fmt: skip
    Attempt.objects.bulk_create(
        Attempt(connection=shop, vendor="celigo", user=user, ended=now, ending="connected")
        for shop in shops
    )
    return shops


def _installed(stage: sandbox.Running, count: int) -> list[str]:
    """So many licences that their merchants have installed."""
    fields = {"expires": "2040-01-31T18:29:59.999Z", "opts": {"connectorEdition": "standard"}}
    store = stage._store("celigo")
    with stage._database.transaction():
        names = [f"shop{number}" for number in range(count)]
        users = [store.add("users", n, email=f"{n}@example.org", name=n) for n in names]
        rows = [issued(store, PRESET, user, fields) for user in users]
        for row in rows:
            install(store, row, row["email"])
    return [str(row["id"]) for row in rows]


def have_licences(*attempts: Attempt) -> bool:
    """Whether each attempt has its licence, which the merchant now has to install."""
    rows = Attempt.objects.filter(pk__in=[attempt.pk for attempt in attempts])
    return rows.filter(answer="needs", connection__key__gt="").count() == len(attempts)


def expire_leases() -> None:
    """Skips the time for which a successor waits for a dead process."""
    past = timezone.now() - LEASE
    for model in (Account, Attempt, Connection):
        model._default_manager.filter(lease_until__gt=past).update(lease_until=past)
    for rows in (Attempt.objects, Connection.objects):
        rows.filter(due_at__gt=past).update(due_at=past)


def time_passes(seconds: float) -> None:
    """All that is due or leased was so that much earlier. For when no worker runs.

    PostgreSQL finishes what a killed worker has sent: it could still claim rows after this.
    """
    wait_until("the last statements of dead workers have ended", lambda: not _statements())
    for model, names in (
        (Account, ["lease_until"]),
        (Attempt, ["due_at", "lease_until", "call_started_at"]),
        (Connection, ["due_at", "lease_until", "call_started_at"]),
    ):
        model._default_manager.update(
            **{name: F(name) - timedelta(seconds=seconds) for name in names}
        )


def _statements() -> int:
    """How many connections to PostgreSQL, except ours, are in a statement or a transaction."""
    if connection.vendor != "postgresql":
        return 0
    with connection.cursor() as cursor:
        cursor.execute(STATEMENTS)
        [count] = cursor.fetchone()
    return int(count)


def each_was_made_once(stage: sandbox.Running, count: int, before: int = 0) -> None:
    """`before`: the licences that were not issued by a call."""
    counted = stage.counts("celigo")
    assert counted["made"].get("licenses") == count + before
    assert counted["calls"][ISSUE] == count
