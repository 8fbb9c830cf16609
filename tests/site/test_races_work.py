"""Several workers at once: each lease, slot, mail and check belongs to exactly one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from email import message_from_string
from pathlib import Path

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

import vendors
from onboarding.models import Account, Alert, Attempt, Connection, Connector, MemoKey, Slot
from tests.support.merchant import Browser, time_passes, wait_until_idle
from tests.support.people import People
from tests.support.racing import Racers, racers
from vendors import sandbox

pytestmark = pytest.mark.both

CATALOGUE = "GET /v1/connectors"
ROUNDS = 3
SWEEP = {"act": "sweep"}


@pytest.fixture(scope="module")
def mails(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("mails")


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sandbox.Running]:
    running = sandbox.start(tmp_path_factory.mktemp("stage"), vendors=["sharespine", "celigo"])
    yield running
    running.stop()


@pytest.fixture(scope="module")
def processes(stage: sandbox.Running, django_db_setup: None, mails: Path) -> Iterator[Racers]:
    with racers(mails, **sandbox.environ(stage.url, "sharespine", "celigo")) as made:
        yield made


@pytest.fixture(autouse=True, params=range(ROUNDS))
def again(request: pytest.FixtureRequest, mails: Path, stage: sandbox.Running) -> int:
    stage.reset()
    for old in mails.iterdir():
        old.unlink()
    return int(request.param)


def sent(mails: Path) -> list[str]:
    """Subjects of all mails."""
    texts = [part for path in mails.iterdir() for part in path.read_text().split("-" * 79 + "\n")]
    return [str(message_from_string(text)["Subject"]) for text in texts if text.strip()]


def account(people: People, until: datetime | None = None) -> Account:
    return Account.objects.create(
        merchant=people.acme, vendor="sharespine", lease_until=until, lease_token="old"
    )


def test_a_lease_that_ran_out_is_taken_by_one(people: People, processes: Racers) -> None:
    row = account(people, timezone.now() - timedelta(seconds=1))
    takers = [{"act": "take", "account": row.pk, "token": f"new-{n}"} for n in range(4)]
    results = processes.race(*takers)
    assert sorted(results) == [False, False, False, True]
    row.refresh_from_db()
    assert row.lease_token == f"new-{results.index(True)}"


def test_a_late_holder_and_its_successor_never_hold_the_lease_together(
    people: People, processes: Racers
) -> None:
    row = account(people, timezone.now() - timedelta(seconds=1))
    holding = {"act": "renew", "account": row.pk, "token": "old"}
    results = processes.race(holding, {"act": "take", "account": row.pk, "token": "new"})
    assert sorted(results) == [False, True]


def test_a_valid_lease_is_not_taken_over(people: People, processes: Racers) -> None:
    row = account(people, timezone.now() + timedelta(minutes=1))
    takers = [{"act": "take", "account": row.pk, "token": f"new-{n}"} for n in range(3)]
    assert processes.race(*takers) == [False] * 3


def test_processes_that_start_at_once_make_one_canary(
    transactional_db: None, processes: Racers
) -> None:
    processes.race(*[{"act": "prove"}] * 4)
    assert MemoKey.objects.count() == 1


def test_a_slot_is_taken_by_one_worker(
    people: People, stage: sandbox.Running, processes: Racers
) -> None:
    processes.race(*[SWEEP] * 4)
    assert Slot.objects.filter(key__startswith="catalogue:celigo").count() == 1
    assert stage.counts("celigo")["calls"] == {CATALOGUE: 1}


def test_a_due_mail_is_sent_by_one_worker(people: People, processes: Racers, mails: Path) -> None:
    for cause in ("one", "two", "three"):
        Alert.objects.create(vendor="sharespine", cause=cause)
        Connection.objects.create(
            account=Account.objects.get_or_create(merchant=people.acme, vendor="sharespine")[0],
            connector=Connector.objects.create(vendor="sharespine", key=cause, slug=cause),
            vendor="sharespine",
            name=cause,
            cause=cause,
        )
    processes.race(*[SWEEP] * 4)
    assert sorted(subject.split()[-1] for subject in sent(mails)) == ["one", "three", "two"]


def asked(stage: sandbox.Running) -> int:
    return sum(stage.counts("celigo")["calls"].values())


def test_what_is_due_is_asked_by_one_worker(
    people: People, stage: sandbox.Running, processes: Racers, settings: Settings
) -> None:
    settings.VENDORS = vendors.load(sandbox.environ(stage.url, "celigo"))
    processes.race(SWEEP)  # the connectors
    charlie, celigo = (
        Browser(people.charlie, people.other),
        Connector.objects.filter(vendor="celigo"),
    )
    charlie.connect(celigo[0], "My shop")
    wait_until_idle()
    before = asked(stage)
    time_passes()
    alone = asked(stage) - before
    Attempt.objects.update(due_at=timezone.now())
    processes.race(*[SWEEP] * 4)
    assert asked(stage) == before + 2 * alone > before
