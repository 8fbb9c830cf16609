"""`manage.py doctor` on the vendors: missing settings, a harmless call, and their clocks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

import vendors
from onboarding.availability import breaker
from onboarding.doctor import Finding, services
from onboarding.models import Breaker, Call
from tests.support.scripted import Scripted, offered
from vendors import sandbox
from vendors.contract import Garbled, Refused, Unavailable, VendorError
from vendors.http.call_context import CallRecord, record
from vendors.loading import Loaded


@dataclass(frozen=True)
class Probed(Scripted):
    """Answers the harmless call with the next of `answers`, at these differences of the clocks."""

    api_url: str = "https://vendor.example/v1"
    api_token: str = field(default="geheim", repr=False)
    answers: list[VendorError | None] = field(default_factory=list)
    clocks: list[float | None] = field(default_factory=list)

    def probe(self) -> None:
        for ahead in self.clocks:
            record(
                CallRecord(
                    vendor=self.slug, host="vendor.example", call="GET /v1/me", outcome="200",
                    seconds=0.1, unavailable=False, clock_ahead=ahead,
                )
            )  # fmt: skip
        if error := self.answers.pop(0):
            raise error


def examined(settings: Settings, *some: Scripted) -> dict[str, Finding]:
    settings.VENDORS = offered(*some)
    return {finding.id: finding for finding in services.vendors_and_clock(use_breaker=True)}


@pytest.fixture
def asked(settings: Settings, db: None) -> dict[str, Finding]:
    return examined(settings, Probed(answers=[None], clocks=[0.4, None]))


def test_a_vendor_that_takes_our_credentials(asked: dict[str, Finding]) -> None:
    assert asked["vendor/scripted"].level == "ok"
    assert asked["return/scripted"].message.endswith("http://localhost/return/scripted/")
    assert asked["clock"] == Finding("clock", "ok", "Our clock is 0 s behind the vendors’.")
    assert len(set(Call.objects.values_list("reference", flat=True)) - {"-"}) == 1


@pytest.mark.parametrize(
    ("error", "fix"),
    [
        (Refused("GET /v1/me answered 401", who="staff", status=401), "Compare SCRIPTED_API_TOKEN"),
        (Refused("GET /v1/me answered 422", who="staff", status=422), "Ask Scripted why; compare"),
        (Unavailable("GET /v1/me took too long"), "is SCRIPTED_API_URL right, and does this"),
        (Garbled("GET /v1/me answered 200, unreadable"), "Is SCRIPTED_API_URL right (version"),
    ],
)
def test_what_a_vendor_says_no_with_and_what_to_do(
    settings: Settings, db: None, error: VendorError, fix: str
) -> None:
    found = examined(settings, Probed(answers=[error]))["vendor/scripted"]
    assert found.level == "fault"
    assert f"{type(error).__name__}: {error.detail}" in found.message
    assert fix in found.fix
    assert "geheim" not in str(found)


def test_a_bug_of_ours_is_not_taken_for_an_answer(settings: Settings, db: None) -> None:
    with pytest.raises(IndexError):
        examined(settings, Probed(answers=[]))


def test_a_vendor_without_a_harmless_call(settings: Settings, db: None) -> None:
    found = examined(settings, Scripted())
    assert found["vendor/scripted"].level == "note"
    assert found["clock"].level == "note"


@pytest.mark.parametrize(("ahead", "level"), [(61.0, "fault"), (-3600.0, "fault"), (-59.0, "ok")])
def test_a_clock_that_is_off(settings: Settings, db: None, ahead: float, level: str) -> None:
    found = examined(settings, Probed(answers=[None], clocks=[ahead]))["clock"]
    assert (found.level, "timedatectl" in found.fix) == (level, level == "fault")
    assert ("ahead of" in found.message) == (ahead < 0)


def test_one_vendor_with_a_wrong_clock_is_no_fault_of_ours(settings: Settings, db: None) -> None:
    found = examined(settings, Probed(answers=[None], clocks=[7200, 2]))
    assert found["clock"].level == "ok"


def test_without_its_tables_the_vendors_are_asked_all_the_same(settings: Settings) -> None:
    """This test may not use the database."""
    settings.VENDORS = offered(Probed(answers=[None]))
    found = {finding.id: finding for finding in services.vendors_and_clock(use_breaker=False)}
    assert found["vendor/scripted"].level == "ok"


def test_what_is_missing_is_named(settings: Settings) -> None:
    settings.VENDORS = Loaded({}, {"itembase": ("ITEMBASE_CLIENT_SECRET",)}, ())
    found = {finding.id: finding for finding in services.vendors_and_clock(use_breaker=False)}
    said = found["vendor/itembase"]
    assert (said.level, "Set ITEMBASE_CLIENT_SECRET" in said.fix) == ("note", True)
    assert found["vendors"].level == "fault"
    assert "settings are wrong" in found["vendor/celigo"].message


def test_a_public_return_address_in_plain_http_is_noted(settings: Settings, db: None) -> None:
    settings.LOOPBACK, settings.HTTPS = False, False
    assert examined(settings, Scripted())["return/scripted"].level == "note"


# -- the real vendors, against their sandboxes ---------------------------------------------------


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[sandbox.Running]:
    running = sandbox.start(tmp_path)
    yield running
    running.stop()


def test_every_vendor_is_asked_and_the_clocks_agree(
    stage: sandbox.Running, settings: Settings, db: None
) -> None:
    settings.VENDORS = vendors.load(sandbox.environ(stage.url))
    found = {finding.id: finding for finding in services.vendors_and_clock(use_breaker=True)}
    assert {finding.level for finding in found.values()} <= {"ok", "note"}
    asked = [each for each in settings.VENDORS.offered.values() if each.can("probe")]
    assert len(asked) >= 3
    assert all(found[f"vendor/{vendor.slug}"].level == "ok" for vendor in asked)
    assert found["clock"].level == "ok"


@pytest.mark.parametrize("name", ["ITEMBASE_CLIENT_SECRET", "CELIGO_API_TOKEN", "CAPILLARY_SECRET"])
def test_credentials_that_are_refused_are_named_and_not_shown(
    stage: sandbox.Running, settings: Settings, db: None, name: str
) -> None:
    settings.VENDORS = vendors.load({**sandbox.environ(stage.url), name: "geheim"})
    found = {finding.id: finding for finding in services.vendors_and_clock(use_breaker=True)}
    said = found[f"vendor/{name.partition('_')[0].lower()}"]
    assert (said.level, "Refused" in said.message) == ("fault", True)
    assert name in said.fix
    assert "geheim" not in str(found)


def test_a_host_with_an_open_breaker_is_not_called(
    stage: sandbox.Running, settings: Settings, db: None
) -> None:
    settings.VENDORS = vendors.load(sandbox.environ(stage.url, "celigo"))
    until = timezone.now() + breaker.TRIAL_TIMEOUT
    host = stage.url.partition("//")[2]
    Breaker.objects.create(vendor="celigo", host=host, cause="silent", opened=until, retry_at=until)
    found = {finding.id: finding for finding in services.vendors_and_clock(use_breaker=True)}
    assert "the circuit breaker of the host is open" in found["vendor/celigo"].message
    assert not Call.objects.exists()
