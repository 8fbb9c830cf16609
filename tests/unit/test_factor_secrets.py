"""The secrets of second steps follow MEMO_KEYS: encrypted, rotated, and taken away when the keys are lost."""

from __future__ import annotations

from functools import partial

import pytest
from pytest_django.fixtures import Settings

from onboarding.doctor import memos
from onboarding.models import SecurityEvent, memo, memo_key
from onboarding.people import factor_forms, factor_secrets
from tests.support.at_once import at_once
from tests.support.factors import add_app, add_recovery_codes, app_code, kinds_of
from tests.support.passkeys import add_passkey
from tests.support.people import People
from tests.unit.test_memo import lose_keys, new_key, rekeyed

pytestmark = [pytest.mark.both]


@pytest.fixture
def codes(people: People) -> list[str]:
    """Alice has all of it."""
    add_app(people.alice)
    add_passkey(people.alice)
    return add_recovery_codes(people.alice)


def first_key_opens_all(settings: Settings) -> bool:
    settings.MEMO_KEYS = settings.MEMO_KEYS[:1]
    return all(memo.opens(sealed) for _, sealed in factor_secrets.sealed())


def test_rekey_covers_them_and_they_work_on(
    people: People, codes: list[str], settings: Settings
) -> None:
    new_key(settings, *settings.MEMO_KEYS)
    said, status = rekeyed()
    assert (status, "2 secrets of second steps" in said) == (0, True)
    assert "No memo needs an older key" in said
    assert first_key_opens_all(settings)
    assert factor_forms.find_used(people.alice, app_code())
    assert factor_forms.find_used(people.alice, codes[0])


def test_a_second_run_changes_nothing(codes: list[str], settings: Settings) -> None:
    new_key(settings, *settings.MEMO_KEYS)
    rekeyed()
    assert factor_secrets.rekey() == (0, set())


def test_rekey_brings_back_no_used_code(
    people: People, codes: list[str], settings: Settings
) -> None:
    new_key(settings, *settings.MEMO_KEYS)
    used = partial(factor_forms.find_used, people.alice, codes[0])
    at_once(lambda: bool(used()), lambda: bool(factor_secrets.rekey()))
    assert used() is None


def test_rekey_and_doctor_name_those_that_no_key_opens(
    people: People, codes: list[str], settings: Settings
) -> None:
    memo_key.prove()
    new_key(settings)
    said, status = rekeyed()
    assert (status, "2 authenticators" in said) == (1, True)
    assert "2 authenticators" in memos.keys().message
    assert kinds_of(people.alice) == ["recovery_codes", "totp", "webauthn"]


def test_lost_keys_take_the_second_step_away(
    people: People, codes: list[str], settings: Settings
) -> None:
    lose_keys(settings)
    add_passkey(people.bob)
    said, _ = rekeyed("--lost")
    assert "One person has to set up their second step again." in said
    assert (kinds_of(people.alice), kinds_of(people.bob)) == ([], ["webauthn"])
    reset = SecurityEvent.objects.get(kind=SecurityEvent.Kind.FACTOR_RESET)
    assert reset.user == people.alice
