"""A removed or replaced address takes the account back, for seven days, with the link that it was mailed."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.core import mail
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from onboarding.models import AddedAddress, FormerAddress, SecurityEvent, User
from tests.support.codes import LOGIN, newest_code, signed_in
from tests.support.passkeys import add_passkey
from tests.support.people import People, person
from tests.support.visit import browser, visible_text

pytestmark = [pytest.mark.both]
OWNER, THIEF = "alice@example.org", "thief@evil.example"
PASSWORD = {"password1": "a long enough phrase", "password2": "a long enough phrase"}
ADDRESSES = "/accounts/email/"


@pytest.fixture(autouse=True)
def _fresh_limits(transactional_db: None) -> None:
    cache.clear()


@pytest.fixture
def thief(people: People) -> Client:
    """Somebody with a session of Alice's that is a minute old."""
    return browser(people.alice)


def take_over(thief: Client, user: User) -> None:
    """A password, an address that becomes the main one, a passkey, and the owner's address is gone."""
    thief.post("/accounts/password/set/", PASSWORD)
    thief.post(ADDRESSES, {"action_add": "", "email": THIEF})
    thief.post("/accounts/confirm-email/", {"code": newest_code()})
    thief.post(ADDRESSES, {"action_primary": "", "email": THIEF})
    thief.post(ADDRESSES, {"action_remove": "", "email": OWNER})
    add_passkey(user)
    user.refresh_from_db()
    assert user.email == THIEF
    assert not EmailAddress.objects.filter(email=OWNER).exists()


def links() -> list[str]:
    """The links that the owner was mailed."""
    bodies = [str(each.body) for each in mail.outbox if each.to == [OWNER]]
    return [m for body in bodies for m in re.findall(r"http://localhost(/accounts/take-\S+)", body)]


def press(link: str, client: Client | None = None) -> str:
    """Open the link and press its button; what the answer says."""
    client = client or browser()
    path, _, key = link.partition("?key=")
    page = client.get(link)
    if page.status_code == 200:
        assert f'name="key" value="{key}"' in page.content.decode()
    return visible_text(client.post(path, {"key": key}))


def test_the_owner_undoes_a_takeover(people: People, thief: Client) -> None:
    alice = people.alice
    take_over(thief, alice)
    said = press(links()[-1])
    assert "You have your account back" in said
    for what in (f"The address {THIEF} was removed.", "New passkeys were removed.", "password"):
        assert what in said
    alice.refresh_from_db()
    assert alice.email == OWNER
    assert not alice.has_usable_password()
    assert [each.email for each in EmailAddress.objects.filter(user=alice)] == [OWNER]
    assert not Authenticator.objects.exists()
    assert thief.get("/shops/")["Location"].startswith(LOGIN)
    assert SecurityEvent.objects.filter(kind="address_restored", user=alice).exists()


def test_the_owner_signs_in_again_and_the_thief_does_not(people: People, thief: Client) -> None:
    take_over(thief, people.alice)
    press(links()[-1])
    owner = browser()
    cache.clear()
    owner.post(LOGIN, {"email": OWNER})
    owner.post(f"{LOGIN}code/confirm/", {"code": newest_code()})
    assert owner.session["_auth_user_id"] == str(people.alice.pk)
    other = browser()
    other.post(f"{LOGIN}password/", {"login": THIEF, "password": PASSWORD["password1"]})
    assert not signed_in(other)


def test_a_code_that_the_thief_got_before_no_longer_signs_in(people: People, thief: Client) -> None:
    take_over(thief, people.alice)
    waiting, resetting = browser(), browser()
    waiting.post(LOGIN, {"email": THIEF})
    code = newest_code()
    resetting.post("/accounts/password/reset/", {"email": THIEF})
    resetting.post("/accounts/password/reset/confirm/", {"code": newest_code()})
    press(links()[-1])
    waiting.post(f"{LOGIN}code/confirm/", {"code": code})
    resetting.post("/accounts/password/reset/complete/", PASSWORD)
    assert not signed_in(waiting)
    assert not signed_in(resetting)
    people.alice.refresh_from_db()
    assert not people.alice.has_usable_password()


def test_each_link_of_the_owner_works_and_only_one_of_them(people: People, thief: Client) -> None:
    """One came when the main address changed, one when the owner's was removed."""
    take_over(thief, people.alice)
    replaced, removed = links()
    assert "You have your account back" in press(replaced)
    assert "This link no longer works" in press(removed)
    assert "This link no longer works" in press(replaced)


def test_looking_spends_nothing(people: People, thief: Client) -> None:
    take_over(thief, people.alice)
    for _ in range(3):
        response = browser().get(links()[-1])
        assert "Take your account back?" in visible_text(response)
        assert browser().head(links()[-1]).status_code == 200
    people.alice.refresh_from_db()
    assert people.alice.email == THIEF
    assert "You have your account back" in press(links()[-1])


