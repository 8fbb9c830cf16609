"""Each occasion over HTTP against the sandboxes, with the page closed: what a vendor brings is mailed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.core import mail

from onboarding.models import Connector
from tests.contract.fixtures import browser, stage
from tests.contract.row import contracts
from tests.support.merchant import Browser, time_passes, wait_until_idle
from tests.support.notices import GRACE, told
from tests.support.people import People
from tests.vendors.celigo.contract import at_celigo, renew
from vendors import sandbox

__all__ = ["browser", "stage"]  # fixtures
pytestmark = pytest.mark.both
TOKENS = "POST /selfservice/v1/tokens"
LONG, DAY = timedelta(minutes=16), timedelta(days=1)


@pytest.fixture(autouse=True)
def _quiet(people: People) -> Iterator[None]:
    yield
    wait_until_idle()


def begin(browser: Browser, vendor: str) -> None:
    """Begin a shop, and close the page before it says anything."""
    connector = Connector.objects.get(slug=contracts()[vendor].connector)
    browser.connect(connector, "My shop")
    wait_until_idle()


def newest(after: timedelta = GRACE) -> str:
    """The subject of the newest mail about the shop."""
    return [subject for subject in told(after) if "My shop" in subject][-1]


def test_it_becomes_their_turn_at_sharespine(stage: sandbox.Running, browser: Browser) -> None:
    begin(browser, "sharespine")
    assert newest() == "“My shop”: it is your turn at Sharespine"


def test_staff_do_their_part_at_itembase(stage: sandbox.Running, browser: Browser) -> None:
    stage.fault("itembase", TOKENS, kind="status", status=401, times=1)
    begin(browser, "itembase")
    assert not [subject for subject in told() if "My shop" in subject]
    time_passes()
    wait_until_idle()
    assert newest() == "“My shop”: it is your turn again"


def test_from_the_first_step_to_the_end_at_celigo(stage: sandbox.Running, browser: Browser) -> None:
    begin(browser, "celigo")
    assert newest() == "“My shop”: it is your turn"
    at_celigo(stage)
    time_passes()
    assert [newest(), len(mail.outbox)] == ["“My shop”: it is your turn", 2]
    at_celigo(stage, "approve")
    time_passes()
    assert newest() == "“My shop” is connected"
    at_celigo(stage, "uninstall")
    time_passes()
    assert newest(LONG) == "The connection of “My shop” has stopped working"
    at_celigo(stage, "approve")
    time_passes()
    assert newest(LONG) == "The connection of “My shop” works again"
    renew(stage)
    time_passes()
    assert newest(61 * DAY) == "The connection of “My shop” ends within 30 days"
    assert newest(84 * DAY) == "The connection of “My shop” ends within 7 days"
    assert newest(89.5 * DAY) == "The connection of “My shop” ends within a day"
    assert {address for sent in mail.outbox for address in sent.to} == {"charlie@example.org"}
