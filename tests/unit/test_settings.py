"""Django's settings from the environment, and what the system checks report about them."""

from __future__ import annotations

import importlib.util
import re
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from cryptography.fernet import Fernet

import vendors
from onboarding.conf import checks
from onboarding.conf.environment import SETTINGS

ROOT = Path(__file__).resolve().parents[2]
PUBLIC = {
    "SITE_URL": "https://shops.example.com",
    "SECRET_KEY": "gangway-tests-" + "abcdefghij" * 4,
    "MEMO_KEYS": Fernet.generate_key().decode(),
    "EMAIL_URL": "smtps://mail.example.com",
    "STAFF_EMAIL": "staff@example.com",
    "PROXY_COUNT": "1",
}
Load = Callable[..., Any]


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Load:
    """The settings module, executed again under the test's own environment."""

    def loaded(**environment: str) -> ModuleType:
        for setting in SETTINGS:
            monkeypatch.delenv(setting.name, raising=False)
            monkeypatch.delenv(f"{setting.name}_FILE", raising=False)
        for name, value in {"DATA_DIR": str(tmp_path), **environment}.items():
            monkeypatch.setenv(name, value)
        path = ROOT / "onboarding" / "settings.py"
        spec = importlib.util.spec_from_file_location("onboarding.settings_again", path)
        assert spec
        assert spec.loader
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    return loaded


@pytest.fixture
def ids(load: Load, monkeypatch: pytest.MonkeyPatch) -> Callable[..., set[str]]:
    """The ids that the system checks give under an environment."""

    def found(**environment: str) -> set[str]:
        monkeypatch.setattr(checks, "settings", load(**environment))
        return {(m.id or "").removeprefix("onboarding.") for m in checks.check_settings()}

    return found


def test_the_address_decides_hosts_cookies_and_https(load: Load) -> None:
    public = load(**PUBLIC)
    assert public.ALLOWED_HOSTS == ["shops.example.com"]
    assert public.CSRF_TRUSTED_ORIGINS == ["https://shops.example.com"]
    assert public.SESSION_COOKIE_SECURE
    assert public.CSRF_COOKIE_SECURE
    assert public.SECURE_SSL_REDIRECT
    assert public.SECURE_HSTS_SECONDS == 31_536_000


@pytest.mark.parametrize(
    ("environment", "prefix"),
    [(PUBLIC, "__Host-gangway_"), ({}, "gangway_")],
    ids=["https", "http"],
)
def test_cookies_have_names_of_our_own(
    load: Load, environment: dict[str, str], prefix: str
) -> None:
    found = load(**environment)
    for name in ("SESSION", "CSRF", "LANGUAGE", "MESSAGES"):
        assert getattr(found, f"{name}_COOKIE_NAME") == f"{prefix}{name.lower()}"
        assert not getattr(found, f"{name}_COOKIE_DOMAIN", None)
        assert getattr(found, f"{name}_COOKIE_PATH", "/") == "/"


def test_nothing_set_is_a_site_on_localhost(load: Load) -> None:
    local = load(PORT="8123")
    assert local.SITE_URL == "http://localhost:8123"
    assert local.SANDBOX_URL == "http://127.0.0.1:8124"
    assert not local.SESSION_COOKIE_SECURE
    assert not local.DEBUG
    assert local.ENVIRON.problems == []


def test_loopback_keys_are_made_once_and_are_private(load: Load, tmp_path: Path) -> None:
    first, second = load(), load()
    assert first.SECRET_KEY == second.SECRET_KEY != ""
    assert first.MEMO_KEYS == second.MEMO_KEYS
    assert Fernet(first.MEMO_KEYS[0])
    modes = {stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("secret_key", "memo_key")}
    assert modes == {0o600}


def test_a_public_site_makes_no_keys(load: Load, tmp_path: Path) -> None:
    public = load(SITE_URL="https://shops.example.com")
    assert public.SECRET_KEY == ""
    assert public.MEMO_KEYS == []
    assert not (tmp_path / "memo_key").exists()


