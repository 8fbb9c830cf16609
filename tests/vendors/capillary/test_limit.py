"""The operator's limit at Capillary, over real HTTP: two merchants at once, one place left."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

import vendors
from onboarding.background import runner
from onboarding.catalogue import refresh
from onboarding.models import Attempt, Connection, Connector
from tests.support.merchant import Browser, time_passes, wait_until_idle
from tests.support.people import People
from tests.vendors.capillary.contract import at_capillary, profile, valid
from vendors import sandbox

CREATE = "POST /v3/integrations/clients"


@pytest.fixture
def stage(tmp_path: Path, settings: Settings) -> Iterator[sandbox.Running]:
    running = sandbox.start(tmp_path, vendors=["capillary"])
    settings.VENDORS = vendors.load(sandbox.environ(running.url, "capillary"))
    refresh.refresh_catalogue(settings.VENDORS.offered["capillary"])
    profile()
    at_capillary(running, "fill")
    number = next(row["id"] for row in running.state("capillary")["clients"] if row["valid"])
    at_capillary(running, "delete", key=number)
    yield running
    wait_until_idle()
    running.stop()


def test_two_merchants_at_once_get_one_place(
    people: People, stage: sandbox.Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "HAND_OVER_TIMEOUT", 0)
    connector = Connector.objects.get()
    before = valid(stage)
    stage.fault("capillary", CREATE, kind="hold", when="before")
    Browser(people.alice, people.acme).connect(connector, "First")
    stage.wait_until_held("capillary", CREATE)
    Browser(people.charlie, people.other).connect(connector, "Second")
    second = Attempt.objects.get(connection__name="Second")
    stage.release("capillary", CREATE)
    wait_until_idle()
    assert Connection.objects.get(name="First").status == "connected"
    time_passes()
    second.refresh_from_db()
    assert (second.status, second.turn) == ("on_it", "staff")
    assert valid(stage) == before + 1
    assert stage.counts("capillary")["calls"][CREATE] == 1  # counted before, not refused after
