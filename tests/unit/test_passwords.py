"""Which passwords are refused, and in which words."""

from __future__ import annotations

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth.password_validation import (
    password_validators_help_texts,
    validate_password,
)
from django.core.exceptions import ValidationError
from pytest_django.fixtures import Settings

from onboarding.models import User
from onboarding.people import password_rules
from tests.support.people import business, person

GOOD = "tiger moon lamp river"


def why(password: str, user: User | None = None) -> list[str]:
    """The codes of what is wrong with it."""
    try:
        validate_password(password, user)
    except ValidationError as error:
        return [str(each.code) for each in error.error_list]
    return []


@pytest.mark.parametrize(
    "password",
    [
        GOOD,
        "tiger-moon-4471-lamp",
        "мойпарольдлинный",
        "  blanks at both ends  ",
        "x9Tq LmR2 vB7w",
        "river lamp " * 12,
        "0" * 40 + GOOD + "é" * 60,
    ],
)
def test_a_long_password_of_any_characters_is_taken(password: str) -> None:
    assert why(password) == []


def test_twelve_characters_are_enough_and_eleven_are_not() -> None:
    assert why("tigermoonla") == ["password_too_short"]
    assert why("tigermoonlap") == []
    with pytest.raises(ValidationError, match="Use at least 12 characters"):
        validate_password("tigermoonla")


def test_a_password_of_a_megabyte_is_refused_at_once() -> None:
    assert why("ab" * 500_000) == ["password_too_long"]
    assert why("a" * 999 + "b") == ["password_breached"]


@pytest.mark.parametrize(
    "password",
    [
        "password1234", "Password1234", "passwordpassword", "123456789012", "qwertyuiop12",
        "iloveyou1234", "administrator", "111111111111", "letmeinletmein", "P@ssw0rd1234",
        "correct horse battery staple", "correcthorsebatterystaple",
    ],
)  # fmt: skip
def test_a_stolen_password_is_refused(password: str) -> None:
    assert why(password) == ["password_breached"]
    with pytest.raises(ValidationError, match="a list of stolen passwords"):
        validate_password(password)


@pytest.mark.parametrize(
    "password",
    [
        "Welcome2024!", "Summer2024!!", "!!!dragon!!!1987", "P@$$w0rd!!2026", "monkey12345678",
        "hunter2hunter2", "abcabcabcabc", "xyxyxyxyxyxyxy", "ppppppppppppppp", "ＰＡＳＳＷＯＲＤ１２３４",
    ],
)  # fmt: skip
def test_a_common_one_with_signs_around_it_is_refused_too(password: str) -> None:
    assert why(password) == ["password_breached"]


@pytest.mark.parametrize(
    "password",
    ["gangway-and-tiger", "My Gangway river 7", "G4NGW4Y tiger moon", "ga ng way tiger", "localhost tiger!"],
)  # fmt: skip
def test_the_name_of_the_site_is_refused(password: str) -> None:
    assert why(password) == ["password_known_word"]


def test_the_operators_brand_is_refused(settings: Settings) -> None:
    settings.BRAND_NAME, settings.SITE_HOST = "Acme Shops", "connect.acme-shops.example"
    assert why("acme moon lamp river") == ["password_known_word"]
    assert why("connect moon lamp 9") == ["password_known_word"]
    with pytest.raises(ValidationError, match="Leave out “Acme”"):
        validate_password("ACME moon lamp river")


@pytest.fixture
def ann() -> User:
    ann = person("ann.smith@antiques.example", "Ann Smith-Jones")
    EmailAddress.objects.create(user=ann, email="treasures@home.example", verified=True)
    business("Kettle & Sons", owner=ann)
    return ann


@pytest.mark.django_db
@pytest.mark.parametrize(
    "word", ["annsmith", "smith", "antiques", "jones", "treasures", "kettle", "sons", "k3ttl3"]
)
def test_what_others_know_about_a_person_is_refused(ann: User, word: str) -> None:
    assert why(f"{word} moon lamp river", ann) == ["password_known_word"]
    assert why(f"{word} moon lamp river", None) == []


@pytest.mark.django_db
def test_short_words_and_words_of_others_are_no_matter(ann: User) -> None:
    business("Lamp", owner=person("bob@example.org", "Tiger"))
    assert why(f"ann {GOOD}", ann) == []


def test_every_rule_says_what_it_wants() -> None:
    texts = password_validators_help_texts()
    assert len(texts) == 3
    assert all(texts)


def test_the_list_of_stolen_passwords_is_large() -> None:
    """A few of a million and a half, of different lengths."""
    known = ["administrator", "qwertyuiopasdf", "1234567890123456", "01031994justin"]
    assert all(map(password_rules.is_listed, known))
    assert not password_rules.is_listed(GOOD)
