"""Pages and commands that download what is held, and that close accounts and businesses."""

from __future__ import annotations

import json
import re
import stat
from io import StringIO
from pathlib import Path

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from onboarding.models import (
    Account,
    ClosingMail,
    Connection,
    ErasureTask,
    Membership,
    SecurityEvent,
    User,
)
from onboarding.rights import closing, erasure
from tests.support.attempts import CONNECTED, begin_attempt, run_step
from tests.support.people import People, business, person
from tests.support.recent import just_signed_in
from tests.support.scripted import Scripted
from tests.support.staff import limited_client, page, staff_client
from tests.support.still_you import age, confirm
from tests.support.visit import browser, visible_text

CLOSE, DATA = "/accounts/close/", "/accounts/data/"


def recent(user: User) -> Client:
    """A browser in which this user has just signed in."""
    return just_signed_in(browser(user))


def of(people: People, name: str) -> str:
    return reverse(name, args=[people.acme.reference])


def late(user: User) -> Client:
    """A browser in which this user has signed in long ago."""
    return age(browser(user))


@pytest.fixture
def shop(people: People, scripted: Scripted) -> Connection:
    return run_step(begin_attempt(people), scripted, CONNECTED).connection


# -- downloading -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["own-data", "business-data"])
def test_a_download_asks_first_whether_it_is_still_them(people: People, name: str) -> None:
    alice = late(people.alice)
    here = reverse(name) if name == "own-data" else of(people, name)
    assert "Confirm that it is you" in visible_text(alice.get(here))
    assert "download/" not in alice.get(here).content.decode()
    assert "Download the file" in visible_text(confirm(alice, alice.post(here)))
    answer = alice.post(f"{here}download/")
    assert json.loads(answer.content)["format"].startswith("gangway-")
    assert "no-store" in answer["Cache-Control"]
    assert "attachment" in answer["Content-Disposition"]
    assert SecurityEvent.objects.filter(kind="data_exported", user=people.alice).count() == 1


def test_a_file_is_given_to_nobody_whose_sign_in_is_old(people: People) -> None:
    for path in (f"{DATA}download/", f"{of(people, 'business-data')}download/"):
        answer = late(people.alice).post(path)
        assert (answer.status_code, "reauthenticate" in answer["Location"]) == (302, True)
    assert not SecurityEvent.objects.exists()


@pytest.mark.parametrize("name", ["business-data", "business-data-download", "close-business"])
def test_a_business_is_its_owners(people: People, name: str) -> None:
    for user, status in ((people.bob, 403), (people.charlie, 404)):
        assert recent(user).post(of(people, name), {"name": "Acme"}).status_code == status
    assert Client().post(of(people, name)).status_code == 302
    people.acme.refresh_from_db()
    assert people.acme.closing_since is None


# -- closing an account ----------------------------------------------------------------------------


def test_the_page_says_exactly_what_will_happen(people: People, shop: Connection) -> None:
    dora = person("dora@example.org", "Dora")
    people.acme.memberships.create(user=dora, role="owner")
    text = visible_text(browser(people.alice).get(CLOSE))
    assert "You leave Acme. Its 1 shop stays connected, with Dora." in text
    assert "Who takes over" not in text


def test_an_account_is_closed_after_a_code(people: People) -> None:
    dora = person("dora@example.org", "Dora")
    client = late(dora)
    page = confirm(client, client.post(CLOSE))
    receipt = ClosingMail.objects.get()
    assert page.redirect_chain[-1][0] == receipt.get_absolute_url()
    dora.refresh_from_db()
    assert dora.erased_at
    assert "_auth_user_id" not in client.session
    text = visible_text(page)
    assert "Your account is closed" in text
    assert receipt.reference in text
    assert "dora" not in text.lower()


def test_the_last_owner_chooses_who_takes_over(people: People) -> None:
    alice = recent(people.alice)
    assert "Who takes over “Acme”?" in visible_text(alice.get(CLOSE))
    refused = alice.post(CLOSE)
    assert refused.status_code == 422
    assert "Choose who takes over “Acme”." in visible_text(refused)
    bob = Membership.objects.get(user=people.bob)
    answer = alice.post(CLOSE, {f"business_{people.acme.pk}": str(bob.pk)})
    assert answer["Location"].startswith("/receipts/")
    bob.refresh_from_db()
    assert bob.owns


def test_nobody_else_can_be_entered(people: People) -> None:
    stranger = Membership.objects.get(user=people.charlie)
    for choice in (str(stranger.pk), "0", "x" * 5000, "-1"):
        answer = recent(people.alice).post(CLOSE, {f"business_{people.acme.pk}": choice})
        assert answer.status_code == 422
    assert User.objects.filter(erased_at=None).count() == 3