def test_a_secret_may_be_in_a_file(load: Load, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("from a file\n")
    assert load(SECRET_KEY_FILE=str(tmp_path / "key")).SECRET_KEY == "from a file"
    lost = load(SECRET_KEY_FILE=str(tmp_path / "lost"))
    assert lost.ENVIRON.problems == [("SECRET_KEY_FILE", "name a file that can be read")]
    (tmp_path / "empty").write_text(" \n")
    empty = load(SECRET_KEY_FILE=str(tmp_path / "empty"))
    assert empty.ENVIRON.problems == [("SECRET_KEY_FILE", "name a file that is not empty")]


def test_only_a_secret_may_be_in_a_file(load: Load, tmp_path: Path) -> None:
    (tmp_path / "name").write_text("from a file")
    assert load(BRAND_NAME_FILE=str(tmp_path / "name")).BRAND_NAME == "Gangway"


def test_a_secret_given_twice_is_a_problem(load: Load, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("one")
    twice = load(SECRET_KEY="other", SECRET_KEY_FILE=str(tmp_path / "key"))
    assert [problem.name for problem in twice.ENVIRON.problems] == ["SECRET_KEY"]


def test_sqlite_is_tuned_for_threads(load: Load) -> None:
    database = load().DATABASES["default"]
    assert database["CONN_MAX_AGE"] is None
    assert database["OPTIONS"]["transaction_mode"] == "IMMEDIATE"
    assert "journal_mode=WAL" in database["OPTIONS"]["init_command"]


def test_postgresql_has_a_pool_and_limits(load: Load) -> None:
    url = "postgres://gang:p%40ss@db.example:5433/way?sslmode=require"
    database = load(DATABASE_URL=url).DATABASES["default"]
    named = {name: database[name] for name in ("NAME", "USER", "PASSWORD", "HOST", "PORT")}
    assert [*named.values()] == ["way", "gang", "p@ss", "db.example", "5433"]
    assert database["OPTIONS"]["sslmode"] == "require"
    assert database["OPTIONS"]["pool"]["max_size"] == 20
    assert "idle_in_transaction_session_timeout=5s" in database["OPTIONS"]["options"]


@pytest.mark.parametrize(
    ("url", "found"),
    [
        (
            "postgres:///way?host=/var/run/postgresql",
            {"HOST": "/var/run/postgresql", "NAME": "way"},
        ),
        ("postgres://gang@%2Fvar%2FRun/way", {"HOST": "/var/Run", "USER": "gang"}),
        ("postgresql://a:1,b:2/way?target_session_attrs=any", {"HOST": "a,b", "PORT": "1,2"}),
        ("postgres://[::1]:5433/way", {"HOST": "::1", "PORT": "5433"}),
        ("postgres://gang:a%2Fb%3F%23@h/w%20ay", {"PASSWORD": "a/b?#", "NAME": "w ay"}),
        ("postgres://h/way?user=gang&password=pass", {"USER": "gang", "PASSWORD": "pass"}),
    ],
)
def test_a_database_address_is_read_as_libpq_reads_it(
    load: Load, url: str, found: dict[str, str]
) -> None:
    loaded = load(DATABASE_URL=url)
    assert not loaded.ENVIRON.problems
    assert {name: loaded.DATABASES["default"][name] for name in found} == found


def test_the_operators_options_come_after_ours_so_that_they_win(load: Load) -> None:
    url = "postgres://h/way?options=-c%20search_path%3Dx%20-c%20lock_timeout%3D9s&sslrootcert=/ca"
    options = load(DATABASE_URL=url).DATABASES["default"]["OPTIONS"]
    assert options["options"].endswith("-c search_path=x -c lock_timeout=9s")
    assert options["options"].startswith("-c statement_timeout=30s")
    assert options["sslrootcert"] == "/ca"


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("postgres://h/way?pool=1", "a parameter that libpq does not know: pool"),
        ("postgres://u:ge/heim@h/way", "write @ as %40, / as %2F"),
        ("postgres://u:1/geheim@h/way", "write @ as %40, / as %2F"),
        ("postgres://u:p@geheim@h/way", "write @ as %40, / as %2F"),
        ("postgres://u:geheim%@h/way", "must look like postgres://"),
        ("postgres://h:99999/way", "has no valid port"),
        ("postgres://h/", "must look like postgres://"),
    ],
)
def test_a_database_address_that_cannot_be_read_is_never_quoted(
    load: Load, url: str, message: str
) -> None:
    [problem] = load(DATABASE_URL=url).ENVIRON.problems
    assert message in problem.message
    assert "heim" not in problem.message


