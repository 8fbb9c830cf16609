"""Set up, but not confirmed yet: the pages of merchants and staff, the tab beside ours, and the mails."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from django.contrib.admin.models import LogEntry
from django.core import mail
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from onboarding import journey
from onboarding.background import schedule
from onboarding.models import Account, Attempt, Connection, Notice
from tests.support.attempts import CONNECTED, begin_attempt, reloaded, run_check, run_step
from tests.support.people import People
from tests.support.scripted import Scripted
from tests.support.staff import limited_client, listed, page, page_text, staff_client
from tests.support.sweep import sweep
from tests.support.visit import LINK, OPEN, browser, start_attempt, url, visible_text
from vendors.contract import Done, NeedsMerchant, Progress, Redirect, Unsure, text

pytestmark = [pytest.mark.both, pytest.mark.usefixtures("inline_executor")]
WORD = replace(CONNECTED, evidence=text("You say so."), confirmed=False)
STAYS = Redirect(url=LINK, returns=False)
BY_HAND = Done(
    here=text("We pause."), there=text("Data still flows."), staff_task="Ask them to switch it."
)


@pytest.fixture
def shop(people: People, scripted: Scripted) -> Connection:
    return run_step(begin_attempt(people), scripted, WORD).connection


def form(html: str, action: str) -> str:
    """The opening tag of the form that posts there."""
    [tag] = re.findall(rf'<form [^>]*action="{re.escape(action)}"[^>]*>', html)
    return str(tag)


# -- merchants -------------------------------------------------------------------------------------


def test_the_pages_say_set_up_and_not_connected(people: People, shop: Connection) -> None:
    alice = browser(people.alice)
    attempt = shop.attempts.get()
    said = visible_text(alice.get(attempt.get_absolute_url()))
    assert "“My shop” is set up, but not confirmed yet You say so." in said
    assert "We’ll email alice@example.org as soon as it is confirmed." in said
    home = visible_text(alice.get(shop.account.merchant.get_absolute_url()))
    assert "Set up through Scripted, not confirmed yet Set up, not confirmed yet" in home
    own = visible_text(alice.get(shop.get_absolute_url()))
    assert "Set up, not confirmed yet You say so." in own
    assert "Confirmed by Scripted Not yet" in own
    assert not [said for said in (said, home, own) if "is connected" in said]


def test_what_a_connected_shop_can_do_a_reported_one_can(people: People, shop: Connection) -> None:
    said = visible_text(browser(people.alice).get(shop.get_absolute_url()))
    for button in ("Open Scripted again", "Merchant's", "Reconnect", "Pause", "Disconnect"):
        assert button in said


def test_the_end_of_the_attempt_knows_of_a_later_confirmation(
    people: People, shop: Connection, scripted: Scripted
) -> None:
    run_check(shop, scripted, CONNECTED)
    said = visible_text(browser(people.alice).get(shop.attempts.get().get_absolute_url()))
    assert "“My shop” is connected The vendor lists it." in said
    assert "not confirmed" not in said


def test_a_pause_by_hand_is_not_called_done_before_staff_say_so(
    people: People, shop: Connection, scripted: Scripted
) -> None:
    alice = browser(people.alice)
    scripted.script.append(BY_HAND)
    alice.post(url("pause", shop))
    pausing = shop.attempts.latest("pk")
    rows: tuple[Connection | Attempt, ...] = (shop, pausing)
    for row in rows:
        said = visible_text(alice.get(row.get_absolute_url()))
        assert "Data still flows." in said
        assert "is paused" not in said
    assert "Resume" in visible_text(alice.get(shop.get_absolute_url()))
    staff_client().post(page(shop, "done"), {"task": BY_HAND.staff_task})
    assert "Paused Our staff confirmed that data is paused at Scripted." in visible_text(
        alice.get(shop.get_absolute_url())
    )
    assert "“My shop” is paused" in visible_text(alice.get(pausing.get_absolute_url()))


def test_the_end_of_the_attempt_is_no_news_once_the_shop_has_moved_on(
    people: People, shop: Connection, scripted: Scripted
) -> None:
    scripted.script.append(Done(here=text("Ended."), there=text("Ended there.")))
    browser(people.alice).post(url("disconnect", shop))
    attempt = shop.attempts.earliest("pk")
    said = visible_text(browser(people.alice).get(attempt.get_absolute_url()))
    assert "“My shop” was set up Its status has changed since then." in said


# -- the tab beside ours ---------------------------------------------------------------------------


def test_a_page_that_sends_nobody_back_opens_beside_ours(
    people: People, scripted: Scripted
) -> None:
    attempt = start_attempt(people, scripted, STAYS)
    alice = browser(people.alice)
    assert not attempt.hops.exclude(taken=None).exists()
    html = alice.get(attempt.get_absolute_url()).content.decode()
    assert 'target="_blank" rel="noopener"' in form(html, url("continue", attempt))
    assert 'http-equiv="refresh" content="15; url=?reload"' in html
    assert "I have finished" not in html
    assert alice.post(url("continue", attempt))["Location"] == LINK
    assert "I have finished" in alice.get(attempt.get_absolute_url()).content.decode()


def test_a_page_that_sends_one_back_opens_in_the_same_tab(
    people: People, scripted: Scripted
) -> None:
    attempt = start_attempt(people, scripted, Redirect(url=""))
    html = browser(people.alice).get(attempt.get_absolute_url()).content.decode()
    assert "_blank" not in form(html, url("continue", attempt))


def test_it_is_known_before_there_is_a_link(people: People, scripted: Scripted) -> None:
    attempt = start_attempt(people, scripted, Redirect(url="", returns=False))
    html = browser(people.alice).get(attempt.get_absolute_url()).content.decode()
    assert 'target="_blank"' in form(html, url("continue", attempt))


def test_finished_is_taken_only_after_the_link_was(people: People, scripted: Scripted) -> None:
    attempt, alice = start_attempt(people, scripted, STAYS), browser(people.alice)
    alice.post(url("finish", attempt))
    assert scripted.calls == ["start"]
    alice.post(url("continue", attempt))
    scripted.script.append(WORD)
    alice.post(url("finish", attempt))
    assert reloaded(attempt).status == "reported"


def test_leaving_moves_the_version_so_that_the_open_page_notices(
    people: People, scripted: Scripted
) -> None:
    attempt, alice = start_attempt(people, scripted, STAYS), browser(people.alice)
    poll = f"{url('attempt-status', attempt)}?look=3&version={attempt.version}"
    unchanged = alice.get(poll).content.decode()
    assert "data-quiet" in unchanged
    assert "situation" not in unchanged
    alice.post(url("continue", attempt))
    assert "I have finished" in alice.get(poll).content.decode()


def test_the_way_back_is_mailed_once_for_each_attempt(people: People, scripted: Scripted) -> None:
    attempt, alice = start_attempt(people, scripted, STAYS), browser(people.alice)
    schedule.mail()
    assert mail.outbox == []
    for link in (STAYS, STAYS):
        alice.post(url("continue", attempt))
        schedule.mail()
        scripted.script.append(link)
    [sent] = mail.outbox
    assert sent.to == ["alice@example.org"]
    assert f"http://localhost{attempt.get_absolute_url()}\n" in str(sent.body)
    assert LINK not in str(sent.body)


def test_no_way_back_is_mailed_where_the_vendor_sends_one_back(
    people: People, scripted: Scripted
) -> None:
    start_attempt(people, scripted, OPEN)
    assert not Notice.objects.filter(kind="way_back").exists()


def test_who_has_left_the_team_gets_no_way_back(people: People, scripted: Scripted) -> None:
    attempt = start_attempt(people, scripted, STAYS)
    browser(people.alice).post(url("continue", attempt))
    people.acme.memberships.filter(user=people.alice).delete()
    schedule.mail()
    assert mail.outbox == []


def test_one_more_step_there_leads_there(people: People, scripted: Scripted) -> None:
    more = NeedsMerchant(code="more", note=text("Allow it there."), goes_on=True)
    attempt, alice = start_attempt(people, scripted, more), browser(people.alice)
    said = visible_text(alice.get(attempt.get_absolute_url()))
    assert "One more step at Scripted Allow it there." in said
    assert "Continue at Scripted" in said
    assert reloaded(attempt).status == "action_needed"
    scripted.script.append(OPEN)
    assert alice.post(url("continue", attempt))["Location"] == LINK


# -- the page follows ------------------------------------------------------------------------------


def test_the_page_of_a_shop_asks_rarely_and_gets_little(people: People, shop: Connection) -> None:
    alice = browser(people.alice)
    html = alice.get(shop.get_absolute_url()).content.decode()
    assert "load delay:30s" in html
    assert "http-equiv" not in html
    same = alice.get(f"{url('connection-status', shop)}?look=9&version={shop.version}")
    assert "load delay:60s" in same.content.decode()
    assert len(same.content) < 400
    assert "situation" not in same.content.decode()


def test_a_quiet_poll_asks_the_database_little(people: People, shop: Connection) -> None:
    alice = browser(people.alice)
    poll = f"{url('connection-status', shop)}?look=1&version={shop.version}"
    alice.get(poll)
    with CaptureQueriesContext(database) as queries:
        alice.get(poll)
    assert len(queries) <= 4


@pytest.mark.parametrize("act", ["check", "confirm", "task", "action"])
def test_what_staff_or_a_check_change_shows_on_the_open_page(
    people: People, shop: Connection, scripted: Scripted, act: str
) -> None:
    Connection.objects.filter(pk=shop.pk).update(task="Do it.")
    poll = f"{url('connection-status', shop)}?look=1&version={shop.version}"
    if act == "check":
        run_check(shop, scripted, CONNECTED)
    elif act == "confirm":
        journey.confirm(shop.pk, people.charlie)
    elif act == "task":
        journey.complete_task(shop.pk)
    else:
        scripted.script.append(Done(here=text("Tidied."), there=text("Tidy.")))
        journey.act(shop.pk, "tidy", {})
    news = browser(people.alice).get(poll).content.decode()
    assert {'id="situation"', 'id="timeline"', 'id="actions"'} <= set(news.split())


# -- staff -----------------------------------------------------------------------------------------


def test_staff_find_it_and_confirm_it(people: People, shop: Connection) -> None:
    staff = staff_client()
    found = page_text(staff.get(listed("connection") + "?status__exact=reported"))
    assert "My shop" in found
    assert "Set up, not confirmed yet" in page_text(staff.get(page(shop)))
    read = page_text(staff.post(page(shop, "confirm"), follow=True))
    assert "Confirmed. The merchant gets an email." in read
    assert "It is connected: confirm it" not in read
    assert LogEntry.objects.get().get_change_message() == "Confirmed: it is connected."
    own = visible_text(browser(people.alice).get(shop.get_absolute_url()))
    assert "Connected Our staff confirmed that this shop is connected." in own
    assert "Confirmed by our staff" in own
    assert "erin" not in own.lower()


def test_confirming_takes_a_post_and_the_right(people: People, shop: Connection) -> None:
    assert staff_client().get(page(shop, "confirm")).status_code == 405
    assert limited_client("view_connection").post(page(shop, "confirm")).status_code == 403
    assert Connection.objects.get().status == "reported"


def test_confirming_twice_says_that_nothing_was_left(shop: Connection) -> None:
    staff = staff_client()
    staff.post(page(shop, "confirm"))
    assert "no longer needs confirming" in page_text(staff.post(page(shop, "confirm"), follow=True))


ANNOUNCE = Progress(announce="room")
LOST = Unsure("it may exist", cause="unsure-room")
ON_TRIAL = Progress(account={"room": "r-9"}, promote=True)
UNKNOWN = Unsure("Scripted does not know this id: r-9", cause="unsure-room", creation="room")


def enter_id(scripted: Scripted, id: str, *answers: object) -> str:
    """Staff enter an id on the account's page; what they read afterwards."""
    staff, account = staff_client(), Account.objects.get()
    seen = staff.get(page(account)).context["unsure"].token
    scripted.script.append(ON_TRIAL)
    sent = {"seen": seen, "answer": "exists", "found": id}
    return page_text(staff.post(page(account, "resolve"), sent, follow=True))


