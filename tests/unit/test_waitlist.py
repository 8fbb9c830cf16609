"""The waitlist: an outage is shown before a merchant starts, who can leave the connection with us."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import pytest
from django.core import mail
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries
from pytest_django.fixtures import Settings

from onboarding.models import Attempt, WaitlistEntry
from onboarding.notifications import choices, waitlist
from tests.support.outages import begin_outage, end_outage, join_waitlist, page
from tests.support.people import People, connector
from tests.support.scripted import Scripted, offered
from tests.support.staff import listed, page_text, staff_client
from tests.support.visit import browser, offer, visible_text
from vendors.contract import Question, Unavailable
from vendors.contract import text as said

pytestmark = [pytest.mark.both, pytest.mark.usefixtures("inline_executor")]
CATALOGUE = reverse("catalogue")
SILENT = "Scripted has not been answering since"
REFUSED = "Scripted is not letting us sign in. Our staff know and are working on it."
FAULTY = "Scripted has had a technical problem since"
BUSY = "Scripted asks us to wait a moment."
LEAVE, TRY, GO_ON = "Leave it with us", "Try now", "Continue to Scripted"


# -- before anybody begins -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cause", "sentence"),
    [("silent", SILENT), ("faulty", FAULTY), ("busy", BUSY), ("credentials", REFUSED)],
)
def test_the_catalogue_the_platform_and_the_check_page_say_it(
    people: People, scripted: Scripted, cause: str, sentence: str
) -> None:
    there = [CATALOGUE, reverse("platform", args=[offer().platform]), page(people)]
    alice = browser(people.alice)
    assert not [
        each for each in there if "Scripted has not" in visible_text(alice.get(each, follow=True))
    ]
    begin_outage(cause)
    for each in there:
        assert sentence in visible_text(alice.get(each, follow=True))
        assert "eave it with us" in visible_text(alice.get(each, follow=True))


def test_only_connectors_of_that_vendor_are_marked(people: People, settings: Settings) -> None:
    @dataclass(frozen=True)
    class Other(Scripted):
        slug: ClassVar[str] = "other"
        name: ClassVar[str] = "Other"

    settings.VENDORS = offered(Scripted(), Other())
    for slug in ("scripted", "other"):
        connector(slug, vendor_name=f"Of {slug}", platform=slug, category=slug)
    begin_outage(vendor="other")
    assert "Of other Not reachable right now" in visible_text(browser().get(CATALOGUE))
    assert "Of scripted Not" not in visible_text(browser().get(CATALOGUE))
    assert "not been answering" not in visible_text(browser().get(f"{CATALOGUE}?category=scripted"))


def test_the_catalogue_costs_one_query_more_and_none_for_nothing(
    scripted: Scripted, db: None, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(1):
        browser().get(CATALOGUE)
    for number in range(20):
        connector("scripted", f"shop-{number}")
    begin_outage()
    with django_assert_num_queries(2):
        browser().get(CATALOGUE)


def test_the_pages_ask_no_vendor(people: People, scripted: Scripted) -> None:
    begin_outage()
    for each in (CATALOGUE, page(people)):
        browser(people.alice).get(each)
    join_waitlist(people)
    assert scripted.calls == []


def test_with_a_silent_vendor_one_may_try_all_the_same(people: People, scripted: Scripted) -> None:
    begin_outage()
    before = visible_text(browser(people.alice).get(page(people)))
    assert LEAVE in before
    assert TRY in before
    assert GO_ON not in before
    scripted.script.append(Unavailable())
    gone = browser(people.alice).post(page(people), {"name": "Mine"})
    assert gone["Location"] == Attempt.objects.get().get_absolute_url()


def test_with_refused_credentials_there_is_nothing_to_try(
    people: People, scripted: Scripted
) -> None:
    begin_outage("credentials")
    shown = visible_text(browser(people.alice).get(page(people)))
    assert LEAVE in shown
    assert TRY not in shown
    assert "credentials" not in shown


# -- leaving it with us --------------------------------------------------------------------------


def test_pressed_twice_it_is_the_same_with_what_was_typed_last(
    people: People, scripted: Scripted
) -> None:
    begin_outage()
    join_waitlist(people)
    join_waitlist(people, name="Another name")
    assert WaitlistEntry.objects.get().typed == {"name": "Another name"}
    assert LEAVE not in visible_text(browser(people.alice).get(page(people)))


def test_what_was_typed_is_there_again_but_no_secret(people: People, settings: Settings) -> None:
    @dataclass(frozen=True)
    class Asking(Scripted):
        def questions(self, connector: str) -> tuple[Question, ...]:
            town, password = said("Town"), said("Password")
            return (
                Question(key="town", label=town),
                Question(key="password", label=password, secret=True),
            )

    settings.VENDORS = offered(Asking())
    begin_outage()
    join_waitlist(people, answer_town="Ghent", answer_password="s3cret")
    end_outage()
    html = browser(people.alice).get(page(people)).content.decode()
    assert 'value="Ann’s shop"' in html
    assert 'value="Ghent"' in html
    assert "s3cret" not in html + str(WaitlistEntry.objects.get().typed)
    assert "Ghent" not in browser(people.bob).get(page(people)).content.decode()


def test_leaving_it_needs_no_valid_form(people: People, scripted: Scripted) -> None:
    begin_outage()
    assert "We’ll email alice@example.org" in visible_text(join_waitlist(people, name=""))
    assert "scripted shop" in browser(people.alice).get(page(people)).content.decode()


def test_if_the_vendor_recovers_first_nothing_is_queued_or_lost(
    people: People, scripted: Scripted
) -> None:
    response = join_waitlist(people)
    assert "Scripted is back. You can continue now." in visible_text(response)
    assert GO_ON in visible_text(response)
    assert 'value="Ann’s shop"' in response.content.decode()
    assert not WaitlistEntry.objects.exists()


# -- who follows the link, and who reads the list ------------------------------------------------


def test_a_signed_out_reader_signs_in_and_lands_there(people: People, scripted: Scripted) -> None:
    for name in ("connect", "leave-it"):
        there = page(people, name)
        assert browser().get(there)["Location"].endswith(f"?next={there}")
    assert browser(people.alice).get(page(people, "leave-it"))["Location"] == page(people)
    assert GO_ON in visible_text(browser(people.alice).get(page(people)))


def test_who_is_no_member_any_more_gets_the_calm_page(people: People, scripted: Scripted) -> None:
    begin_outage()
    join_waitlist(people)
    people.acme.memberships.filter(user=people.alice).delete()
    assert browser(people.alice).get(page(people)).status_code == 404
    assert join_waitlist(people).status_code == 404


def test_staff_see_who_waits_for_what(people: People, scripted: Scripted) -> None:
    begin_outage()
    join_waitlist(people, name="c4n4ry")
    shown = page_text(staff_client().get(listed("waitlistentry")))
    assert "alice@example.org Acme scripted shop scripted" in shown
    assert "c4n4ry" not in shown
    found = page_text(
        staff_client("frida@example.org").get(f"{listed('waitlistentry')}?q=nobody&waiting=1")
    )
    assert "alice@example.org" not in found


def test_no_mail_is_promised_to_who_does_not_want_it(
    people: People, scripted: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin_outage()
    assert "we’ll email you" in visible_text(browser(people.alice).get(page(people)))
    monkeypatch.setattr(choices, "wants", lambda user, merchant, group: False)
    assert "email you" not in visible_text(browser(people.alice).get(page(people)))
    shown = visible_text(join_waitlist(people))
    assert "You left it with us." in shown
    assert "We’ll email" not in shown
    end_outage()
    waitlist.mail_due()
    assert not mail.outbox
