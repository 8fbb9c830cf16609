"""Unreadable memos: with MEMO_KEYS lost, reconnecting a shop creates nothing twice at any vendor."""

from __future__ import annotations

import pytest
from cryptography.fernet import Fernet
from pytest_django.fixtures import Settings

import vendors
from onboarding.models import Account, Connection, memo_key
from tests.contract.fixtures import browser, connect_by_first_row, live_ids, resolve, stage, travel
from tests.contract.row import contracts
from tests.support.merchant import Browser, time_passes
from vendors import sandbox

pytestmark = pytest.mark.both

__all__ = ["browser", "stage"]  # fixtures

CONTRACTS = contracts()


def things(stage: sandbox.Running, vendor: str) -> dict[str, int]:
    made = stage.counts(vendor)["made"]
    return {kind: made[kind] for kind in CONTRACTS[vendor].once if kind in made}


def staff_decide(stage: sandbox.Running, browser: Browser, connection: Connection) -> Connection:
    """If the vendor cannot list, staff settle each thing that was created before."""
    for _ in range(5):
        account = Account.objects.get(pk=connection.account_id)
        if not account.unsure:
            break
        resolve(stage, account)
        time_passes()
        page = connection.attempts.latest("created").get_absolute_url()
        connection = travel(browser, browser.press(f"{page}continue/"))
    return connection


@pytest.mark.parametrize("vendor", [vendor.slug for vendor in vendors.ALL])
def test_connecting_once_more_creates_nothing_twice(
    vendor: str, browser: Browser, stage: sandbox.Running, settings: Settings
) -> None:
    connection = connect_by_first_row(vendor, browser, stage)
    made, status = things(stage, vendor), connection.status
    settings.MEMO_KEYS = [Fernet.generate_key().decode()]
    memo_key.confirm_loss()
    link = browser.press(f"{connection.get_absolute_url()}reconnect/")
    press, who = CONTRACTS[vendor].rows[0].press, CONTRACTS[vendor].sign_in()
    again = travel(browser, link, *press, then=None, **who)
    again = staff_decide(stage, browser, again)
    assert (again.pk, again.status) == (connection.pk, status)
    assert things(stage, vendor) == made
    assert len(live_ids(stage, vendor)) == 1
