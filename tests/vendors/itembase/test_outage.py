"""itembase has five hosts, or one that answers for all: it is back when links can be made again."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.core import mail

from onboarding.availability import breaker
from onboarding.background import schedule
from onboarding.models import Alert, Attempt, Breaker, Connector, Slot
from onboarding.notifications import staff_alerts, waitlist
from tests.contract.fixtures import browser, stage
from tests.support.hosts import reach_retry_time
from tests.support.merchant import Browser, time_passes, wait_until_idle
from tests.support.sweep import run_inline
from vendors import sandbox

__all__ = ["browser", "stage"]  # fixtures

TOKENS = "POST /selfservice/v1/tokens"


@pytest.fixture(autouse=True)
def _quiet(people: object) -> Iterator[None]:
    yield
    wait_until_idle()


def ebay() -> Connector:
    return Connector.objects.get(slug="itembase-ebay")


def is_down() -> bool:
    return "itembase" in breaker.outages(["itembase"])


def goes_down(stage: sandbox.Running, browser: Browser) -> Attempt:
    """One merchant asks for a link until the circuit breaker of its host opens."""
    stage.fault("itembase", TOKENS, kind="status", status=503, times=None)
    browser.connect(ebay(), "One")
    wait_until_idle()
    attempt = Attempt.objects.get()
    for _ in range(4):
        browser.press(f"{attempt.get_absolute_url()}check/")
        wait_until_idle()
    assert is_down()
    return attempt


def sweep() -> None:
    """A minute later."""
    Slot.objects.all().delete()
    reach_retry_time()
    schedule.submit_probes(run_inline)
    waitlist.mail_due()
    staff_alerts.clear_resolved()


def leave_it_with_us(browser: Browser) -> None:
    browser.press(f"/m/{browser.merchant.reference}/connect/{ebay().slug}/leave-it/", name="Two")


def told() -> list[str]:
    return [str(sent.subject) for sent in mail.outbox if "is back" in sent.subject]


def test_it_is_not_back_while_only_its_accounts_host_answers(
    stage: sandbox.Running, browser: Browser
) -> None:
    goes_down(stage, browser)
    leave_it_with_us(browser)
    for _ in range(3):
        sweep()
        assert (is_down(), told()) == (True, [])
    stage.clear()
    sweep()
    assert (is_down(), told()) == (False, ["itembase is back: you can connect eBay now"])


@pytest.mark.parametrize("kind", ["reset", "html", "empty"])
def test_no_other_way_to_fail_makes_it_back(
    stage: sandbox.Running, browser: Browser, kind: str
) -> None:
    goes_down(stage, browser)
    leave_it_with_us(browser)
    stage.clear()
    stage.fault("itembase", TOKENS, kind=kind, times=None)
    sweep()
    assert (is_down(), told()) == (True, [])


def test_who_waited_continues_when_it_is_back(stage: sandbox.Running, browser: Browser) -> None:
    attempt = goes_down(stage, browser)
    page = browser.page(attempt.get_absolute_url())
    assert "itembase reports a problem on its side. We keep trying." in page
    stage.clear()
    sweep()
    time_passes()
    attempt.refresh_from_db()
    assert attempt.answer == "redirect"


def test_one_401_closes_itembase_for_nobody(stage: sandbox.Running, browser: Browser) -> None:
    stage.fault("itembase", TOKENS, kind="status", status=401, times=1)
    browser.connect(ebay(), "One")
    wait_until_idle()
    assert not is_down()
    page = browser.page(f"/m/{browser.merchant.reference}/connect/{ebay().slug}/")
    assert "Continue “One”" in page
    assert "Connect another eBay shop" in page
    assert "Leave it with us" not in page
    assert not Breaker.objects.exclude(cause="").exists()


def test_the_alert_clears_when_the_door_opens(stage: sandbox.Running, browser: Browser) -> None:
    stage.fault("itembase", TOKENS, kind="status", status=401, times=None)
    browser.connect(ebay(), "One")
    wait_until_idle()
    assert is_down()
    sweep()
    assert Alert.objects.filter(cleared=None, cause="credentials").exists()
    stage.clear()
    sweep()
    assert not is_down()
    time_passes()
    staff_alerts.clear_resolved()
    assert not Alert.objects.filter(cleared=None).exists()


def test_a_request_to_wait_is_said_everywhere(stage: sandbox.Running, browser: Browser) -> None:
    headers = {"Retry-After": "3600"}
    stage.fault("itembase", TOKENS, kind="status", status=429, headers=headers, times=None)
    browser.connect(ebay(), "One")
    wait_until_idle()
    says = "itembase asks us to wait until "
    assert says in browser.page(Attempt.objects.get().get_absolute_url())
    assert says in browser.page(f"/m/{browser.merchant.reference}/connect/{ebay().slug}/")
    assert says in browser.page("/connectors/")
    assert says in browser.page(f"/m/{browser.merchant.reference}/")
    assert "is not answering" not in browser.page("/connectors/")
