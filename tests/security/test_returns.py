"""Returns are bound to the browser that left: whoever holds a `state` spends and forges nothing with it."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection as database
from django.test import Client
from django.urls import reverse

from onboarding.models import Attempt, Hop, Membership, SecurityEvent
from onboarding.models.memo import opened
from onboarding.views.vendor_trip.browser import COOKIE
from tests.support.attempts import CONNECTED, WAIT
from tests.support.people import People
from tests.support.returns import (
    BACK,
    NOT_YOURS,
    come_back,
    nothing_changes,
    page_after_return,
    state,
)
from tests.support.scripted import Scripted
from tests.support.visit import (
    OPEN,
    browser,
    browser_cookie,
    offer,
    other_browser,
    start_attempt,
    url,
    visible_text,
)
from vendors.contract import Redirect

pytestmark = [pytest.mark.both, pytest.mark.usefixtures("inline_executor")]
FORGED = [{"error": "access_denied"}, {"code": "of-the-attacker"}, {"ibsstoken": "t"}, {}]
BEGAN_ELSEWHERE = "You started this in another browser"
CONTINUE = "Continue in this browser?"


@pytest.fixture
def attempt(people: People, scripted: Scripted) -> Attempt:
    """Alice has gone to the vendor, with her own browser."""
    return start_attempt(people, scripted, OPEN)


def events() -> list[SecurityEvent]:
    return list(SecurityEvent.objects.filter(kind=SecurityEvent.Kind.FOREIGN_RETURN))


# -- whoever holds a state ---------------------------------------------------------------------------


@pytest.mark.parametrize("forged", FORGED)
@pytest.mark.parametrize("cookie", ["", "x" * 43, "odd"])
def test_whoever_holds_a_state_spends_and_keeps_nothing(
    scripted: Scripted, attempt: Attempt, forged: dict[str, str], cookie: str
) -> None:
    stranger = browser()
    stranger.cookies[COOKIE] = cookie
    with nothing_changes():
        said = page_after_return(stranger, come_back(stranger, attempt, **forged))
    assert BEGAN_ELSEWHERE in said
    assert "Nothing was changed." in said
    assert not stranger.session.items()
    assert scripted.calls == ["start"]


@pytest.mark.parametrize("forged", FORGED)
def test_what_a_stranger_forged_is_never_worked_on(
    people: People, scripted: Scripted, attempt: Attempt, forged: dict[str, str]
) -> None:
    """Afterwards Alice looks at her page, and comes back with her own parameters."""
    come_back(browser(), attempt, **forged)
    alice = browser(people.alice)
    with nothing_changes():
        alice.get(attempt.get_absolute_url())
    assert scripted.calls == ["start"]
    scripted.script.append(CONNECTED)
    assert "is connected" in page_after_return(alice, come_back(alice, attempt, code="mine"))
    kept = opened(Hop.objects.exclude(spent=None).get().params)
    assert kept == {"state": scripted.asked[0][1].state, "code": "mine"}


@pytest.mark.parametrize("who", ["bob", "charlie"])
def test_another_session_spends_nothing(people: People, attempt: Attempt, who: str) -> None:
    """A colleague, or somebody of another business, with a browser that has left for trips of their own."""
    client = browser(getattr(people, who))
    with nothing_changes():
        assert NOT_YOURS in page_after_return(client, come_back(client, attempt, code="c"))


def test_a_replay_tells_a_stranger_nothing(
    people: People, scripted: Scripted, attempt: Attempt
) -> None:
    """Not even which business it was: neither before nor after the return was spent."""
    params, stranger = {"state": state(attempt), "code": "c"}, browser()
    scripted.script.append(CONNECTED)
    browser(people.alice).get(BACK, params)
    with nothing_changes():
        response = stranger.get(BACK, params)
        assert BEGAN_ELSEWHERE in page_after_return(stranger, response)
    assert people.acme.reference not in response["Location"]
    assert not events()


def test_a_state_of_a_link_that_nobody_took_is_worth_nothing(
    people: People, scripted: Scripted
) -> None:
    attempt = start_attempt(people, scripted, Redirect(url=OPEN.url, returns=False))
    params = {"state": str(Hop.objects.get(attempt=attempt).state)}
    for visitor in (browser(of=people.alice), browser()):
        with nothing_changes():
            assert BEGAN_ELSEWHERE in page_after_return(visitor, visitor.get(BACK, params))


# -- its own user ------------------------------------------------------------------------------------


def test_in_another_browser_its_user_presses_once(
    people: People, scripted: Scripted, attempt: Attempt
) -> None:
    phone = other_browser(people.alice)
    with nothing_changes():
        response = come_back(phone, attempt, code="mine")
        said = page_after_return(phone, response)
    assert CONTINUE in said
    assert "for “My shop” of Acme" in said
    scripted.script.append(CONNECTED)
    page = phone.post(response["Location"])
    assert "is connected" in visible_text(phone.get(page["Location"]))
    assert scripted.asked[-1][2]["code"] == "mine"


def test_the_next_hop_leaves_from_the_browser_in_which_it_was_pressed(
    people: People, scripted: Scripted, attempt: Attempt
) -> None:
    phone = other_browser(people.alice)
    here = come_back(phone, attempt)["Location"]
    scripted.script.append(Redirect(url="https://vendor.example/next"))
    assert phone.post(here)["Location"] == "https://vendor.example/next"
    scripted.script.append(CONNECTED)
    assert "is connected" in page_after_return(phone, come_back(phone, attempt, code="c"))


def test_a_press_needs_a_form_of_this_site(people: People, attempt: Attempt) -> None:
    phone = other_browser(people.alice)
    here = come_back(phone, attempt, code="c")["Location"]
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = phone.cookies
    with nothing_changes():
        assert strict.post(here).status_code == 403


def test_a_press_without_a_return_changes_nothing(people: People, attempt: Attempt) -> None:
    """Of Alice, who has none waiting in this browser, of a colleague, and of strangers."""
    here = url("return-here", attempt)
    with nothing_changes():
        for user in (people.alice, people.bob):
            assert other_browser(user).post(here)["Location"] == attempt.get_absolute_url()
        assert other_browser(people.charlie).post(here).status_code == 404
        assert "/accounts/login/" in browser().post(here)["Location"]


def test_a_second_press_changes_nothing(
    people: People, scripted: Scripted, attempt: Attempt
) -> None:
    phone = other_browser(people.alice)
    here = come_back(phone, attempt, code="c")["Location"]
    scripted.script.append(CONNECTED)
    phone.post(here)
    with nothing_changes():
        assert phone.post(here)["Location"] == attempt.get_absolute_url()


def test_what_came_along_is_unreadable_in_the_session(people: People, attempt: Attempt) -> None:
    phone = other_browser(people.alice)
    response = come_back(phone, attempt, code="geheim")
    page = phone.get(response["Location"])
    assert "geheim" not in f"{response.headers}{page.content.decode()}{dict(phone.session.items())}"


def test_who_left_the_business_presses_in_vain(people: People, attempt: Attempt) -> None:
    phone = other_browser(people.alice)
    here = come_back(phone, attempt, code="c")["Location"]
    Membership.objects.filter(user=people.alice).delete()
    with nothing_changes():
        assert phone.post(here).status_code == 404


def test_the_first_browser_may_still_bring_it(
    people: People, scripted: Scripted, attempt: Attempt
) -> None:
    phone, alice = other_browser(people.alice), browser(people.alice)
    here = come_back(phone, attempt, code="phone")["Location"]
    scripted.script.append(CONNECTED)
    assert "is connected" in page_after_return(alice, come_back(alice, attempt, code="desk"))
    with nothing_changes():
        assert phone.get(here)["Location"] == attempt.get_absolute_url()


# -- one browser, many trips -------------------------------------------------------------------------


def test_several_shops_and_tabs_share_one_cookie(people: People, scripted: Scripted) -> None:
    client, attempts = other_browser(people.alice), list[Attempt]()
    page = reverse("connect", args=[people.acme.reference, offer().slug])
    for name in ("One", "Two", "Three"):
        scripted.script.append(OPEN)
        assert client.post(page, {"name": name, "another": "1"}).status_code == 303
        attempts.append(Attempt.objects.latest("pk"))
    assert len(client.cookies[COOKIE].value) == 43
    scripted.script.extend([CONNECTED, WAIT, WAIT])
    for attempt in attempts:
        assert come_back(client, attempt)["Location"] == attempt.get_absolute_url()


def test_two_tabs_that_leave_at_once_have_the_cookie_of_the_page(
    people: People, scripted: Scripted
) -> None:
    client = other_browser(people.alice)
    page = reverse("connect", args=[people.acme.reference, offer().slug])
    assert COOKIE in client.get(page).cookies
    assert COOKIE not in client.get(page).cookies


def test_the_cookie_lasts_as_long_as_a_return_is_taken(
    people: People, scripted: Scripted, attempt: Attempt
) -> None:
    scripted.script.append(OPEN)
    cookie = browser(people.alice).post(url("continue", attempt)).cookies[COOKIE]
    assert cookie.value == browser_cookie(people.alice)
    assert (cookie["max-age"], cookie["path"]) == (7 * 24 * 3600, "/")
    assert (cookie["samesite"], cookie["httponly"], cookie["domain"]) == ("Lax", True, "")


def test_the_database_holds_a_hash_of_its_own_for_each_hop(
    people: People, scripted: Scripted, attempt: Attempt
) -> None:
    start_attempt(people, scripted, OPEN, name="Another shop")
    with database.cursor() as cursor:
        cursor.execute("SELECT browser FROM onboarding_hop")
        stored = [row[0] for row in cursor.fetchall()]
    assert len(set(stored)) == 2
    assert browser_cookie(people.alice) not in stored


# -- before hops were bound --------------------------------------------------------------------------


@pytest.mark.parametrize("signed_in", [True, False])
def test_who_left_before_hops_were_bound_comes_back_as_before(
    people: People, scripted: Scripted, attempt: Attempt, signed_in: bool
) -> None:
    Hop.objects.update(browser="")
    client = other_browser(people.alice) if signed_in else browser()
    scripted.script.append(CONNECTED)
    come_back(client, attempt, code="c")
    assert "is connected" in visible_text(other_browser(people.alice).get(url("attempt", attempt)))


# -- without our state -------------------------------------------------------------------------------


@pytest.mark.parametrize("away", ["same", "another"])
def test_a_return_without_our_state_is_bound_to_the_session(
    people: People, scripted: Scripted, away: str
) -> None:
    """Another browser is one that has left for another trip."""
    attempt = start_attempt(people, scripted, Redirect(url=OPEN.url, bare=True))
    client: Any = other_browser(people.alice)
    if away == "another":
        client.cookies[COOKIE] = "x" * 43
    scripted.script.append(CONNECTED)
    response = client.get(BACK)
    said = page_after_return(client, response)
    assert (CONTINUE in said) is (away == "another")
    if away == "another":
        client.post(response["Location"])
    assert Attempt.objects.get(pk=attempt.pk).answer == "connected"


# -- what is recorded --------------------------------------------------------------------------------


def test_a_foreign_return_is_recorded_once_however_often_it_is_opened(
    people: People, attempt: Attempt
) -> None:
    for client in (browser(), browser(), browser(people.charlie), other_browser(people.alice)):
        come_back(client, attempt, code="geheim")
    (event,) = events()
    assert (event.user, event.by, event.merchant) == (people.alice, None, people.acme)
    assert (event.address, event.detail) == ("127.0.0.1", "")


def test_somebody_else_who_opens_it_is_named_to_staff(people: People, attempt: Attempt) -> None:
    come_back(browser(people.charlie), attempt)
    (event,) = events()
    assert (event.user, event.by) == (people.alice, people.charlie)


@pytest.mark.parametrize("query", [{"state": "made-up"}, {"state": ""}, {}, {"error": "x"}])
def test_a_made_up_return_leaves_no_row(attempt: Attempt, query: dict[str, str]) -> None:
    browser().get(BACK, query)
    browser().head(BACK, {"state": state(attempt)})
    browser().get(BACK, {"state": state(attempt)}, headers={"Sec-Purpose": "prefetch"})
    assert not events()
    assert Hop.objects.get().strayed is None
