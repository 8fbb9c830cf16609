"""A real site for a test: web, worker and sandbox over HTTP, each a process that can be killed."""

from __future__ import annotations

import atexit
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from itertools import chain
from pathlib import Path

import requests

from tests.support.database import Database
from vendors import sandbox

ROOT = Path(__file__).resolve().parents[2]
MANAGE = [sys.executable, "manage.py"]
WORKER = [*MANAGE, "worker"]
WEB = [sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py", "onboarding.wsgi:application"]
PORTS = 12_000, 32_000
PATIENCE = 60  # seconds until a test gives up
KEYS = shutil.ignore_patterns("*_key")  # each site makes its own

_preparing = threading.Lock()
_prepared: list[Path] = []  # the data folder with which the next site of this process begins


def free_port() -> int:
    """A port below the ephemeral range, so that no other process is given it before our server
    listens there: neither a sandbox of another test process nor an outgoing connection."""
    while True:
        port = PORTS[0] + secrets.randbelow(PORTS[1] - PORTS[0])
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def wait_until(what: str, ready: object, patience: float = PATIENCE) -> None:
    """Wait until `ready()` is true; AssertionError if it never is."""
    deadline = time.monotonic() + patience
    while not ready():  # type: ignore[operator]
        assert time.monotonic() < deadline, f"never: {what}"
        time.sleep(0.05)


@dataclass
class Site:
    """One running site. `env` is what an operator would set, and its only configuration."""

    folder: Path
    stage: sandbox.Running
    port: int = field(default_factory=free_port)
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    extra_env: dict[str, str] = field(default_factory=dict)
    commands: dict[str, list[str]] = field(default_factory=lambda: {"web": WEB, "worker": WORKER})

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    @property
    def env(self) -> dict[str, str]:
        inherited = {
            name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ
        }
        return {
            **inherited,
            **sandbox.environ(self.stage.url),
            "PORT": str(self.port),
            "DATA_DIR": str(self.folder / "data"),
            "EMAIL_URL": f"file://{self.folder / 'mails'}",
            "STAFF_EMAIL": "staff@example.com",
            "SUPPORT_EMAIL": "help@example.com",
            "WEB_CONCURRENCY": "1",
            "PYTHONWARNINGS": "error",
            **self.extra_env,
        }

    @property
    def database(self) -> Database:
        return Database(self.folder / "data" / "db.sqlite3")

    def manage(self, *arguments: str) -> str:
        done = subprocess.run(
            [*MANAGE, *arguments],
            cwd=ROOT,
            env=self.env,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def prepare(self) -> None:
        """Migrate and collect static files: with SQLite once for all sites of this process."""
        (self.folder / "mails").mkdir()
        if "DATABASE_URL" in self.extra_env:
            self._prepare_data()
            return
        with _preparing:
            if not _prepared:
                self._prepare_data()
                _prepared.append(Path(tempfile.mkdtemp(prefix="gangway-prepared-")) / "data")
                atexit.register(shutil.rmtree, _prepared[0].parent, ignore_errors=True)
                shutil.copytree(self.folder / "data", _prepared[0], ignore=KEYS)
        shutil.copytree(_prepared[0], self.folder / "data", dirs_exist_ok=True)

    def _prepare_data(self) -> None:
        self.manage("migrate", "--verbosity", "0")
        self.manage("createcachetable")
        self.manage("collectstatic", "--noinput", "--verbosity", "0")

    def start(self, *names: str) -> None:
        """Start "web", "worker" (default: both) and wait until the catalogue is there."""
        for name in names or ("web", "worker"):
            with (self.folder / f"{name}.log").open("ab") as log:
                self.processes[name] = subprocess.Popen(
                    self.commands[name],
                    cwd=ROOT,
                    env=self.env,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
        wait_until("the site answers", self._ready)

    def _ready(self) -> bool:
        assert all(each.poll() is None for each in self.processes.values()), self.logs()[-3000:]
        try:
            page = requests.get(f"{self.url}/connectors/", timeout=5)
        except requests.RequestException:
            return False
        return page.ok and ("worker" not in self.processes or "/connect/" in page.text)

    def kill(self, *names: str) -> None:
        """SIGKILL to the whole process group, so that nothing cleans up."""
        for name in names or tuple(self.processes):
            process = self.processes.pop(name)
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def stop(self) -> None:
        for process in self.processes.values():
            os.killpg(process.pid, signal.SIGTERM)
        for process in self.processes.values():
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
        self.processes.clear()

    def logs(self) -> str:
        return "".join(path.read_text() for path in sorted(self.folder.glob("*.log")))

    def mails(self, address: str) -> list[str]:
        """Bodies of the mails to this address, oldest first."""
        return [_body(mail) for mail in self._messages(address)]

    def subjects(self, address: str) -> list[str]:
        """Subjects of the mails to this address, oldest first."""
        return [str(mail["Subject"]).strip() for mail in self._messages(address)]

    def _messages(self, address: str) -> list[EmailMessage]:
        """In the folder of `env`, or with EMAIL_URL=demo: in that of the demo."""
        found = (self.folder / "mails").glob("*.log"), (self.folder / "data/mails").glob("*.eml")
        files = sorted(chain(*found), key=lambda path: path.stat().st_mtime_ns)
        texts = [part for path in files for part in path.read_bytes().split(b"-" * 79 + b"\n")]
        mails = [message_from_bytes(text, policy=policy.default) for text in texts if text.strip()]
        return [mail for mail in mails if address in str(mail["To"])]

    def code(self, address: str, after: int = 0) -> str:
        """The newest sign-in code by mail; waits until there are more than `after` mails."""
        wait_until(f"a mail to {address}", lambda: len(self.mails(address)) > after)
        found = re.search(r"\b(\d{6})\b", self.mails(address)[-1])
        assert found, "no code in the mail"
        return found[1]

    def link(self, address: str, path: str) -> str:
        """The link under `path` in the newest mail to this address; waits for that mail."""
        wait_until(
            f"a mail with a link for {address}", lambda: path in "".join(self.mails(address)[-1:])
        )
        found = re.search(rf"^{re.escape(self.url + path)}\S+$", self.mails(address)[-1], re.M)
        assert found, "no link in the mail"
        return found[0]


def _body(mail: EmailMessage) -> str:
    texts = [part for part in mail.walk() if part.get_content_type() == "text/plain"]
    return str(texts[0].get_content())
