"""Every vendor × every case, over real HTTP: where it ends, what is said, what was made there.

A row is played twice over: first the case, then the vendor works again and the merchant goes on. In
the end every shop is connected, nothing was made twice, and exactly what shall live lives there.
"""

from __future__ import annotations

import pytest

import vendors
from onboarding.models import Connector
from tests.contract.row import Row, contracts
from tests.contract.stage import browser, demand, go_on, live, made, stage, travel
from tests.support.merchant import Browser
from vendors import sandbox

__all__ = ["browser", "stage"]  # fixtures

CONTRACTS = contracts()
ROWS = [
    pytest.param(vendor, row, id=f"{vendor}-{number}-{row.case}")
    for vendor, contract in CONTRACTS.items()
    for number, row in enumerate(contract.rows)
]


@pytest.mark.parametrize(("vendor", "row"), ROWS)
def test_every_vendor_in_every_case(
    vendor: str, row: Row, browser: Browser, stage: sandbox.Running
) -> None:
    if row.scene:
        row.scene(stage, browser)
    if row.play:
        stage.play(vendor, *row.play)
    connector = Connector.objects.get(slug=CONTRACTS[vendor].connector)
    who = {"email": row.email} if row.email else {}
    link, staff = browser.connect(connector, "My shop"), row.staff
    then = (lambda: staff(stage)) if staff else None
    shop = travel(browser, link, *row.press, then=then, **who)
    there = made(stage, vendor, row.after)
    demand(browser, shop, row.says, ("status", shop.status, row.status), ("made", there, row.made))

    stage.clear()
    shop = go_on(stage, browser, shop, row)
    demand(
        browser,
        shop,
        "",
        ("status in the end", shop.status, "connected"),
        ("made in the end", made(stage, vendor, row.after), row.after),
        ("alive in the end", len(live(stage, vendor)), row.live),
    )


@pytest.mark.parametrize("vendor", [vendor.slug for vendor in vendors.ALL])
def test_no_vendor_and_no_case_is_forgotten(vendor: str) -> None:
    assert {row.case for row in CONTRACTS[vendor].rows} == CONTRACTS[vendor].cases


@pytest.mark.parametrize("vendor", [vendor.slug for vendor in vendors.ALL])
def test_one_broken_client_line_turns_it_red(
    vendor: str, browser: Browser, stage: sandbox.Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    CONTRACTS[vendor].damage(monkeypatch)
    with pytest.raises(AssertionError):
        test_every_vendor_in_every_case(vendor, CONTRACTS[vendor].rows[0], browser, stage)
