"""bin/setup where `python3 -m venv` fails as it does on Debian without python3-venv."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

SETUP = Path(__file__).resolve().parents[2] / "bin" / "setup"
DEBIAN_SAYS = """The virtual environment was not created successfully because ensurepip is not
available.  On Debian/Ubuntu systems, you need to install the python3-venv package."""


class Machine:
    """A folder with a copy of bin/setup and a PATH on which python3, id and apt-get are fakes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder / "log"
        self.log.touch()
        (folder / "fakes").mkdir()
        (folder / "bin").mkdir()
        shutil.copy(SETUP, folder / "bin" / "setup")
        (folder / "requirements.txt").write_text("")
        for tool in ("dirname", "cmp", "cp", "touch", "mkdir", "cat", "chmod"):
            (folder / "fakes" / tool).symlink_to(shutil.which(tool) or tool)
        self.fake("python3", PYTHON)
        self.fake("apt-get", 'echo "apt-get $*" >>log; case $1 in install) touch ensurepip;; esac')

    def fake(self, name: str, script: str) -> None:
        path = self.folder / "fakes" / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    def setup(self, user: int) -> subprocess.CompletedProcess[str]:
        self.fake("id", f"echo {user}")
        environment = {"PATH": str(self.folder / "fakes")}
        command = ["/bin/sh", str(self.folder / "bin" / "setup")]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


PYTHON = f"""
case $* in
*"-m venv"*)
    if [ ! -e ensurepip ]; then echo '{DEBIAN_SAYS}'; exit 1; fi
    mkdir -p .venv/bin
    echo 'echo "venv $*" >>log' >.venv/bin/python
    chmod +x .venv/bin/python ;;
esac"""


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_root_gets_python3_venv_from_apt_and_goes_on(machine: Machine) -> None:
    done = machine.setup(user=0)
    assert done.returncode == 0, done.stderr
    first, *_, last = machine.log.read_text().splitlines()
    assert first == "apt-get install -y -q python3-venv"
    assert "pip install" in last
    assert "--require-hashes -r requirements.txt" in last


def test_stale_package_lists_are_renewed_once(machine: Machine) -> None:
    machine.fake(
        "apt-get",
        'echo "apt-get $*" >>log; [ -e lists ] && touch ensurepip; '
        "case $1 in update) touch lists;; install) [ -e lists ];; esac",
    )
    assert machine.setup(user=0).returncode == 0
    assert [line.split()[1] for line in machine.log.read_text().splitlines()[:3]] == [
        "install",
        "update",
        "install",
    ]


def test_others_are_told_the_one_command(machine: Machine) -> None:
    done = machine.setup(user=1000)
    assert done.returncode == 1
    assert "sudo apt-get install -y python3-venv" in done.stderr
    assert machine.log.read_text() == ""


def test_another_failure_of_venv_is_shown_as_it_is(machine: Machine) -> None:
    machine.fake("python3", 'case $* in *"-m venv"*) echo "No space left on device"; exit 1;; esac')
    done = machine.setup(user=0)
    assert done.returncode == 1
    assert "No space left on device" in done.stderr
    assert machine.log.read_text() == ""


def test_an_installed_list_is_not_installed_again(machine: Machine) -> None:
    (machine.folder / "ensurepip").touch()
    machine.setup(user=0)
    installs = machine.log.read_text().count("pip install")
    machine.setup(user=0)
    assert installs == machine.log.read_text().count("pip install") == 1
