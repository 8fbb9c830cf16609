"""A temporary PostgreSQL server for one test run, on loopback, at a free port.

    python -m tests.support.postgres [pytest's arguments]

runs the tests marked `both` on it. It runs none if this machine has no PostgreSQL: the run on
SQLite then reports what was left out, or fails (REQUIRE_POSTGRES=1).
"""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.support.site import free_port

PATIENCE = 60  # seconds
NO_TESTS = 5  # pytest's exit status when its arguments select no test
USER = "gangway"
# The data need not survive a crash of the machine.
OPTIONS = (
    "listen_addresses=127.0.0.1", "unix_socket_directories=", "max_connections=200",
    "fsync=off", "synchronous_commit=off", "full_page_writes=off", "autovacuum=off",
)  # fmt: skip


def programs() -> Path | None:
    """The folder of initdb: on the PATH, or the newest version in Debian's folder."""
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    installed = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    return max((path.parent for path in installed), key=lambda path: path.parts[-2], default=None)


@contextmanager
def throwaway(bin: Path, options: Sequence[str] = OPTIONS) -> Iterator[str]:
    """Start a new cluster, yield its URL for DATABASE_URL, and delete it at the end."""
    with restartable(bin, options) as (url, _):
        yield url


@contextmanager
def restartable(
    bin: Path, options: Sequence[str] = OPTIONS
) -> Iterator[tuple[str, Callable[[], None]]]:
    """A new cluster: its URL, and what restarts it as `pg_ctl restart -m fast` does."""
    home = Path(tempfile.mkdtemp(prefix="gangway-postgres-"))
    password, port = secrets.token_hex(16), free_port()
    try:
        _make(bin, home, password)
        with ExitStack() as server:
            server.enter_context(_started(bin, home, port, options))

            def restart() -> None:
                server.close()
                server.enter_context(_started(bin, home, port, options))

            yield f"postgres://{USER}:{password}@127.0.0.1:{port}/postgres", restart
    finally:
        shutil.rmtree(home)


def _make(bin: Path, home: Path, password: str) -> None:
    password_file = home / "password"
    password_file.touch(0o600)
    password_file.write_text(password)
    if user := unprivileged_user():
        shutil.chown(home, user)
        shutil.chown(password_file, user)
    arguments: list[str | Path] = [
        "--username",
        USER,
        "--pwfile",
        password_file,
        "--auth=scram-sha-256",
        "--encoding=UTF8",
    ]
    arguments += ["--pgdata", home / "data", "--locale=C", "--no-sync"]
    command = [bin / "initdb", *arguments]
    done = subprocess.run(command, cwd=home, user=user, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"initdb failed: {done.stderr}")
    password_file.unlink()


def unprivileged_user() -> str | None:
    """PostgreSQL refuses to run as root: use the user that its package created, or nobody."""
    if os.geteuid() != 0:
        return None
    known = {user.pw_name for user in pwd.getpwall()}
    return "postgres" if "postgres" in known else "nobody"


@contextmanager
def _started(bin: Path, home: Path, port: int, options: Sequence[str]) -> Iterator[None]:
    settings = [word for option in options for word in ("-c", option)]
    command: list[str | Path] = [bin / "postgres", "-D", home / "data", "-p", str(port), *settings]
    log_file = home / "log"
    with log_file.open("wb") as log:
        # A session of its own: Ctrl-C is for pytest first.
        server = subprocess.Popen(
            command,
            cwd=home,
            user=unprivileged_user(),
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        _wait(server, log_file)
        yield
    finally:
        server.send_signal(
            signal.SIGINT
        )  # fast shutdown: connections are closed, transactions undone
        server.wait(PATIENCE)


def _wait(server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while "ready to accept connections" not in log.read_text():
        if server.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"PostgreSQL did not start: {log.read_text()}")
        time.sleep(0.05)


def main() -> int:
    """Run pytest's tests marked `both` on a new PostgreSQL; its exit status."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    bin = programs()
    if bin is None:
        return 0
    with throwaway(bin) as address:
        print("The tests marked “both”, on PostgreSQL:", flush=True)  # noqa: T201
        command = [sys.executable, "-m", "pytest", "-m", "both", *sys.argv[1:]]
        environ = {**os.environ, "TEST_DATABASE_URL": address}
        status = subprocess.run(command, env=environ, check=False).returncode
    return 0 if status == NO_TESTS else status


if __name__ == "__main__":
    sys.exit(main())
