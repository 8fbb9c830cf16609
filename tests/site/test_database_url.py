"""DATABASE_URL as an operator writes it: libpq's parameters reach the server, and faults are one sentence."""

from __future__ import annotations

import subprocess
from pathlib import Path

import psycopg
import pytest

from tests.support.site import MANAGE, ROOT, free_port

WRONG = "not-the-password"


@pytest.fixture
def env(fresh_environment: dict[str, str]) -> dict[str, str]:
    return fresh_environment


def run(env: dict[str, str], *words: str) -> tuple[int, str]:
    """Exit status, and what a person reads."""
    done = subprocess.run(
        [*MANAGE, *words], cwd=ROOT, env=env, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout + done.stderr


def everywhere(env: dict[str, str], said: str, fix: str, *, secret: str = WRONG) -> None:
    """check, doctor and the start of a worker say the same sentence, and nothing else."""
    for command, status in (("check", 1), ("doctor", 1), ("worker", 4), ("migrate", 1)):
        found, words = run(env, command)
        assert (found, said in words, fix in words) == (status, True, True), (command, words)
        assert "Traceback" not in words
        assert secret not in words
        assert words.count(said) == 1, (command, words)


# -- libpq's parameters --------------------------------------------------------------------------


def test_the_operators_own_options_are_kept(env: dict[str, str], postgres_url: str) -> None:
    with psycopg.connect(postgres_url, autocommit=True) as own:
        own.execute("CREATE SCHEMA elsewhere")
    env["DATABASE_URL"] = f"{postgres_url}?options=-c%20search_path%3Delsewhere"
    assert run(env, "migrate", "--verbosity", "0")[0] == 0
    with psycopg.connect(postgres_url) as own:
        tables = "SELECT DISTINCT schemaname FROM pg_tables WHERE tablename LIKE 'onboarding%'"
        assert own.execute(tables).fetchall() == [("elsewhere",)]


def test_the_second_host_is_used_when_the_first_is_away(
    env: dict[str, str], postgres_url: str
) -> None:
    hosts = f"@127.0.0.1:{free_port()},127.0.0.1:"
    env["DATABASE_URL"] = postgres_url.replace("@127.0.0.1:", hosts) + "?connect_timeout=5"
    assert run(env, "check")[0] == 0


# -- faults --------------------------------------------------------------------------------------


def test_a_wrong_password(env: dict[str, str], postgres_url: str) -> None:
    head, _, tail = postgres_url.partition("@")
    env["DATABASE_URL"] = f"{head.rpartition(':')[0]}:{WRONG}@{tail}"
    said = 'The database refuses us: password authentication failed for user "gangway".'
    everywhere(env, said, "Correct user and password in DATABASE_URL")


def test_a_missing_database(env: dict[str, str], postgres_url: str) -> None:
    env["DATABASE_URL"] = postgres_url.rpartition("/")[0] + "/nowhere"
    everywhere(env, 'database "nowhere" does not exist.', "Create the database")


def test_a_user_who_may_create_no_tables(env: dict[str, str], postgres_url: str) -> None:
    with psycopg.connect(postgres_url, autocommit=True) as own:
        own.execute("CREATE ROLE guest LOGIN PASSWORD 'guest'")
        try:
            env["DATABASE_URL"] = f"postgres://guest:guest@{postgres_url.partition('@')[2]}"
            everywhere(env, "the user may not create tables in its schema.", "Make the user")
        finally:
            own.execute("DROP ROLE guest")


@pytest.mark.parametrize(
    ("host", "said"),
    [("127.0.0.1:1", "Connection refused"), ("no-such-host.invalid", "failed to resolve host")],
)
def test_a_server_that_does_not_answer(env: dict[str, str], host: str, said: str) -> None:
    """Worker and web server start without it: it may come back. A command does not."""
    env["DATABASE_URL"] = f"postgres://gangway:{WRONG}@{host}/gangway"
    for command in ("check", "doctor", "migrate"):
        status, words = run(env, command)
        assert status == 1
        assert "The database does not answer: " in words
        assert said in words
        assert "DATABASE_URL" in words
        assert not {"Traceback", WRONG} & set(words.split())


def test_doctor_does_not_blame_the_cache_for_the_database(env: dict[str, str]) -> None:
    env["DATABASE_URL"] = "postgres://gangway:x@127.0.0.1:1/gangway"
    _, words = run(env, "doctor")
    assert "The cache" not in words
    assert "Not checked (cache)" in words


def test_a_data_dir_that_cannot_be_made(env: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for metrics in ("0", "1"):
        env |= {"DATA_DIR": str(tmp_path / "file" / "data"), "METRICS": metrics}
        for command in ("check", "doctor", "worker"):
            status, words = run(env, command)
            assert status in (1, 4)
            assert f"DATA_DIR ({env['DATA_DIR']}) cannot be written: Not a directory." in words
            assert "must belong to the user who runs Gangway" in words
            assert "Traceback" not in words
            assert "MEMO_KEYS" not in words


def test_a_file_that_is_no_database(env: dict[str, str]) -> None:
    folder = Path(env["DATA_DIR"])
    folder.mkdir()
    (folder / "db.sqlite3").write_text("This is no database. " * 100)
    everywhere(env, "db.sqlite3: file is not a database.", "must belong to the user")
