"""/metrics: counters, gauges from the database, and labels without sensitive values."""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import OperationalError
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries
from pytest_django.fixtures import Settings

from onboarding.models import Alert, Breaker, Connector, SecurityEvent, WaitlistEntry, Worker
from onboarding.monitoring import heartbeat
from tests.support.attempts import CONNECTED, begin_attempt, run_step
from tests.support.people import People
from tests.support.scripted import Scripted
from vendors.contract import Refused

ROOT = Path(__file__).resolve().parents[2]
SETUP = "import django, sys; django.setup(); "
COUNT = """
from vendors.http.call_context import CallRecord, record
for outcome in sys.argv[1].split(","):
    record(CallRecord(vendor="celigo", host="user:geheim@h", call="GET /v1/x/{id}", outcome=outcome,
                seconds=0.2, unavailable=False))
"""
FORGET = """
from onboarding.monitoring import counters
counters.forget_dead(counters.settings.METRICS_DIR)
"""
EVENT = """
from onboarding.models import SecurityEvent
from onboarding.monitoring import security_log
for observer in security_log.observers:
    observer(SecurityEvent(kind="wrong_code"))
"""
SCRAPE = "from onboarding.monitoring import gauges; print(gauges.page().decode())"


def python(environment: dict[str, str], code: str, *words: str) -> str:
    """Another process of the site runs this code."""
    names = {**environment, "DJANGO_SETTINGS_MODULE": "onboarding.settings"}
    command = [sys.executable, "-c", SETUP + code, *words]
    done = subprocess.run(command, cwd=ROOT, env=names, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def metering(settings: Settings, tmp_path: Path) -> None:
    settings.METRICS, settings.METRICS_DIR = True, tmp_path


def page(client: Client) -> str:
    answer = client.get("/metrics")
    assert answer.status_code == 200
    return answer.content.decode()


def value(said: str, sample: str) -> float:
    found = re.search(rf"^{re.escape(sample)} (\S+)$", said, re.M)
    assert found, f"{sample} is not in\n{said}"
    return float(found[1])


def test_calls_of_two_processes_add_up(fresh_environment: dict[str, str]) -> None:
    metering = {**fresh_environment, "METRICS": "1"}
    python(metering, COUNT, "200,201,404")
    python(metering, COUNT, "200,503,time-out,no answer")
    said = python(metering, SCRAPE)
    labels = 'call="GET /v1/x/{id}",outcome="%s",vendor="celigo"'
    for outcome, times in {"2xx": 3, "4xx": 1, "5xx": 1, "time-out": 1, "no answer": 1}.items():
        assert value(said, f"gangway_vendor_calls_total{{{labels % outcome}}}") == times
    bucket = 'call="GET /v1/x/{id}",le="0.25",vendor="celigo"'
    assert value(said, f"gangway_vendor_call_seconds_bucket{{{bucket}}}") == 7
    assert value(said, "gangway_database_answers") == 0  # it has no tables yet
    assert "geheim" not in said


def test_without_metrics_prometheus_is_not_even_loaded(fresh_environment: dict[str, str]) -> None:
    code = "from onboarding.views import health; from vendors.http.call_context import observers; "
    code += "print('prometheus_client' in sys.modules, observers)"
    assert python(fresh_environment, code) == "False []\n"


def test_without_metrics_there_is_no_such_page(client: Client, db: None) -> None:
    assert client.get("/metrics").status_code == 404


def test_counts_of_dead_processes_are_dropped(fresh_environment: dict[str, str]) -> None:
    metering = {**fresh_environment, "METRICS": "1"}
    python(metering, COUNT, "200")
    python(metering, COUNT + FORGET, "200")
    folder = Path(metering["DATA_DIR"]) / "metrics"
    assert len(list(folder.glob("counter_*.db"))) == 1  # of the process that was alive then


@pytest.mark.usefixtures("metering")
def test_gauges_are_read_from_the_database(
    client: Client, people: People, scripted: Scripted, settings: Settings
) -> None:
    settings.STAFF_EMAIL = ["staff@example.org"]
    attempt = run_step(begin_attempt(people), scripted, Refused("no", who="staff"))
    past = timezone.now() - timedelta(minutes=2)
    type(attempt).objects.update(due_at=past)
    Worker.objects.create(name="here:1", skew=timedelta(seconds=-2))
    Worker.objects.create(name="here:2", at=past)
    said = page(client)
    assert value(said, 'gangway_connections{state="on_it",vendor="scripted"}') == 1
    assert value(said, 'gangway_due_rows{kind="attempt"}') == 1
    assert value(said, 'gangway_due_oldest_seconds{kind="attempt"}') == pytest.approx(120, abs=20)
    assert value(said, 'gangway_due_rows{kind="connection"}') == 0
    assert value(said, "gangway_workers") == 1
    assert value(said, "gangway_clock_skew_seconds") == 0
    assert value(said, 'gangway_worker_clock_skew_seconds{worker="here:1"}') == -2
    assert "here:2" not in said
    assert value(said, 'gangway_alerts_open{vendor="scripted"}') == Alert.objects.count() == 1
    assert value(said, 'gangway_mails_due{kind="alert"}') == 1


@pytest.mark.usefixtures("metering")
def test_gauges_cover_breakers_and_the_waitlist(client: Client, people: People) -> None:
    Breaker.objects.create(vendor="celigo", host="u:geheim@api.example", opened=timezone.now())
    Breaker.objects.create(vendor="celigo", host="www.example", failures=2)
    connector = Connector.objects.create(vendor="celigo", key="x", slug="x")
    WaitlistEntry.objects.create(user=people.alice, merchant=people.acme, connector=connector)
    said = page(client)
    assert value(said, 'gangway_breaker_open{host="api.example",vendor="celigo"}') == 1
    assert value(said, 'gangway_breaker_open{host="www.example",vendor="celigo"}') == 0
    assert value(said, "gangway_standbys") == 1


@pytest.mark.usefixtures("metering")
def test_a_scrape_is_thirteen_queries_however_much_there_is(
    client: Client,
    people: People,
    scripted: Scripted,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    """With one vendor: what is due is asked for each, in two queries."""
    run_step(begin_attempt(people), scripted, CONNECTED)
    with django_assert_num_queries(13):
        said = page(client)
    for private in (people.acme.reference, people.acme.name, people.alice.email, "shop-1"):
        assert private not in said


@pytest.mark.usefixtures("metering")
def test_wrong_codes_and_refusals_of_the_last_hour_are_gauged(client: Client, db: None) -> None:
    hour = timezone.now() - timedelta(hours=1)
    for kind in ("wrong_code", "wrong_code", "refused", "signed_in"):
        SecurityEvent.objects.create(kind=kind)
    SecurityEvent.objects.create(kind="wrong_code", at=hour)
    said = page(client)
    sample = 'gangway_security_events_last_hour{kind="%s"}'
    assert value(said, sample % "wrong_code") == 2
    assert value(said, sample % "refused") == 1
    assert value(said, sample % "foreign_return") == 0
    assert "signed_in" not in said


def test_security_events_of_two_processes_add_up(fresh_environment: dict[str, str]) -> None:
    metering = {**fresh_environment, "METRICS": "1"}
    for _ in range(2):
        python(metering, EVENT)
    said = python(metering, SCRAPE)
    assert value(said, 'gangway_security_events_total{kind="wrong_code"}') == 2


@pytest.mark.usefixtures("metering")
def test_a_database_outage_is_reported(
    client: Client, monkeypatch: pytest.MonkeyPatch, db: None
) -> None:
    def away() -> None:
        raise OperationalError

    monkeypatch.setattr(heartbeat, "backlog", away)
    said = page(client)
    assert value(said, "gangway_database_answers") == 0
    assert "gangway_workers" not in said
