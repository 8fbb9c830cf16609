"""What changes about people, rights and shops is in the security log: whom it is about, and who did it."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from onboarding.models import Connection, SecurityEvent
from tests.support.attempts import CONNECTED, WAIT, begin_attempt, run_step
from tests.support.people import People, person
from tests.support.scripted import Scripted
from tests.support.staff import page, staff_client
from tests.support.visit import browser, url
from vendors.contract import Done, text

pytestmark = [pytest.mark.both, pytest.mark.usefixtures("inline_executor")]


def events(*kinds: str) -> list[tuple[object, ...]]:
    """(kind, whom it is about, who did it, the business, in which words), the oldest first."""
    rows = SecurityEvent.objects.filter(kind__in=kinds).order_by("pk")
    return list(rows.values_list("kind", "user", "by", "merchant", "detail"))


@pytest.fixture
def alice(people: People) -> Client:
    return browser(people.alice)


def test_an_invitation_and_its_acceptance(people: People, alice: Client) -> None:
    invite = reverse("invite", args=[people.acme.reference])
    alice.post(invite, {"email": "dora@example.org", "role": "member"})
    dora = person("dora@example.org", "Dora")
    browser(dora).post(people.acme.invitations.get().get_absolute_url())
    assert events("invited", "joined") == [
        ("invited", people.alice.pk, None, people.acme.pk, "as member"),
        ("joined", dora.pk, None, people.acme.pk, "as member"),
    ]


def test_a_role_and_a_removal(people: People, alice: Client) -> None:
    bob, acme = people.acme.memberships.get(user=people.bob), people.acme
    alice.post(reverse("change-role", args=[acme.reference, bob.pk]), {"role": "owner"})
    alice.post(reverse("remove-member", args=[acme.reference, bob.pk]))
    assert events("role_changed", "member_removed") == [
        ("role_changed", people.bob.pk, people.alice.pk, acme.pk, "owner now"),
        ("member_removed", people.bob.pk, people.alice.pk, acme.pk, ""),
    ]


def test_who_leaves(people: People) -> None:
    browser(people.bob).post(reverse("leave-team", args=[people.acme.reference]))
    assert events("member_removed") == [
        ("member_removed", people.bob.pk, None, people.acme.pk, "left")
    ]


def test_a_shop_that_is_disconnected(people: People, alice: Client, scripted: Scripted) -> None:
    shop = run_step(begin_attempt(people), scripted, CONNECTED).connection
    scripted.script.append(Done(here=text("It ended."), there=text("It stays there.")))
    alice.post(url("disconnect", shop))
    words = f"shop {shop.reference} disconnected"
    assert events("shop_ended") == [("shop_ended", people.alice.pk, None, people.acme.pk, words)]


def test_a_shop_that_is_removed(people: People, alice: Client, scripted: Scripted) -> None:
    shop = run_step(begin_attempt(people), scripted, WAIT).connection
    alice.post(url("remove", shop))
    assert Connection.objects.get().removed_at
    words = f"shop {shop.reference} removed"
    assert events("shop_ended") == [("shop_ended", people.alice.pk, None, people.acme.pk, words)]


def test_staff_change_who_may_do_what(people: People) -> None:
    staff = staff_client()
    SecurityEvent.objects.all().delete()
    form = {"name": "Bob", "language": "en", "is_active": "on", "is_staff": "on"}
    staff.post(page(people.bob), form)
    rights = {"name": "Helpers", "permissions": [Permission.objects.earliest("pk").pk]}
    staff.post(reverse("admin:auth_group_add"), rights)
    [(kind, about, by, _, words), group] = events("staff_changed")
    assert (kind, about, words) == ("staff_changed", people.bob.pk, "is_staff: yes")
    assert by == int(staff.session["_auth_user_id"])
    assert re.fullmatch(r"permissions of the group \d+: 1", str(group[-1]))


def test_a_name_changes_nobodys_rights(people: People) -> None:
    staff = staff_client()
    SecurityEvent.objects.all().delete()
    staff.post(page(people.bob), {"name": "Robert", "language": "en", "is_active": "on"})
    assert events("staff_changed") == []


def test_staff_change_a_team(people: People) -> None:
    staff, row = staff_client(), people.acme.memberships.get(user=people.bob)
    form = {
        "name": "Acme",
        "language": "en",
        "memberships-TOTAL_FORMS": "1",
        "memberships-INITIAL_FORMS": "1",
        "memberships-0-id": str(row.pk),
        "memberships-0-merchant": str(people.acme.pk),
        "memberships-0-user": str(people.bob.pk),
        "memberships-0-role": "owner",
    }
    staff.post(page(people.acme), form)
    row.refresh_from_db()
    assert row.owns
    [(kind, about, _, merchant, words)] = events("role_changed")
    assert (kind, about, merchant, words) == (
        *("role_changed", people.bob.pk),
        *(people.acme.pk, "owner now"),
    )
