"""The whole installation: hosts, database, vendors and load balancer, each at its place in the network."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import requests
from cryptography.fernet import Fernet
from psycopg.rows import dict_row

from tests.hosts import needs, network
from tests.hosts.host import Host
from tests.hosts.merchants import Merchant
from tests.kills.scenarios import Kills, kills
from tests.support import postgres
from tests.support.recording import LOG, VendorCall, read_calls
from tests.support.site import MANAGE, ROOT, free_port, wait_until
from vendors import sandbox


@dataclass
class Installation:
    folder: Path
    hosts: dict[str, Host]
    env: dict[str, str]
    database: psycopg.Connection[dict[str, Any]]
    port: int  # of the site
    vendors_port: int
    kills: dict[str, Kills]

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    @property
    def stage(self) -> str:
        return f"http://127.0.0.1:{self.vendors_port}"

    # -- who runs it -------------------------------------------------------------------------------

    def manage(self, *command: str) -> str:
        return self._run([*MANAGE, *command])

    def _run(self, command: Sequence[str]) -> str:
        done = subprocess.run(
            command, cwd=ROOT, env=self.env, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def start(self) -> None:
        for each in self.hosts.values():
            each.connect_to_vendors()
            each.start()
        for each in self.hosts.values():
            self.wait_for(each)

    def wait_for(self, each: Host) -> None:
        """Until the host does its part again."""
        ready = partial(self.is_alive, each) if each.does == "web" else partial(_works, each)
        wait_until(f"{each.name} works", ready)

    def is_alive(self, each: Host) -> bool:
        try:
            return requests.get(f"http://{each.address}:{self.port}/health/live", timeout=2).ok
        except requests.RequestException:
            return False

    def health(self, each: Host) -> dict[str, str]:
        """The checks of /health/ready on this web host; none while it does not answer."""
        try:
            answer = requests.get(f"http://{each.address}:{self.port}/health/ready", timeout=5)
            return dict(answer.json()["checks"])
        except (requests.RequestException, ValueError, KeyError):
            return {}

    # -- who uses it -------------------------------------------------------------------------------

    def invite(self, kind: str, count: int, *slugs: str) -> list[Merchant]:
        """So many merchants with a session and no shop, who take these vendors in turn."""
        names = [f"{kind}{number}" for number in range(count)]
        made = json.loads(self._run([sys.executable, "-m", "tests.kills.seed", *names]))
        return [
            self._merchant(name, slugs[number % len(slugs)], made[name])
            for number, name in enumerate(names)
        ]

    def _merchant(self, name: str, vendor: str, known: dict[str, str]) -> Merchant:
        return Merchant(
            self.url,
            known["merchant"],
            known["session"],
            name=name,
            vendor=vendor,
            kills=self.kills[vendor],
            stage=self.stage,
        )

    # -- what is seen ------------------------------------------------------------------------------

    def rows(self, sql: str, *values: object) -> list[dict[str, Any]]:
        return self.database.execute(sql, values).fetchall()

    def calls(self) -> list[VendorCall]:
        return read_calls(self.folder / "vendors")

    def at_vendors(self) -> dict[str, Any]:
        found = requests.get(f"{self.stage}/_control/state", timeout=30)
        return dict(found.json())

    def slow_vendor(self, vendor: str, seconds: float) -> None:
        """Every call takes so long, so some are under way whenever a host dies."""
        fault = {"vendor": vendor, "route": "*", "kind": "slow", "times": None}
        body = fault | {"params": {"seconds": seconds}}
        requests.post(f"{self.stage}/_control/fault", json=body, timeout=5).raise_for_status()


def _works(each: Host) -> bool:
    assert each.is_running(), each.log.read_text()[-2000:]
    return each.log.read_text().count("Worker started") >= each.starts


@contextmanager
def installation(web: int = 2, workers: int = 2, **settings: str) -> Iterator[Installation]:
    """So many hosts of each kind, prepared and not yet started."""
    names = [f"web-{n + 1}" for n in range(web)] + [f"worker-{n + 1}" for n in range(workers)]
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="gangway-hosts-")))
        stack.enter_context(network.network(names))
        bin = postgres.programs()
        assert bin, needs.missing()
        database = stack.enter_context(postgres.throwaway(bin, interface=network.INTERFACE))
        port, vendors_port = free_port(), free_port()
        stack.enter_context(
            _program("support.recording", str(vendors_port), str(folder / "vendors"))
        )
        env = _environment(folder, database, port, vendors_port) | settings
        hosts = {
            name: Host(
                name, name.partition("-")[0], network.address(number), folder, env, vendors_port,
            )
            for number, name in enumerate(names)
        }  # fmt: skip
        targets = [f"{each.address}:{port}" for each in hosts.values() if each.does == "web"]
        stack.enter_context(_program("hosts.relay", str(port), *targets))
        handle = stack.enter_context(
            psycopg.connect(database, autocommit=True, row_factory=dict_row)
        )
        made = Installation(folder, hosts, env, handle, port, vendors_port, dict(kills()))
        _prepare(made)
        for each in hosts.values():
            stack.callback(each.leave)
        yield made


def _environment(folder: Path, database: str, port: int, vendors_port: int) -> dict[str, str]:
    inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return {
        **inherited,
        **sandbox.environ(f"http://127.0.0.1:{vendors_port}"),
        "DATABASE_URL": database,
        "SITE_URL": f"http://localhost:{port}",
        "HOST": "0.0.0.0",
        "PORT": str(port),
        "SECRET_KEY": secrets.token_urlsafe(50),
        "MEMO_KEYS": Fernet.generate_key().decode(),
        "EMAIL_URL": f"file://{folder / 'mails'}",
        "STAFF_EMAIL": "staff@example.com",
        "SUPPORT_EMAIL": "help@example.com",
        "WEB_CONCURRENCY": "1",
        "DATA_DIR": str(folder / "data"),
    }


def _prepare(made: Installation) -> None:
    (made.folder / "mails").mkdir()
    log = made.folder / "vendors" / LOG
    wait_until("the vendors answer", log.exists)
    made.manage("migrate", "--verbosity", "0")
    made.manage("createcachetable")
    made.manage("collectstatic", "--noinput", "--verbosity", "0")


@contextmanager
def _program(module: str, *arguments: str) -> Iterator[None]:
    """A program of the tests, on the machine in the middle, until the end of the block."""
    process = subprocess.Popen([sys.executable, "-m", f"tests.{module}", *arguments], cwd=ROOT)
    try:
        yield
    finally:
        process.kill()
        process.wait()
