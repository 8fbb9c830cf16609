"""The name that is suggested for a new business."""

from __future__ import annotations

import pytest

from onboarding.people.business_names import suggested_name
from onboarding.views.forms import BusinessForm


@pytest.mark.parametrize(
    ("email", "expected"),
    [
        ("anna@team-shop.de", "Team Shop"),
        ("anna@mail.team-shop.de", "Team Shop"),
        ("anna@team_shop.co.uk", "Team Shop"),
        ("anna@müller-söhne.de", "Müller Söhne"),
        ("anna@ne.com", "Ne"),
        ("anna.smith@gmail.com", "Anna Smith"),
        ("anna+shop@web.de", "Anna"),
        ("anna_smith-2@outlook.com", "Anna Smith 2"),
        ("anna@yahoo.co.uk", "Anna"),
        ("kai@localhost", "Kai"),
        ("+@gmail.com", ""),
        ("", ""),
    ],
)
def test_the_domain_names_the_business_and_at_a_mail_provider_the_person(
    email: str, expected: str
) -> None:
    assert suggested_name(email) == expected


def test_what_is_suggested_is_accepted() -> None:
    assert BusinessForm({"name": suggested_name("anna@www.team-shop.de")}).is_valid()
