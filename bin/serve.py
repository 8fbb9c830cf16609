"""Process supervisor: starts the whole site and keeps it running. bin/serve.py [--demo]

Prepares database, cache table and static files. Then it runs the web server and the worker (and with
--demo the sandbox) until Ctrl-C or SIGTERM, and restarts processes that die.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import NoReturn

from pydantic import TypeAdapter, ValidationError

ROOT = Path(__file__).resolve().parent.parent
MANAGE = [sys.executable, "manage.py"]
WEB = [sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py", "onboarding.wsgi:application"]
MARK = ".gangway-demo"  # a file that says that the demo made this folder
STAFF = "staff@example.com"
PAUSES = (0, 1, 2, 4, 8, 16, 32, 60)  # seconds before a process that ends at once is started again
REFUSES = 4  # exit status of a process that says itself what is wrong (onboarding/doctor/start.py)


@dataclass
class Child:
    """A process that is kept running. `port`: where it listens once it is ready; 0: nowhere."""

    name: str
    command: list[str]
    port: int = 0
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0  # monotonic time
    starts: int = 0
    quick_ends: int = 0  # in a row, within 5 s of a start
    restart_at: float = 0.0  # monotonic time; 0: it runs
    has_listened: bool = False

    def start(self) -> None:
        self.started, self.restart_at = time.monotonic(), 0.0
        self.starts += 1
        self.process = start(self.name, self.command)

    def keep_running(self) -> None:
        """Restart the process if it has ended; the later, the more often it ends soon after its start.

        SystemExit if it cannot be started at all.
        """
        if self.process is None or self.process.poll() is None:
            return
        if not self.restart_at:
            self.plan_restart(self.process.returncode)
        if time.monotonic() >= self.restart_at:
            self.start()

    def plan_restart(self, status: int) -> None:
        quick = time.monotonic() - self.started < 5
        self.quick_ends = self.quick_ends + 1 if quick else 0
        self.end_if_hopeless(status)
        pause = PAUSES[min(self.quick_ends, len(PAUSES)) - 1] if self.quick_ends else 0
        self.restart_at = time.monotonic() + pause
        when = f"in {pause} s" if pause else "now"
        say(f"The {self.name} process ended with status {status}. It is started again {when}.")

    def end_if_hopeless(self, status: int) -> None:
        """SystemExit if it says at its first start what is wrong, or never listens at its port.

        Later on the others go on without it: pages need no worker.
        """
        if status == REFUSES and self.starts == 1:
            end(f"The {self.name} process does not start: the line above says why.")
        if self.port and not self.has_listened and self.quick_ends == 3:
            end(f"The {self.name} process cannot run: status {status}.")

    def is_ready(self) -> bool:
        """Whether it listens, if it is one that does."""
        if self.port and not self.has_listened:
            self.has_listened = listening(self.port)
        return self.has_listened or not self.port

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()

    def wait(self, seconds: float) -> None:
        if self.process is None:
            return
        try:
            self.process.wait(max(seconds, 0.1))
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


@dataclass
class Site:
    """All processes of one site."""

    children: list[Child] = field(default_factory=list)
    parent: int = field(default_factory=os.getppid)

    def start(self, *children: Child) -> None:
        """Start these processes, and wait until those that listen do."""
        for child in children:
            self.children.append(child)
            child.start()
        while not all(child.is_ready() for child in children):
            self.watch()

    def run(self) -> None:
        """Keep the processes running."""
        while os.getppid() == self.parent:  # if `make` is killed, nobody can stop us any more
            self.watch()

    def watch(self) -> None:
        for child in self.children:
            child.keep_running()
        time.sleep(0.3)

    def stop(self) -> None:
        for child in self.children:
            child.stop()
        deadline = time.monotonic() + 25
        for child in self.children:
            child.wait(deadline - time.monotonic())


# -- what is printed: as it is, or with LOG_FORMAT=json a JSON object for each line -----------------


def in_json() -> bool:
    return os.environ.get("LOG_FORMAT", "").strip() == "json"


def say(text: str, level: str = "INFO", logger: str = "serve") -> None:
    for line in text.splitlines() if in_json() else [text]:
        if line.strip() or not in_json():
            print(as_json(line, level, logger) if in_json() else line, flush=True)


def as_json(line: str, level: str, logger: str) -> str:
    """The line as it is, if it is an object already."""
    if line.startswith("{") and line.rstrip().endswith("}"):
        return line
    at = time.strftime("%Y-%m-%dT%H:%M:%S%z")
    found = {"time": at, "level": level, "logger": logger, "reference": "-", "message": line}
    return json.dumps(found)


def end(text: str) -> NoReturn:
    """SystemExit with this sentence."""
    if not in_json():
        sys.exit(text)
    say(text, "CRITICAL")
    sys.exit(1)


def start(name: str, command: list[str]) -> subprocess.Popen[bytes]:
    """Start a process. With LOG_FORMAT=json, what it prints that is no object becomes one."""
    if not in_json():
        return subprocess.Popen(command, cwd=ROOT)
    pipe = subprocess.PIPE
    process = subprocess.Popen(command, cwd=ROOT, stdout=pipe, stderr=subprocess.STDOUT)
    threading.Thread(target=pass_on, args=(name, process), daemon=True).start()
    return process


def pass_on(name: str, process: subprocess.Popen[bytes]) -> None:
    assert process.stdout  # noqa: S101  # nosec B101  # for the type checker
    with process.stdout as lines:
        for line in lines:
            say(line.decode(errors="replace").rstrip("\n"), logger=name)


def host() -> str:
    """The address at which this machine reaches the web server."""
    given = os.environ.get("HOST") or "127.0.0.1"
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(given, given)  # noqa: S104  # nosec B104  # it compares


def port() -> int:
    given = os.environ.get("PORT") or "8000"
    return int(given) if given.isdigit() else end("PORT must be a number.")


def listening(at: int = 0) -> bool:
    """Whether something listens on this port, by default ours."""
    with socket.socket(family()) as probe:
        probe.settimeout(1)
        return probe.connect_ex((host(), at or port())) == 0


def family() -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host() else socket.AF_INET


def require_free(*ports: int) -> None:
    """SystemExit if we cannot listen on one of these ports."""
    for wanted in ports:
        if listening(wanted):
            end(f"Port {wanted} is in use by another program; choose one with PORT=…")
        with socket.socket(family()) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((os.environ.get("HOST") or "127.0.0.1", wanted))
            except OSError as error:
                why = os.strerror(error.errno or 0)
                end(
                    f"Nothing can listen on port {wanted} of this machine: {why}. See HOST and PORT."
                )


def manage(*words: str) -> None:
    """Run a command of manage.py. SystemExit if it fails; its own output says why."""
    if start(words[0], [*MANAGE, *words]).wait():
        end(f"manage.py {words[0]} failed.")


def prepare() -> None:
    """Check the settings; bring database, cache table and static files up to date."""
    manage("check")
    manage("migrate", "--verbosity", "0")
    manage("createcachetable")
    manage("collectstatic", "--noinput", "--verbosity", "0")


def is_fresh() -> bool:
    """Whether FRESH is on. It accepts the same words for yes and no as every setting."""
    try:
        return TypeAdapter(bool).validate_python(os.environ.get("FRESH", "").strip() or "0")
    except ValidationError:
        end("FRESH must be 1 or 0.")


def demo_environment() -> None:
    """Set the environment variables of the demo. Other settings stay as they are."""
    folder = ROOT / (os.environ.get("DATA_DIR") or "data/demo")
    if is_fresh():
        wipe(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MARK).touch()
    os.environ |= {"DATA_DIR": str(folder), "DEBUG": "0", "SANDBOX": "1", "EMAIL_URL": "demo:"}
    os.environ.setdefault("WEB_CONCURRENCY", "2")
    os.environ.setdefault("STAFF_EMAIL", STAFF)
    os.environ.setdefault("SUPPORT_EMAIL", "help@example.com")


def wipe(folder: Path) -> None:
    """Delete the demo's state. SystemExit if the demo did not make the folder."""
    if (folder / MARK).exists():
        shutil.rmtree(folder)
    elif folder.exists() and any(folder.iterdir()):
        end(f"{folder} was not made by the demo: FRESH=1 does not wipe it.")


