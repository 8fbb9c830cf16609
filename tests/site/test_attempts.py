"""The page of an attempt: what happened, whose turn it is, and one thing to do."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries
from pytest_django.fixtures import Settings

from onboarding import journey
from onboarding.background import runner
from onboarding.models import Attempt, Connector, Hop, Notice
from tests.support.attempts import CONNECTED, begin_attempt, reloaded
from tests.support.people import People
from tests.support.scripted import Answer, Scripted, offered
from tests.support.visit import LINK, OPEN, browser, start_attempt, url, visible_text
from vendors.contract import (
    Ask,
    Declined,
    Garbled,
    NeedsMerchant,
    Question,
    Redirect,
    Refused,
    StartOver,
    Unavailable,
    Unsure,
    Waiting,
    text,
)

pytestmark = [pytest.mark.both, pytest.mark.usefixtures("inline_executor")]
STAYS = Redirect(url=LINK, returns=False)
LATER = Waiting(
    note=text("Scripted reads your shop."),
    poll_every=timedelta(minutes=2),
    give_up_after=timedelta(days=1),
)
WHICH = Ask(
    note=text("Scripted knows two."),
    questions=(
        Question(
            key="store",
            label=text("Which shop?"),
            choices=(("a", text("First")), ("b", text("Second"))),
        ),
    ),
)
INSTALL = NeedsMerchant(code="app", note=text("Install the app."), link="https://app.example/")
SENTENCES: list[tuple[Answer, tuple[str, ...]]] = [
    (CONNECTED, ("“My shop” is connected", "The vendor lists it.", "See this shop")),
    (LATER, ("Scripted is still working", "Scripted reads your shop.", "Check again now")),
    (
        Declined(),
        (
            "Not connected yet: you cancelled at Scripted",
            "It is your turn",
            "Start again at Scripted",
        ),
    ),
    (
        StartOver(note=text("The page there has run out.")),
        (
            "Not connected yet: start again at Scripted",
            "has run out.",
            "It is your turn",
        ),
    ),
    (Refused(who="merchant"), ("Scripted did not accept this", "Try again")),
    (Refused(who="staff"), ("We’re on it", "Our staff know")),
    (Garbled("odd"), ("We’re on it", "Our staff are working on it")),
    (Unsure("lost"), ("We’re on it",)),
    (
        Unavailable(),
        ("Waiting for Scripted Scripted is not answering", "Next try", "Try again now"),
    ),
    (INSTALL, ("One more step at Scripted", "Install the app.", "Open Scripted")),
    (WHICH, ("Which shop? Scripted knows two.", "First", "Second", "Save and continue")),
    (Redirect(url=""), ("Everything is ready", "Continue to Scripted")),
]


@pytest.mark.parametrize(("answer", "sentences"), SENTENCES)
def test_the_page_says_what_happened_and_what_to_do(
    people: People, scripted: Scripted, settings: Settings, answer: Answer, sentences: list[str]
) -> None:
    settings.SUPPORT_EMAIL = "help@operator.example"
    attempt = start_attempt(people, scripted, answer)
    said = visible_text(browser(people.alice).get(attempt.get_absolute_url()))
    for expected in (*sentences, attempt.reference, "help@operator.example"):
        assert expected in said


def test_an_attempt_left_for_a_week_may_begin_again(people: People, scripted: Scripted) -> None:
    attempt, alice = start_attempt(people, scripted, OPEN), browser(people.alice)
    Attempt.objects.update(deadline=timezone.now(), due_at=timezone.now())
    journey.advance(attempt.pk)
    assert "Start again" in visible_text(alice.get(attempt.get_absolute_url()))
    scripted.script.append(OPEN)
    assert alice.post(url("reconnect", attempt.connection))["Location"] == LINK


def test_preparing_ticks_what_is_done(people: People, scripted: Scripted) -> None:
    attempt = start_attempt(people, scripted, Redirect(url=""))
    Attempt.objects.update(answer="progress", turn="us", ticks=["room", "key"], ended=None)
    said = visible_text(browser(people.alice).get(attempt.get_absolute_url()))
    assert "Making your room (done)" in said
    assert "Cutting two keys (in progress)" in said
    assert "Open the door (not yet)" in said


def test_the_next_step_is_the_merchants_own_once_we_have_done_ours(
    people: People, scripted: Scripted
) -> None:
    attempt = start_attempt(people, scripted, Redirect(url="", done=("room", "key", "spare")))
    said = visible_text(browser(people.alice).get(attempt.get_absolute_url()))
    assert "Cutting two keys (done) Open the door (your turn)" in said
    said = visible_text(browser(people.alice).get(attempt.connection.get_absolute_url()))
    assert said.count("The keys are cut.") == 1
    assert "Cutting two keys" not in said


def test_looking_never_leads_to_the_vendor_nor_asks_it(people: People, scripted: Scripted) -> None:
    attempt, alice = start_attempt(people, scripted, Redirect(url="")), browser(people.alice)
    scripted.script.append(OPEN)
    journey.continue_attempt(attempt, people.alice)
    journey.advance(attempt.pk, present=True)
    for name in ("attempt", "attempt-status"):
        assert alice.get(url(name, attempt)).status_code == 200
    assert Hop.objects.filter(taken=None).exclude(url=None).count() == 1
    assert alice.post(url("continue", attempt))["Location"] == LINK
    assert scripted.calls == ["start", "start"]


@pytest.mark.parametrize("page", ["attempt", "attempt-status"])
def test_reading_does_not_wait_for_writers(people: People, scripted: Scripted, page: str) -> None:
    """SQLite has one lock for all writers, and a crowd of them at times."""
    attempt, alice = start_attempt(people, scripted, LATER), browser(people.alice)
    address = (
        f"{url(page, attempt)}?look=1&version={reloaded(attempt).version}"  # as an open page polls
    )
    alice.get(address)
    with CaptureQueriesContext(database) as queries:
        assert alice.get(address).status_code == 200
    assert {query["sql"].split()[0] for query in queries} == {"SELECT"}


def test_a_used_link_is_created_again(people: People, scripted: Scripted) -> None:
    attempt, alice = start_attempt(people, scripted, OPEN), browser(people.alice)
    assert "Reopen Scripted" in visible_text(alice.get(attempt.get_absolute_url()))
    scripted.script.append(Redirect(url=LINK + "2"))
    assert alice.post(url("continue", attempt))["Location"] == LINK + "2"


def test_a_colleague_sees_who_is_at_the_vendor(people: People, scripted: Scripted) -> None:
    attempt = start_attempt(people, scripted, OPEN)
    assert "Alice is at Scripted" in visible_text(
        browser(people.bob).get(attempt.get_absolute_url())
    )


def test_without_a_redirect_back_the_merchant_says_so(people: People, scripted: Scripted) -> None:
    attempt, alice = start_attempt(people, scripted, STAYS), browser(people.alice)
    alice.post(url("continue", attempt))
    assert "I have finished" in visible_text(alice.get(attempt.get_absolute_url()))
    scripted.script.append(CONNECTED)
    response = alice.post(url("finish", attempt))
    assert response["Location"] == attempt.get_absolute_url()
    assert "is connected" in visible_text(alice.get(attempt.get_absolute_url()))


def test_who_is_sent_back_need_not_say_so(people: People, scripted: Scripted) -> None:
    attempt, alice = start_attempt(people, scripted, OPEN), browser(people.alice)
    assert "I have finished" not in visible_text(alice.get(attempt.get_absolute_url()))
    alice.post(url("finish", attempt))
    assert scripted.calls == ["start"]


def test_an_answer_goes_to_the_vendor(people: People, scripted: Scripted) -> None:
    attempt, alice = start_attempt(people, scripted, WHICH), browser(people.alice)
    scripted.script.append(CONNECTED)
    assert alice.post(url("answer", attempt), {"answer_store": "b"}).status_code == 303
    assert scripted.asked[-1][::2] == ("answered", {"store": "b"})


@pytest.mark.parametrize("given", [{}, {"answer_store": "c"}])
def test_only_what_was_offered_is_an_answer(
    people: People, scripted: Scripted, given: dict[str, str]
) -> None:
    attempt = start_attempt(people, scripted, WHICH)
    response = browser(people.alice).post(url("answer", attempt), given)
    assert "There is a problem" in visible_text(response)
    assert 'href="#id_answer_store_0"' in response.content.decode()
    assert scripted.calls == ["start"]


def test_check_again_asks_and_comes_back(people: People, scripted: Scripted) -> None:
    attempt = start_attempt(people, scripted, LATER)
    scripted.script.append(CONNECTED)
    response = browser(people.alice).post(url("check-again", attempt))
    assert (response.status_code, response["Location"]) == (303, attempt.get_absolute_url())
    assert reloaded(attempt).answer == "connected"


def test_a_vendor_that_is_switched_off_has_calm_pages(
    people: People, scripted: Scripted, settings: Settings
) -> None:
    attempt, alice = start_attempt(people, scripted, OPEN), browser(people.alice)
    settings.VENDORS = offered()
    for page in (attempt, attempt.connection, people.acme):
        assert alice.get(page.get_absolute_url()).status_code == 200
    assert "Scripted is not available at the moment" in visible_text(
        alice.get(attempt.get_absolute_url())
    )


# -- polling -------------------------------------------------------------------------------------


def fragment(people: People, attempt: Attempt, look: int, version: int) -> str:
    query = {"look": str(look), "version": str(version)}
    response = browser(people.alice).get(url("attempt-status", attempt), query)
    return response.content.decode()


@pytest.mark.parametrize(("look", "seconds"), [(0, 2), (3, 2), (4, 5), (9, 5), (10, 15), (500, 15)])
def test_the_page_asks_less_and_less_often(
    people: People, scripted: Scripted, look: int, seconds: int
) -> None:
    attempt = start_attempt(people, scripted, LATER)
    Attempt.objects.update(due_at=timezone.now() + timedelta(minutes=2))
    body = fragment(people, attempt, look, attempt.version)
    assert f"load delay:{seconds}s" in body
    assert f"look={look + 1}&amp;version={attempt.version}" in body
    assert "situation" not in body


def test_the_page_asks_once_the_next_try_may_have_brought_news(
    people: People, scripted: Scripted
) -> None:
    attempt = start_attempt(people, scripted, LATER)
    Attempt.objects.update(due_at=timezone.now() + timedelta(seconds=7.5))
    assert "load delay:9s" in fragment(people, attempt, 20, attempt.version)
    Attempt.objects.update(due_at=timezone.now() - timedelta(seconds=7.5))  # a busy worker
    assert "load delay:15s" in fragment(people, attempt, 20, attempt.version)


def test_something_new_is_swapped_in_and_asked_about_soon(
    people: People, scripted: Scripted
) -> None:
    attempt = start_attempt(people, scripted, LATER)
    body = fragment(people, attempt, 40, attempt.version - 1)
    assert re.search(r'id="situation"\s+hx-swap-oob="innerHTML"', body)
    assert "Scripted is still working" in body
    assert "load delay:2s" in body


def test_polling_slows_down_while_the_work_is_queued(
    people: People, scripted: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempt = begin_attempt(people)
    monkeypatch.setattr(runner, "is_crowded", lambda vendor: vendor == "scripted")
    body = fragment(people, attempt, 0, attempt.version)
    assert "load delay:10s" in body
    assert f"look=1&amp;version={attempt.version}" in body


def test_in_a_crowd_a_few_seconds_are_not_promised(
    people: People, scripted: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = begin_attempt(people).get_absolute_url()
    assert "takes a few seconds" in visible_text(browser(people.alice).get(page))
    monkeypatch.setattr(runner, "is_crowded", lambda vendor: vendor == "scripted")
    assert "may take a few minutes" in visible_text(browser(people.alice).get(page))


def test_what_is_over_stops_asking(people: People, scripted: Scripted) -> None:
    attempt = start_attempt(people, scripted, CONNECTED)
    body = fragment(people, attempt, 3, attempt.version - 1)
    assert "is connected" in body
    assert "hx-get" not in body
    assert "hx-get" not in browser(people.alice).get(attempt.get_absolute_url()).content.decode()


def test_without_javascript_a_page_that_waits_loads_itself(
    people: People, scripted: Scripted
) -> None:
    attempt = start_attempt(people, scripted, LATER)
    body = browser(people.alice).get(attempt.get_absolute_url()).content.decode()
    assert re.search(r'<noscript>\s*<meta http-equiv="refresh"', body)


def test_an_expired_session_takes_the_whole_page_to_the_sign_in(
    people: People, scripted: Scripted
) -> None:
    attempt = start_attempt(people, scripted, LATER)
    response = browser().get(url("attempt-status", attempt), headers={"HX-Request": "true"})
    signing_in = f"{reverse('account_login')}?next={attempt.get_absolute_url()}"
    assert (response.status_code, response["HX-Redirect"]) == (200, signing_in)


def test_a_poll_costs_three_queries_and_opens_no_memo(
    people: People, scripted: Scripted, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    attempt, alice = start_attempt(people, scripted, LATER), browser(people.alice)
    page = url("attempt-status", attempt) + f"?look=1&version={attempt.version}"
    alice.get(page)
    with django_assert_max_num_queries(3) as queries:
        assert alice.get(page).status_code == 200
    assert not [query for query in queries if "memo" in query["sql"]]


# -- words that change while somebody waits -----------------------------------------------------------


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "This takes a few seconds."),
        (11, "This is taking longer than usual. You can close this page, and we’ll continue."),
        (
            61,
            "This is taking much longer than usual. You can close this page, and we’ll keep trying.",
        ),
    ],
)
def test_the_words_of_a_wait_change_with_time(
    people: People, scripted: Scripted, seconds: int, words: str
) -> None:
    attempt = begin_attempt(people)
    Attempt.objects.update(since=timezone.now() - timedelta(seconds=seconds))
    said = visible_text(browser(people.alice).get(attempt.get_absolute_url()))
    assert words in said
    assert said.count("This takes") + said.count("This is taking") == 1


def test_a_mail_is_promised_only_where_one_is_sent(people: People, scripted: Scripted) -> None:
    attempt, alice = start_attempt(people, scripted, Unavailable()), browser(people.alice)
    said = "we’ll email alice@example.org when it’s your turn or when it is done"
    assert said in visible_text(alice.get(attempt.get_absolute_url()))
    assert "email" not in visible_text(browser(people.bob).get(attempt.get_absolute_url()))
    Notice.objects.all().delete()
    assert "email" not in visible_text(alice.get(attempt.get_absolute_url()))


def test_the_page_counts_down_to_the_next_try(people: People, scripted: Scripted) -> None:
    attempt, alice = start_attempt(people, scripted, Unavailable()), browser(people.alice)
    Attempt.objects.update(due_at=timezone.now() + timedelta(seconds=30))
    body = alice.get(attempt.get_absolute_url()).content.decode()
    assert 'data-next-try="30"' in body
    assert "Next try: <time" in " ".join(body.split())
    Attempt.objects.update(due_at=timezone.now() - timedelta(seconds=1))
    assert "Trying again now" in visible_text(alice.get(attempt.get_absolute_url()))


# -- success ------------------------------------------------------------------------------------------


def test_success_says_which_shop_and_what_the_operator_wants_next(
    people: People, scripted: Scripted, settings: Settings
) -> None:
    settings.BRAND_NAME, settings.BRAND_URL = "Acme Cloud", "https://cloud.example/"
    attempt, alice = start_attempt(people, scripted, CONNECTED), browser(people.alice)
    said = visible_text(alice.get(attempt.get_absolute_url()))
    assert "Shop sh My shop Shop system scripted shop, through Scripted Business Acme" in said
    assert "What happens next Nothing more to do." in said
    Connector.objects.update(next_words="Set your prices.", next_link="/x", next_label="Open it")
    page = alice.get(attempt.get_absolute_url())
    said = visible_text(page)
    assert "What happens next Set your prices." in said
    assert "Open it Back to Acme Cloud See this shop Connect another shop" in said
    assert {'href="/x"', 'href="https://cloud.example/"'} <= set(
        re.findall(r'href="[^"]*"', page.content.decode())
    )


def test_what_comes_next_is_said_of_new_shops_alone(
    people: People, scripted: Scripted, settings: Settings
) -> None:
    settings.BRAND_URL = "https://cloud.example/"
    attempt, alice = start_attempt(people, scripted, CONNECTED), browser(people.alice)
    Attempt.objects.update(purpose="resume")
    said = visible_text(alice.get(attempt.get_absolute_url()))
    assert "What happens next" not in said
    assert "Back to" not in said
