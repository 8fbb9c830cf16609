"""Contract test: every vendor × every case, over real HTTP: the status, the page, what the vendor created.

A row has two parts: first the case, then the vendor works again and the merchant continues. At the end
every shop is connected, nothing was created twice, and exactly the expected things are in use.
"""

from __future__ import annotations

import pytest

import vendors
from onboarding.models import Connector
from tests.contract.fixtures import (
    browser,
    continue_attempt,
    created,
    expect,
    live_ids,
    stage,
    travel,
)
from tests.contract.row import Row, contracts
from tests.support.merchant import Browser
from vendors import sandbox

__all__ = ["browser", "stage"]  # fixtures

CONTRACTS = contracts()
TELLS = {vendor.slug: vendor.tells_address for vendor in vendors.ALL}
ROWS = [
    pytest.param(vendor, row, id=f"{vendor}-{number}-{row.case}")
    for vendor, contract in CONTRACTS.items()
    for number, row in enumerate(contract.rows)
]


@pytest.mark.parametrize(("vendor", "row"), ROWS)
def test_every_vendor_in_every_case(
    vendor: str, row: Row, browser: Browser, stage: sandbox.Running
) -> None:
    if row.setup:
        row.setup(stage, browser)
    if row.fault:
        stage.play(vendor, *row.fault)
    connector = Connector.objects.get(slug=CONTRACTS[vendor].connector)
    who = {"email": row.email} if row.email else {}
    link, staff = browser.connect(connector, "My shop"), row.staff
    then = (lambda: staff(stage)) if staff else None
    connection = travel(browser, link, *row.press, then=then, **who)
    there = created(stage, vendor, row.after)
    expect(
        browser,
        connection,
        row.says,
        ("status", connection.status, row.status),
        ("made", there, row.made),
    )

    stage.clear()
    connection = continue_attempt(stage, browser, connection, row)
    expect(
        browser,
        connection,
        "",
        ("status in the end", connection.status, CONTRACTS[vendor].ends(row)),
        ("made in the end", created(stage, vendor, row.after), row.after),
        ("alive in the end", len(live_ids(stage, vendor)), row.live),
        (
            "address not told",
            TELLS[vendor] and connection.is_set_up and not connection.address,
            False,
        ),
    )


@pytest.mark.parametrize("vendor", [vendor.slug for vendor in vendors.ALL])
def test_every_vendor_has_every_case(vendor: str) -> None:
    assert {row.case for row in CONTRACTS[vendor].rows} == CONTRACTS[vendor].cases


@pytest.mark.parametrize("vendor", [vendor.slug for vendor in vendors.ALL])
def test_one_broken_client_line_fails_the_row(
    vendor: str, browser: Browser, stage: sandbox.Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    CONTRACTS[vendor].damage(monkeypatch)
    with pytest.raises(AssertionError):
        test_every_vendor_in_every_case(vendor, CONTRACTS[vendor].rows[0], browser, stage)
