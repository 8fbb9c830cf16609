"""The step line: on every page from the catalogue to the result, in words too."""

from __future__ import annotations

import re
from urllib.parse import quote

import pytest
from django.http import HttpResponse

from onboarding.models import Attempt, Connector
from onboarding.templatetags.steps import leads_to_connection, vendor_at
from tests.support.attempts import CONNECTED, run_step
from tests.support.people import People
from tests.support.scripted import Scripted
from tests.support.visit import OPEN, browser, offer, start_attempt, url, visible_text
from vendors.contract import Declined, Redirect

pytestmark = pytest.mark.usefixtures("inline_executor")


def line(response: object) -> list[str]:
    """The steps in words, as somebody hears them; software hears which one is the current one, too."""
    assert isinstance(response, HttpResponse)
    body = response.content.decode()
    marked = re.findall(r'<li class="current"\s+aria-current="step">', body)
    assert len(marked) == body.count("this step")
    words = re.findall(r'<span class="dot" aria-hidden="true">.*?</span>(.*?)</li>', body, re.S)
    return [visible_text(HttpResponse(each)) for each in words]


def steps(current: int, vendor: str = "Scripted") -> list[str]:
    names = ["Choose", "Sign in", "Check", vendor, "Connected"]
    states = ["done"] * current + ["this step"] + ["not yet"] * 5
    return [f"{name} ({state})" for name, state in zip(names, states, strict=False)]


def test_the_line_begins_in_the_catalogue_and_names_the_vendor_once_it_is_known(
    people: People, scripted: Scripted
) -> None:
    connector = offer()
    platform = f"/connect/{connector.platform}/"
    assert line(browser().get("/connectors/")) == steps(0, "Connect")
    assert line(browser().get(platform)) == steps(1)
    assert line(browser(people.alice).get(platform, follow=True)) == steps(2)
    check = f"/m/{people.acme.reference}/connect/{connector.slug}/"
    assert line(browser(people.alice).get(check)) == steps(2)


def test_signing_in_is_a_step_only_on_the_way_to_a_connection(
    people: People, scripted: Scripted
) -> None:
    goal = f"/go/{offer().slug}/"
    assert line(browser().get(f"/accounts/login/?next={quote(goal)}")) == steps(1)
    assert line(browser().get("/accounts/login/?next=/shops/")) == []
    assert line(browser().get("/accounts/login/")) == []
    asked = browser()
    sent = asked.post("/accounts/login/", {"email": "new@example.org", "next": goal})
    assert line(asked.get(sent["Location"])) == steps(1)


def test_the_line_follows_the_attempt_to_its_result(people: People, scripted: Scripted) -> None:
    attempt, alice = start_attempt(people, scripted, Redirect(url="")), browser(people.alice)
    assert line(alice.get(attempt.get_absolute_url())) == steps(3)
    run_step(attempt, scripted, Declined())
    assert line(alice.get(attempt.get_absolute_url())) == steps(3)
    run_step(attempt, scripted, CONNECTED)
    assert line(alice.get(attempt.get_absolute_url())) == steps(5)
    fragment = alice.get(url("attempt-status", attempt), {"version": "1"})
    assert line(fragment) == steps(5)
    Attempt.objects.get().connection.attempts.update(purpose="reconnect")
    assert line(alice.get(attempt.get_absolute_url())) == []


def test_a_shop_that_is_not_confirmed_yet_has_its_last_step_before_it(
    people: People, scripted: Scripted
) -> None:
    attempt = start_attempt(people, scripted, OPEN)
    Attempt.objects.update(ended=attempt.created, ending="connected", answer="reported")
    attempt.connection.status = "reported"
    attempt.connection.save()
    assert line(browser(people.alice).get(attempt.get_absolute_url())) == steps(4)


def test_where_merchants_still_choose_a_way_no_vendor_is_named(
    people: People, scripted: Scripted
) -> None:
    one = offer()
    Connector.objects.create(slug="celigo-x", vendor="celigo", key="x", platform=one.platform)
    path = f"/connect/{one.platform}/"
    assert vendor_at(path) == "Scripted"  # the other vendor is not on offer
    assert vendor_at(f"{path}?way={one.slug}") == vendor_at(f"/go/{one.slug}/") == "Scripted"
    assert vendor_at("/shops/") == vendor_at("/go/unknown/") == ""


@pytest.mark.parametrize("path", [None, "", "/nowhere/", "//elsewhere/connect/x/", "https://[x"])
def test_a_path_that_leads_nowhere_leads_to_no_connection(path: str | None) -> None:
    assert not leads_to_connection(path)
    assert vendor_at(path) == ""
