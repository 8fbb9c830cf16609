"""MEMO_KEYS lost, then each vendor's shop connected once more: nothing is made twice there."""

from __future__ import annotations

import pytest
from cryptography.fernet import Fernet
from pytest_django.fixtures import Settings

import vendors
from onboarding.models import Account, Connection, Connector
from tests.contract.test_contract import CONNECTORS, TABLE, browser, resolve, stage, travel
from tests.support.merchant import Browser, time_passes
from tests.vendors.capillary.contract import valid
from vendors import sandbox

__all__ = ["browser", "stage"]  # fixtures

THINGS = ("tenants", "users", "connections", "solutions", "licenses")


def things(stage: sandbox.Running, vendor: str) -> dict[str, int]:
    made = stage.counts(vendor)["made"]
    return {kind: made[kind] for kind in THINGS if kind in made}


def staff_decide(stage: sandbox.Running, browser: Browser, shop: Connection) -> Connection:
    """Where the vendor cannot list, staff look at each thing that was made before."""
    for _ in range(5):
        account = Account.objects.get(pk=shop.account_id)
        if not account.unsure:
            break
        resolve(stage, account)
        time_passes()
        page = shop.attempts.latest("created").get_absolute_url()
        shop = travel(browser, browser.press(f"{page}continue/"))
    return shop


@pytest.mark.parametrize("vendor", [vendor.slug for vendor in vendors.ALL])
def test_connecting_once_more_makes_nothing_twice(
    vendor: str, browser: Browser, stage: sandbox.Running, settings: Settings
) -> None:
    row = TABLE[vendor][0]
    who = {"email": row.email} if row.email else {}
    if row.scene:
        row.scene(stage, browser)
    connector = Connector.objects.get(slug=CONNECTORS[vendor])
    shop = travel(browser, browser.connect(connector, "My shop"), *row.press, then=None, **who)
    made, status = things(stage, vendor), shop.status
    settings.MEMO_KEYS = [Fernet.generate_key().decode()]
    link = browser.press(f"{shop.get_absolute_url()}reconnect/")
    again = travel(browser, link, *row.press, then=None, **who)
    again = staff_decide(stage, browser, again)
    assert (again.pk, again.status) == (shop.pk, status)
    assert things(stage, vendor) == made
    if vendor == "capillary":
        assert valid(stage) == 1
