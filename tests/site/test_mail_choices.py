"""A person's language, time zone and mails: on their own page, and by the link in each mail."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core.mail import EmailMessage
from django.test import Client
from django.urls import reverse

from onboarding.models import MailChoice, MailGroup, User
from onboarding.notifications import choices
from onboarding.notifications.mail import Mail, compose_for
from onboarding.notifications.readers import Reader, reading_as
from onboarding.rights import erasure
from tests.support.people import People, business
from tests.support.visit import browser, visible_text

OWN = "/accounts/mails/"
TURN, PROBLEMS, REMINDERS = MailGroup.values
LONG_AFTER = datetime(2100, 2, 1, tzinfo=UTC)
ONE_CLICK = {"List-Unsubscribe": "One-Click"}


def mail(people: People, group: str = TURN) -> Mail:
    reader = Reader(people.alice, people.acme)
    context = {"shop": "“Shop”", "business": "“Acme”", "address": "http://localhost/x/"}
    return compose_for(reader, "onboarding/email/connected", context, kind="connected", group=group)


def link(message: EmailMessage) -> str:
    """The path and the query of List-Unsubscribe."""
    address = urlsplit(message.extra_headers["List-Unsubscribe"].strip("<>"))
    return f"{address.path}?{address.query}"


def form(people: People, *groups: str, **fields: str) -> dict[str, object]:
    box = f"mails_{people.acme.reference}"
    return {"language": "en", "time_zone": "Europe/Berlin", box: list(groups), **fields}


# -- the person's own page -------------------------------------------------------------------------


def test_the_page_is_linked_from_the_account(people: People) -> None:
    alice = browser(people.alice)
    assert f'href="{OWN}"' in alice.get(reverse("mfa_index")).content.decode()
    text = visible_text(alice.get(OWN))
    assert "Email, language and time zone" in text
    assert "Emails about Acme" in text


def test_a_group_is_switched_off_for_one_business(people: People) -> None:
    second = business("Second", owner=people.alice)
    boxes = {f"mails_{second.reference}": list(MailGroup.values)}
    answer = browser(people.alice).post(OWN, form(people, TURN, PROBLEMS) | boxes)
    assert answer["Location"] == OWN
    assert not choices.wants(people.alice, people.acme, REMINDERS)
    assert choices.wants(people.alice, people.acme, TURN)
    assert choices.wants(people.alice, second, REMINDERS)
    assert choices.wants(people.bob, people.acme, REMINDERS)


def test_what_was_switched_off_is_switched_on_again(people: People) -> None:
    alice = browser(people.alice)
    alice.post(OWN, form(people))
    assert MailChoice.objects.filter(user=people.alice).count() == 3
    alice.post(OWN, form(people, *MailGroup.values))
    assert not MailChoice.objects.exists()


def test_all_are_switched_off_for_businesses_to_come(people: People) -> None:
    browser(people.alice).post(OWN, form(people, *MailGroup.values, none="1"))
    later = business("Later", owner=people.alice)
    assert not choices.wants(people.alice, later, TURN)
    assert choices.wants(people.alice, later, "")  # what belongs to no group is always sent


@pytest.mark.both
def test_one_business_is_switched_on_after_all_were_off(people: People) -> None:
    second = business("Second", owner=people.alice)
    choices.stop(people.alice, None)
    choices.want(people.alice, {people.acme: [TURN]})
    assert choices.wants(people.alice, people.acme, TURN)
    assert not choices.wants(people.alice, second, TURN)
    assert not choices.wants(people.alice, people.acme, PROBLEMS)


def test_language_and_zone_are_kept_and_checked(people: People) -> None:
    alice = browser(people.alice)
    alice.post(OWN, form(people, *MailGroup.values))
    people.alice.refresh_from_db()
    assert (people.alice.language, people.alice.time_zone) == ("en", "Europe/Berlin")
    for wrong in ({"time_zone": "Mars/Base"}, {"language": "xx"}):
        page = alice.post(OWN, form(people, **wrong))
        assert "Choose one of these" in visible_text(page)
        assert not MailChoice.objects.exists()


# -- the time zone ---------------------------------------------------------------------------------


def zone_of(user: User) -> str:
    user.refresh_from_db()
    return user.time_zone


def test_the_zone_follows_the_browser_until_one_is_chosen(people: People) -> None:
    alice = browser(people.alice)
    for told, known in (("Asia/Tokyo", "Asia/Tokyo"), ("no zone", "Asia/Tokyo"), ("UTC", "UTC")):
        alice.cookies["timezone"] = told
        alice.get(OWN)
        assert zone_of(people.alice) == known
    alice.post(OWN, form(people, *MailGroup.values))
    alice.cookies["timezone"] = "Asia/Tokyo"
    alice.get(OWN)
    assert zone_of(people.alice) == "Europe/Berlin"
    alice.post(OWN, form(people, *MailGroup.values, time_zone=""))
    alice.get(OWN)
    assert zone_of(people.alice) == "Asia/Tokyo"


def test_pages_are_read_in_the_zone_that_was_chosen(people: People) -> None:
    User.objects.filter(pk=people.alice.pk).update(time_zone="Asia/Tokyo", time_zone_chosen=True)
    people.acme.invitations.create(email="dan@example.org", expires_at=LONG_AFTER)
    alice = browser(people.alice)
    alice.cookies["timezone"] = "Europe/Berlin"
    page = visible_text(alice.get(reverse("team", args=[people.acme.reference])))
    assert "1 Feb 2100, 09:00 (Tokyo time)" in page


def test_a_reader_without_a_zone_and_language_has_those_of_site_and_business(
    people: People,
) -> None:
    reader = Reader(people.alice, people.acme)
    with reading_as(reader):
        assert (reader.language, str(reader.zone)) == ("en", "UTC")
    people.alice.time_zone, people.alice.language = "Europe/Berlin", "xx"
    assert (reader.language, str(reader.zone)) == ("en", "Europe/Berlin")


# -- the link in a mail ----------------------------------------------------------------------------


def test_one_click_switches_off_this_group_for_this_business(people: People) -> None:
    page = link(mail(people))
    client = Client(enforce_csrf_checks=True)
    assert client.get(page).status_code == 200
    assert not MailChoice.objects.exists()
    answer = client.post(page, ONE_CLICK)
    assert (answer.status_code, answer.content) == (200, b"")
    assert not choices.wants(people.alice, people.acme, TURN)
    assert choices.wants(people.alice, people.acme, PROBLEMS)
    client.post(page, ONE_CLICK)  # a second time changes nothing
    assert MailChoice.objects.count() == 1


def test_the_headers_are_those_of_one_click(people: People) -> None:
    message = mail(people)
    assert message.extra_headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert message.extra_headers["List-Unsubscribe"].startswith("<http://localhost/mails/?key=")
    assert link(message) in message.body
    alone = mail(people, group="")
    assert "List-Unsubscribe" not in alone.extra_headers
    assert "/mails/?key=" in alone.body


def test_the_page_without_a_sign_in_does_the_same_as_the_own_one(people: People) -> None:
    page, client = link(mail(people)), Client(enforce_csrf_checks=True)
    html = client.get(page).content.decode()
    key = re.search(r'name="key" value="([^"]+)"', html)
    assert key
    assert key[1] == parse_qs(urlsplit(page).query)["key"][0]
    answer = client.post("/mails/", form(people, PROBLEMS, key=key[1], time_zone="Asia/Tokyo"))
    assert "Saved." in visible_text(answer)
    assert zone_of(people.alice) == "Asia/Tokyo"
    assert choices.wanted(people.alice, [people.acme]) == {people.acme: [PROBLEMS]}


def test_its_first_button_stops_what_the_mail_was_about(people: People) -> None:
    page = link(mail(people, REMINDERS))
    assert "Stop these emails" in visible_text(Client().get(page))
    assert "Saved." in visible_text(Client().post(page, {"stop": "1"}))
    assert choices.wanted(people.alice, [people.acme]) == {people.acme: [TURN, PROBLEMS]}


def test_only_its_first_button_stands_out(people: People) -> None:
    html = Client().get(link(mail(people, REMINDERS))).content.decode()
    buttons = re.findall(r'<button[^>]*name="(?:stop|save|none)"[^>]*>', html)
    assert ["button--quiet" in each for each in buttons] == [False, True, True]
    own = browser(people.alice).get("/accounts/mails/").content.decode()
    assert "button--quiet" not in re.findall(r'<button[^>]*name="save"[^>]*>', own)[0]


def test_the_page_names_no_more_than_the_mail(people: People) -> None:
    business("Secret & Co", owner=people.alice)
    answer = Client().get(link(mail(people)))
    html = answer.content.decode()
    assert "a…@example.org" in html
    assert "alice@" not in html
    assert "Alice" not in html
    assert "Secret" not in html
    assert (answer["Referrer-Policy"], "no-store" in answer["Cache-Control"]) == (
        "no-referrer",
        True,
    )


def test_whoever_has_left_the_business_reads_nothing_about_it(people: People) -> None:
    page = link(mail(people))
    people.acme.memberships.filter(user=people.alice).delete()
    assert "Acme" not in Client().get(page).content.decode()


@pytest.mark.parametrize("key", ["", "x", "1-1-turn", "1-1-turn.x", "é", "1-1-turn." + "A" * 43])
def test_a_key_that_we_did_not_make_opens_nothing(people: People, key: str) -> None:
    for answer in (Client().get("/mails/", {"key": key}), Client().post("/mails/", {"key": key})):
        assert answer.status_code == 404
        assert "We do not know this link" in visible_text(answer)
    assert Client().post(f"/mails/?key={key}", ONE_CLICK).status_code == 404
    assert not MailChoice.objects.exists()


def test_a_key_of_somebody_else_cannot_be_made_from_ones_own(people: People) -> None:
    key = parse_qs(urlsplit(link(mail(people))).query)["key"][0]
    forged = key.replace(f"{people.alice.pk}-", f"{people.bob.pk}-", 1)
    assert choices.read(key)
    assert choices.read(forged) is None


def test_the_link_is_void_once_the_account_is_closed(people: People) -> None:
    page = link(mail(people))
    bob = people.acme.memberships.get(user=people.bob)
    erasure.erase(people.alice, {people.acme.pk: bob.pk})
    assert Client().get(page).status_code == 404
    assert Client().post(page, ONE_CLICK).status_code == 404
    assert not MailChoice.objects.exists()
