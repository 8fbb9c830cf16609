"""What comes after connecting at Sharespine, through our pages and over real HTTP."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import requests
from pytest_django.fixtures import Settings

import vendors
from onboarding import journey
from onboarding.catalogue import refresh
from onboarding.models import Account, Connection, Connector
from tests.support.merchant import Browser, time_passes, wait_until_idle
from tests.support.people import People
from vendors import sandbox
from vendors.contract import Done, Refused


@dataclass(frozen=True)
class Row:
    """Each of `press` is a button of the shop's page. Then it has `status`, its page says `says`.

    `on`: whether the tenant is on; `task`: whether staff have words to send.
    """

    press: tuple[str, ...]
    status: str
    says: str
    manage: bool = True
    siblings: bool = False
    on: bool = True
    task: bool = False


OFF, ASK = "has switched off data exchange", "Until then, data may still flow."
REST = "Until then, it stays paused."
WORD, SHARED = "You marked the set-up as finished", "because your other shops use it"
P, R, E = "pause", "resume", "disconnect"
DONE = "done"  # staff have done their task
ROWS = [
    Row((P,), "paused", OFF, on=False),
    Row((P,), "reported", ASK, manage=False, task=True),
    Row((P, DONE), "paused", "Our staff confirmed that data is paused", manage=False),
    Row((P,), "paused", SHARED, siblings=True),
    Row((P, R), "reported", WORD),
    Row((P, DONE, R), "paused", REST, manage=False, task=True),
    Row((P, DONE, R, DONE), "reported", WORD, manage=False),
    Row((P, R), "reported", "Our staff will ask Sharespine", manage=False, task=True),
    Row((P, DONE, R, P), "paused", ASK, manage=False, task=True),
    Row((P, DONE, R, P, DONE), "paused", "data is paused", manage=False),
    Row((P, R), "reported", WORD, siblings=True),
    Row((E,), "disconnected", OFF, on=False),
    Row((E,), "disconnected", ASK, manage=False, task=True),
    Row((E,), "disconnected", SHARED, siblings=True),
    Row((P, E), "disconnected", OFF, on=False),
]


@pytest.fixture
def stage(tmp_path: Path, settings: Settings) -> Iterator[sandbox.Running]:
    running = sandbox.start(tmp_path, vendors=["sharespine"])
    settings.VENDORS = vendors.load(sandbox.environ(running.url, "sharespine"))
    refresh.refresh_catalogue(settings.VENDORS.offered["sharespine"])
    yield running
    wait_until_idle()
    running.stop()


@pytest.fixture
def browser(people: People) -> Browser:
    return Browser(people.alice, people.acme)


def connect(browser: Browser, name: str = "My shop") -> Connection:
    connector = Connector.objects.get(slug="sharespine-shop")
    arrive(browser, browser.connect(connector, name))
    return Connection.objects.get(name=name)


def arrive(browser: Browser, link: str) -> None:
    """Through Sharespine's pages, and "I have finished"."""
    wait_until_idle()
    browser.travel(link)
    attempt = Connection.objects.latest("created").attempts.latest("created")
    if journey.is_at_vendor_without_return(attempt):
        browser.press(f"{attempt.get_absolute_url()}finish/")
    wait_until_idle()


def manage(stage: sandbox.Running, settings: Settings) -> None:
    """Sharespine has agreed, and the operator has set SHARESPINE_MANAGE."""
    requests.post(f"{stage.url}/sharespine/operator", data={"manage": "1"}, timeout=5)
    environ = {**sandbox.environ(stage.url, "sharespine"), "SHARESPINE_MANAGE": "1"}
    settings.VENDORS = replace(settings.VENDORS, offered=vendors.load(environ).offered)


def pressed(browser: Browser, shop: Connection, *buttons: str) -> Connection:
    for button in buttons:
        if button == DONE:
            assert journey.complete_task(shop.pk)
        else:
            browser.press(f"{shop.get_absolute_url()}{button}/")
        wait_until_idle()
    return Connection.objects.get(pk=shop.pk)


