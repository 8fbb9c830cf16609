"""Erasing a person: nothing tells any more who they were, and everything else works as before."""

from __future__ import annotations

from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core import mail
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext

from onboarding import journey
from onboarding.background import schedule
from onboarding.models import (
    Account,
    Agreement,
    Alert,
    Attempt,
    ClosingMail,
    Connection,
    Consent,
    ErasureTask,
    Event,
    Hop,
    Invitation,
    Membership,
    Notice,
    SecurityEvent,
    Session,
    User,
    WaitlistEntry,
)
from onboarding.models.memo import readable
from onboarding.models.sessions import SessionStore
from onboarding.people import team
from onboarding.rights import closing, erasure
from tests.support.attempts import CONNECTED, begin_attempt, run_step
from tests.support.canary import where
from tests.support.people import People, business, person
from tests.support.scripted import Scripted
from tests.support.visit import OPEN
from vendors.contract import text

pytestmark = pytest.mark.both
NAME, EMAIL, SECOND = "Kanaria Vögelchen", "kanaria@birds.example", "other.kanaria@birds.example"


@pytest.fixture
def kanaria(people: People) -> User:
    """A member of Acme, with a second address."""
    user = person(EMAIL, NAME)
    EmailAddress.objects.create(user=user, email=SECOND, verified=True)
    people.acme.memberships.create(user=user, role="member")
    return user


def as_json(email: str) -> dict[str, Any]:
    """A StoredText and other JSON with this address and the name."""
    params = {"email": email, "person": NAME}
    return {"id": "%(person)s asked with %(email)s.", "params": params}


def fill(user: User, people: People, scripted: Scripted) -> Connection:
    """Put the name and the addresses of the user wherever they may stand."""
    attempt = run_step(begin_attempt(people), scripted, OPEN)
    shop = attempt.connection
    memo = {"email": EMAIL, "of": [NAME, {"to": f"Write to {SECOND.upper()}"}]}
    Attempt.objects.update(
        user=user, call={**readable(attempt.call), "by": memo}, connection_memo=memo,
        account_memo=memo, detail=f"{EMAIL} asked", note=as_json(EMAIL), heading=as_json(SECOND),
        questions=[{"key": "email", "choices": [[EMAIL, as_json(EMAIL)]]}], found_evidence=memo,
        found_account=EMAIL,
    )  # fmt: skip
    Connection.objects.update(
        answers=memo, memo=memo, reveal=memo, detail=f"<{EMAIL}>: {NAME}", evidence=as_json(EMAIL),
        task=f"Ask {NAME} ({EMAIL})", note=as_json(SECOND), questions=[memo],
        account_label=EMAIL,
    )  # fmt: skip
    Account.objects.update(memo=memo, staff_answers=memo, found={"room": EMAIL}, label=SECOND)
    Hop.objects.update(user=user, params=memo, url={"url": f"https://x.example/?{EMAIL}"})
    Event.objects.create(connection=shop, user=user, note=as_json(EMAIL))
    Event.objects.create(connection=shop, user=people.alice, note=as_json(SECOND))
    fill_rows_of_the_person(user, people, attempt)
    return shop


def fill_rows_of_the_person(user: User, people: People, attempt: Attempt) -> None:
    data = {"name": f"Phone of {NAME}", "credential": {}}
    Authenticator.objects.create(user=user, type="webauthn", data=data)
    Client().force_login(user)
    nobody = SessionStore()
    nobody["account_login_code"] = {"email": SECOND}  # typed, and no code entered yet
    nobody.save()
    Notice.objects.create(
        attempt=attempt, connection=attempt.connection, user=user, kind="way_back", key="way_back"
    )
    connector = attempt.connection.connector
    for asker in (user, people.bob):
        typed = {"name": f"Shop of {NAME}", "email": EMAIL}
        WaitlistEntry.objects.create(
            user=asker, merchant=people.acme, connector=connector, typed=typed
        )
    people.other.invitations.create(email=SECOND, invited_by=people.charlie)
    people.acme.invitations.create(email="dora@example.org", invited_by=user)
    SecurityEvent.objects.create(kind="signed_in", user=user, address="192.0.2.7")
    for about, row in ((user, EMAIL), (attempt.connection, NAME)):
        LogEntry.objects.create(
            user=people.alice, content_type=ContentType.objects.get_for_model(about),
            object_id=str(about.pk), object_repr=row, action_flag=CHANGE,
            change_message=f"Task done: wrote to {EMAIL}",
        )  # fmt: skip


