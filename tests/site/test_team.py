"""The team of a business: what owners change, what members see, and who must stay."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import connections
from django.urls import reverse

from onboarding.models import Invitation, Membership, User
from onboarding.people import team
from tests.support.people import OWNER, People, person
from tests.support.scripted import Scripted
from tests.support.visit import OPEN, browser, start_attempt, url, visible_text

pytestmark = [pytest.mark.both, pytest.mark.usefixtures("inline_executor")]


@pytest.fixture
def carol(people: People) -> Membership:
    """A second member of Acme, whom the others do things to."""
    return people.acme.memberships.create(user=person("carol@example.org", "Carol"))


@pytest.fixture
def invited(people: People) -> Invitation:
    row: Invitation = people.acme.invitations.create(
        email="dora@example.org", invited_by=people.alice
    )
    return row


def page(people: People, name: str = "team", *more: Any) -> str:
    return reverse(name, args=[people.acme.reference, *more])


def membership(people: People, user: User) -> Membership:
    return people.acme.memberships.get(user=user)


POSTS = ["invite", "send-again", "revoke", "change-role", "remove-member"]


@pytest.fixture(params=POSTS)
def post(
    request: pytest.FixtureRequest, people: People, carol: Membership, invited: Invitation
) -> tuple[str, dict[str, str]]:
    """Each thing that only owners do: its address and its form."""
    about: dict[str, Any] = {
        "invite": (),
        "send-again": (invited.reference,),
        "revoke": (invited.reference,),
        "change-role": (carol.pk,),
        "remove-member": (carol.pk,),
    }
    form = {"email": "eve@example.org", "role": "owner"}
    return page(people, request.param, *about[request.param]), form


def state(people: People) -> Any:
    """All that these posts could change."""
    members = people.acme.memberships.order_by("pk").values_list("user__email", "role")
    invitations = people.acme.invitations.order_by("pk")
    return list(members), list(invitations.values_list("email", "role", "revoked", "mailed"))


Post = tuple[str, dict[str, str]]


def test_an_owner_may_do_everything(people: People, post: Post) -> None:
    before = state(people)
    response = browser(people.alice).post(*post)
    assert (response.status_code, response["Location"]) == (303, page(people))
    assert state(people) != before


def test_a_member_changes_nothing_and_is_told_whom_to_ask(people: People, post: Post) -> None:
    before = state(people)
    response = browser(people.bob).post(*post)
    assert response.status_code == 403
    assert "ask an owner: Alice" in visible_text(response)
    assert state(people) == before


def test_for_outsiders_the_team_does_not_exist(people: People, post: Post) -> None:
    before = state(people)
    assert browser(people.charlie).post(*post).status_code == 404
    assert state(people) == before


def test_after_signing_in_one_sees_the_team_and_did_nothing(people: People, post: Post) -> None:
    before = state(people)
    response = browser().post(*post)
    assert response["Location"] == f"{reverse('account_login')}?next={page(people)}"
    assert state(people) == before


def test_the_forms_of_the_team_need_their_token(people: People, post: Post) -> None:
    before = state(people)
    assert browser(people.alice, strict=True).post(*post).status_code == 403
    assert state(people) == before


def test_another_team_is_out_of_reach(people: People, carol: Membership) -> None:
    theirs = people.other.memberships.get()
    for name in ("change-role", "remove-member"):
        browser(people.alice).post(page(people, name, theirs.pk), {"role": "member"})
    assert people.other.memberships.get().role == OWNER
    stranger = people.other.invitations.create(email="x@example.org")
    answer = browser(people.alice).post(page(people, "revoke", stranger.reference))
    assert answer.status_code == 404


def test_members_see_the_team_and_nothing_to_press(people: People, invited: Invitation) -> None:
    response = browser(people.bob).get(page(people))
    said = visible_text(response)
    assert "Alice alice@example.org Owner" in said
    assert "Bob (you) bob@example.org Change your name Member" in said
    assert "dora@example.org" in said
    for action in ("Invite somebody", "Remove", "Withdraw", "Make an owner"):
        assert action not in said


def test_roles_are_changed_both_ways(people: People) -> None:
    bob = membership(people, people.bob)
    alice = browser(people.alice)
    for role, said in (("owner", "Bob is an owner now."), ("member", "Bob is a member now")):
        response = alice.post(page(people, "change-role", bob.pk), {"role": role}, follow=True)
        assert said in visible_text(response)
        assert membership(people, people.bob).role == role


def test_a_made_up_role_changes_nothing(people: People) -> None:
    bob = membership(people, people.bob)
    browser(people.alice).post(page(people, "change-role", bob.pk), {"role": "king"})
    assert membership(people, people.bob).role == "member"


def test_removing_asks_first(people: People) -> None:
    bob = membership(people, people.bob)
    said = visible_text(browser(people.alice).get(page(people, "remove-member", bob.pk)))
    assert "Remove Bob from Acme?" in said
    assert "All shops stay connected" in said
    assert membership(people, people.bob)


def test_removed_twice_is_removed_once(people: People) -> None:
    bob, alice = membership(people, people.bob), browser(people.alice)
    for _ in range(2):
        response = alice.post(page(people, "remove-member", bob.pk))
        assert response["Location"] == page(people)
    assert people.acme.memberships.count() == 1


def test_a_removed_member_sees_nothing_any_more(people: People, scripted: Scripted) -> None:
    bob = browser(people.bob)
    attempt = start_attempt(people, scripted, OPEN)
    assert bob.get(attempt.get_absolute_url()).status_code == 200
    membership(people, people.bob).delete()
    for address in (
        attempt.get_absolute_url(), url("connection", attempt), page(people, "home"), page(people)
    ):  # fmt: skip
        assert bob.get(address).status_code == 404


def test_what_a_removed_member_began_stays_with_the_business(
    people: People, scripted: Scripted
) -> None:
    attempt = start_attempt(people, scripted, OPEN)
    people.acme.memberships.filter(user=people.bob).update(role=OWNER)
    browser(people.bob).post(page(people, "remove-member", membership(people, people.alice).pk))
    scripted.script.append(OPEN)
    assert browser(people.bob).post(url("continue", attempt)).status_code == 303
    attempt.refresh_from_db()
    assert (attempt.user, attempt.ended) == (people.bob, None)


@pytest.mark.parametrize("signed_in", [True, False])
def test_a_removed_member_comes_back_from_the_vendor_to_nothing(
    people: People, scripted: Scripted, signed_in: bool
) -> None:
    attempt = start_attempt(people, scripted, OPEN)
    state = scripted.last.state
    membership(people, people.alice).delete()
    visitor = browser(people.alice if signed_in else None)
    response = visitor.get(reverse("return", args=["scripted"]), {"state": state, "code": "1"})
    assert response["Location"] == reverse("return-lost", args=["scripted"])
    assert scripted.calls == ["start"]
    attempt.connection.refresh_from_db()
    assert attempt.connection.returned_at is None


@pytest.mark.parametrize("name", ["leave-team", "change-role"])
def test_the_last_owner_stays_and_is_told_what_to_do(people: People, name: str) -> None:
    mine = membership(people, people.alice)
    more = (mine.pk,) if name == "change-role" else ()
    response = browser(people.alice).post(page(people, name, *more), {"role": "member"})
    assert response.status_code == 409
    assert "Make another member an owner first" in visible_text(response)
    assert membership(people, people.alice).role == OWNER


def test_the_last_owner_is_told_before_pressing_anything(people: People) -> None:
    membership(people, people.bob).delete()
    alice = browser(people.alice)
    assert "You are the only owner" in visible_text(alice.get(page(people)))
    said = visible_text(alice.get(page(people, "leave-team")))
    assert "Invite another owner first" in said


def test_removing_oneself_is_leaving(people: People) -> None:
    mine = membership(people, people.alice)
    response = browser(people.alice).post(page(people, "remove-member", mine.pk))
    assert response["Location"] == page(people, "leave-team")
    assert membership(people, people.alice)


def test_an_owner_who_is_not_the_last_may_leave(people: People) -> None:
    people.acme.memberships.update(role=OWNER)
    alice = browser(people.alice)
    assert "Leave Acme?" in visible_text(alice.get(page(people, "leave-team")))
    said = visible_text(alice.post(page(people, "leave-team"), follow=True))
    assert "You have left Acme." in said
    assert [each.user for each in people.acme.memberships.all()] == [people.bob]


def test_a_member_may_leave(people: People) -> None:
    browser(people.bob).post(page(people, "leave-team"))
    assert [each.user for each in people.acme.memberships.all()] == [people.alice]


def test_two_owners_who_remove_each_other_at_once_do_not_both_go(people: People) -> None:
    people.acme.memberships.update(role=OWNER)
    together = Barrier(2)

    def removes(row: Membership) -> bool:
        try:
            together.wait()
            team.remove(row)
        except team.LastOwner:
            return False
        finally:
            connections.close_all()
        return True

    with ThreadPoolExecutor(2) as threads:
        gone = list(
            threads.map(removes, people.acme.memberships.select_related("merchant", "user"))
        )
    assert sorted(gone) == [False, True]
    assert people.acme.memberships.get().owns


@pytest.mark.parametrize("name", ["remove-member", "change-role"])
def test_invitations_end_with_the_right_to_invite(
    people: People, invited: Invitation, name: str
) -> None:
    people.acme.memberships.update(role=OWNER)
    alice = membership(people, people.alice)
    browser(people.bob).post(page(people, name, alice.pk), {"role": "member"})
    invited.refresh_from_db()
    assert invited.revoked