def tenant(stage: sandbox.Running) -> dict[str, object]:
    return stage.state("sharespine")["tenants"][0]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: "-".join(row.press))
def test_a_shop_rests_wakes_and_ends(
    row: Row, browser: Browser, stage: sandbox.Running, settings: Settings
) -> None:
    shop = connect(browser)
    if row.manage:
        manage(stage, settings)
    if row.siblings:
        connect(browser, "Another")
    shop = pressed(browser, shop, *row.press)
    assert (shop.status, bool(shop.task)) == (row.status, row.task)
    assert row.says in browser.page(shop.get_absolute_url())
    assert tenant(stage)["active"] is row.on
    assert (str(tenant(stage)["id"]) in shop.task) == row.task


@pytest.mark.parametrize("button", ["pause", "disconnect"])
def test_whoever_comes_back_gets_the_same_space(
    button: str, browser: Browser, stage: sandbox.Running, settings: Settings
) -> None:
    shop = connect(browser)
    manage(stage, settings)
    pressed(browser, shop, button)
    arrive(browser, browser.press(f"{shop.get_absolute_url()}reconnect/"))
    assert Connection.objects.get(pk=shop.pk).status == "reported"
    assert tenant(stage)["active"] is True
    assert stage.counts("sharespine")["made"]["tenants"] == 1


@pytest.mark.parametrize("button", ["enter", "reconnect"])
def test_a_second_member_gets_a_sign_in_once(
    button: str, people: People, browser: Browser, stage: sandbox.Running
) -> None:
    shop = connect(browser)
    bob = Browser(people.bob, people.acme)
    for _ in range(2):
        arrive(bob, bob.press(f"{shop.get_absolute_url()}{button}/"))
    logins = [row["login"] for row in stage.state("sharespine")["users"]]
    assert logins == [f"u-{people.alice.pk}", "api", f"u-{people.bob.pk}"]
    assert Connection.objects.get(pk=shop.pk).status == "reported"


def test_staff_learn_the_password_and_orders_are_counted(
    browser: Browser, stage: sandbox.Running
) -> None:
    shop = connect(browser)
    user = next(row for row in stage.state("sharespine")["users"] if row["login"] == "api")
    door = browser.press(f"{shop.get_absolute_url()}enter/")
    browser.at_vendor(browser.open_beside(door), "order")
    journey.save_staff_answers(shop.account_id, {"api_password": user["password"]})
    time_passes()
    page = browser.page(shop.get_absolute_url())
    evidence = r"Orders so far: 1, the last one \d{1,2} \w{3} \d{4}, \d\d:\d\d"
    assert re.search(rf"Sharespine confirms the connection\. {evidence}", page)
    stage.change("sharespine", "users", {"login": "api"}, password="another")
    time_passes()
    assert Connection.objects.get(pk=shop.pk).status == "connected"
    assert Connection.objects.get(pk=shop.pk).cause == "api-password"


def test_a_space_is_deleted_with_all_its_shops_and_made_anew(
    browser: Browser, stage: sandbox.Running, settings: Settings
) -> None:
    shop = connect(browser)
    connect(browser, "Another")
    manage(stage, settings)
    assert isinstance(journey.act(shop.pk, "delete-tenant", {"code_name": "x"}), Refused)
    assert {row.status for row in Connection.objects.all()} == {"reported"}
    done = journey.act(shop.pk, "delete-tenant", {"code_name": str(tenant(stage)["id"])})
    assert isinstance(done, Done)
    assert {row.status for row in Connection.objects.all()} == {"disconnected"}
    assert tenant(stage)["deleted"] is True
    assert Account.objects.get().memo == {}
    assert connect(browser, "A new one").status == "reported"
    assert stage.counts("sharespine")["made"]["tenants"] == 2