@pytest.mark.parametrize(
    ("url", "port", "ssl", "tls"),
    [
        ("smtps://u:p%40@mail.example", 465, True, False),
        ("smtp://u:p%40@mail.example", 25, False, True),
        ("smtp://mail.example:587", 587, False, True),
        ("smtp://u:p%40@127.0.0.1:2525", 2525, False, False),
    ],
)
def test_smtp_addresses(load: Load, url: str, port: int, ssl: bool, tls: bool) -> None:
    found = load(EMAIL_URL=url)
    assert (port, ssl, tls) == (found.EMAIL_PORT, found.EMAIL_USE_SSL, found.EMAIL_USE_TLS)
    assert found.EMAIL_HOST_PASSWORD in {"p@", ""}


def test_the_other_mail_addresses(load: Load) -> None:
    assert load(EMAIL_URL="file:///tmp/mails").EMAIL_FILE_PATH == "/tmp/mails"
    assert load(EMAIL_URL="demo:").EMAIL_BACKEND == "onboarding.notifications.demo_mail.MailBackend"
    assert load(EMAIL_URL="demo:").DEMO_MAILS
    assert load(EMAIL_URL="console:").EMAIL_BACKEND.endswith("console.EmailBackend")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SITE_URL", "https://shops.example.com/path"),
        ("SITE_URL", "shops.example.com"),
        ("SITE_URL", "http://[geheim"),
        ("PORT", "80a"),
        ("PORT", "65535"),
        pytest.param("PORT", "9" * 5000, id="PORT-5000 digits"),
        ("RETENTION_DAYS", "0"),
        ("PROXY_COUNT", "-1"),
        ("CHECK_PERIOD", "daily"),
        ("RUNNER", "huey"),
        ("LOG_FORMAT", "xml"),
        ("DEBUG", "maybe"),
        ("DATABASE_URL", "mysql://u:geheim@h/n"),
        ("REDIS_URL", "http://:geheim@h"),
        ("EMAIL_URL", "imap://u:geheim@h"),
        ("BRAND_COLOUR", "red; }"),
        ("BRAND_LOGO", "http://x/'"),
        ("BRAND_LOGO", "https://[geheim"),
        ("SUPPORT_EMAIL", "us"),
        ("STAFF_EMAIL", "staff@example.com,geheim"),
        ("STAFF_EMAIL", "Staff <geheim@example.com>"),
        ("STAFF_EMAIL", "\u212aai@example.com"),
        ("SUPPORT_EMAIL", "geheim@example"),
        ("SUPPORT_EMAIL", "geheim@exam\u200bple.com"),
        ("EMAIL_FROM", "geheim, Inc. <us@example.com>"),
        ("EMAIL_FROM", "geheim: us@example.com"),
        ("EMAIL_FROM", "us@example.com, geheim@example.com"),
        ("EMAIL_FROM", "geheim"),
        ("EMAIL_FROM", "geheim\nBcc: x@example.com <us@example.com>"),
        ("EMAIL_FROM", "geheim <us@example.com"),
        ("BRAND_NAME", "geheim\r\nBcc: us@example.com"),
        ("BRAND_NAME", "geheim\tInc."),
        ("BRAND_NAME", "geheim\u2028Inc."),
        ("BRAND_NAME", "\u200b"),
        ("BRAND_URL", "www.example.com"),
        ("BRAND_URL", "javascript:alert(1)"),
        ("BRAND_URL", "https://us:geheim@example.com"),
        ("BRAND_URL", "https://[geheim"),
        ("BRAND_URL", "https://"),
        ("LEGAL_LINKS", "Privacy"),
    ],
)
def test_a_value_that_cannot_be_read_is_an_error_that_quotes_nothing(
    load: Load, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setattr(checks, "settings", load(**{name: value}))
    [error] = [message for message in checks.check_settings() if message.is_serious()]
    assert error.id == "onboarding.E001"
    assert error.msg.startswith(name)
    assert "geheim" not in error.msg


def test_a_brand_with_a_comma_is_quoted_in_the_sender(load: Load) -> None:
    site = load(BRAND_NAME="Acme, Inc.", SITE_URL="https://shops.example.com")
    assert site.DEFAULT_FROM_EMAIL == '"Acme, Inc." <no-reply@shops.example.com>'
    assert load(BRAND_NAME="Acme: shops").EMAIL_FROM == '"Acme: shops" <no-reply@localhost>'
    given = '"Acme, Inc." <post@example.com>'
    assert given == load(EMAIL_FROM=given, BRAND_NAME="Other").EMAIL_FROM


def test_the_sentence_about_a_sender_names_the_fix(
    load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checks, "settings", load(EMAIL_FROM="Acme, Inc. <us@example.com>"))
    [error] = [message for message in checks.check_settings() if message.is_serious()]
    assert "must be one mailbox such as" in error.msg
    assert '"Acme, Inc." <no-reply@example.com>: put a name with commas' in error.msg


def test_all_problems_are_found_at_once_and_every_default_is_taken(load: Load) -> None:
    wrong = load(PORT="geheim", METRICS="geheim", RUNNER="geheim", EMAIL_URL="imap://u:geheim@h")
    assert wrong.ENVIRON.problems == [
        ("PORT", "must be a whole number from 1 to 65534"),
        ("RUNNER", "must be one of: threads, celery"),
        ("METRICS", "must be 1 or 0"),
        ("EMAIL_URL", "must start with smtp://, smtps://, file:///, console: or demo:"),
    ]
    assert (wrong.PORT, wrong.METRICS, wrong.RUNNER) == (8000, False, "threads")
    assert wrong.EMAIL_BACKEND.endswith("console.EmailBackend")


@pytest.mark.parametrize("word", ["1", "true", "Yes", " on "])
def test_what_turns_a_setting_on(load: Load, word: str) -> None:
    assert load(METRICS=word).METRICS is True


@pytest.mark.parametrize("word", ["", "0", "false", "No", "off"])
def test_what_turns_a_setting_off(load: Load, word: str) -> None:
    found = load(METRICS=word)
    assert (found.METRICS, found.ENVIRON.problems) == (False, [])


def test_no_secret_is_in_the_repr_of_what_was_read(load: Load) -> None:
    secrets = {setting.name: "geheim" for setting in SETTINGS if setting.secret}
    assert "geheim" not in repr(load(**secrets).ENVIRON)
    assert {"SECRET_KEY", "MEMO_KEYS", "DATABASE_URL", "REDIS_URL", "EMAIL_URL"} == set(secrets)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("SITE_ULR", "SITE_URL"),
        ("MEMO_KEY", "MEMO_KEYS"),
        ("SECRET_KYE_FILE", "SECRET_KEY_FILE"),
        ("BRAND_COLOR", "BRAND_COLOUR"),
    ],
)
def test_a_mistyped_name_is_a_warning_that_names_the_setting(
    load: Load, monkeypatch: pytest.MonkeyPatch, name: str, meant: str
) -> None:
    monkeypatch.setattr(checks, "settings", load(**{name: "geheim"}))
    [warning] = checks.check_settings()
    assert warning.id == "onboarding.W005"
    assert warning.msg == f"{name}: is not a setting; did you mean {meant}?"


