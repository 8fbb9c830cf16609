"""One host: its place in the network, its own clock, and the process of the site that runs on it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from tests.hosts import network
from tests.support import faketime
from tests.support.site import ROOT, WEB, WORKER

COMMANDS = {"web": WEB, "worker": WORKER}


def missing() -> str:
    """What this machine lacks to give processes clocks of their own; "" if it has everything."""
    return "" if faketime.library() else "libfaketime (Debian: apt-get install faketime)"


@dataclass
class Host:
    """`does`: "web" or "worker". `env`: what its operator has set."""

    name: str
    does: str
    address: str
    folder: Path
    env: dict[str, str]
    vendors_port: int
    process: subprocess.Popen[bytes] | None = None
    starts: int = 0
    _relay: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def log(self) -> Path:
        return self.folder / f"{self.name}.log"

    @property
    def _clock(self) -> Path:
        return self.folder / f"{self.name}.clock"

    def connect_to_vendors(self) -> None:
        """The vendors, on this host's loopback."""
        target = f"{network.CENTRE}:{self.vendors_port}"
        command = [sys.executable, "-m", "tests.hosts.relay", str(self.vendors_port), target]
        self._relay = subprocess.Popen(network.inside(self.name, command), cwd=ROOT)

    def start(self) -> None:
        """Start the site's process; its clock is as the host's clock is."""
        self.starts += 1
        if not self._clock.exists():
            self.set_clock()
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                network.inside(self.name, COMMANDS[self.does]),
                cwd=ROOT,
                env=self.env | faketime.as_in(faketime.library(), self._clock),
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def set_clock(self, ahead: float = 0.0) -> None:
        draft = self._clock.with_suffix(".draft")
        draft.write_text(f"{ahead:+.0f}\n")
        draft.rename(self._clock)

    def kill(self) -> None:
        """SIGKILL to all its processes: nothing cleans up."""
        assert self.process
        self._signal(signal.SIGKILL)
        self.process.wait()
        for left in Path("/dev/shm").glob(f"*faketime_*_{self.process.pid}"):
            left.unlink()
        self.process = None

    def stop(self) -> None:
        """All its processes stand still."""
        self._signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        assert self.process
        os.killpg(self.process.pid, number)

    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def leave(self) -> None:
        """The end of the run. Processes that stand still die of this signal too."""
        if self.is_running():
            self.kill()
        if self._relay:
            self._relay.kill()
            self._relay.wait()
