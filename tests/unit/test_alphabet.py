"""The order of names on a page, in the language of its reader."""

from __future__ import annotations

import pytest
from django.utils.translation import override

from onboarding import alphabet
from onboarding.models import Merchant
from onboarding.views.access import memberships
from tests.support.people import People, business
from tests.support.visit import browser, visible_text

NAMES = ["Zoe", "anna", "Östen", "Éva", "Oskar", "Ñu", "Nils", "Nz", "Åsa", "Eva"]


@pytest.mark.parametrize(
    ("language", "order"),
    [
        ("en", "anna Åsa Eva Éva Nils Ñu Nz Oskar Östen Zoe"),
        ("de", "anna Åsa Eva Éva Nils Ñu Nz Oskar Östen Zoe"),
        ("sv", "anna Eva Éva Nils Ñu Nz Oskar Zoe Åsa Östen"),
        ("es", "anna Åsa Eva Éva Nils Nz Ñu Oskar Östen Zoe"),
    ],
)
def test_names_stand_where_the_reader_looks_for_them(language: str, order: str) -> None:
    with override(language):
        assert sorted(NAMES, key=alphabet.sort_key) == order.split()


@pytest.mark.both
def test_businesses_are_in_this_order(people: People) -> None:
    Merchant.objects.filter(pk=people.acme.pk).update(name="Zoe’s")
    for name in ("anna’s", "Éva’s"):
        business(name, owner=people.alice)
    assert [each.merchant.name for each in memberships(people.alice)] == [
        "anna’s",
        "Éva’s",
        "Zoe’s",
    ]
    assert [each.name for each in people.alice.businesses] == ["anna’s", "Éva’s", "Zoe’s"]


def test_members_are_in_this_order_after_the_owners(people: People) -> None:
    for user, name in ((people.alice, "Zoe"), (people.bob, "Åsa"), (people.charlie, "bo")):
        type(user).objects.filter(pk=user.pk).update(name=name)
    people.acme.memberships.create(user=people.charlie)
    text = visible_text(browser(people.alice).get(f"{people.acme.get_absolute_url()}team/"))
    found = [text.index(f"{name} ") for name in ("Zoe", "Åsa", "bo")]
    assert found == sorted(found)
