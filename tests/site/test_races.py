"""Races between processes on one database, against vendors over HTTP: exactly one wins.

Each race runs several times, because once could be luck.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

import vendors
from onboarding import journey
from onboarding.background import schedule
from onboarding.models import Account, Attempt, Connection, Connector, Hop
from onboarding.models.memo import readable
from onboarding.views.vendor_trip.browser import COOKIE
from tests.support.merchant import Browser, time_passes, wait_until_idle
from tests.support.people import People
from tests.support.racing import Racers, first, racers
from tests.support.sweep import run_inline
from tests.vendors.capillary.contract import at_capillary, profile, valid
from tests.vendors.itembase.contract import at_the_desk
from vendors import sandbox

pytestmark = pytest.mark.both

VENDORS = ("itembase", "sharespine", "capillary")
TENANT, LOGIN = "POST /reseller/tenant", "POST /reseller/tenant/{codeName}/login/{login}"
LINK, TOKEN = "POST /selfservice/v1/tokens", "GET /accounts/oauth/v2/token"
CREATE = "POST /v3/integrations/clients"
ROOM = {"tenants": 1, "users": 2, "connections": 1}
ROUNDS = 3


@pytest.fixture(scope="module")
def imitations(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sandbox.Running]:
    running = sandbox.start(tmp_path_factory.mktemp("stage"), vendors=VENDORS)
    yield running
    running.stop()


@pytest.fixture(scope="module")
def processes(
    imitations: sandbox.Running, django_db_setup: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Racers]:
    given = sandbox.environ(imitations.url, *VENDORS)
    with racers(tmp_path_factory.mktemp("mails"), **given) as made:
        yield made


@pytest.fixture
def stage(imitations: sandbox.Running, settings: Settings, people: People) -> sandbox.Running:
    imitations.reset()
    settings.VENDORS = vendors.load(sandbox.environ(imitations.url, *VENDORS))
    schedule.run(run_inline)  # the slots are taken: no racer asks for connectors
    profile()
    return imitations


@pytest.fixture(autouse=True, params=range(ROUNDS))
def again(request: pytest.FixtureRequest) -> int:
    return int(request.param)


@pytest.fixture
def alice(people: People, stage: sandbox.Running) -> Browser:
    return Browser(people.alice, people.acme)


def calls(stage: sandbox.Running, vendor: str, route: str) -> int:
    return stage.counts(vendor)["calls"].get(route, 0)


def made(stage: sandbox.Running, vendor: str, kinds: dict[str, int]) -> dict[str, int]:
    counted = stage.counts(vendor)["made"]
    return {kind: counted.get(kind, 0) for kind in kinds}


def press(browser: Browser, path: str, **form: str) -> dict[str, Any]:
    return {"act": "press", "user": browser.user.pk, "path": path, **form}


def connecting(browser: Browser, slug: str, name: str = "My shop") -> dict[str, Any]:
    return press(browser, f"/m/{browser.merchant.reference}/connect/{slug}/", name=name)


def at_vendor(results: list[str], stage: sandbox.Running) -> list[str]:
    return [where for where in results if where.startswith(stage.url)]


def begun(browser: Browser, slug: str) -> Attempt:
    """An attempt that the worker has advanced; the link is created when the merchant clicks."""
    attempt = journey.begin(
        merchant=browser.merchant,
        connector=Connector.objects.get(slug=slug),
        user=browser.user,
        name="My shop",
        answers={},
    )
    time_passes()
    return attempt


def overdue(attempt: Attempt) -> None:
    """Make the attempt look as if its process died long ago."""
    past = timezone.now() - timedelta(hours=1)
    Account.objects.exclude(lease_until=None).update(lease_until=past)
    Attempt.objects.filter(pk=attempt.pk).update(due_at=past)


def test_two_tabs_begin_one_shop(alice: Browser, stage: sandbox.Running, processes: Racers) -> None:
    results = processes.race(*[connecting(alice, "sharespine-shop")] * 3)
    page = Attempt.objects.get().get_absolute_url()
    assert results == [page] * 3  # its button opens Sharespine in a tab of its own
    results = processes.race(press(alice, f"{page}continue/"))
    assert len(at_vendor(results, stage)) == 1
    assert Attempt.objects.get().connection.name == "My shop"
    assert made(stage, "sharespine", ROOM) == ROOM
    assert calls(stage, "sharespine", LOGIN) == 1


def test_a_double_click_makes_one_call(
    alice: Browser, stage: sandbox.Running, processes: Racers
) -> None:
    attempt = begun(alice, "itembase-ebay")
    stage.fault("itembase", LINK, kind="hold")
    running = processes.start(*[press(alice, f"{attempt.get_absolute_url()}continue/")] * 2)
    stage.wait_until_held("itembase", LINK)
    second, others = first(running)
    stage.release("itembase", LINK)
    assert second == attempt.get_absolute_url()
    assert len(at_vendor([each.result() for each in others], stage)) == 1
    assert calls(stage, "itembase", LINK) == 1


def test_a_link_that_waits_is_given_once(
    alice: Browser, stage: sandbox.Running, processes: Racers
) -> None:
    attempt = begun(alice, "itembase-ebay")
    journey.continue_attempt(attempt, alice.user)
    journey.advance(attempt.pk, present=True)
    link = str(Hop.objects.exclude(minted=None).get().url)
    results = processes.race(*[press(alice, f"{attempt.get_absolute_url()}continue/")] * 2)
    assert results.count(link) == 1
    assert len(set(at_vendor(results, stage))) == 2


def test_of_two_members_one_goes_to_the_vendor(
    alice: Browser, people: People, stage: sandbox.Running, processes: Racers
) -> None:
    attempt, bob = begun(alice, "itembase-ebay"), Browser(people.bob, people.acme)
    stage.fault("itembase", LINK, kind="hold")
    path = f"{attempt.get_absolute_url()}continue/"
    running = processes.start(press(alice, path), press(bob, path))
    stage.wait_until_held("itembase", LINK)
    second, others = first(running)
    stage.release("itembase", LINK)
    assert second == attempt.get_absolute_url()
    results = [each.result() for each in others]
    hop = Hop.objects.exclude(minted=None).get()
    mine = alice if hop.user == alice.user else bob
    assert at_vendor(results, stage) or at_vendor([mine.press(path)], stage)
    assert calls(stage, "itembase", LINK) == 1


def shop(alice: Browser, name: str = "My shop") -> Connection:
    connector = Connector.objects.get(slug="itembase-ebay")
    alice.travel(alice.connect(connector, name))
    found = Connection.objects.get(name=name)
    assert found.status == "connected"
    return found


def test_disconnecting_is_not_undone_by_a_reconnect(
    alice: Browser, people: People, stage: sandbox.Running, processes: Racers
) -> None:
    page, bob = shop(alice).get_absolute_url(), Browser(people.bob, people.acme)
    processes.race(press(alice, f"{page}disconnect/"), press(bob, f"{page}reconnect/"))
    time_passes()
    found = Connection.objects.get()
    assert found.attempts.filter(purpose="end").exclude(ended=None).exists()
    assert found.status != "connected"


def on_the_way_back(alice: Browser) -> tuple[Attempt, str]:
    """Alice has signed in at itembase; her browser is about to bring the code."""
    connector = Connector.objects.get(slug="itembase-ebay")
    link = alice.connect(connector, "My shop")
    wait_until_idle()
    second = alice.come_back(alice.at_vendor(link, "approve"))
    wait_until_idle()
    back = alice.at_vendor(second, "approve")
    assert "code=" in back
    return Attempt.objects.get(), back


def test_a_return_opened_twice_and_a_check_at_once_spend_one_code(
    alice: Browser, people: People, stage: sandbox.Running, processes: Racers
) -> None:
    attempt, back = on_the_way_back(alice)
    bob = Browser(people.bob, people.acme)
    coming = {
        "act": "open_page",
        "user": alice.user.pk,
        "path": back.removeprefix("http://localhost"),
        "browser": alice.client.cookies[COOKIE].value,
    }
    Attempt.objects.filter(pk=attempt.pk).update(due_at=timezone.now())
    checking = press(bob, f"{attempt.get_absolute_url()}check/")
    processes.race(coming, coming, checking, {"act": "sweep"})
    time_passes()
    assert Connection.objects.get().status == "connected"
    assert calls(stage, "itembase", TOKEN) == 1
    assert made(stage, "itembase", {"connections": 1}) == {"connections": 1}


def test_workers_spend_one_refresh_token_once(
    alice: Browser, stage: sandbox.Running, processes: Racers
) -> None:
    shop(alice), shop(alice, "Another")
    account = Account.objects.get()
    account.memo = (memo := readable(account.memo)) | {"at": memo["at"] - 3600}
    account.save()
    at_the_desk(stage, do="expire")
    before = calls(stage, "itembase", TOKEN)
    Connection.objects.update(due_at=timezone.now())
    processes.race(*[{"act": "sweep"}] * 3)
    time_passes()
    assert calls(stage, "itembase", TOKEN) == before + 1
    assert set(Connection.objects.values_list("status", "answer")) == {("connected", "connected")}


def test_two_merchants_get_one_fifteenth_client(
    alice: Browser, people: People, stage: sandbox.Running, processes: Racers
) -> None:
    at_capillary(stage, "fill")
    number = next(row["id"] for row in stage.state("capillary")["clients"] if row["valid"])
    at_capillary(stage, "delete", key=number)
    before, charlie = valid(stage), Browser(people.charlie, people.other)
    processes.race(connecting(alice, "capillary-api"), connecting(charlie, "capillary-api"))
    time_passes()
    stands = Connection.objects.values_list("status", flat=True)
    assert sorted(stands) == ["connected", "on_it"]
    assert valid(stage) == before + 1
    assert calls(stage, "capillary", CREATE) == 1  # counted before, not refused after


def unsure(alice: Browser, stage: sandbox.Running) -> tuple[Account, str]:
    """A tenant was created, the answer was lost, and staff know its id."""
    stage.play("sharespine", "lost", TENANT)
    alice.connect(Connector.objects.get(slug="sharespine-shop"), "My shop")
    wait_until_idle()
    account = Account.objects.get()
    assert account.unsure == "tenant"
    return account, str(stage.state("sharespine")["tenants"][0]["id"])


def test_of_two_decisions_one_is_applied(
    alice: Browser, stage: sandbox.Running, processes: Racers
) -> None:
    account, tenant = unsure(alice, stage)
    deciding = {"act": "resolve", "account": account.pk, "found": tenant}
    results = processes.race(*[deciding] * 3)
    assert sorted(results) == ["Progress", "Unavailable", "Unavailable"]
    time_passes()
    assert made(stage, "sharespine", ROOM) == ROOM


def test_staff_and_sweep_at_once_make_nothing_twice(
    alice: Browser, stage: sandbox.Running, processes: Racers
) -> None:
    account, tenant = unsure(alice, stage)
    Attempt.objects.update(due_at=timezone.now())
    deciding = {"act": "resolve", "account": account.pk, "found": tenant}
    answer, *_ = processes.race(deciding, {"act": "sweep"}, {"act": "sweep"})
    if answer == "Unavailable":  # "somebody else is working on this account"
        assert journey.resolve(account.pk, tenant)
    time_passes()
    assert Account.objects.get().unsure == ""
    assert made(stage, "sharespine", ROOM) == ROOM


def test_a_process_that_lost_its_lease_writes_nothing(
    alice: Browser, stage: sandbox.Running, processes: Racers
) -> None:
    attempt = begun(alice, "itembase-ebay")
    going = press(alice, f"{attempt.get_absolute_url()}continue/")
    stage.fault("itembase", LINK, kind="hold")
    old = processes.start(going)[0]
    stage.wait_until_held("itembase", LINK)
    overdue(attempt)
    link = processes.race(going, spare=1)[0]
    stage.release("itembase", LINK)
    assert old.result() == attempt.get_absolute_url()
    assert at_vendor([link], stage)
    assert Hop.objects.exclude(minted=None).count() == 1
