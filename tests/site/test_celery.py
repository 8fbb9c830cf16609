"""RUNNER=celery with a temporary Redis and worker processes. The rows remain the source of truth."""

from __future__ import annotations

import json
import subprocess
import sys
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from django.core.checks import run_checks
from django.utils import timezone
from pytest_django.fixtures import Settings

from onboarding.background import celery_transport, runner
from onboarding.models import Attempt
from tests.support.site import ROOT, Site, wait_until
from tests.support.workers import (
    LIST,
    PASSWORD,
    Redis,
    Workers,
    each_was_made_once,
    expire_leases,
    have_licences,
    merchants,
)
from vendors import sandbox

NAMES = [f"m{number}" for number in range(20)]


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[sandbox.Running]:
    running = sandbox.start(tmp_path / "sandbox", vendors=["celigo"])
    yield running
    running.stop()


@pytest.fixture
def workers(
    transactional_db: None, tmp_path: Path, stage: sandbox.Running, broker: Redis
) -> Iterator[Workers]:
    made = Workers(tmp_path, stage, {"RUNNER": "celery", "REDIS_URL": broker.url})
    yield made
    stage.clear()
    made.stop()


def test_many_rows_over_two_workers_are_done_once_each(
    workers: Workers, stage: sandbox.Running, broker: Redis
) -> None:
    workers.start("one", "two")
    attempts = merchants(stage, *NAMES)
    wait_until("all have a licence", lambda: have_licences(*attempts))
    each_was_made_once(stage, len(NAMES))
    assert broker.pushed() > 0
    assert workers.stop() == [0, 0]
    assert PASSWORD not in workers.logs()


def test_a_dead_workers_row_is_taken_over(workers: Workers, stage: sandbox.Running) -> None:
    stage.fault("celigo", LIST, kind="hold")
    workers.start("one")
    attempts = merchants(stage, "ann", "ben")
    stage.wait_until_held("celigo", LIST, timeout=30)
    workers.start("two")
    workers.kill("one")
    expire_leases()
    wait_until("the other goes on", lambda: have_licences(*attempts))
    each_was_made_once(stage, 2)


def test_without_redis_and_after_it_came_back_empty_nothing_is_lost(
    workers: Workers, stage: sandbox.Running, broker: Redis
) -> None:
    workers.start("one", "two")
    broker.stop()
    first = merchants(stage, "ann", "ben", "cem")
    wait_until("they do it without Redis", lambda: have_licences(*first))
    broker.start()
    second = merchants(stage, "dan", "eva", "fay")
    wait_until("they go on with it", lambda: have_licences(*second))
    wait_until("by messages again", lambda: sends_again(broker))
    each_was_made_once(stage, 6)
    assert PASSWORD not in workers.logs()


def sends_again(broker: Redis) -> bool:
    """So that there is something to send, all is due once more."""
    Attempt.objects.update(due_at=timezone.now())
    return broker.pushed() > 0


def test_a_lost_message_is_sent_again(
    workers: Workers, stage: sandbox.Running, broker: Redis
) -> None:
    [attempt] = merchants(stage, "ann")
    with broker.client() as client:  # as if it had been sent just now
        client.set(f"gangway:sent:celigo:attempt:{attempt.pk}", 1, ex=2)
    workers.start("one")
    wait_until("it is sent again", lambda: have_licences(attempt))


def test_a_message_names_a_row_and_is_sent_once(broker: Redis, settings: Settings) -> None:
    settings.REDIS_URL = broker.url
    celery_transport.app.conf.update(**celery_transport.broker(broker.url))
    for _ in range(2):
        celery_transport.Sender().send(runner.DueRow("celigo", "attempt", 7))
    with broker.client() as client:
        [message] = client.lrange(celery_transport.QUEUE, 0, -1)
    [args, kwargs, _] = json.loads(b64decode(json.loads(message)["body"]))
    assert (args, kwargs) == (["celigo", "attempt", 7, False], {})
    assert PASSWORD not in message.decode()


def test_the_whole_site_runs_with_redis_and_without_it(
    tmp_path: Path, stage: sandbox.Running, broker: Redis
) -> None:
    site = Site(tmp_path, stage, extra_env={"RUNNER": "celery", "REDIS_URL": broker.url})
    site.prepare()
    try:
        site.start()
        for path in ("/connectors/", "/accounts/login/"):
            broker.stop()
            assert requests.get(site.url + path, timeout=30).ok
            broker.start()
            assert requests.get(site.url + path, timeout=30).ok
    finally:
        site.stop()
    assert PASSWORD not in site.logs()


# -- what needs no Redis ---------------------------------------------------------------------------


def test_celery_without_redis_is_refused_with_the_fix(settings: Settings) -> None:
    settings.RUNNER, settings.REDIS_URL = "celery", ""
    [found] = [message for message in run_checks() if message.id == "onboarding.E011"]
    assert found.hint == "Set REDIS_URL=redis://host:6379/0, or RUNNER=threads."


def test_with_threads_celery_is_not_even_imported(fresh_environment: dict[str, str]) -> None:
    said = (
        "import django, sys; django.setup(); import onboarding.urls, onboarding.background.runner"
    )
    said += ", onboarding.management.commands.worker; print('celery' in sys.modules)"
    environ = {**fresh_environment, "DJANGO_SETTINGS_MODULE": "onboarding.settings"}
    done = subprocess.run(
        [sys.executable, "-c", said], cwd=ROOT, env=environ, capture_output=True, text=True
    )
    assert done.stdout == "False\n", done.stderr


@pytest.mark.parametrize(
    ("url", "address", "secure"),
    [
        ("redis://h/1", "redis://h/1", False),
        ("rediss://h/1", "rediss://h/1", True),
        ("unix:///run/redis.sock", "redis+socket:///run/redis.sock", False),
    ],
)
def test_every_address_of_redis_is_one_for_celery(url: str, address: str, secure: bool) -> None:
    given = celery_transport.broker(url)
    assert (given["broker_url"], bool(given["broker_use_ssl"])) == (address, secure)