def demo(site: Site) -> str:
    """Start the demo; returns the text to print when it is ready."""
    demo_environment()
    require_free(port(), port() + 1)
    prepare()
    manage("staff", STAFF, "--verbosity", "0")
    # The vendors answer before anybody asks them: every one of them can be played at once.
    site.start(Child("sandbox", [*MANAGE, "sandbox"], port() + 1))
    manage("demo")
    log = str(Path(os.environ["DATA_DIR"]) / "access.log")
    site.start(
        Child("worker", [*MANAGE, "worker"]), Child("web", [*WEB, "--access-logfile", log], port())
    )
    return welcome(f"http://localhost:{port()}")


def welcome(site: str) -> str:
    return f"""
  Gangway is ready            {site}/
  Mails it has sent           {site}/demo/mails/
  The imitated vendors        http://127.0.0.1:{port() + 1}/
  Staff                       {site}/admin/  as {STAFF}: the code to sign in is in the mails
  Stop with Ctrl-C. State is kept between runs; FRESH=1 make demo starts from scratch.
"""


def serve(site: Site) -> str:
    """Start the site; returns the text to print when it is ready."""
    require_free(port())
    prepare()
    site.start(Child("worker", [*MANAGE, "worker"]), Child("web", WEB, port()))
    return f"Gangway serves at {host()}:{port()}"


def interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def main() -> None:
    for number in (signal.SIGTERM, signal.SIGINT):  # even where a shell had us ignore Ctrl-C
        signal.signal(number, interrupt)
    site = Site()
    try:
        say(demo(site) if "--demo" in sys.argv[1:] else serve(site))
        site.run()
    except KeyboardInterrupt:
        say("Stopping")
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        site.stop()


if __name__ == "__main__":
    main()
