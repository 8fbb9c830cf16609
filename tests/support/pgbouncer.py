"""A temporary PgBouncer in transaction mode, in front of a temporary PostgreSQL."""

from __future__ import annotations

import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from tests.support.postgres import unprivileged_user
from tests.support.site import free_port, wait_until

INI = """[databases]
* = host={host} port={server}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = {folder}/users
logfile = {folder}/log
pool_mode = transaction
default_pool_size = 3
max_client_conn = 200
{more}
"""


def program() -> str:
    """Debian keeps it where only root's PATH leads."""
    return shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin") or ""


@contextmanager
def in_front_of(database: str, more: str = "") -> Iterator[str]:
    """Yields the pooler's URL for DATABASE_URL. `more`: further lines of its settings."""
    parts, port = urlsplit(database), free_port()
    folder = Path(tempfile.mkdtemp(prefix="gangway-pgbouncer-"))
    (folder / "users").write_text(f'"{parts.username}" "{parts.password}"\n')
    settings = INI.format(
        host=parts.hostname, server=parts.port, port=port, folder=folder, more=more
    )
    (folder / "ini").write_text(settings)
    user = unprivileged_user()
    if user:
        for path in (folder, *folder.iterdir()):
            shutil.chown(path, pwd.getpwnam(user).pw_uid)
    process = subprocess.Popen(
        [program(), "-q", folder / "ini"],
        user=user,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_until("the pooler listens", lambda: _listens(port))
        yield f"postgres://{parts.username}:{parts.password}@127.0.0.1:{port}{parts.path}"
    finally:
        process.terminate()
        process.wait(20)
        shutil.rmtree(folder)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