@pytest.mark.parametrize(
    "name",
    [
        "HOSTS",
        "HOST_FILE",
        "RUNNER_OS",
        "DEBUGS",
        "FILE_URL",
        "TEST_DATABASE_URL",
        "WEB_CONCURRENCY",
    ],
)
def test_other_programs_variables_are_not_ours(load: Load, name: str) -> None:
    assert load(**{name: "1"}).ENVIRON.typos == []


def test_a_name_like_a_setting_that_is_set_is_no_typo(load: Load) -> None:
    found = load(REDIS_URL="redis://localhost", REDIS_URI="redis://localhost")
    assert found.ENVIRON.typos == []


def test_an_invalid_setting_is_not_said_to_be_missing(ids: Callable[..., set[str]]) -> None:
    assert ids(**{**PUBLIC, "EMAIL_URL": "imap://h"}) == {"E001"}
    assert ids(**PUBLIC, REDIS_URL="http://h") == {"E001"}


def test_a_complete_public_site_has_no_complaints(ids: Callable[..., set[str]]) -> None:
    assert ids(**PUBLIC) == set()


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("SECRET_KEY", "", "E002"),
        ("SECRET_KEY", "abc", "E012"),
        ("SECRET_KEY", "ab" * 40, "E012"),
        ("SECRET_KEY", "django-insecure-" + "abcdefghij" * 5, "E012"),
        ("MEMO_KEYS", "", "E002"),
        ("MEMO_KEYS", "short", "E003"),
        ("EMAIL_URL", "demo:", "E005"),
        ("SANDBOX", "1", "E006"),
        ("DEBUG", "1", "E007"),
        ("EMAIL_URL", "", "E008"),
        ("SITE_URL", "http://shops.example.com", "W001"),
        ("PROXY_COUNT", "0", "W002"),
        ("STAFF_MFA", "0", "W008"),
        ("RUNNER", "celery", "W009"),
        ("STAFF_EMAIL", "", "W004"),
    ],
)
def test_what_a_public_site_is_refused_or_warned_of(
    ids: Callable[..., set[str]], name: str, value: str, expected: str
) -> None:
    assert expected in ids(**{**PUBLIC, name: value})