def test_the_reference_alone_opens_nothing(people: People, thief: Client) -> None:
    """It stands in logs. The key stands in the mail alone."""
    take_over(thief, people.alice)
    path, _, query = links()[-1].partition("?")
    for forged in (path, f"{path}?key=", f"{path}?{query[:-1]}x", f"{path}?key=\u00e9"):
        assert browser().get(forged).status_code == 404
        assert browser().post(path, {"key": forged}).status_code == 404
    people.alice.refresh_from_db()
    assert people.alice.email == THIEF


def test_after_seven_days_it_is_too_late(people: People, thief: Client) -> None:
    take_over(thief, people.alice)
    FormerAddress.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    response = browser().get(links()[-1])
    assert response.status_code == 404
    assert "This link no longer works" in visible_text(response)


def test_an_address_of_the_thief_never_gets_a_link(people: People, thief: Client) -> None:
    """It would be a way back in, after the owner had noticed."""
    take_over(thief, people.alice)
    thief.post(ADDRESSES, {"action_add": "", "email": "second@evil.example"})
    thief.post("/accounts/confirm-email/", {"code": newest_code()})
    thief.post(ADDRESSES, {"action_primary": "", "email": "second@evil.example"})
    thief.post(ADDRESSES, {"action_remove": "", "email": THIEF})
    assert set(FormerAddress.objects.values_list("email", flat=True)) == {OWNER}


def test_what_was_there_before_stays(people: People, thief: Client) -> None:
    """A second address and a passkey that Alice has had for long, her name, her team."""
    alice, long_ago = people.alice, timezone.now() - timedelta(days=30)
    EmailAddress.objects.create(user=alice, email="a2@example.org", verified=True)
    AddedAddress.objects.update(at=long_ago)
    old = add_passkey(alice)
    Authenticator.objects.update(created_at=long_ago)
    take_over(thief, alice)
    press(links()[-1])
    known = EmailAddress.objects.filter(user=alice).values_list("email", flat=True)
    assert set(known) == {OWNER, "a2@example.org"}
    assert [each.pk for each in Authenticator.objects.all()] == [old.pk]
    assert people.acme.memberships.filter(user=alice, role="owner").exists()


def test_who_has_signed_in_with_it_meanwhile_loses_only_an_empty_account(
    people: People, thief: Client
) -> None:
    """The sign-in form makes an account for an address that has none."""
    take_over(thief, people.alice)
    owner = browser()
    owner.post(LOGIN, {"email": OWNER})
    owner.post(f"{LOGIN}code/confirm/", {"code": newest_code()})
    assert owner.session["_auth_user_id"] != str(people.alice.pk)
    assert "You have your account back" in press(links()[-1], owner)
    assert User.objects.get(email=OWNER) == people.alice


def test_an_address_that_belongs_to_somebody_else_now_is_not_given_back(
    people: People, thief: Client
) -> None:
    take_over(thief, people.alice)
    people.other.memberships.create(user=person(OWNER, "New"))
    assert "This address belongs to another account now" in press(links()[-1])
    people.alice.refresh_from_db()
    assert people.alice.email == THIEF
    assert not FormerAddress.objects.exclude(ended=None).exists()


def test_whoever_changed_it_themselves_has_nothing_to_do(people: People, thief: Client) -> None:
    take_over(thief, people.alice)
    body = str(mail.outbox[-2].body) + str(mail.outbox[-1].body)
    assert "If that was you, you don’t need to do anything." in body
    assert THIEF not in "".join(str(each.body) for each in mail.outbox if each.to == [OWNER])


def test_the_changes_are_in_the_security_log(people: People, thief: Client) -> None:
    take_over(thief, people.alice)
    kinds = SecurityEvent.objects.filter(user=people.alice).order_by("pk")
    assert list(kinds.values_list("kind", flat=True)) == [
        *("password_changed", "address_added", "address_made_main", "address_removed"),
    ]


def test_a_closed_account_stays_closed(people: People, thief: Client) -> None:
    take_over(thief, people.alice)
    User.objects.filter(pk=people.alice.pk).update(is_active=False)
    assert "This link no longer works" in press(links()[-1])


def test_an_address_that_was_never_confirmed_gets_no_link(people: People, thief: Client) -> None:
    EmailAddress.objects.create(user=people.alice, email="typo@example.org", verified=False)
    AddedAddress.objects.all().delete()
    thief.post(reverse("account_email"), {"action_remove": "", "email": "typo@example.org"})
    assert not FormerAddress.objects.exists()
