"""docs/operations.md: its commands run as they are written, on a real site."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from cryptography.fernet import Fernet

from tests.support import postgres
from tests.support.site import ROOT, WEB, WORKER, Site, free_port, wait_until
from vendors import sandbox

DOC = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
TAGS = {"sh", "sh postgres", "sh lost", "sh serve", "sh upgrade"}
MAKE = """
from allauth.account.models import EmailAddress
from django.utils import timezone
from onboarding.models import *
user = User.objects.create_user('ann@example.org')
EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
merchant = Merchant.objects.create(name='Ann')
merchant.memberships.create(user=user, role='owner')
account = Account.objects.create(merchant=merchant, vendor='sharespine', memo={'tenant': 'ann'})
connector = Connector.objects.create(slug='ann', vendor='sharespine', key='x', platform='x')
shop = Connection.objects.create(account=account, connector=connector, vendor='sharespine',
    name='Shop', shop_id='ann/1', status='connected', turn='', due_at=timezone.now(), memo={'a': 1})
shop.attempts.create(user=user, ended=timezone.now(), ending='connected')
"""
SHOP = "from onboarding.models import *; shop = Connection.objects.select_related('account').get();"


def blocks(heading: str, tag: str = "sh") -> list[str]:
    """The code blocks with this tag below a heading."""
    section = re.search(rf"^## {re.escape(heading)}$(.*?)(?=^## |\Z)", DOC, re.S | re.M)
    assert section, f"no section {heading}"
    found = re.findall(rf"^```{tag}\n(.*?)^```$", section[1], re.S | re.M)
    assert found, f"nothing to try below {heading}"
    return found


class Machine:
    """A site with one connected shop, and a shell in which its commands are typed."""

    def __init__(self, folder: Path, stage: sandbox.Running, key: str, **more: str) -> None:
        self.keys = [key]
        self.site = Site(folder, stage, extra_env={"BACKUP": str(folder / "backup"), **more})
        self.use(key)

    def prepare(self) -> None:
        self.site.prepare()
        self.site.manage("shell", "-c", MAKE)

    def use(self, *keys: str) -> None:
        self.site.extra_env["MEMO_KEYS"] = ",".join(keys)

    def type(self, code: str, status: int = 0) -> str:
        """Run a block of the document; what it said."""
        command = [
            "bash",
            "-euo",
            "pipefail",
            "-c",
            code.replace(".venv/bin/python", sys.executable),
        ]
        done = subprocess.run(
            command, cwd=ROOT, env=self.site.env, capture_output=True, text=True, check=False
        )
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout

    def type_all(self, heading: str, tag: str = "sh") -> str:
        return "".join(self.type(code) for code in blocks(heading, tag))

    def ask(self, expression: str) -> str:
        return self.site.manage("shell", "-v0", "-c", f"{SHOP} print({expression})").strip()


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sandbox.Running]:
    running = sandbox.start(tmp_path_factory.mktemp("sandbox"))
    yield running
    running.stop()


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory, stage: sandbox.Running) -> Machine:
    """Made once; each test works on a copy."""
    made = Machine(tmp_path_factory.mktemp("prepared"), stage, Fernet.generate_key().decode())
    made.prepare()
    return made


@pytest.fixture
def machine(tmp_path: Path, stage: sandbox.Running, prepared: Machine) -> Iterator[Machine]:
    made = Machine(tmp_path, stage, prepared.keys[0])
    shutil.copytree(prepared.site.folder, tmp_path, dirs_exist_ok=True)
    yield made
    made.site.stop()


def test_every_block_is_of_a_kind_that_is_tried() -> None:
    assert set(re.findall(r"^```(\w.*)$", DOC, re.M)) == TAGS


def test_the_first_member_of_staff(machine: Machine) -> None:
    machine.type_all("The first member of staff")
    assert machine.ask("User.objects.get(is_staff=True).email") == "you@example.com"


def restored(machine: Machine, tag: str) -> None:
    """Backup, a mishap, restore; the shop is there, and its memo can be read."""
    machine.type(blocks("Backup", tag)[0])
    machine.ask("Attempt.objects.all().delete(), shop.delete()")
    machine.type(blocks("Restore", tag)[0])
    machine.type(blocks("Restore")[-1])
    machine.site.start()
    machine.type_all("Is it well?")
    assert machine.ask("shop.name, shop.memo, shop.account.memo") == (
        "Shop {'a': 1} {'tenant': 'ann'}"
    )


def test_backup_and_restore_of_sqlite(machine: Machine) -> None:
    restored(machine, "sh")


def test_backup_and_restore_of_postgresql(tmp_path: Path, stage: sandbox.Running) -> None:
    bin = postgres.programs()
    if bin is None or not shutil.which("pg_dump"):
        pytest.skip("no PostgreSQL on this machine")
    with postgres.throwaway(bin) as address:
        key = Fernet.generate_key().decode()
        machine = Machine(tmp_path, stage, key, DATABASE_URL=address)
        machine.prepare()
        try:
            restored(machine, "sh postgres")
        finally:
            machine.site.stop()


def test_a_new_key_replaces_the_old_one(machine: Machine) -> None:
    rekey, make = blocks("A new key for memos")
    new = machine.type(make).strip()
    machine.use(new, *machine.keys)
    assert "No memo needs an older key" in machine.type(rekey)
    machine.use(new)
    assert machine.ask("shop.memo, shop.account.memo") == "{'a': 1} {'tenant': 'ann'}"


def test_no_process_starts_with_another_key(machine: Machine) -> None:
    """Nor is a shop lowered; the mail to staff comes from a process that refuses."""
    machine.site.start()
    machine.site.stop()
    machine.ask("Connection.objects.update(due_at='2020-01-01 00:00Z')")
    machine.use(Fernet.generate_key().decode())
    for command in (WORKER, WEB):
        done = subprocess.run(
            command, cwd=ROOT, env=machine.site.env, capture_output=True, text=True, timeout=60, check=False
        )  # fmt: skip
        assert done.returncode == 4, done.stderr
        assert done.stderr.count("MEMO_KEYS lack a key") == 1
        assert "Traceback" not in done.stderr
    assert machine.ask("shop.status") == "connected"
    [mail] = machine.site.mails("staff@example.com")
    assert "MEMO_KEYS lack a key" in mail


def test_after_losing_the_keys_it_is_the_merchants_turn_and_no_page_fails(machine: Machine) -> None:
    machine.use(Fernet.generate_key().decode())
    machine.type(blocks("Lost MEMO_KEYS", "sh lost")[0], status=1)
    machine.site.start()
    wait_until("the merchant is told", lambda: machine.ask("shop.status") == "action_needed")
    assert "connect it again" in machine.ask("shop.sentence")
    assert requests.get(f"{machine.site.url}/connectors/", timeout=10).ok


def test_an_upgrade_keeps_what_is_there(machine: Machine, tmp_path: Path) -> None:
    """The release comes from a clone with a tag; its requirements are those that are installed."""
    machine.site.start()
    machine.site.stop()
    clone = tmp_path / "gangway"
    git = ["git", "-C", str(clone)]
    subprocess.run(["git", "clone", "-q", "--no-hardlinks", ROOT, clone], check=True)
    subprocess.run([*git, "tag", "v1"], check=True)
    (clone / ".venv" / "bin").mkdir(parents=True)
    python = clone / ".venv" / "bin" / "python"
    python.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    shutil.copy(clone / "requirements.txt", clone / ".venv" / "requirements.txt")
    env = {**machine.site.env, "RELEASE": "v1"}
    for code in (*blocks("Upgrade, and back", "sh upgrade"), *blocks("Upgrade, and back")):
        command = ["bash", "-euo", "pipefail", "-c", code]
        done = subprocess.run(
            command, cwd=clone, env=env, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
    assert machine.ask("shop.status") == "connected"


def test_web_and_worker_start_as_it_is_written(machine: Machine) -> None:
    web, worker = blocks("More machines", "sh serve")
    env = {**machine.site.env, "PORT": str(free_port())}
    started = [
        subprocess.Popen(
            ["bash", "-c", "exec " + code.replace(".venv/bin/python", sys.executable).strip()],
            cwd=ROOT, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        for code in (web, worker)
    ]  # fmt: skip
    try:
        wait_until("it is ready", lambda: _ready(f"http://localhost:{env['PORT']}/health/ready"))
    finally:
        for process in started:
            process.terminate()
            process.wait(30)


def _ready(url: str) -> bool:
    try:
        return requests.get(url, timeout=5).ok
    except requests.ConnectionError:
        return False
