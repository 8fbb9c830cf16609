"""Alerts for staff: STAFF_EMAIL gets one mail per vendor and cause until the alert clears."""

from __future__ import annotations

import pytest
from django.core.mail import EmailMessage
from django.utils import timezone
from pytest_django.fixtures import Settings

from onboarding import journey
from onboarding.models import Account, Alert, Attempt, Connection, Hop
from tests.support.attempts import CONNECTED, begin_attempt, run_step
from tests.support.people import People
from tests.support.scripted import Scripted
from tests.support.site import free_port
from tests.support.sweep import sweep
from vendors.contract import Done, Garbled, Order, Progress, Refused, Step, text

pytestmark = pytest.mark.both

STAFF = ["staff@example.org", "night@example.org"]
SECRET = "c4n4ry-do-not-mail"
NO_KEY = Refused("the API answered 401", who="staff", status=401)


@pytest.fixture(autouse=True)
def _told(settings: Settings) -> None:
    settings.STAFF_EMAIL = STAFF
    settings.SITE_URL = "https://shops.example.org"


def quiet_sweep(scripted: Scripted) -> None:
    """A sweep in which no vendor is asked: only what is periodic happens."""
    Attempt.objects.update(due_at=None)
    Connection.objects.update(due_at=None)
    sweep()
    assert not scripted.script


def test_staff_get_one_mail_however_many_shops_wait(
    people: People, scripted: Scripted, mailoutbox: list[EmailMessage]
) -> None:
    for name in ("One", "Two", "Three"):
        run_step(begin_attempt(people, name), scripted, NO_KEY)
        quiet_sweep(scripted)
    [mail] = mailoutbox
    assert mail.to == STAFF
    assert mail.subject == "[Gangway] Scripted refused a request of ours (HTTP 401)"
    assert "the API answered 401" in mail.body


def test_the_mail_leads_to_what_waits(
    people: People, scripted: Scripted, mailoutbox: list[EmailMessage]
) -> None:
    run_step(begin_attempt(people), scripted, NO_KEY)
    quiet_sweep(scripted)
    path = "/admin/onboarding/connection/?status__exact=on_it"
    assert f"https://shops.example.org{path}\n" in mailoutbox[0].body


def test_another_cause_is_another_mail(
    people: People, scripted: Scripted, mailoutbox: list[EmailMessage]
) -> None:
    run_step(begin_attempt(people, "One"), scripted, NO_KEY)
    run_step(begin_attempt(people, "Two"), scripted, Garbled("no list", cause="garbled-list"))
    quiet_sweep(scripted)
    assert {mail.subject for mail in mailoutbox} == {
        "[Gangway] Scripted refused a request of ours (HTTP 401)",
        "[Gangway] We do not understand an answer of Scripted",
    }


def test_what_cleared_and_came_back_is_mailed_again(
    people: People, scripted: Scripted, mailoutbox: list[EmailMessage]
) -> None:
    attempt = run_step(begin_attempt(people), scripted, NO_KEY)
    quiet_sweep(scripted)
    run_step(attempt, scripted, CONNECTED)
    quiet_sweep(scripted)
    assert Alert.objects.exclude(cleared=None).count() == 1
    run_step(begin_attempt(people, "Two"), scripted, NO_KEY)
    quiet_sweep(scripted)
    assert [mail.to for mail in mailoutbox].count(STAFF) == 2


def test_it_does_not_clear_while_another_shop_waits_for_it(
    people: People, scripted: Scripted, mailoutbox: list[EmailMessage]
) -> None:
    mended = run_step(begin_attempt(people, "One"), scripted, NO_KEY)
    run_step(begin_attempt(people, "Two"), scripted, NO_KEY)
    run_step(mended, scripted, CONNECTED)
    quiet_sweep(scripted)
    assert Alert.objects.get().cleared is None


def test_it_does_not_clear_while_the_vendor_is_being_asked_again(
    people: People, scripted: Scripted, mailoutbox: list[EmailMessage]
) -> None:
    attempt = run_step(begin_attempt(people), scripted, NO_KEY)
    quiet_sweep(scripted)

    def meanwhile(_: Order) -> Step:
        quiet_sweep(scripted)
        raise NO_KEY

    run_step(attempt, scripted, Progress(account={"token": "2"}), meanwhile)
    quiet_sweep(scripted)
    assert len(mailoutbox) == 1


def test_a_mail_that_failed_is_sent_by_a_later_sweep(
    people: People, scripted: Scripted, settings: Settings, mailoutbox: list[EmailMessage]
) -> None:
    working = settings.EMAIL_BACKEND
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", free_port()
    run_step(begin_attempt(people), scripted, NO_KEY)
    quiet_sweep(scripted)
    assert Alert.objects.get().mailed is None
    settings.EMAIL_BACKEND = working
    Alert.objects.update(mail_retry_at=timezone.now())  # a minute later
    quiet_sweep(scripted)
    assert len(mailoutbox) == 1


def test_no_secret_is_mailed(
    people: People, scripted: Scripted, mailoutbox: list[EmailMessage]
) -> None:
    attempt = run_step(begin_attempt(people), scripted, NO_KEY)
    Connection.objects.update(memo={"x": SECRET}, answers={"x": SECRET}, reveal={"x": SECRET})
    Account.objects.update(memo={"x": SECRET}, staff_answers={"x": SECRET}, lease_token=SECRET)
    Attempt.objects.update(call={"name": SECRET}, connection_memo={"x": SECRET})
    Hop.objects.filter(attempt=attempt).update(state=SECRET, url=SECRET, params={"x": SECRET})
    quiet_sweep(scripted)
    assert SECRET not in str(mailoutbox[0].message())


def test_without_an_address_nobody_is_mailed(
    people: People, scripted: Scripted, settings: Settings, mailoutbox: list[EmailMessage]
) -> None:
    settings.STAFF_EMAIL = []
    run_step(begin_attempt(people), scripted, NO_KEY)
    quiet_sweep(scripted)
    assert mailoutbox == []
    assert Alert.objects.get().mailed is None


def test_a_task_is_mailed_and_clears_when_it_is_done(
    people: People, scripted: Scripted, mailoutbox: list[EmailMessage]
) -> None:
    connection = run_step(begin_attempt(people), scripted, CONNECTED).connection
    asked = Done(here=text("Ended."), there=text("Still on."), staff_task="Switch room 1 off.")
    run_step(journey.disconnect(connection, people.alice), scripted, asked)
    quiet_sweep(scripted)
    [mail] = mailoutbox
    for line in ("“My shop”: Switch room 1 off.", "Shops with such a task now: 1."):
        assert line in mail.body.splitlines()
    assert "/admin/onboarding/connection/?task=1\n" in mail.body
    assert Alert.objects.get().cleared is None
    journey.complete_task(connection.pk)
    quiet_sweep(scripted)
    assert Alert.objects.get().cleared is not None
