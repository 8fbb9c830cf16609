"""Start page, catalogue, home, a shop's page, and the error pages."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.contrib.auth.models import AnonymousUser
from django.test import RequestFactory
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries
from pytest_django.fixtures import Settings

from onboarding.models import Connection
from onboarding.views import errors
from tests.support.attempts import CONNECTED, run_check
from tests.support.people import People, connector
from tests.support.scripted import Scripted
from tests.support.visit import LINK, OPEN, browser, offer, start_attempt, url, visible_text
from vendors.contract import Declined, Done, NeedsMerchant, Unavailable, text

pytestmark = pytest.mark.usefixtures("inline_executor")
CATALOGUE = reverse("catalogue")
DONE = Done(
    here=text("We stopped looking."),
    there=text("Scripted closed the room."),
    todo=text("Take your key out."),
)


def connected(people: People, scripted: Scripted, name: str = "My shop") -> Connection:
    attempt = start_attempt(
        people, scripted, replace(CONNECTED, shop_id=f"id of {name}"), name=name
    )
    return Connection.objects.select_related("account__merchant").get(pk=attempt.connection_id)


# -- before signing up ---------------------------------------------------------------------------


def test_the_start_page_leads_to_the_catalogue_and_members_to_their_shops(people: People) -> None:
    for user, link in ((None, CATALOGUE), (people.alice, reverse("shops"))):
        assert f'href="{link}"' in browser(user).get("/").content.decode()


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", "One Two"),
        ("?q=one", "One"),
        ("?q=TWO big", "Two"),
        ("?q=zzz", ""),
        ("?category=erp", "Two"),
    ],
)
def test_the_catalogue_is_searched(scripted: Scripted, db: None, query: str, found: str) -> None:
    connector("scripted", "one", vendor_name="One")
    connector("scripted", "two", vendor_name="Two", description="A big system", category="erp")
    said = visible_text(browser().get(CATALOGUE + query))
    assert [name for name in ("One", "Two") if f" {name} " in said] == found.split()


def test_while_typing_only_the_results_are_sent(scripted: Scripted, db: None) -> None:
    offer()
    response = browser().get(CATALOGUE, headers={"HX-Request": "true"})
    assert "<html" not in response.content.decode()
    assert "HX-Request" in response["Vary"]


def test_hidden_gone_and_switched_off_connectors_are_not_shown(
    people: People, scripted: Scripted
) -> None:
    connector("scripted", "a", visible=False)
    connector("scripted", "b", gone=timezone.now())
    connector("nobody", "c")
    assert "Nothing can be connected at the moment" in visible_text(browser().get(CATALOGUE))


def test_the_catalogue_costs_six_queries(
    people: People, scripted: Scripted, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(20):
        connector("scripted", f"shop-{number}")
    alice = browser(people.alice)
    alice.get(CATALOGUE)
    with django_assert_max_num_queries(6):
        alice.get(CATALOGUE)


def test_a_platform_has_a_page_of_its_own(scripted: Scripted, db: None) -> None:
    offer(vendor_name="eBay", platform="ebay")
    response = browser().get(reverse("platform", args=["ebay"]))
    for expected in ("Connect eBay", str(scripted.summary), str(scripted.prerequisites)):
        assert expected in visible_text(response)
    assert str(scripted.shared_data[0]) in visible_text(response)


def two_ways(**second: str) -> str:
    """The page of a platform with two connectors."""
    connector("scripted", "one", vendor_name="eBay one", platform="ebay", position=1)
    connector("scripted", "two", vendor_name="eBay two", platform="ebay", position=2, **second)
    return reverse("platform", args=["ebay"])


def test_of_several_ways_the_first_is_chosen_and_the_others_are_links(
    scripted: Scripted, db: None
) -> None:
    response = browser().get(two_ways(description="For those who use two."))
    said = visible_text(response)
    assert "Connect eBay one Through Scripted" in said
    assert "eBay two, through Scripted For those who use two." in said
    assert 'href="/connect/ebay/?way=scripted-two"' in response.content.decode()


def test_another_way_is_chosen_by_its_name_in_the_address(scripted: Scripted, db: None) -> None:
    response = browser().get(f"{two_ways()}?way=scripted-two")
    assert "Connect eBay two Through Scripted" in visible_text(response)
    assert 'name="next" value="/connect/ebay/?way=scripted-two"' in response.content.decode()
    assert 'href="/connect/ebay/?way=scripted-one"' in response.content.decode()


@pytest.mark.parametrize("way", ["nothing", "scripted-other", "", "%F0", "a%22b"])
def test_an_unknown_or_foreign_way_is_ignored(scripted: Scripted, db: None, way: str) -> None:
    connector("scripted", "other")
    response = browser().get(f"{two_ways()}?way={way}")
    assert response.status_code == 200
    assert "Connect eBay one Through Scripted" in visible_text(response)
    assert 'href="/connect/ebay/?way=scripted-two"' in response.content.decode()


def test_a_member_finds_the_other_ways_in_the_same_business(
    people: People, scripted: Scripted
) -> None:
    response = browser(people.alice).get(two_ways(), follow=True)
    other = reverse("connect", args=[people.acme.reference, "scripted-two"])
    assert f'href="{other}"' in response.content.decode()
    said = visible_text(browser(people.alice).get(other))
    assert "Connect eBay two Through Scripted, for Acme" in said


def test_an_unknown_platform_gets_help(scripted: Scripted, db: None) -> None:
    offer(vendor_name="eBay")
    response = browser().get(reverse("platform", args=["ebuy"]))
    assert response.status_code == 404
    assert "We found no “ebuy” Did you mean one of these?" in visible_text(response)
    assert "eBay" in visible_text(response)


# -- shops ---------------------------------------------------------------------------------------


def test_home_says_the_one_next_thing_of_each_shop(people: People, scripted: Scripted) -> None:
    connected(people, scripted, "First")
    stopped = start_attempt(people, scripted, Declined(), name="Second")
    response = browser(people.bob).get(people.acme.get_absolute_url())
    assert "First Connected through Scripted Connected" in visible_text(response)
    assert "You cancelled at Scripted, so nothing was changed. Action needed" in visible_text(
        response
    )
    assert stopped.get_absolute_url() in response.content.decode()


def test_home_costs_seven_queries_however_many_shops(
    people: People, scripted: Scripted, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(5):
        start_attempt(people, scripted, OPEN, name=f"Shop {number}")
    alice = browser(people.alice)
    alice.get(people.acme.get_absolute_url())
    with django_assert_max_num_queries(7):
        assert "Shop 4" in visible_text(alice.get(people.acme.get_absolute_url()))


def test_a_shop_shows_what_we_know_and_what_happened(people: People, scripted: Scripted) -> None:
    connection = connected(people, scripted)
    said = visible_text(browser(people.alice).get(connection.get_absolute_url()))
    for expected in ("Connected The vendor lists it.", "Confirmed by Scripted", "Last checked"):
        assert expected in said
    assert "Connecting started. you" in said
    bob = visible_text(browser(people.bob).get(connection.get_absolute_url()))
    assert "Connecting started. Alice" in bob


def test_an_unconfirmed_shop_is_not_called_confirmed(people: People, scripted: Scripted) -> None:
    attempt = start_attempt(people, scripted, replace(CONNECTED, confirmed=False))
    said = visible_text(browser(people.alice).get(attempt.connection.get_absolute_url()))
    assert "Confirmed by Scripted Not yet" in said


def test_a_failed_check_is_shown_and_lowers_nothing(people: People, scripted: Scripted) -> None:
    connection = run_check(connected(people, scripted), scripted, Unavailable())
    said = visible_text(browser(people.alice).get(connection.get_absolute_url()))
    assert "Not confirmed since" in said
    assert " Connected The vendor lists it." in said


def test_a_shop_that_needs_the_merchant_says_what_to_do(people: People, scripted: Scripted) -> None:
    again = NeedsMerchant(code="x", note=text("Sign in there again."))
    connection = run_check(connected(people, scripted), scripted, again)
    said = visible_text(browser(people.alice).get(connection.get_absolute_url()))
    assert "Action needed Sign in there again." in said
    assert "Reconnect" in said


def test_only_a_shop_that_works_is_said_to_keep_working(people: People, scripted: Scripted) -> None:
    shop, alice, works = connected(people, scripted), browser(people.alice), "keeps working"
    assert works in visible_text(alice.get(shop.get_absolute_url()))
    run_check(shop, scripted, NeedsMerchant(code="x", note=text("Sign in there again.")))
    said = visible_text(alice.get(shop.get_absolute_url()))
    assert (works in said, "Connect this shop again." in said) == (False, True)


def test_a_shop_that_never_worked_is_started_again(people: People, scripted: Scripted) -> None:
    shop = start_attempt(people, scripted, Unavailable()).connection
    said = visible_text(browser(people.alice).get(shop.get_absolute_url()))
    assert ("keeps working" in said, "Start again from the first step." in said) == (False, True)


def test_a_shop_under_way_leads_on(people: People, scripted: Scripted) -> None:
    attempt = start_attempt(people, scripted, Unavailable())
    response = browser(people.alice).get(attempt.connection.get_absolute_url())
    assert "Scripted is not answering" in visible_text(response)
    assert attempt.get_absolute_url() in response.content.decode()
    assert "hx-get" in response.content.decode()


def test_the_page_of_a_shop_follows_what_happens(people: People, scripted: Scripted) -> None:
    connection = start_attempt(people, scripted, Unavailable()).connection
    alice = browser(people.alice)
    same = alice.get(url("connection-status", connection) + f"?look=1&version={connection.version}")
    assert "situation" not in same.content.decode()
    news = alice.get(url("connection-status", connection) + "?look=1&version=0")
    assert {'id="situation"', 'id="timeline"'} <= set(news.content.decode().split())


def test_reconnecting_leaves_for_the_vendor(people: People, scripted: Scripted) -> None:
    connection = connected(people, scripted)
    scripted.script.append(OPEN)
    response = browser(people.bob).post(url("reconnect", connection))
    assert (response.status_code, response["Location"]) == (303, LINK)
    connection.refresh_from_db()
    assert connection.status == "connected"


def test_the_vendor_is_opened_again_from_a_connected_shop(
    people: People, scripted: Scripted
) -> None:
    connection, alice = connected(people, scripted), browser(people.alice)
    assert "Open Scripted again" in visible_text(alice.get(connection.get_absolute_url()))
    scripted.script.append(OPEN)
    assert alice.post(url("enter", connection))["Location"] == LINK
    assert scripted.calls[-1] == "enter"


def test_disconnecting_says_what_ended_and_what_is_left(people: People, scripted: Scripted) -> None:
    connection, alice = connected(people, scripted), browser(people.alice)
    assert "What will happen" in visible_text(alice.get(url("disconnect", connection)))
    scripted.script.append(DONE)
    assert alice.post(url("disconnect", connection))["Location"] == connection.get_absolute_url()
    said = visible_text(alice.get(connection.get_absolute_url()))
    assert "We stopped looking. Scripted closed the room. Take your key out." in said
    assert "Disconnect" not in said.replace("Disconnected", "").replace("Disconnecting", "")


def test_a_shop_that_was_reconnected_elsewhere_starts_over(
    people: People, scripted: Scripted
) -> None:
    connection, alice = connected(people, scripted, "First"), browser(people.alice)
    scripted.script.append(DONE)
    alice.post(url("disconnect", connection))
    start_attempt(people, scripted, replace(CONNECTED, shop_id="id of First"), name="Second")
    scripted.script.append(OPEN)
    assert alice.post(url("reconnect", connection))["Location"] == LINK
    assert scripted.last.shop_id == ""


def test_a_shop_is_renamed_and_names_stay_apart(people: People, scripted: Scripted) -> None:
    connection, alice = connected(people, scripted, "First"), browser(people.alice)
    connected(people, scripted, "Second")
    wrong = alice.post(url("rename", connection), {"name": "second"})
    assert "You already have a shop called “second”" in visible_text(wrong)
    alice.post(url("rename", connection), {"name": "Third"})
    connection.refresh_from_db()
    assert connection.name == "Third"


# -- when something goes wrong -------------------------------------------------------------------


def test_a_missing_page_says_what_to_do_and_what_to_quote(db: None, settings: Settings) -> None:
    settings.SUPPORT_EMAIL = "help@operator.example"
    response = browser().get("/nowhere/")
    assert response.status_code == 404
    for expected in ("Page not found", "help@operator.example"):
        assert expected in visible_text(response)
    assert response["X-Request-Reference"] in visible_text(response)


def test_an_old_form_is_explained(db: None, people: People) -> None:
    response = browser(people.alice, strict=True).post(reverse("welcome"))
    assert response.status_code == 403
    assert "This page was open for too long" in visible_text(response)
    assert response["X-Request-Reference"] in visible_text(response)


@pytest.mark.parametrize(("view", "status"), [("bad_request", 400), ("forbidden", 403)])
def test_other_refusals_have_pages_too(db: None, view: str, status: int) -> None:
    request = RequestFactory().get("/")
    request.user = AnonymousUser()
    response = getattr(errors, view)(request, Exception())
    assert response.status_code == status
    assert "Nothing was changed" in visible_text(response)


def test_a_bug_has_a_page_that_needs_nothing(settings: Settings) -> None:
    settings.SUPPORT_EMAIL = "help@operator.example"
    request = RequestFactory().get("/")
    vars(request)["reference"] = "7K3Q-9M2P"
    response = errors.server_error(request)
    assert response.status_code == 500
    for expected in ("We have a problem on our side", "7K3Q-9M2P", "help@operator.example"):
        assert expected in visible_text(response)
