"""Access control: other merchants get a 404 for everything, and visitors get the sign-in page."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from onboarding.models import Attempt, Merchant
from tests.support.people import People
from tests.support.scripted import Scripted
from tests.support.visit import OPEN, browser, start_attempt, url, visible_text

pytestmark = pytest.mark.usefixtures("inline_executor")


def patterns(resolver: URLResolver) -> Iterator[URLPattern]:
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLResolver):
            yield from patterns(pattern)
        else:
            yield pattern


OF_A_MERCHANT = sorted(
    pattern.name or str(pattern.pattern)
    for pattern in patterns(get_resolver())
    if "merchant" in pattern.pattern.converters
)


def address(name: str, attempt: Attempt) -> str:
    """The URL of that name, for Alice's attempt or the shop that it is about."""
    connection, merchant = attempt.connection, attempt.connection.account.merchant.reference
    pattern = next(p for p in patterns(get_resolver()) if p.name == name)
    about = attempt if "/attempts/" in str(pattern.pattern) else connection
    known = {"merchant": merchant, "reference": about.reference, "slug": connection.connector.slug}
    known["key"] = "mine"  # the scripted vendor's action for merchants
    known["consent"] = attempt.consent.reference
    known |= team_of(connection.account.merchant)
    return reverse(name, kwargs={each: known[each] for each in pattern.pattern.converters})


def team_of(merchant: Merchant) -> dict[str, str]:
    """A member and an invitation of Alice's, by the names that addresses have for them."""
    bob = merchant.memberships.get(role="member")
    invitation, _ = merchant.invitations.get_or_create(email="dora@example.org")
    return {"member": str(bob.pk), "invitation": invitation.reference}


def test_the_walk_finds_the_pages_of_merchants() -> None:
    assert {"home", "connect", "attempt", "continue", "connection", "team", "revoke"} <= set(
        OF_A_MERCHANT
    )


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("name", OF_A_MERCHANT)
def test_a_page_of_another_merchant_does_not_exist(
    people: People, scripted: Scripted, name: str, method: str
) -> None:
    page = address(name, start_attempt(people, scripted, OPEN))
    scripted.script.append(OPEN)
    member = getattr(browser(people.bob), method)(page).status_code
    stranger = getattr(browser(people.charlie), method)(page).status_code
    assert member != 404
    assert stranger == (405 if member == 405 else 404)


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("name", OF_A_MERCHANT)
def test_nobody_is_asked_to_sign_in(
    people: People, scripted: Scripted, name: str, method: str
) -> None:
    page = address(name, start_attempt(people, scripted, OPEN))
    response = getattr(browser(), method)(page)
    asked = response.get("Location", "").startswith(reverse("account_login") + "?next=/m/")
    assert asked or response.status_code == 405


def test_after_signing_in_no_one_lands_on_an_action(people: People, scripted: Scripted) -> None:
    attempt = start_attempt(people, scripted, OPEN)
    response = browser().post(url("continue", attempt))
    assert response["Location"].endswith(f"?next={attempt.get_absolute_url()}")


def test_members_may_not_disconnect_and_are_told_why(people: People, scripted: Scripted) -> None:
    connection = start_attempt(people, scripted, OPEN).connection
    for response in (
        browser(people.bob).get(url("disconnect", connection)),
        browser(people.bob).post(url("disconnect", connection)),
    ):
        assert response.status_code == 403
        assert "ask an owner" in visible_text(response)
    assert not connection.attempts.filter(purpose="end").exists()