def test_sessions_in_cookies_and_private_caches_are_refused(
    load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = load()
    monkeypatch.setattr(checks, "settings", found)
    found.SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
    found.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    assert {m.id for m in checks.check_settings()} == {"onboarding.E004", "onboarding.E010"}


@pytest.mark.process
def test_manage_py_refuses_a_public_site_without_keys(fresh_environment: dict[str, str]) -> None:
    command = [sys.executable, "manage.py", "check"]
    environment = {**fresh_environment, "SITE_URL": "https://shops.example.com"}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "SECRET_KEY must be set" in done.stderr
    assert "MEMO_KEYS must be set" in done.stderr


def test_the_readme_lists_every_setting_and_no_other() -> None:
    rows = re.findall(r"^\| `([A-Z_0-9]+)` \|", (ROOT / "README.md").read_text(), re.MULTILINE)
    expected = [setting.name for setting in SETTINGS]
    for vendor in vendors.ALL:
        expected += vendors.settings(vendor)
    missing = [f"| `{name}` | its default | what it is |" for name in expected if name not in rows]
    others = [name for name in rows if name not in expected]
    assert not missing, "Write into a table of README.md:\n" + "\n".join(missing)
    assert not others, f"README.md lists what is no setting: {', '.join(others)}"
    assert sorted(rows) == sorted(expected)


def test_the_readme_gives_every_default() -> None:
    table = (ROOT / "README.md").read_text()
    for setting in SETTINGS:
        assert f"| `{setting.name}` | {setting.default and f'`{setting.default}`'} |" in table


def test_the_readme_describes_every_setting() -> None:
    table = (ROOT / "README.md").read_text()
    for setting in SETTINGS:
        default, secret = setting.default and f"`{setting.default}`", " (secret)" * setting.secret
        assert f"| `{setting.name}` | {default} | {setting.about}{secret} |" in table


@pytest.mark.parametrize(
    ("site", "given", "expected"),
    [
        ("http://localhost:8000", "", False),
        ("http://127.0.0.1", "", False),
        ("https://shops.example.com", "", True),
        ("http://localhost:8000", "1", True),
        ("https://shops.example.com", "0", False),
    ],
)
def test_staff_need_a_second_step_wherever_the_site_is_public(
    load: Load, site: str, given: str, expected: bool
) -> None:
    assert load(SITE_URL=site, STAFF_MFA=given).STAFF_MFA is expected
