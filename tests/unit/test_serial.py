"""Where merchants share the operator's limit, creations run one at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import pytest
from pytest_django.fixtures import Settings

from onboarding.journey import leases
from onboarding.models import Account
from tests.support.attempts import begin_attempt, run_step
from tests.support.people import People
from tests.support.scripted import Scripted, offered
from vendors.contract import Order, Progress, Redirect, Step

pytestmark = pytest.mark.both

ANNOUNCE = Progress(announce="room")
MADE = Progress(done=("room",))
READY = Redirect(url="")


@dataclass(frozen=True)
class Serial(Scripted):
    serial: ClassVar[bool] = True


@pytest.fixture
def serial(settings: Settings) -> Serial:
    vendor = Serial()
    settings.VENDORS = offered(vendor)
    return vendor


def test_the_operators_lease_is_held_while_something_is_made(
    people: People, serial: Serial
) -> None:
    seen = []

    def make(order: Order) -> Step:
        with leases.exclusive_creation("scripted") as free:
            seen.append(free)
        return MADE

    run_step(begin_attempt(people), serial, ANNOUNCE, make, READY)
    assert seen == [False]
    with leases.exclusive_creation("scripted") as free:
        assert free


def test_the_second_merchant_waits_and_creates_nothing(people: People, serial: Serial) -> None:
    attempt = begin_attempt(people)
    with leases.exclusive_creation("scripted"):
        row = run_step(attempt, serial, ANNOUNCE)
    assert (row.answer, serial.calls) == ("unavailable", ["start"])
    assert Account.objects.get().announced == Account.objects.get().unsure == ""
    row = run_step(attempt, serial, ANNOUNCE, MADE, READY)
    assert row.ticks == ["room"]


def test_calls_that_create_nothing_do_not_wait(people: People, serial: Serial) -> None:
    with leases.exclusive_creation("scripted"):
        assert run_step(begin_attempt(people), serial, READY).answer == "redirect"