def test_nothing_tells_any_more_who_they_were(
    kanaria: User, people: People, scripted: Scripted
) -> None:
    fill(kanaria, people, scripted)
    assert len(where(EMAIL, SECOND, NAME)) > 25  # otherwise this test proves nothing
    erasure.erase(kanaria)
    assert where(EMAIL, SECOND, NAME) == {"ClosingMail.reader"}
    schedule.mail()
    assert where(EMAIL, SECOND, NAME) == set()
    [receipt, *others] = [each for each in mail.outbox if EMAIL in each.to]
    assert "is closed" in receipt.subject
    rest = [each for each in mail.outbox if each is not receipt]
    assert not others
    assert not any(EMAIL in str(each.message()) or NAME in each.body for each in rest)


def test_what_others_wrote_stays(kanaria: User, people: People, scripted: Scripted) -> None:
    shop = fill(kanaria, people, scripted)
    erasure.erase(kanaria)
    shop = Connection.objects.get(pk=shop.pk)
    assert shop.task == "Ask a former member (a former member)"
    memo = readable(shop.memo)
    assert memo["email"].endswith("@erased.invalid")
    assert Event.objects.filter(user=people.alice).exists()
    assert str(shop.events.get(user=kanaria)) == "a former member asked with a former member."


def test_somebody_with_a_longer_address_is_left_alone(kanaria: User, people: People) -> None:
    longer = person(f"x-{EMAIL}", "Vogel")
    Invitation.objects.create(merchant=people.acme, email=f"{EMAIL}.org", invited_by=longer)
    people.acme.memberships.create(user=longer)
    erasure.erase(kanaria)
    assert where(f"x-{EMAIL}") == {"User.email", "EmailAddress.email"}
    assert Invitation.objects.filter(email=f"{EMAIL}.org").exists()


def test_nobody_signs_in_as_them(kanaria: User) -> None:
    kanaria.set_password("correct horse")
    kanaria.save()
    client = Client()
    client.force_login(kanaria)
    erasure.erase(kanaria)
    kanaria.refresh_from_db()
    assert not kanaria.is_active
    assert not kanaria.has_usable_password()
    assert not Session.objects.exists()
    assert client.get("/shops/").status_code == 302


def test_timelines_name_a_former_member(kanaria: User) -> None:
    erasure.erase(kanaria)
    kanaria.refresh_from_db()
    names = {str(kanaria), kanaria.get_short_name(), kanaria.get_full_name()}
    assert names == {"a former member"}


def test_the_address_may_sign_up_again_as_somebody_new(kanaria: User, people: People) -> None:
    erasure.erase(kanaria)
    again = person(EMAIL, "")
    assert again.pk != kanaria.pk
    assert list(team.open_invitations(again)) == []
    erasure.erase(again)
    assert User.objects.exclude(erased_at=None).count() == 2


def test_a_second_time_does_nothing(kanaria: User) -> None:
    assert erasure.erase(kanaria)
    assert erasure.erase(kanaria) is None
    kanaria.refresh_from_db()
    assert erasure.erase(kanaria) is None
    assert ClosingMail.objects.filter(kind="account_closed").count() == 1


