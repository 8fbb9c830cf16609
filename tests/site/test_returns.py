"""Returns from the vendor: consumed once, by the right visitor, and never a page of their own."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse

from onboarding.background import runner
from onboarding.background.executor import Work
from onboarding.journey import hops
from onboarding.models import Attempt
from tests.support.attempts import CONNECTED, WAIT
from tests.support.people import People
from tests.support.returns import BACK, LOST, come_back, state
from tests.support.scripted import Scripted
from tests.support.visit import LINK, OPEN, browser, start_attempt, url, visible_text
from vendors.contract import Redirect

pytestmark = [pytest.mark.both, pytest.mark.usefixtures("inline_executor")]


@pytest.fixture
def attempt(people: People, scripted: Scripted) -> Attempt:
    """Alice has gone to the vendor."""
    return start_attempt(people, scripted, OPEN)


def test_a_return_is_asked_about_and_leads_to_a_clean_address(
    people: People, scripted: Scripted, attempt: Attempt
) -> None:
    scripted.script.append(CONNECTED)
    response = come_back(browser(people.alice), attempt, code="secret")
    assert (response.status_code, response["Location"]) == (303, attempt.get_absolute_url())
    assert scripted.asked[-1][2]["code"] == "secret"
    attempt.refresh_from_db()
    assert attempt.answer == "connected"
    assert attempt.connection.returned_at


def test_a_return_tells_nobody_where_it_came_from(
    people: People, scripted: Scripted, attempt: Attempt
) -> None:
    scripted.script.append(CONNECTED)
    response = come_back(browser(people.alice), attempt)
    assert response["Referrer-Policy"] == "no-referrer"
    assert "no-store" in response["Cache-Control"]


def test_a_second_hop_follows_at_once(people: People, scripted: Scripted, attempt: Attempt) -> None:
    scripted.script.append(Redirect(url=LINK + "2"))
    response = come_back(browser(people.alice), attempt)
    assert (response.status_code, response["Location"]) == (303, LINK + "2")


def test_a_return_goes_before_the_crowd_and_a_check_does_not(
    people: People, scripted: Scripted, attempt: Attempt, monkeypatch: pytest.MonkeyPatch
) -> None:
    firsts, submit = list[bool](), runner.executor.submit

    def seen(vendor: str, key: str, work: Work, *, first: bool = False) -> Any:
        firsts.append(first)
        return submit(vendor, key, work, first=first)

    monkeypatch.setattr(runner.executor, "submit", seen)
    scripted.script.extend([WAIT, WAIT])
    come_back(browser(people.alice), attempt)
    browser(people.alice).post(url("check-again", attempt))
    assert firsts == [True, False]


def test_opened_twice_it_is_the_same_page_and_one_question(
    people: People, scripted: Scripted, attempt: Attempt
) -> None:
    scripted.script.append(CONNECTED)
    params, alice = {"state": state(attempt), "code": "1"}, browser(people.alice)
    first, second = alice.get(BACK, params), alice.get(BACK, params)
    assert first["Location"] == second["Location"] == attempt.get_absolute_url()
    assert scripted.calls == ["start", "returned"]


@pytest.mark.parametrize("header", [{"Sec-Purpose": "prefetch;prerender"}, {"Purpose": "prefetch"}])
def test_a_browser_that_fetches_ahead_spends_nothing(
    people: People, attempt: Attempt, header: dict[str, str]
) -> None:
    params = {"state": state(attempt)}
    response = browser(people.alice).get(BACK, params, headers=header)
    assert (response.status_code, response.content) == (200, b"")
    assert state(attempt) == params["state"]


def test_a_head_spends_nothing(people: People, attempt: Attempt) -> None:
    params = {"state": state(attempt)}
    response = browser(people.alice).head(BACK, params)
    assert (response.status_code, response.content) == (200, b"")
    assert state(attempt) == params["state"]


@pytest.mark.parametrize("query", ["", "?state=", "?state=made-up", "?error=access_denied"])
@pytest.mark.parametrize("signed_in", [True, False])
def test_an_unknown_return_is_answered_calmly(
    people: People, attempt: Attempt, query: str, signed_in: bool
) -> None:
    client = browser(people.alice if signed_in else None)
    response = client.get(BACK + query)
    assert (response.status_code, response["Location"]) == (303, LOST)
    assert "Nothing was changed" in visible_text(client.get(LOST))


def test_a_state_is_good_at_its_own_vendor_only(people: People, attempt: Attempt) -> None:
    elsewhere = reverse("return", args=["nobody"])
    response = browser(people.alice).get(elsewhere, {"state": state(attempt)})
    assert response["Location"] == reverse("return-lost", args=["nobody"])
    assert hops.find_hop("scripted", state(attempt)) is not None


def test_the_page_for_a_lost_return_offers_a_way_on(people: People) -> None:
    assert reverse("shops") in browser(people.alice).get(LOST).content.decode()
    assert reverse("catalogue") in browser().get(LOST).content.decode()
