"""The security log: what owners, people and staff see of it, and in which words."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.urls import reverse

from onboarding.management.commands.staff import make_staff
from onboarding.models import Connection, Membership, SecurityEvent, User
from onboarding.people import security_words
from tests.support.attempts import CONNECTED, begin_attempt, run_step
from tests.support.people import People
from tests.support.scripted import Scripted
from tests.support.visit import browser, visible_text

pytestmark = [pytest.mark.both, pytest.mark.usefixtures("inline_executor")]
Kind = SecurityEvent.Kind
LOG = reverse("admin:onboarding_securityevent_changelist")


def event(kind: str, user: User | None, **fields: Any) -> SecurityEvent:
    return SecurityEvent.objects.create(
        kind=kind, user=user, **{"address": "203.0.113.77", **fields}
    )


def own_page(user: User) -> str:
    return visible_text(browser(user).get(reverse("account_events")))


def team_page(people: People, user: User, name: str = "team") -> Any:
    return browser(user).get(reverse(name, args=[people.acme.reference]))


@pytest.fixture
def erin(people: People) -> User:
    return make_staff("erin@example.org")


# -- one's own account -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "detail", "sentence"),
    [
        (Kind.SIGNED_IN, "passkey", "You signed in with a passkey."),
        (Kind.SIGNED_IN, "code", "You signed in with a code by email."),
        (Kind.SIGNED_IN, "unheard-of", "You signed in."),
        (Kind.WRONG_CODE, "", "Somebody entered a wrong code for your account."),
        (Kind.SESSIONS_ENDED, "", "You were signed out in other browsers."),
        ("of_a_later_release", "", "of_a_later_release"),
    ],
)
def test_people_see_what_happened_in_their_account(
    people: People, kind: str, detail: str, sentence: str
) -> None:
    event(kind, people.alice, detail=detail)
    said = own_page(people.alice)
    assert sentence in said
    assert "From the network 203.0.113.*" in said
    assert "203.0.113.77" not in said


def test_nobody_sees_what_happened_in_another_account(people: People) -> None:
    event(Kind.WRONG_CODE, people.alice)
    event(Kind.WRONG_CODE, None)
    assert "Nothing yet." in own_page(people.bob)
    assert browser().get(reverse("account_events")).status_code == 302


def test_every_kind_has_a_sentence_for_its_person_and_for_owners(people: People) -> None:
    for kind in Kind:
        for by in (None, people.bob):
            row = event(kind, people.alice, by=by, merchant=people.acme)
            (told,) = security_words.of_person([row])
            (owners,) = security_words.of_business([row])
            assert told.text[0].isupper(), kind
            assert told.text.endswith("."), kind
            assert "%" not in told.text + owners.text


def test_a_page_has_fifty_events_and_leads_to_the_older_ones(people: People) -> None:
    for number in range(120):
        event(Kind.SIGNED_IN if number else Kind.PASSWORD_CHANGED, people.alice)
    client, page, seen = browser(people.alice), reverse("account_events"), list[int]()
    while page:
        html = client.get(page).content.decode()
        seen.append(html.count("<li>"))
        found = re.search(r'href="([^"]+before=[0-9]+)"', html)
        page = found[1] if found else ""
    assert seen == [50, 50, 20]
    assert "Your password was changed." in html


@pytest.mark.parametrize("before", ["", "x", "-1", "9" * 30, "0"])
def test_an_odd_place_in_the_list_is_no_error(people: People, before: str) -> None:
    event(Kind.SIGNED_IN, people.alice)
    response = browser(people.alice).get(reverse("account_events"), {"before": before})
    assert response.status_code == 200


# -- the business ------------------------------------------------------------------------------------


def test_owners_read_who_did_what(people: People) -> None:
    acme = people.acme
    event(Kind.ROLE_CHANGED, people.bob, by=people.alice, merchant=acme, detail="owner now")
    event(Kind.JOINED, people.bob, merchant=acme, detail="as member")
    event(Kind.FOREIGN_RETURN, people.bob, by=people.charlie, merchant=acme)
    for name in ("team", "team-events"):
        said = visible_text(team_page(people, people.alice, name))
        assert "Bob was made an owner by Alice." in said
        assert "Bob joined the team." in said
        assert "A link that brings Bob back from a partner was opened in another browser." in said
        assert "Charlie" not in said


def test_the_shop_is_named(people: People, scripted: Scripted) -> None:
    shop = run_step(begin_attempt(people), scripted, CONNECTED).connection
    detail = f"shop {shop.reference} disconnected"
    event(Kind.SHOP_ENDED, people.bob, merchant=people.acme, detail=detail)
    said = visible_text(team_page(people, people.alice))
    assert "Bob disconnected or removed “My shop”." in said
    Connection.objects.update(reference="another")
    assert "Bob disconnected or removed a shop." in visible_text(team_page(people, people.alice))


def test_members_and_strangers_see_nothing_of_it(people: People) -> None:
    event(Kind.JOINED, people.bob, merchant=people.acme)
    assert "joined the team" not in visible_text(team_page(people, people.bob))
    assert team_page(people, people.bob, "team-events").status_code == 403
    assert team_page(people, people.charlie, "team-events").status_code == 404
    page = reverse("team-events", args=[people.acme.reference])
    assert "/accounts/login/" in browser().get(page)["Location"]


def test_owners_see_nothing_of_other_businesses_or_of_their_members_accounts(
    people: People,
) -> None:
    event(Kind.JOINED, people.charlie, merchant=people.other)
    event(Kind.SIGNED_IN, people.bob)
    assert "Nothing yet." in visible_text(team_page(people, people.alice, "team-events"))


def test_owners_learn_neither_names_nor_networks_of_staff(people: People, erin: User) -> None:
    event(Kind.MEMBER_REMOVED, people.bob, by=erin, merchant=people.acme)
    said = visible_text(team_page(people, people.alice))
    assert "Bob was removed by Our staff." in said
    assert "203.0.113" not in said
    assert "203.0.113" not in own_page(people.bob)


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.77", "203.0.113.*"),
        ("2001:db8:1:2::3", "2001:db8:1:*"),
        ("2001:db8::3", "2001:db8:*"),
        ("::1", "::1"),
        ("127.0.0.1", "127.0.0.1"),
        (None, ""),
    ],
)
def test_a_network_is_coarse(people: People, address: str | None, network: str) -> None:
    assert security_words.network(event(Kind.SIGNED_IN, people.alice, address=address)) == network


# -- staff -------------------------------------------------------------------------------------------


def test_staff_see_everything_and_filter_it(people: People, erin: User) -> None:
    event(Kind.WRONG_CODE, people.alice)
    event(Kind.JOINED, people.bob, merchant=people.acme, address="198.51.100.1")
    client = browser(erin)
    assert "203.0.113.77" in visible_text(client.get(LOG))
    for query, count in {
        "kind=wrong_code": 1,
        "kind=unknown": 3,
        "hours=1": 3,
        f"user={people.bob.pk}": 1,
        f"merchant={people.acme.pk}": 1,
        "q=198.51.100.1": 1,
        "q=charlie@": 0,
        "q=alice@": 2,  # of her account, and of her business
        "q=acme": 1,
    }.items():
        rows = client.get(f"{LOG}?{query}").context["cl"].result_list
        assert len(rows) == count, query


def test_the_pages_of_a_user_and_a_business_lead_to_their_events(
    people: People, erin: User
) -> None:
    for row, name in ((people.bob, "user"), (people.acme, "merchant")):
        page = reverse(f"admin:onboarding_{name}_change", args=[row.pk])
        assert f"{LOG}?{name}={row.pk}" in browser(erin).get(page).content.decode()


def test_staff_only_read(people: People, erin: User) -> None:
    row = event(Kind.WRONG_CODE, people.alice, reference="7K3Q-9M2P")
    page = reverse("admin:onboarding_securityevent_change", args=[row.pk])
    assert "7K3Q-9M2P" in visible_text(browser(erin).get(page))
    assert browser(erin).post(page, {"kind": "joined"}).status_code == 403
    delete = reverse("admin:onboarding_securityevent_delete", args=[row.pk])
    assert browser(erin).post(delete, {"post": "yes"}).status_code == 403
    assert browser(people.alice).get(LOG).status_code in {302, 403}


# -- what staff change -------------------------------------------------------------------------------


def newest() -> tuple[str, User | None, User | None, str]:
    row = SecurityEvent.objects.latest("pk")
    return row.kind, row.user, row.by, row.detail


def user_form(user: User, **changes: str) -> dict[str, str]:
    return {"name": user.name, "language": "", "is_active": "on", **changes}


def test_rights_that_staff_give_are_recorded(people: People, erin: User) -> None:
    page = reverse("admin:onboarding_user_change", args=[people.bob.pk])
    assert browser(erin).post(page, user_form(people.bob, is_staff="on")).status_code == 302
    assert newest() == (Kind.STAFF_CHANGED, people.bob, erin, "is_staff: yes")


def test_somebody_who_may_no_longer_sign_in_is_recorded(people: People, erin: User) -> None:
    page = reverse("admin:onboarding_user_change", args=[people.bob.pk])
    form = user_form(people.bob)
    del form["is_active"]
    browser(erin).post(page, form)
    assert newest() == (Kind.ACTIVE_CHANGED, people.bob, erin, "may no longer sign in")


def test_a_name_that_staff_correct_is_no_event(people: People, erin: User) -> None:
    page = reverse("admin:onboarding_user_change", args=[people.bob.pk])
    browser(erin).post(page, user_form(people.bob, name="Robert"))
    assert newest()[:2] == (Kind.STAFF_CHANGED, erin)  # what made Erin staff


def test_members_that_staff_change_are_recorded(people: People, erin: User) -> None:
    page = reverse("admin:onboarding_merchant_change", args=[people.acme.pk])
    mine, bobs = Membership.objects.filter(merchant=people.acme).order_by("pk")
    form = {
        "name": "Acme", "language": "en", "memberships-TOTAL_FORMS": "2",
        "memberships-INITIAL_FORMS": "2", "memberships-0-id": str(mine.pk),
        "memberships-0-user": str(people.alice.pk), "memberships-0-role": "owner",
        "memberships-0-merchant": str(people.acme.pk), "memberships-1-id": str(bobs.pk),
        "memberships-1-user": str(people.bob.pk), "memberships-1-merchant": str(people.acme.pk),
    }  # fmt: skip
    browser(erin).post(page, {**form, "memberships-1-role": "owner"})
    assert newest() == (Kind.ROLE_CHANGED, people.bob, erin, "owner now")
    browser(erin).post(page, {**form, "memberships-1-role": "owner", "memberships-1-DELETE": "on"})
    assert newest() == (Kind.MEMBER_REMOVED, people.bob, erin, "")


def test_the_command_that_makes_staff_is_recorded_once(erin: User) -> None:
    make_staff("erin@example.org")
    rows = SecurityEvent.objects.filter(kind=Kind.STAFF_CHANGED)
    assert [(row.user, row.by, row.address) for row in rows] == [(erin, None, None)]
