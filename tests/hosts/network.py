"""A small network of hosts: network namespaces that a bridge joins, and links that can be cut. Needs root."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

# RFC 2544 keeps these addresses for tests, so no network that this machine is in uses them.
INTERFACE = "198.18.77.1/24"
CENTRE = INTERFACE.partition("/")[0]  # where the database and the vendors listen
PREFIX = "gw-"  # of all links and namespaces
BRIDGE = f"{PREFIX}hosts"
LOCK = Path("/run/gangway-hosts.lock")


def missing() -> str:
    """What this machine lacks for such a network; "" if it has everything."""
    if os.geteuid() != 0:
        return "root, who alone may make network namespaces"
    if not shutil.which("ip"):
        return "ip (Debian: apt-get install iproute2)"
    name = namespace("probe")
    made = subprocess.run(["ip", "netns", "add", name], capture_output=True, text=True, check=False)
    if made.returncode:
        return f"the right to make network namespaces ({made.stderr.strip()})"
    _ip("netns", "del", name)
    return ""


def namespace(host: str) -> str:
    return f"{BRIDGE}-{host}"


def address(number: int) -> str:
    return f"{CENTRE.rpartition('.')[0]}.{10 + number}"


@contextmanager
def network(hosts: Sequence[str]) -> Iterator[None]:
    """A namespace for each host, in this order. Whatever an earlier run has left is removed first."""
    with LOCK.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _remove()
        try:
            _ip("link", "add", BRIDGE, "type", "bridge")
            _ip("address", "add", INTERFACE, "dev", BRIDGE)
            _ip("link", "set", BRIDGE, "up")
            for number, host in enumerate(hosts):
                _join(host, address(number))
            yield
        finally:
            _remove()


def _join(host: str, own: str) -> None:
    inside = namespace(host)
    _ip("netns", "add", inside)
    _ip("link", "add", _link(host), "type", "veth", "peer", "name", "eth0", "netns", inside)
    _ip("link", "set", _link(host), "master", BRIDGE, "up")
    for words in (
        ["address", "add", f"{own}/24", "dev", "eth0"],
        ["link", "set", "eth0", "up"],
        ["link", "set", "lo", "up"],
    ):
        _ip("-n", inside, *words)


def cut(host: str) -> None:
    """Nothing reaches this host, and nothing leaves it; its own processes notice no error."""
    _ip("link", "set", _link(host), "down")


def mend(host: str) -> None:
    _ip("link", "set", _link(host), "up")


def inside(host: str, command: Sequence[str]) -> list[str]:
    """The command as this host runs it: in its network, and under its own name."""
    own_name = ["unshare", "--uts", "sh", "-c", 'hostname "$0" && exec "$@"', host]
    return [*own_name, "ip", "netns", "exec", namespace(host), *command]


def _link(host: str) -> str:
    return f"{PREFIX}{host}"


def _remove() -> None:
    """End what still runs in our namespaces, and delete them and all our links."""
    for name in _ip("netns", "list").split():
        if name.startswith(f"{BRIDGE}-"):
            _end_all_in(name)
            _ip("netns", "del", name)
    for link in Path("/sys/class/net").glob(f"{PREFIX}*"):
        with suppress(RuntimeError):  # it has just gone with its namespace
            _ip("link", "del", link.name)


def _end_all_in(name: str) -> None:
    """A namespace lives as long as a process in it, so they are waited for."""
    deadline = time.monotonic() + 10
    while (pids := _ip("netns", "pids", name).split()) and time.monotonic() < deadline:
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)
        time.sleep(0.05)


def _ip(*words: str) -> str:
    done = subprocess.run(["ip", *words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"ip {' '.join(words)}: {done.stderr.strip()}")
    return done.stdout