def test_a_team_that_changes_meanwhile_is_shown_again(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    def changed(*_: object, **__: object) -> None:
        raise erasure.ChoiceMissing([people.acme])

    monkeypatch.setattr(erasure, "erase", changed)
    choice = {f"business_{people.acme.pk}": "close"}
    answer = recent(people.alice).post(CLOSE, choice)
    assert (answer.status_code, "so nothing was closed" in visible_text(answer)) == (422, True)


def test_a_vendor_that_is_being_asked_is_waited_for(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(*_: object, **__: object) -> None:
        raise erasure.Busy

    monkeypatch.setattr(erasure, "erase", busy)
    bob = recent(people.bob)
    assert "Try again in a minute" in visible_text(bob.post(CLOSE))
    assert "_auth_user_id" in bob.session


def test_a_former_member_is_named_so(people: People, shop: Connection) -> None:
    made = people.acme.invitations.create(email="eve@example.org", invited_by=people.alice)
    people.acme.memberships.filter(user=people.bob).update(role="owner")
    erasure.erase(people.alice)
    made.revoked = None
    made.save()
    bob = browser(people.bob)
    assert "a former member" in visible_text(bob.get(of(people, "team")))
    timeline = visible_text(bob.get(shop.get_absolute_url()))
    assert "a former member" in timeline
    assert "Alice" not in timeline


def test_a_receipt_is_found_by_its_reference_alone(people: People) -> None:
    assert Client().get("/receipts/nothing/").status_code == 404
    notice = closing.begin(people.acme, by=people.alice)
    told = ClosingMail.objects.get(kind="business_closing")
    assert notice
    assert Client().get(told.get_absolute_url()).status_code == 404
    assert "Acme" not in visible_text(Client().get(notice.get_absolute_url()))


# -- closing a business ----------------------------------------------------------------------------


def test_a_business_is_closed_by_typing_its_name(people: People, shop: Connection) -> None:
    alice = recent(people.alice)
    text = visible_text(alice.get(of(people, "close-business")))
    assert "We disconnect its 1 shop, and no data flows." in text
    assert "You and 1 other member lose access" in text
    assert alice.post(of(people, "close-business"), {"name": "Acne"}).status_code == 422
    answer = alice.post(of(people, "close-business"), {"name": " acme"})
    assert "The business is being closed" in visible_text(alice.get(answer["Location"]))
    assert alice.get(shop.get_absolute_url()).status_code == 404
    assert browser(people.bob).get(of(people, "team")).status_code == 404


def test_whoever_closes_it_twice_is_led_to_the_receipt_again(people: People) -> None:
    """The browser shows the answer to the second press: by then they are no member any more."""
    alice, bob = recent(people.alice), recent(people.bob)
    page = of(people, "close-business")
    first, second = (alice.post(page, {"name": "Acme"}) for _ in range(2))
    assert (first.status_code, second.status_code) == (303, 303)
    assert first["Location"] == second["Location"]
    assert bob.post(page, {"name": "Acme"}).status_code == 404
    assert ClosingMail.objects.filter(kind="business_closed").count() == 1


def test_the_receipt_says_when_it_is_done(people: People, scripted: Scripted) -> None:
    answer = recent(people.alice).post(of(people, "close-business"), {"name": "Acme"})
    closing.proceed_all()
    text = visible_text(Client().get(answer["Location"]))
    assert "The business is closed" in text
    assert people.acme.reference in text


def test_members_without_another_business_keep_their_account(people: People) -> None:
    recent(people.alice).post(of(people, "close-business"), {"name": "Acme"})
    bob = browser(people.bob)
    assert bob.get("/shops/", follow=True).status_code == 200
    assert User.objects.get(pk=people.bob.pk).is_active


def test_owners_hear_of_an_owner_who_leaves(people: People) -> None:
    people.acme.memberships.filter(user=people.bob).update(role="owner")
    browser(people.bob).post(of(people, "leave-team"))
    told = ClosingMail.objects.get()
    assert told.kind == "owner_left"


# -- staff -----------------------------------------------------------------------------------------


def staff() -> Client:
    return just_signed_in(staff_client())


def test_staff_export_and_erase_a_person(people: People) -> None:
    erin = staff()
    document = json.loads(erin.post(page(people.bob, "export")).content)
    assert document["profile"]["email"] == "bob@example.org"
    assert "Erase this person" in erin.get(page(people.bob)).content.decode()
    assert erin.post(page(people.bob, "close"))["Location"] == page(people.bob)
    shown = erin.get(page(people.bob))
    assert "Erase this person" not in shown.content.decode()
    assert "bob@" not in shown.content.decode()
    event = SecurityEvent.objects.get(kind="account_closed")
    assert (event.user, event.by) == (people.bob, User.objects.get(email="erin@example.org"))


def test_staff_choose_too_who_takes_over(people: People) -> None:
    erin = staff()
    assert erin.post(page(people.alice, "close")).status_code == 422
    bob = Membership.objects.get(user=people.bob)
    form = {f"business_{people.acme.pk}": str(bob.pk)}
    assert erin.post(page(people.alice, "close"), form).status_code == 302
    bob.refresh_from_db()
    assert bob.owns


def test_staff_close_a_business_and_see_how_far_it_is(
    people: People, scripted: Scripted, shop: Connection
) -> None:
    erin = staff()
    assert erin.post(page(people.acme, "export")).status_code == 200
    assert erin.post(page(people.acme, "close"), {"name": "Other"}).status_code == 422
    assert erin.post(page(people.acme, "close"), {"name": "Acme"}).status_code == 302
    shown = visible_text(erin.get(page(people.acme)))
    assert "closing (shops to disconnect: 1, tasks open: 0)" in shown
    listed = reverse("admin:onboarding_merchant_changelist")
    assert "Acme" in visible_text(erin.get(f"{listed}?closing=1"))
    assert "Acme" not in visible_text(erin.get(f"{listed}?closing=2"))


def test_staff_say_that_a_vendor_was_asked(people: People, shop: Connection) -> None:
    Account.objects.update(key="room-7")
    closing.ask_vendor(Account.objects.get(), "Ask them about room-7.")
    task, erin = ErasureTask.objects.get(), staff()
    assert "Ask them about room-7." in visible_text(erin.get(page(task)))
    for _ in range(2):
        assert erin.post(page(task, "done")).status_code == 302
    task.refresh_from_db()
    assert (task.text, task.done is not None) == ("", True)
    assert "room-7" not in visible_text(erin.get(page(task)))


def test_who_may_only_read_exports_and_erases_nothing(people: People) -> None:
    frank = just_signed_in(limited_client("view_user", "view_merchant", "view_erasuretask"))
    for row in (people.bob, people.acme):
        for what in ("export", "close"):
            assert frank.post(page(row, what), {"name": "Acme"}).status_code == 403
    assert User.objects.filter(erased_at=None).count() == 4


def test_nobody_erases_somebody_more_powerful(people: People) -> None:
    erin = User.objects.get(pk=staff_client().session["_auth_user_id"])
    frank = just_signed_in(limited_client("view_user", "change_user"))
    assert frank.post(page(erin, "close")).status_code == 403
    assert frank.post(page(erin, "export")).status_code == 403


# -- commands --------------------------------------------------------------------------------------


def run(*arguments: str) -> str:
    output = StringIO()
    call_command(*arguments, stdout=output)
    return output.getvalue()


def test_a_command_exports_to_a_file_of_its_owner_alone(people: People, tmp_path: Path) -> None:
    path = tmp_path / "bob.json"
    run("people", "export", "Bob@example.org", "--output", str(path))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert json.loads(path.read_text())["profile"]["name"] == "Bob"
    with pytest.raises(CommandError, match="exists"):
        run("people", "export", "bob@example.org", "--output", str(path))
    assert (
        json.loads(run("merchants", "export", people.acme.reference))["profile"]["name"] == "Acme"
    )


def test_a_command_finds_a_person_by_a_further_address(people: People) -> None:
    EmailAddress.objects.create(user=people.bob, email="b@example.org", verified=True)
    assert '"name": "Bob"' in run("people", "export", "b@example.org")
    for unknown in ("nobody@example.org", "nobody"):
        with pytest.raises(CommandError) as refused:
            run("people", "export", unknown)
        assert refused.value.returncode == 2


def test_a_command_says_what_it_would_do(people: People) -> None:
    said = run("people", "erase", "alice@example.org", "--close-businesses", "--dry-run")
    assert f"Acme ({people.acme.reference}): closed too" in said
    assert "Nothing was changed." in run("merchants", "erase", people.acme.reference, "--dry-run")
    assert User.objects.filter(erased_at=None).count() == 3


def test_a_command_wants_to_know_who_takes_over(people: People) -> None:
    with pytest.raises(CommandError, match=r"other members: bob@example\.org"):
        run("people", "erase", "alice@example.org", "--yes")
    arguments = ("--hand-over-to", "bob@example.org", "--yes")
    assert "Erased. Receipt" in run("people", "erase", "alice@example.org", *arguments)
    assert Membership.objects.get(user=people.bob).owns


def test_a_command_asks_before_it_erases(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("builtins.input", lambda _: "no")
    for arguments in (("people", "erase", "bob@example.org"), ("merchants", "erase")):
        with pytest.raises(CommandError, match=r"Nothing was changed|reference"):
            run(*arguments, *([] if len(arguments) == 3 else [people.acme.reference]))
    monkeypatch.setattr("builtins.input", lambda _: "yes")
    run("people", "erase", "bob@example.org")
    run("merchants", "erase", people.acme.reference)
    people.acme.refresh_from_db()
    assert people.acme.closing_since
    assert User.objects.exclude(erased_at=None).count() == 1
    assert "Nothing was changed" in run("merchants", "erase", people.acme.reference)


def test_every_business_needs_a_choice_of_its_own(people: People) -> None:
    second = business("Second", owner=people.alice)
    arguments = ("--hand-over-to", "bob@example.org", "--close-businesses", "--yes")
    said = run("people", "erase", "alice@example.org", *arguments)
    assert re.search(r"Acme .*handed over to bob@example\.org", said)
    assert re.search(r"Second .*closed too", said)
    second.refresh_from_db()
    assert second.closing_since
    assert mail.outbox == []  # the worker sends them
