"""The probe of each vendor: a harmless call that tells valid credentials from invalid ones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import vendors
from tests.contract.row import contracts
from vendors import sandbox
from vendors.contract import Refused, Unavailable, Vendor
from vendors.http.call_context import CallContext, use_context

CONTRACTS = contracts()
PROBED = [vendor.slug for vendor in vendors.ALL if vendor.probe is not Vendor.probe]


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sandbox.Running]:
    running = sandbox.start(Path(tmp_path_factory.mktemp("probes")))
    yield running
    running.stop()


@pytest.fixture(autouse=True)
def _whole(stage: sandbox.Running) -> None:
    stage.clear()


def vendor(stage: sandbox.Running, slug: str, **changes: Any) -> Vendor:
    found = vendors.load(sandbox.environ(stage.url)).offered[slug]
    return replace(found, **changes)


@pytest.mark.parametrize("slug", PROBED)
def test_a_probe_makes_nothing_and_says_that_we_are_taken(
    stage: sandbox.Running, slug: str
) -> None:
    vendor(stage, slug).probe()
    before = stage.counts(slug)["made"]
    with use_context(CallContext(30)) as step:
        vendor(stage, slug).probe()
    assert {each.credentials for each in step.calls} == {"accepted"}
    assert not any(each.unavailable for each in step.calls)
    made = stage.counts(slug)["made"]
    assert {kind for kind in made if made[kind] != before[kind]} <= {"tokens"}  # they run out


@pytest.mark.parametrize("slug", PROBED)
def test_a_probe_sees_that_our_credentials_are_wrong(stage: sandbox.Running, slug: str) -> None:
    with use_context(CallContext(30)) as step, pytest.raises(Refused) as caught:
        vendor(stage, slug, **CONTRACTS[slug].wrong).probe()
    assert step.calls[-1].credentials == "refused"
    assert caught.value.cause == "credentials"


@pytest.mark.parametrize("slug", PROBED)
def test_a_probe_sees_that_nobody_answers(stage: sandbox.Running, slug: str) -> None:
    stage.fault(slug, kind="status", times=None, status=503)
    with pytest.raises(Unavailable):
        vendor(stage, slug).probe()


@pytest.mark.parametrize("slug", [vendor.slug for vendor in vendors.ALL])
def test_every_vendor_is_probed(slug: str) -> None:
    assert slug in PROBED
    assert CONTRACTS[slug].wrong, "`wrong` of its contract.py"