def test_an_id_of_staff_is_not_believed_before_the_vendor_knows_it(
    people: People, scripted: Scripted
) -> None:
    attempt = run_step(begin_attempt(people), scripted, ANNOUNCE, LOST, LOST)
    enter_id(scripted, "r-9")
    scripted.script.append(UNKNOWN)
    sweep()
    account = Account.objects.get()
    assert (account.unsure, account.found) == ("room", {"room": "r-9"})
    assert reloaded(attempt).status == "on_it"
    read = page_text(staff_client().get(page(account)))
    assert "Scripted did not accept the ID that was entered, “r-9”." in read
    assert "Scripted does not know this id: r-9" in read
    assert "Correct the ID" in read
    assert scripted.last.found == {"room": "r-9"}


def test_the_timeline_says_that_staff_found_it_and_not_that_it_is_made(
    people: People, scripted: Scripted
) -> None:
    attempt = run_step(begin_attempt(people), scripted, ANNOUNCE, LOST, LOST)
    enter_id(scripted, "r-1")
    scripted.script.extend([Progress(done=("room",)), OPEN])
    sweep()
    own = visible_text(browser(people.alice).get(attempt.connection.get_absolute_url()))
    assert "Our staff found what was missing at Scripted. our staff" in own
    assert "Your room there is made" not in own
    assert reloaded(attempt).ticks == ["room"]
    assert Account.objects.get().found == {}


def test_an_id_that_nothing_has_proved_can_be_corrected(people: People, scripted: Scripted) -> None:
    run_step(begin_attempt(people), scripted, ANNOUNCE, LOST, LOST)
    enter_id(scripted, "r-9")
    scripted.script.append(OPEN)
    sweep()
    read = page_text(staff_client().get(page(Account.objects.get())))
    assert "has not confirmed the ID “r-9” yet" in read
    assert "It does not exist: create it again" not in read
    enter_id(scripted, "r-1")
    assert scripted.asked[-1][2] == "r-1"
    assert scripted.last.unsure == "room"
    assert Account.objects.get().found == {"room": "r-1"}


def test_what_the_vendor_confirms_ends_every_trial(people: People, scripted: Scripted) -> None:
    attempt = run_step(begin_attempt(people), scripted, ANNOUNCE, LOST, LOST)
    enter_id(scripted, "r-9")
    scripted.script.append(WORD)
    sweep()
    assert Account.objects.get().found == {"room": "r-9"}
    run_check(attempt.connection, scripted, CONNECTED)
    assert Account.objects.get().found == {}
