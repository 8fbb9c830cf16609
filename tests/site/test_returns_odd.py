"""Malformed returns: other methods, prefetching, and repeated, endless or garbled parameters."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlencode

import pytest
from django.db import connection as database
from django.test import Client

from onboarding.models import Attempt, Hop
from onboarding.models.memo import readable
from tests.support.attempts import CONNECTED
from tests.support.people import People
from tests.support.returns import (
    BACK,
    NOT_YOURS,
    come_back,
    connection_of,
    nothing_changes,
    page_after_return,
    state,
)
from tests.support.scripted import Scripted
from tests.support.visit import OPEN, browser, start_attempt
from vendors.contract import Redirect

pytestmark = pytest.mark.usefixtures("inline_executor")
LONG = "x" * 10_000
AHEAD = [
    {"Sec-Purpose": "prefetch"},
    {"Sec-Purpose": "prefetch;prerender"},
    {"Purpose": "prefetch"},
    {"Purpose": "Prefetch"},
    {"X-Moz": "prefetch"},
]


@pytest.fixture
def attempt(people: People, scripted: Scripted) -> Attempt:
    """Alice has gone to the vendor."""
    return start_attempt(people, scripted, OPEN)


@pytest.fixture
def alice(people: People) -> Client:
    return browser(people.alice)


def raw(client: Client, query: str) -> Any:
    """A return with this query, byte for byte."""
    return client.get(BACK, QUERY_STRING=query)


def tells_nothing(response: Any) -> None:
    assert (response["Referrer-Policy"], response["Cache-Control"]) == ("no-referrer", "no-store")


# -- not a visit ---------------------------------------------------------------------------------


@pytest.mark.parametrize("header", AHEAD)
@pytest.mark.parametrize("signed_in", [True, False])
def test_a_browser_that_fetches_ahead_spends_nothing(
    people: People, attempt: Attempt, header: dict[str, str], signed_in: bool
) -> None:
    client = browser(people.alice if signed_in else None)
    with nothing_changes():
        response = client.get(BACK, {"state": state(attempt), "code": "c"}, headers=header)
    assert (response.status_code, response.content) == (200, b"")
    tells_nothing(response)


def test_a_prefetched_return_still_works_for_the_visit(
    scripted: Scripted, attempt: Attempt, alice: Client
) -> None:
    params = {"state": state(attempt), "code": "c"}
    alice.head(BACK, params)
    alice.get(BACK, params, headers={"Sec-Purpose": "prefetch"})
    scripted.script.append(CONNECTED)
    assert "is connected" in page_after_return(alice, alice.get(BACK, params))


def test_a_head_spends_nothing(attempt: Attempt, alice: Client) -> None:
    with nothing_changes():
        response = alice.head(BACK, {"state": state(attempt), "code": "c"})
    assert (response.status_code, response.content) == (200, b"")
    tells_nothing(response)


@pytest.mark.parametrize("in_body", [True, False])
def test_a_posted_form_is_answered_calmly_and_spends_nothing(
    people: People, attempt: Attempt, in_body: bool
) -> None:
    """Also where the browser checks for forgery, as in life: the form is not ours."""
    client, params = browser(people.alice, strict=True), {"state": state(attempt), "code": "c"}
    with nothing_changes():
        response = client.post(BACK if in_body else f"{BACK}?{urlencode(params)}", params)
        assert NOT_YOURS in page_after_return(client, response)


@pytest.mark.parametrize("method", ["put", "patch", "delete", "options"])
def test_other_methods_are_not_allowed(attempt: Attempt, alice: Client, method: str) -> None:
    with nothing_changes():
        response = getattr(alice, method)(f"{BACK}?state={state(attempt)}")
    assert (response.status_code, response["Allow"]) == (405, "GET, HEAD")
    tells_nothing(response)


# -- parameters ----------------------------------------------------------------------------------


@pytest.mark.parametrize("order", [1, -1])
def test_two_different_states_belong_to_no_attempt(
    attempt: Attempt, alice: Client, order: int
) -> None:
    both = [("state", state(attempt)), ("state", "made-up")][::order]
    with nothing_changes():
        assert NOT_YOURS in page_after_return(alice, raw(alice, urlencode(both)))


def test_two_states_of_ones_own_belong_to_no_attempt(
    people: People, scripted: Scripted, attempt: Attempt, alice: Client
) -> None:
    second = start_attempt(people, scripted, OPEN, name="My second shop")
    both = [("state", state(attempt)), ("state", state(second))]
    with nothing_changes():
        assert NOT_YOURS in page_after_return(alice, raw(alice, urlencode(both)))


def test_parameters_that_are_only_doubled_do_no_harm(
    scripted: Scripted, attempt: Attempt, alice: Client
) -> None:
    params = urlencode({"state": state(attempt), "code": "c"})
    scripted.script.append(CONNECTED)
    assert "is connected" in page_after_return(alice, raw(alice, f"{params}&{params}"))
    assert scripted.asked[-1][2]["code"] == "c"


def test_a_parameter_of_six_thousand_letters_arrives_whole(
    scripted: Scripted, attempt: Attempt, alice: Client
) -> None:
    scripted.script.append(CONNECTED)
    long = "0123456789" * 600
    page = page_after_return(alice, come_back(alice, attempt, ibsstoken=long))
    assert "is connected" in page
    assert scripted.asked[-1][2]["ibsstoken"] == long


def test_endless_parameters_are_cut(scripted: Scripted, attempt: Attempt, alice: Client) -> None:
    params = {"state": state(attempt), "code": LONG, LONG: "1", "error": LONG}
    scripted.script.append(CONNECTED)
    assert "is connected" in page_after_return(alice, alice.get(BACK, params))
    assert {name: len(value) for name, value in scripted.asked[-1][2].items()} == {
        "state": 43,
        "code": 8190,
        "error": 8190,
    }


def test_an_endless_state_belongs_to_no_attempt(attempt: Attempt, alice: Client) -> None:
    with nothing_changes():
        assert NOT_YOURS in page_after_return(
            alice, alice.get(BACK, {"state": state(attempt) + LONG})
        )


@pytest.mark.parametrize("count", [30, 900])
def test_among_many_parameters_the_state_is_not_lost(
    scripted: Scripted, attempt: Attempt, alice: Client, count: int
) -> None:
    many = {f"p{number}": "x" for number in range(count)}
    mine = state(attempt)
    scripted.script.append(CONNECTED)
    assert "is connected" in page_after_return(alice, alice.get(BACK, {**many, "state": mine}))
    assert scripted.asked[-1][2]["state"] == mine
    assert len(scripted.asked[-1][2]) == 20


def test_a_flood_of_parameters_is_answered_as_calmly(attempt: Attempt, alice: Client) -> None:
    flood = {f"p{number}": "x" for number in range(1001)}
    with nothing_changes():
        assert NOT_YOURS in page_after_return(
            alice, alice.get(BACK, {"state": state(attempt), **flood})
        )


@pytest.mark.parametrize("odd", ["%00", "a%00b", "%ff%fe", "%ED%A0%80", "%F0%9F", "\xff\xfe", "%"])
def test_a_state_that_is_no_text_belongs_to_no_attempt(
    attempt: Attempt, alice: Client, odd: str
) -> None:
    mine = state(attempt)
    for query in (f"state={odd}", f"state={odd}{mine}", f"{odd}={mine}"):
        with nothing_changes():
            assert NOT_YOURS in page_after_return(alice, raw(alice, query))


APPENDED = [
    "?ibsstoken=T", "?ibsstoken=T?more=1", "%3Fibsstoken%3DT", "%253Fibsstoken%253DT",
    "&amp;ibsstoken=T", "&amp;amp;ibsstoken=T", "%26amp%3Bibsstoken%3DT", ";ibsstoken=T",
    "/?ibsstoken=T", ".&ibsstoken=T", "%20&ibsstoken=T", "?ibsstoken=T%23_%3D_&ibsstoken=T",
    "%0D%0A&ibsstoken=T", "%00&ibsstoken=T", "%22&ibsstoken=T",
]  # fmt: skip


@pytest.mark.both
@pytest.mark.parametrize("appended", APPENDED)
def test_what_a_vendor_appends_to_our_state_is_read_as_parameters(
    scripted: Scripted, attempt: Attempt, alice: Client, appended: str
) -> None:
    mine = state(attempt)
    scripted.script.append(CONNECTED)
    assert "is connected" in page_after_return(alice, raw(alice, f"state={mine}{appended}"))
    asked = scripted.asked[-1][2]
    assert (asked["state"], asked["ibsstoken"]) == (mine, "T")


@pytest.mark.parametrize(
    "before", ["ibsstoken=T?", "?ibsstoken=T&", "ibsstoken=T;", "ibsstoken=T%3F", "&"]
)
def test_our_state_is_found_behind_what_a_vendor_put_before_it(
    scripted: Scripted, attempt: Attempt, alice: Client, before: str
) -> None:
    scripted.script.append(CONNECTED)
    query = f"{before}state={state(attempt)}"
    assert "is connected" in page_after_return(alice, raw(alice, query))
    assert scripted.asked[-1][2].get("ibsstoken", "T") == "T"


@pytest.mark.parametrize("code", ["a/b+c=", "a?b", "https://x.example/?a=1", "a;b", "a&amp;b", "ü"])
def test_a_well_made_return_is_read_as_it_is(
    scripted: Scripted, attempt: Attempt, alice: Client, code: str
) -> None:
    scripted.script.append(CONNECTED)
    come_back(alice, attempt, code=code)
    assert scripted.asked[-1][2]["code"] == code


@pytest.mark.parametrize(
    "address",
    ["/return/scripted", "/return/Scripted/", "//return/scripted/", "/return//SCRIPTED///"],
)
def test_the_address_of_a_return_may_be_bent_too(
    scripted: Scripted, attempt: Attempt, alice: Client, address: str
) -> None:
    scripted.script.append(CONNECTED)
    response = alice.get(BACK, PATH_INFO=address, QUERY_STRING=f"state={state(attempt)}&code=c%2Fd")
    if response.status_code == 302:
        response = alice.get(response["Location"])
    assert "is connected" in page_after_return(alice, response)
    assert scripted.asked[-1][2]["code"] == "c/d"


def test_a_state_of_ours_has_nothing_that_is_cut_from_a_link(attempt: Attempt) -> None:
    assert re.fullmatch("[A-Za-z0-9]{43}", state(attempt))


@pytest.mark.parametrize("odd", ["%00", "a%00b", "%ff%fe", "%ED%A0%80", "%F0%9F", "%"])
def test_what_is_no_text_beside_our_state_breaks_nothing(
    scripted: Scripted, attempt: Attempt, alice: Client, odd: str
) -> None:
    scripted.script.append(CONNECTED)
    response = raw(alice, f"state={state(attempt)}&code={odd}&{odd}=1&error={odd}")
    assert "is connected" in page_after_return(alice, response)
    assert connection_of(attempt).status == "connected"


@pytest.mark.parametrize("signed_in", [True, False])
@pytest.mark.parametrize("known", [True, False])
def test_no_answer_holds_what_was_brought(
    people: People, scripted: Scripted, attempt: Attempt, signed_in: bool, known: bool
) -> None:
    secrets = {"code": "geheim-1", "ibsstoken": "geheim-2", "next": "https://evil.example/"}
    mine = {"state": state(attempt) if known else "made-up"}
    scripted.script.append(CONNECTED)
    response = browser(people.alice if signed_in else None).get(BACK, {**secrets, **mine})
    told = f"{response.headers}{response.content.decode()}{response.cookies}"
    tells_nothing(response)
    assert not [value for value in (*secrets.values(), *mine.values()) if value in told]


def test_stored_parameters_are_ciphertext(people: People, attempt: Attempt) -> None:
    browser(of=people.alice).get(BACK, {"state": state(attempt), "code": "geheim"})
    stored = readable(Hop.objects.exclude(spent=None).get().params)
    assert stored["code"] == "geheim"
    with database.cursor() as cursor:
        cursor.execute("SELECT params FROM onboarding_hop WHERE spent IS NOT NULL")
        assert "geheim" not in str(cursor.fetchall())


def test_to_the_next_hop_one_goes_without_saying_from_where(
    scripted: Scripted, attempt: Attempt, alice: Client
) -> None:
    scripted.script.append(Redirect(url="https://vendor.example/next"))
    response = alice.get(BACK, {"state": state(attempt)})
    assert (response.status_code, response["Location"]) == (303, "https://vendor.example/next")
    tells_nothing(response)
