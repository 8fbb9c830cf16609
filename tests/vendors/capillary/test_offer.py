"""Capillary's settings, and the profiles of scopes that staff define."""

from __future__ import annotations

from typing import Any

import pytest

from tests.vendors.capillary.trip import PROFILE, Trip
from vendors import loading
from vendors.capillary import profile
from vendors.capillary.flow import Capillary
from vendors.contract import Refused
from vendors.sandbox import Running

SCOPES = "GET /v3/integrations/scopes"
OAUTH = {
    "CAPILLARY_API_URL": "https://eu.x.example/",
    "CAPILLARY_KEY": "k",
    "CAPILLARY_SECRET": "s",
}
BASIC = {
    "CAPILLARY_API_URL": "https://eu.x.example", "CAPILLARY_AUTH": "basic",
    "CAPILLARY_USERNAME": "u", "CAPILLARY_PASSWORD": "p",
}  # fmt: skip


# -- settings ------------------------------------------------------------------------------------


@pytest.mark.parametrize("environ", [OAUTH, BASIC])
def test_either_pair_of_credentials_is_enough(environ: dict[str, str]) -> None:
    loaded = loading.load((Capillary,), environ)
    assert (set(loaded.offered), loaded.problems) == ({"capillary"}, ())


@pytest.mark.parametrize(
    ("environ", "name"),
    [
        ({**OAUTH, "CAPILLARY_SECRET": " "}, "SECRET"),
        ({**OAUTH, "CAPILLARY_AUTH": "basic"}, "USERNAME"),
        ({**OAUTH, "CAPILLARY_AUTH": "bearer"}, "AUTH"),
        ({**OAUTH, "CAPILLARY_API_URL": "https://eu.x.example/v3/"}, "API_URL"),
        ({**OAUTH, "CAPILLARY_API_URL": "http://eu.x.example"}, "API_URL"),
        ({**OAUTH, "CAPILLARY_TILL_ID": "-1"}, "TILL_ID"),
        ({**OAUTH, "CAPILLARY_TILL_ID": "first"}, "TILL_ID"),
        ({**BASIC, "CAPILLARY_PASSWORD": ""}, "PASSWORD"),
        ({**BASIC, "CAPILLARY_USERNAME": "a:b"}, "USERNAME"),
    ],
)
def test_a_setting_that_is_wrong_or_lacks_is_named(environ: dict[str, str], name: str) -> None:
    loaded = loading.load((Capillary,), environ)
    assert not loaded.offered
    assert f"CAPILLARY_{name}" in dict(loaded.problems)


def test_without_an_address_capillary_is_not_offered() -> None:
    loaded = loading.load((Capillary,), {})
    assert dict(loaded.missing) == {"capillary": ("CAPILLARY_API_URL",)}


def test_secrets_are_not_in_its_repr() -> None:
    vendor = loading.load((Capillary,), {**BASIC, **OAUTH, "CAPILLARY_SECRET": "hush"}).offered
    assert "hush" not in repr(vendor)
    assert "hush" not in repr(vendor["capillary"].client())  # type: ignore[attr-defined]


# -- profiles ------------------------------------------------------------------------------------


def test_staff_choose_from_the_scopes_that_capillary_lists(running: Running) -> None:
    trip = Trip(running.url)
    asked = {question.key: question for question in trip.vendor.connector_questions("api")}
    scopes = [f"{kind}_{id}" for id in (1, 2, 3) for kind in ("scope", "resources")]
    assert list(asked) == [*scopes, "expiry", "till"]
    values = [value for value, _ in asked["scope_2"].choices]
    assert values == ["", "READ", "WRITE", "READWRITE"]
    assert [key for key, question in asked.items() if question.required] == ["expiry"]
    trip.vendor.connector_questions("api")
    assert running.counts("capillary")["calls"][SCOPES] == 1


def test_while_capillary_does_not_answer_the_documented_scopes_are_shown() -> None:
    trip = Trip("http://127.0.0.1:9")
    labels = [str(question.label) for question in trip.vendor.connector_questions("api")]
    assert "Scope “TargetGroups”" in labels


def test_without_a_till_of_the_operators_a_profile_needs_one(running: Running) -> None:
    trip = Trip(running.url, till_id=0)
    asked = {question.key: question for question in trip.vendor.connector_questions("api")}
    assert asked["till"].required
    assert set(trip.vendor.check_options(PROFILE)) == {"till"}
    assert not trip.vendor.check_options({**PROFILE, "till": "7"})


WRONG: list[tuple[dict[str, Any], str]] = [
    ({**PROFILE, "scope_9": "READ"}, "scope_9"),
    ({**PROFILE, "scope_1": "ALL"}, "scope_1"),
    ({**PROFILE, "scope_1": ""}, "scope_1"),
    ({"expiry": "600"}, "scope_1"),
    ({**PROFILE, "expiry": ""}, "expiry"),
    ({**PROFILE, "expiry": "0"}, "expiry"),
    ({**PROFILE, "expiry": "-600"}, "expiry"),
    ({**PROFILE, "expiry": "6e2"}, "expiry"),
    ({**PROFILE, "expiry": "٣"}, "expiry"),
    ({**PROFILE, "expiry": 2592001}, "expiry"),
    ({**PROFILE, "till": "main"}, "till"),
]


@pytest.mark.parametrize(("options", "key"), WRONG)
def test_a_wrong_profile_is_told_at_its_field(
    running: Running, options: dict[str, Any], key: str
) -> None:
    assert set(Trip(running.url).vendor.check_options(options)) == {key}


@pytest.mark.parametrize("options", [options for options, _ in WRONG] + [{}])
def test_with_a_wrong_profile_nothing_is_made(running: Running, options: dict[str, Any]) -> None:
    trip = Trip(running.url)
    trip.change(options=options)
    with pytest.raises(Refused) as caught:
        trip.run(trip.vendor.start)
    assert (caught.value.who, caught.value.cause in {"profile", "scopes"}) == ("staff", True)
    assert not running.counts("capillary")["made"].get("clients")


def test_numbers_in_options_are_read_like_text() -> None:
    found = profile.read({"scope_2": "READ", "expiry": 60, "till": None, "path": "/"}, 7)
    assert (found.expiry, found.till, found.ids()) == (60, 7, {2})
    assert found.scopes[0]["resources"] == []


def test_a_profile_goes_into_a_memo_and_back() -> None:
    found = profile.read(PROFILE, 7)
    assert profile.Profile.from_memo(found.memo()) == found
    again = profile.read({**profile.answers(found), "expiry": "600"}, 7)
    assert again == found


def test_what_merchants_and_staff_can_do_is_theirs_alone() -> None:
    trip = Trip("http://127.0.0.1:9")
    who = {action.key: (action.who, action.on) for action in trip.vendor.actions()}
    merchants = {key for key, (who_, on) in who.items() if (who_, on) == ("merchant", "connection")}
    assert merchants == {"rotate", "retire", "rescope"}
    assert [entry.key for entry in trip.vendor.connectors()] == ["api"]
    assert trip.vendor.serial
