"""Mails of the waitlist: a member is told once that the vendor is back, and only if they can go on."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.core import mail
from django.db import connection as database
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import get_language
from pytest_django import DjangoAssertNumQueries
from pytest_django.fixtures import Settings

from onboarding import notifications
from onboarding.background import schedule
from onboarding.models import Breaker, Connector, Merchant, User, WaitlistEntry
from onboarding.notifications import choices, outbox, waitlist
from tests.support.outages import begin_outage, end_outage, join_waitlist, page
from tests.support.people import People
from tests.support.scripted import Scripted, offered
from tests.support.visit import OPEN, browser, visible_text

pytestmark = [pytest.mark.both, pytest.mark.usefixtures("inline_executor")]


def told() -> list[str]:
    """Who has been mailed, after another round of the sweep."""
    waitlist.mail_due()
    return [address for sent in mail.outbox for address in sent.to]


@pytest.mark.parametrize("cause", ["silent", "faulty", "busy", "credentials"])
def test_a_member_on_the_waitlist_gets_one_mail(
    people: People, scripted: Scripted, cause: str
) -> None:
    begin_outage(cause)
    assert "We’ll email alice@example.org when Scripted is back." in visible_text(
        join_waitlist(people)
    )
    assert told() == []
    end_outage()
    assert told() == ["alice@example.org"]
    assert told() == ["alice@example.org"]
    sent = mail.outbox[0]
    assert sent.subject == "Scripted is back: you can connect scripted shop now"
    assert f"\nhttp://localhost{page(people)}\n" in str(sent.body)
    assert "for “Acme”" in str(sent.body)


def test_each_member_joins_the_waitlist_separately(people: People, scripted: Scripted) -> None:
    begin_outage()
    join_waitlist(people)
    join_waitlist(people, people.bob)
    end_outage()
    assert sorted(told()) == ["alice@example.org", "bob@example.org"]


def test_a_worker_that_comes_while_another_is_sending_sends_nothing(
    people: People, scripted: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin_outage()
    join_waitlist(people)
    end_outage()
    first = waitlist._compose

    def slowly(row: WaitlistEntry) -> Any:
        monkeypatch.setattr(waitlist, "_compose", first)
        waitlist.mail_due()
        return first(row)

    monkeypatch.setattr(waitlist, "_compose", slowly)
    assert told() == ["alice@example.org"]


def test_two_workers_at_once_send_one_mail(people: People, scripted: Scripted) -> None:
    begin_outage()
    join_waitlist(people)
    row = WaitlistEntry.objects.select_related("user", "merchant", "connector").get()
    gate = threading.Barrier(2)

    def work() -> None:
        gate.wait(timeout=20)
        outbox.send(row, waitlist._compose)
        database.close()

    workers = [threading.Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(mail.outbox) == 1
    assert WaitlistEntry.objects.get().mailed


def test_the_mail_comes_with_the_sweep_in_the_merchants_language(
    people: People, scripted: Scripted, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.LANGUAGES = [("en", "English"), ("de", "Deutsch")]
    Merchant.objects.update(language="de")
    spoken = set()

    def render(template: str, context: dict[str, Any]) -> str:
        spoken.add(get_language())
        return render_to_string(template, context)

    monkeypatch.setattr(notifications.mail, "render_to_string", render)
    begin_outage()
    join_waitlist(people)
    end_outage()
    schedule.mail()
    assert len(mail.outbox) == 1
    assert spoken == {"de"}


@pytest.mark.parametrize(
    "change",
    [
        lambda people: Connector.objects.update(gone=timezone.now()),
        lambda people: Connector.objects.update(visible=False),
        lambda people: people.acme.memberships.filter(user=people.alice).delete(),
        lambda people: User.objects.filter(pk=people.alice.pk).update(is_active=False),
    ],
    ids=["gone", "hidden", "no member", "closed"],
)
def test_who_cannot_go_on_is_not_called_back(
    people: People, scripted: Scripted, change: Any
) -> None:
    begin_outage()
    join_waitlist(people)
    change(people)
    end_outage()
    assert told() == []
    assert WaitlistEntry.objects.filter(mailed=None).exists()


def test_a_vendor_that_was_switched_off_is_not_back(
    people: People, scripted: Scripted, settings: Settings
) -> None:
    begin_outage()
    join_waitlist(people)
    end_outage()
    settings.VENDORS = offered()
    assert told() == []


def test_who_went_on_by_themselves_is_not_mailed(people: People, scripted: Scripted) -> None:
    begin_outage()
    join_waitlist(people)
    scripted.script.append(OPEN)
    browser(people.alice).post(page(people), {"name": "Mine"})
    end_outage()
    assert told() == []
    assert not WaitlistEntry.objects.exists()


def test_after_another_outage_it_can_be_joined_again(people: People, scripted: Scripted) -> None:
    for _ in range(2):
        begin_outage()
        join_waitlist(people)
        Breaker.objects.all().delete()
        waitlist.mail_due()
    assert len(mail.outbox) == 2


def test_whoever_does_not_want_that_mail_is_asked_about_once(
    people: People, scripted: Scripted, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    begin_outage()
    join_waitlist(people)
    choices.stop(people.alice, people.acme, ["turn"])
    end_outage()
    assert told() == []
    assert WaitlistEntry.objects.get().dropped
    with django_assert_num_queries(1):
        waitlist.mail_due()


def test_it_stays_on_the_page_and_is_joined_again_in_another_outage(
    people: People, scripted: Scripted
) -> None:
    home = people.acme.get_absolute_url()
    begin_outage()
    join_waitlist(people)
    WaitlistEntry.objects.update(dropped=timezone.now())
    assert "was back, and is down again" in visible_text(browser(people.alice).get(home))
    join_waitlist(people)
    end_outage()
    assert told() == ["alice@example.org"]