def test_a_failure_at_the_end_changes_nothing(
    kanaria: User, people: People, scripted: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(kanaria, people, scripted)
    before = where(EMAIL, SECOND, NAME)
    monkeypatch.setattr(erasure, "_make_nobody", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        erasure.erase(kanaria)
    assert where(EMAIL, SECOND, NAME) == before
    assert kanaria.memberships.count() == 1


# -- businesses ------------------------------------------------------------------------------------


def test_the_only_owner_is_asked_who_takes_over(people: People) -> None:
    with pytest.raises(erasure.ChoiceMissing) as missing:
        erasure.erase(people.alice)
    assert missing.value.merchants == [people.acme]
    assert people.alice.memberships.exists()
    [leaving] = erasure.plan(people.alice)
    assert [each.user for each in leaving.successors] == [people.bob]


def test_a_member_takes_over(people: People) -> None:
    bob = Membership.objects.get(user=people.bob)
    erasure.erase(people.alice, {people.acme.pk: bob.pk})
    assert [(row.user, row.role) for row in people.acme.memberships.all()] == [
        (people.bob, "owner")
    ]
    schedule.mail()
    assert [each.subject for each in mail.outbox if people.bob.email in each.to] == [
        "You are now an owner of “Acme”"
    ]
    assert SecurityEvent.objects.get(kind="role_changed").user == people.bob


def test_nobody_else_can_be_chosen(people: People) -> None:
    stranger = Membership.objects.get(user=people.charlie)
    own = Membership.objects.get(user=people.alice)
    for choice in (stranger.pk, own.pk, 0, "nobody"):
        with pytest.raises(erasure.ChoiceMissing):
            erasure.erase(people.alice, {people.acme.pk: choice})


def test_the_other_owners_hear_of_it_without_a_name(people: People) -> None:
    dora = person("dora@example.org", "Dora")
    people.acme.memberships.create(user=dora, role="owner")
    erasure.erase(people.alice)
    schedule.mail()
    [notice] = [each for each in mail.outbox if dora.email in each.to]
    assert "“Acme”" in notice.body
    assert "“Dora”" in notice.body
    assert "Alice" not in notice.body


def test_a_business_can_be_closed_with_the_account(people: People) -> None:
    erasure.erase(people.alice, {people.acme.pk: erasure.CLOSE})
    people.acme.refresh_from_db()
    assert people.acme.closing_since
    assert not people.acme.memberships.exists()
    closing.proceed_all()
    schedule.mail()
    assert sorted(each.subject for each in mail.outbox if people.alice.email in each.to) == [
        "Your account at Gangway is closed",
        "Your business “Acme” is closed and erased",
    ]
    assert where("alice@example.org", "Acme") == set()


def test_what_they_had_begun_goes_to_an_owner(people: People, scripted: Scripted) -> None:
    attempt = run_step(begin_attempt(people), scripted, OPEN)
    dora = person("dora@example.org", "Dora")
    people.acme.memberships.create(user=dora, role="owner")
    erasure.erase(people.alice)
    attempt.refresh_from_db()
    assert attempt.user == dora
    journey.continue_attempt(attempt, people.bob)
    done = run_step(attempt, scripted, CONNECTED)
    assert done.connection.status == "connected"
    _, order, _ = scripted.asked[-1]
    assert "erased" not in order.user().email


def test_staff_are_asked_to_ask_the_vendors(people: People, scripted: Scripted) -> None:
    run_step(begin_attempt(people), scripted, OPEN)
    Account.objects.update(key="room-7")
    bob = Membership.objects.get(user=people.bob)
    receipt = erasure.erase(people.alice, {people.acme.pk: bob.pk})
    task = ErasureTask.objects.get()
    assert "room-7" in task.text
    assert scripted.erase_person in task.text
    assert "alice" not in task.text.lower()
    assert Alert.objects.get().cause == "erasure"
    assert receipt
    assert receipt.facts["vendors"] == ["scripted"]


def test_a_vendor_that_was_never_reached_is_not_asked(people: People, scripted: Scripted) -> None:
    begin_attempt(people)
    erasure.erase(people.alice, {people.acme.pk: Membership.objects.get(user=people.bob).pk})
    assert not ErasureTask.objects.exists()


def test_it_waits_for_a_vendor_that_is_being_asked(
    kanaria: User, people: People, scripted: Scripted
) -> None:
    """A worker would write the memo back that it has read."""
    shop = fill(kanaria, people, scripted)
    with journey.leased(shop.account_id), pytest.raises(erasure.Busy):
        erasure.erase(kanaria, patience=0)
    assert kanaria.memberships.exists()
    assert erasure.erase(kanaria, patience=0)


def test_an_invitation_is_not_accepted_while_the_account_is_closed(people: People) -> None:
    dora = person("dora@example.org", "Dora")
    made = people.acme.invitations.create(email=dora.email, invited_by=people.alice)
    User.objects.filter(pk=dora.pk).update(is_active=False)
    assert not team.accept(made, dora)


def test_ten_thousand_entries_are_written_in_batches(people: People, scripted: Scripted) -> None:
    shop = run_step(begin_attempt(people), scripted, CONNECTED).connection
    note = {"id": "%(email)s", "params": {"email": "alice@example.org"}}
    Event.objects.bulk_create(
        Event(
            connection=shop, user=people.alice, note=note if number % 10 == 0 else text("…").params
        )
        for number in range(10_000)
    )
    bob = Membership.objects.get(user=people.bob)
    with CaptureQueriesContext(database) as queries:
        erasure.erase(people.alice, {people.acme.pk: bob.pk})
    assert len(queries) < 150  # 0.4 s on SQLite
    assert where("alice@example.org") == {"ClosingMail.reader"}


def test_staff_lose_their_rights(people: People) -> None:
    erin = User.objects.create_superuser("erin@example.org")
    business("Erin GmbH", member=erin)
    erasure.erase(erin)
    erin.refresh_from_db()
    assert (erin.is_staff, erin.is_superuser) == (False, False)
    assert not erin.memberships.exists()


def test_what_they_agreed_to_stays_without_them(people: People, kanaria: User) -> None:
    attempt = begin_attempt(people, user=kanaria)
    words = {"parts": [{"lines": [f"For {NAME}."]}]}
    consent = Consent.record(attempt, Agreement(words, "1", "en", {"vendor": {"name": "V"}}))
    assert where(NAME, EMAIL)
    erasure.erase(kanaria)
    consent.refresh_from_db()
    assert consent.person == {}
    assert consent.about["business"]["name"] == "Acme"
    assert where(NAME, EMAIL) <= {"ClosingMail.reader"}  # until the mail is sent
