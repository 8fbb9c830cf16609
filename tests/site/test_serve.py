"""bin/serve.py, which `make demo` and `make serve` run: it supervises processes and protects state."""

from __future__ import annotations

import importlib.util
import json
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The script as a module."""
    spec = importlib.util.spec_from_file_location("serve", ROOT / "bin" / "serve.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "serve", module)  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def waiting(serve: Any) -> Any:
    """A child that runs until it is told to stop."""
    return serve.Child("patient", [sys.executable, "-c", "import signal; signal.pause()"])


def test_a_process_that_says_itself_why_it_does_not_start_ends_the_site(serve: Any) -> None:
    child = serve.Child("worker", [sys.executable, "-c", f"raise SystemExit({serve.REFUSES})"])
    child.start()
    child.process.wait()
    with pytest.raises(SystemExit, match="worker process does not start: the line above says why"):
        child.keep_running()


def test_an_address_of_another_machine_is_named(
    serve: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOST", "192.0.2.1")
    monkeypatch.setattr(serve, "listening", lambda _: False)
    with pytest.raises(SystemExit, match="Nothing can listen on port 8000 of this machine: Cannot"):
        serve.require_free(8000)


BREAKS = "import sys; print('plain'); print('{\"a\": 1}'); sys.stderr.write('odd\\n'); {}['s']"


def test_with_json_logs_whatever_a_process_prints_is_an_object(
    serve: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LOG_FORMAT", "json")
    child = serve.Child("odd", [sys.executable, "-c", BREAKS])
    child.start()
    serve.say("said by serve itself")
    child.process.wait()
    said: list[dict[str, Any]] = []
    while not any("KeyError" in str(line) for line in said) or not child.process.stdout.closed:
        said += [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {"a": 1} in said
    assert {"odd", "serve"} == {line["logger"] for line in said if "logger" in line}
    with pytest.raises(SystemExit, match="1"):
        serve.end("it cannot")
    assert json.loads(capsys.readouterr().out)["level"] == "CRITICAL"


def test_a_killed_process_is_started_again(serve: Any) -> None:
    child = waiting(serve)
    child.start()
    first = child.process
    first.kill()
    first.wait()
    child.keep_running()
    assert child.process.pid != first.pid
    assert child.process.poll() is None
    child.stop()
    child.wait(5)
    assert child.process.returncode == -signal.SIGTERM


def broken(serve: Any, status: int = 7, port: int = 0) -> Any:
    return serve.Child("broken", [sys.executable, "-c", f"raise SystemExit({status})"], port)


def ends(child: Any) -> None:
    child.process.wait()
    child.keep_running()


def test_a_server_that_never_listens_ends_the_site(
    serve: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serve, "PAUSES", (0,))
    monkeypatch.setattr(serve, "listening", lambda _: False)
    child = broken(serve, port=1)
    child.start()
    assert not child.is_ready()
    ends(child)
    ends(child)
    with pytest.raises(SystemExit, match="broken process cannot run: status 7"):
        ends(child)


def test_what_ends_again_and_again_is_started_ever_more_slowly(
    serve: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker; the web server and the sandbox too, once they have listened."""
    now = [100.0]
    monkeypatch.setattr(serve.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(serve, "listening", lambda _: True)
    for child in (broken(serve), broken(serve, port=1)):
        child.start()
        assert child.is_ready()
        waited = [seconds_until_started(child, now) for _ in range(10)]
        assert waited == [0, 1, 2, 4, 8, 16, 32, 60, 60, 60]


def seconds_until_started(child: Any, now: list[float]) -> float:
    ended, starts = now[0], child.starts
    child.process.wait()
    child.keep_running()
    while child.starts == starts:
        now[0] += 0.5
        child.keep_running()
    child.process.wait()
    return now[0] - ended


def test_a_process_that_ran_for_a_while_is_started_at_once(
    serve: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [100.0]
    monkeypatch.setattr(serve.time, "monotonic", lambda: now[0])
    child = broken(serve)
    child.start()
    assert [seconds_until_started(child, now) for _ in range(3)] == [0, 1, 2]
    now[0] += 5
    assert seconds_until_started(child, now) == 0


def test_a_process_that_says_later_what_is_wrong_leaves_the_others_running(serve: Any) -> None:
    child = waiting(serve)
    child.start()
    child.process.kill()
    child.command = broken(serve, serve.REFUSES).command
    ends(child)
    ends(child)
    assert child.restart_at
    child.process.wait()


def test_a_process_that_ignores_the_signal_is_killed(serve: Any) -> None:
    script = "import signal; signal.signal(15, signal.SIG_IGN); print(flush=True); signal.pause()"
    child = serve.Child("deaf", [])
    child.process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE)
    child.process.stdout.readline()
    child.stop()
    child.wait(0.1)
    child.process.stdout.close()
    assert child.process.returncode == -signal.SIGKILL


@pytest.mark.parametrize(
    ("word", "fresh"), [("1", True), ("yes", True), ("", False), ("0", False), ("no", False)]
)
def test_fresh_takes_the_words_of_every_setting(
    serve: Any, monkeypatch: pytest.MonkeyPatch, word: str, fresh: bool
) -> None:
    monkeypatch.setenv("FRESH", word)
    assert serve.is_fresh() is fresh


def test_fresh_with_another_word_wipes_nothing(
    serve: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / serve.MARK).touch()
    monkeypatch.setenv("FRESH", "maybe")
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    with pytest.raises(SystemExit, match="FRESH must be 1 or 0"):
        serve.demo_environment()
    assert (tmp_path / serve.MARK).exists()


def test_fresh_wipes_only_what_the_demo_made(serve: Any, tmp_path: Path) -> None:
    (tmp_path / "letter").write_text("mine")
    with pytest.raises(SystemExit, match="was not made by the demo"):
        serve.wipe(tmp_path)
    (tmp_path / serve.MARK).touch()
    serve.wipe(tmp_path)
    assert not tmp_path.exists()


def test_a_taken_port_is_named(serve: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(SystemExit, match=f"Port {port} is in use"):
            serve.require_free(port)
