"""Closing a business: access ends at once, its shops are disconnected, vendors are asked, it is erased."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core import mail
from django.utils import timezone
from pytest_django.fixtures import Settings

from onboarding import journey
from onboarding.background import schedule
from onboarding.consent import receipts
from onboarding.models import (
    Account,
    Agreement,
    Alert,
    Attempt,
    Call,
    ClosingMail,
    Connection,
    Consent,
    ErasureTask,
    Event,
    Merchant,
    SecurityEvent,
    User,
)
from onboarding.notifications import staff_alerts
from onboarding.people import team
from onboarding.rights import closing
from tests.support.attempts import CONNECTED, begin_attempt, run_step
from tests.support.canary import where
from tests.support.people import People, person
from tests.support.scripted import Scripted, offered
from tests.support.visit import OPEN
from vendors.contract import Done, Refused, Unavailable, VendorError, text

pytestmark = pytest.mark.both
DONE = Done(here=text("We no longer use it."), there=text("It is deleted."))


@pytest.fixture
def shop(people: People, scripted: Scripted) -> Connection:
    """Connected, and known to the vendor by ids."""
    shop = run_step(begin_attempt(people, "Zwiebelladen"), scripted, CONNECTED).connection
    Account.objects.update(key="room-7", memo={"token": "Zwiebeltoken"})
    Connection.objects.update(key="door-9", answers={"url": "zwiebel.example"})
    return shop


def disconnected(shop: Connection, scripted: Scripted, answer: object = DONE) -> None:
    """The worker asks the vendor to disconnect the shop."""
    attempt = shop.attempts.filter(purpose=Attempt.Purpose.END).latest("pk")
    run_step(attempt, scripted, answer, present=False)  # type: ignore[arg-type]


def close(people: People) -> ClosingMail | None:
    receipt = closing.begin(people.acme, by=people.alice)
    closing.proceed_all()
    return receipt


def finish(shop: Connection, scripted: Scripted, staff: User) -> None:
    disconnected(shop, scripted)
    closing.proceed_all()
    for task in ErasureTask.objects.filter(done=None):
        closing.complete_task(task, staff)
    closing.proceed_all()


def state(merchant: Merchant) -> tuple[bool, bool]:
    merchant.refresh_from_db()
    return merchant.closing_since is not None, merchant.closed_at is not None


def test_access_ends_at_once(people: People, shop: Connection) -> None:
    people.acme.invitations.create(email="dora@example.org", invited_by=people.alice)
    closing.begin(people.acme, by=people.alice)
    assert state(people.acme) == (True, False)
    assert not people.acme.memberships.exists()
    assert people.acme.invitations.get().revoked
    assert User.objects.filter(is_active=True).count() == 3
    event = SecurityEvent.objects.get()
    assert (event.kind, event.merchant) == ("account_closed", people.acme)


def test_shops_are_disconnected_at_the_vendor(
    people: People, scripted: Scripted, shop: Connection
) -> None:
    close(people)
    attempt = shop.attempts.latest("pk")
    assert (attempt.purpose, attempt.due_at is not None) == ("end", True)
    disconnected(shop, scripted)
    assert [name for name, *_ in scripted.asked][-1] == "end"
    shop.refresh_from_db()
    assert shop.status == "disconnected"
    assert state(people.acme) == (True, False)


def test_staff_get_one_task_for_each_vendor(
    people: People, scripted: Scripted, shop: Connection
) -> None:
    close(people)
    disconnected(shop, scripted)
    for _ in range(3):
        closing.proceed_all()
    task = ErasureTask.objects.get()
    assert people.acme.reference in task.text
    assert "room-7" in task.text
    assert "door-9" in task.text
    assert scripted.erase_business in task.text
    assert (closing.progress(people.acme).shops, closing.progress(people.acme).tasks) == (0, 1)


def test_the_alert_lists_the_task_and_clears(
    people: People, scripted: Scripted, shop: Connection, settings: Settings
) -> None:
    settings.STAFF_EMAIL = ["staff@example.com"]
    close(people)
    disconnected(shop, scripted)
    closing.proceed_all()
    staff_alerts.mail_due()
    [alert] = [each for each in mail.outbox if "to delete what it holds" in each.subject]
    assert "room-7" in alert.body
    staff_alerts.clear_resolved()
    assert Alert.objects.get(cause="erasure").cleared is None
    closing.complete_task(ErasureTask.objects.get(), people.charlie)
    staff_alerts.clear_resolved()
    assert Alert.objects.get(cause="erasure").cleared


def test_everything_is_erased_when_all_is_done(
    people: People, scripted: Scripted, shop: Connection
) -> None:
    kind = ContentType.objects.get_for_model(shop)
    LogEntry.objects.create(
        user=people.charlie, content_type=kind, object_id=str(shop.pk), action_flag=CHANGE,
        object_repr="Zwiebelladen", change_message="Task done: Zwiebelladen",
    )  # fmt: skip
    Merchant.objects.filter(pk=people.acme.pk).update(name="Zwiebel & Co")
    people.acme.refresh_from_db()
    assert len(where("Zwiebel")) >= 6
    close(people)
    finish(shop, scripted, people.charlie)
    assert state(people.acme) == (True, True)
    assert where("Zwiebel", "room-7", "door-9") == {"ClosingMail.reader"}
    schedule.mail()
    assert where("Zwiebel") == set()
    assert str(people.acme) == "a closed business"


def test_the_rows_stay_so_that_references_are_never_used_again(
    people: People, scripted: Scripted, shop: Connection
) -> None:
    Call.objects.create(vendor="scripted", call="GET /x", outcome="200", ms=1, connection=shop)
    close(people)
    finish(shop, scripted, people.charlie)
    assert Merchant.objects.filter(reference=people.acme.reference).exists()
    assert Connection.objects.filter(reference=shop.reference).exists()
    assert Call.objects.count() == 1
    assert not Event.objects.exists()


def test_members_are_told_and_the_receipt_comes_at_the_end(
    people: People, scripted: Scripted, shop: Connection
) -> None:
    close(people)
    schedule.mail()
    subjects = {each.to[0]: each.subject for each in mail.outbox}
    assert subjects == {"bob@example.org": "Your business “Acme” is being closed"}
    finish(shop, scripted, people.charlie)
    schedule.mail()
    assert mail.outbox[-1].to == ["alice@example.org"]
    assert people.acme.reference in mail.outbox[-1].body
    assert "“Acme”" in mail.outbox[-1].body


def test_a_shop_that_was_never_connected_calls_nobody(people: People, scripted: Scripted) -> None:
    begin_attempt(people)
    close(people)
    assert scripted.asked == []
    assert state(people.acme) == (True, True)
    assert Attempt.objects.get().ended


def test_an_attempt_that_is_open_at_the_vendor_ends_and_is_asked_about(
    people: People, scripted: Scripted
) -> None:
    run_step(begin_attempt(people), scripted, OPEN)
    Account.objects.update(key="room-7")
    close(people)
    assert Attempt.objects.get().ended
    assert "room-7" in ErasureTask.objects.get().text
    assert state(people.acme) == (True, False)


def test_what_only_the_merchant_could_answer_does_not_stop_it(
    people: People, scripted: Scripted, shop: Connection
) -> None:
    """They have no access any more."""
    close(people)
    disconnected(shop, scripted, Refused("no", who="merchant"))
    closing.proceed_all()
    shop.refresh_from_db()
    assert shop.status == "disconnected"
    assert f"Not disconnected by a call: {shop.reference}" in ErasureTask.objects.get().text


@pytest.mark.parametrize("answer", [Unavailable("down"), Refused("no", who="staff")])
def test_a_vendor_that_may_still_answer_is_asked_again(
    people: People, scripted: Scripted, shop: Connection, answer: VendorError
) -> None:
    close(people)
    disconnected(shop, scripted, answer)
    closing.proceed_all()
    shop.refresh_from_db()
    assert shop.status == "connected"
    disconnected(shop, scripted)
    assert state(people.acme) == (True, False)


def test_a_vendor_that_stays_down_is_asked_by_hand_after_a_week(
    people: People, scripted: Scripted, shop: Connection
) -> None:
    close(people)
    disconnected(shop, scripted, Unavailable("down"))
    overdue = timezone.now() - timedelta(minutes=1)
    Attempt.objects.filter(ended=None).update(deadline=overdue, due_at=overdue)
    journey.advance(shop.attempts.latest("pk").pk, present=False)
    closing.proceed_all()
    shop.refresh_from_db()
    assert shop.status == "disconnected"
    assert shop.reference in ErasureTask.objects.get().text.partition("by a call")[2]


def test_a_vendor_that_is_switched_off_is_asked_by_hand(
    people: People, scripted: Scripted, shop: Connection, settings: Settings
) -> None:
    settings.VENDORS = offered()
    close(people)
    assert shop.reference in ErasureTask.objects.get().text.partition("by a call")[2]
    shop.refresh_from_db()
    assert shop.status == "disconnected"


def test_a_task_of_a_shop_is_waited_for(
    people: People, scripted: Scripted, shop: Connection
) -> None:
    close(people)
    disconnected(shop, scripted, replace(DONE, staff_task="Switch the room off."))
    closing.proceed_all()
    closing.complete_task(ErasureTask.objects.get(), people.charlie)
    closing.proceed_all()
    assert (state(people.acme), closing.progress(people.acme).tasks) == ((True, False), 1)
    journey.complete_task(shop.pk, people.charlie)
    closing.proceed_all()
    assert state(people.acme) == (True, True)


def test_twice_is_once(people: People, shop: Connection) -> None:
    assert close(people)
    assert closing.begin(people.acme, by=people.alice) is None
    assert Attempt.objects.filter(purpose="end").count() == 1
    assert ClosingMail.objects.count() == 2


def test_nobody_joins_a_business_that_is_being_closed(people: People) -> None:
    dora = person("dora@example.org", "Dora")
    made = people.acme.invitations.create(email=dora.email, invited_by=people.alice)
    closing.begin(people.acme, by=people.alice)
    made.revoked = None
    made.save()
    assert not team.accept(made, dora)


def test_staff_close_it_and_every_owner_gets_the_receipt(people: People, shop: Connection) -> None:
    people.acme.memberships.filter(user=people.bob).update(role="owner")
    closing.begin(people.acme)
    kinds = sorted(ClosingMail.objects.values_list("kind", flat=True))
    assert kinds == ["business_closed"] * 2 + ["business_closing"] * 2


def test_a_business_without_members_or_shops_is_erased(people: People) -> None:
    empty = Merchant.objects.create(name="Nobody's")
    assert closing.begin(empty) is None
    closing.proceed_all()
    assert state(empty) == (True, True)


def test_others_are_not_touched(people: People, scripted: Scripted, shop: Connection) -> None:
    theirs = journey.begin(
        merchant=people.other, connector=shop.connector, user=people.charlie, name="Other",
        answers={}, another=True,
    )  # fmt: skip
    close(people)
    finish(shop, scripted, people.charlie)
    theirs.refresh_from_db()
    assert theirs.ended is None
    assert theirs.connection.name == "Other"
    assert people.other.memberships.exists()


def test_what_was_agreed_to_stays_without_a_name(
    people: People, scripted: Scripted, shop: Connection
) -> None:
    people.acme.name = "Zwiebel GmbH"
    people.acme.save()
    names = {"vendor": {"name": "Scripted"}, "connector": {"name": "Shop"}}
    agreement = Agreement({"summary": "It opens."}, "1", "en", names)
    consent = Consent.record(shop.attempts.get(), agreement)
    close(people)
    finish(shop, scripted, people.charlie)
    consent.refresh_from_db()
    assert (consent.words, consent.about) == ({"summary": "It opens."}, names)
    assert where("Zwiebel") <= {"ClosingMail.reader"}  # until the mail is sent
    assert receipts.in_its_language(consent)["person"] == {"name": "", "email": ""}
