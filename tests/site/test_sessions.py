"""Sessions: how they begin and end, who sees them, and that nobody signs in with what is stored."""

from __future__ import annotations

import io
import json
import re
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from http.cookies import Morsel

import pytest
import time_machine
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.internal import auth
from django.conf import settings
from django.core import mail
from django.core.cache import cache
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from pytest_django.fixtures import Settings

from onboarding.background import retention
from onboarding.management.commands.staff import make_staff
from onboarding.models import SecurityEvent, Session, User
from onboarding.models.sessions import SessionStore, key_hash
from onboarding.people import sessions
from tests.support.at_once import at_once
from tests.support.attempts import begin_attempt
from tests.support.codes import ANNA, LOGIN, STILL_YOU, anna, newest_code, posted
from tests.support.passkeys import add_passkey
from tests.support.people import People
from tests.support.visit import visible_text

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both]

PAGE = "/accounts/sessions/"
SHOPS = "/shops/"
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:142.0) Gecko/20100101 Firefox/142.0"
PHRASE = {"password1": "a long enough phrase", "password2": "a long enough phrase"}


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    cache.clear()
    with time_machine.travel(timezone.now(), tick=False) as coordinates:
        yield coordinates
    cache.clear()


@pytest.fixture
def user() -> User:
    return anna()


def signed_in(email: str = ANNA, **headers: str) -> Client:
    """A browser in which somebody has signed in with a code."""
    client = Client(headers=headers)
    client.get(LOGIN)  # which tells this browser from others
    posted(client, LOGIN, {"email": email})
    posted(client, f"{LOGIN}code/confirm/", {"code": newest_code()})
    assert is_in(client)
    return client


def is_in(client: Client) -> bool:
    """Whether a page that asks for a sign-in is shown, or the one that follows it."""
    answer = client.get(PAGE)
    assert answer.status_code in {200, 302}
    return answer.status_code == 200


def cookie(client: Client) -> Morsel[str]:
    return client.cookies[settings.SESSION_COOKIE_NAME]


def copy_of(client: Client) -> Client:
    """Another browser with the same cookies, as somebody has who stole them."""
    thief = Client()
    thief.cookies.load(client.cookies.output(header=""))
    return thief


def event() -> SecurityEvent:
    return SecurityEvent.objects.get(kind=SecurityEvent.Kind.SESSIONS_ENDED)


# -- what is stored --------------------------------------------------------------------------------


def test_what_is_stored_signs_nobody_in(user: User) -> None:
    client = signed_in()
    row = Session.objects.get(user=user)
    key = cookie(client).value
    columns = [str(getattr(row, field.attname)) for field in Session._meta.concrete_fields]
    assert not any(key in column for column in columns)
    for stored in columns:
        thief = Client()
        thief.cookies[settings.SESSION_COOKIE_NAME] = re.sub(r"[^\w:.-]", "", stored)
        assert not is_in(thief)
    assert is_in(client)


def test_a_row_says_whose_session_it_is_and_how_they_signed_in(user: User) -> None:
    signed_in(user_agent=FIREFOX)
    row = Session.objects.get()
    assert (row.user, row.browser, row.method) == (user, "Firefox on Windows", "code")
    assert (row.address, row.created_at) == ("127.0.0.1", timezone.now())


def test_with_another_secret_key_nobody_is_signed_in(user: User, settings: Settings) -> None:
    client = signed_in()
    settings.SECRET_KEY = "another key, as long as one has to be, with many letters"
    assert not is_in(client)


# -- a new key -------------------------------------------------------------------------------------


def test_signing_in_gives_another_key(user: User) -> None:
    client = Client()
    posted(client, LOGIN, {"email": ANNA})
    before = cookie(client).value
    fixed = copy_of(client)
    posted(client, f"{LOGIN}code/confirm/", {"code": newest_code()})
    assert cookie(client).value != before
    assert not is_in(fixed)
    assert not Session.objects.filter(key_hash=key_hash(before)).exists()


@pytest.mark.parametrize("planted", ["a" * 32, "admin", "0", "x" * 500, "é" * 40])
def test_a_key_that_somebody_planted_is_never_used(user: User, planted: str) -> None:
    client = Client()
    client.cookies[settings.SESSION_COOKIE_NAME] = planted
    posted(client, LOGIN, {"email": ANNA})
    posted(client, f"{LOGIN}code/confirm/", {"code": newest_code()})
    assert is_in(client)
    assert cookie(client).value != planted
    assert not Session.objects.filter(key_hash=key_hash(planted)).exists()


def test_whoever_signs_in_again_in_the_same_browser_gets_another_key(user: User) -> None:
    client = signed_in()
    request = client.get(PAGE).wsgi_request
    before = request.session.session_key
    sessions.store_of(request).begin(user)
    assert request.session.session_key != before
    assert not is_in(client)


def test_the_cookie_lives_as_long_as_the_session_may(user: User) -> None:
    assert cookie(signed_in())["max-age"] == 90 * 24 * 3600
    make_staff(ANNA)
    assert cookie(signed_in())["max-age"] == 12 * 3600


# -- lifetimes -------------------------------------------------------------------------------------


def test_who_comes_back_within_two_weeks_is_still_signed_in(
    user: User, clock: time_machine.Traveller
) -> None:
    client = signed_in()
    for _ in range(6):
        clock.shift(timedelta(days=13))
        assert is_in(client)
    clock.shift(timedelta(days=13))  # in all, more than 90 days
    assert not is_in(client)


def test_a_session_that_was_not_used_for_two_weeks_is_over_and_says_so(
    user: User, clock: time_machine.Traveller
) -> None:
    client = signed_in()
    clock.shift(timedelta(days=14, minutes=1))
    there = client.get(PAGE)
    assert there["Location"] == f"{LOGIN}?next={PAGE}"
    assert "You were signed out because you were away" in visible_text(
        client.get(there["Location"])
    )


def test_a_session_of_ten_days_ago_takes_nothing_over(
    user: User, clock: time_machine.Traveller
) -> None:
    """What it could do: add an address, make it the main one, remove the owner's, set a password."""
    thief = copy_of(signed_in())
    clock.shift(timedelta(days=10))
    owner = signed_in()
    owner.post(PAGE, {"others": ""})
    for path, form in {
        "/accounts/email/": {"action_add": "", "email": "thief@example.org"},
        "/accounts/password/set/": PHRASE,
        PAGE: {"others": ""},
    }.items():
        assert thief.post(path, form)["Location"].startswith(LOGIN)
    assert is_in(owner)
    assert not EmailAddress.objects.filter(email="thief@example.org").exists()
    assert not User.objects.get().has_usable_password()


def test_staff_are_signed_out_after_an_hour_without_use(
    user: User, clock: time_machine.Traveller
) -> None:
    make_staff(ANNA)
    client = signed_in()
    clock.shift(timedelta(minutes=58))
    assert client.get("/admin/").status_code == 200
    clock.shift(timedelta(minutes=61))
    assert client.get("/admin/").status_code == 302
    assert not is_in(client)


def test_staff_are_signed_out_after_a_working_day_whatever_they_do(
    user: User, clock: time_machine.Traveller
) -> None:
    make_staff(ANNA)
    client = signed_in()
    for _ in range(14):
        clock.shift(timedelta(minutes=50))
        assert is_in(client)
    clock.shift(timedelta(minutes=30))  # 12 h 10 min
    assert not is_in(client)


def test_whoever_becomes_staff_is_under_their_rule_at_once(
    user: User, clock: time_machine.Traveller
) -> None:
    client = signed_in()
    User.objects.update(is_staff=True)
    clock.shift(timedelta(minutes=61))
    assert not is_in(client)


def test_a_page_that_asks_by_itself_keeps_no_session_alive(
    people: People, clock: time_machine.Traveller, scripted: object
) -> None:
    make_staff(people.alice.email)
    attempt = begin_attempt(people, "Shop")
    client = signed_in(people.alice.email)
    path = reverse("attempt-status", args=[people.acme.reference, attempt.reference])
    for minutes in (20, 20, 19):
        clock.shift(timedelta(minutes=minutes))
        assert client.get(path, headers={"HX-Request": "true"}).status_code == 200
        assert client.get(f"{attempt.get_absolute_url()}?reload").status_code == 200
    clock.shift(timedelta(minutes=2))
    answer = client.get(path, headers={"HX-Request": "true"})
    assert answer["HX-Redirect"].startswith(LOGIN)


def test_a_page_without_scripts_says_that_it_reloads_by_itself(
    people: People, scripted: object
) -> None:
    attempt = begin_attempt(people, "Shop")
    html = signed_in(people.alice.email).get(attempt.get_absolute_url()).content.decode()
    assert re.search(r'<noscript>\s*<meta http-equiv="refresh" content="\d+; url=\?reload">', html)


def test_a_use_is_noted_once_in_a_few_minutes(user: User, clock: time_machine.Traveller) -> None:
    client, begun = signed_in(), timezone.now()
    seen: list[datetime] = []
    for _ in range(5):
        clock.shift(timedelta(seconds=50))
        is_in(client)
        seen.append(Session.objects.get().last_seen_at)
    assert len({at for at in seen if at != begun}) == 1


def test_a_page_reads_the_session_and_the_user_with_one_query_each(user: User) -> None:
    client = signed_in()
    with CaptureQueriesContext(connection) as queries:
        assert client.get("/accounts/logout/").status_code == 200
    tables = [re.findall('FROM "(\\w+)"', each["sql"])[0] for each in queries.captured_queries]
    known = ["onboarding_session", "onboarding_user"]
    assert tables == [*known, "onboarding_merchant", "onboarding_refusedaddress"]


def test_who_is_not_signed_in_is_forgotten_after_a_day(clock: time_machine.Traveller) -> None:
    client = Client()
    posted(client, LOGIN, {"email": ANNA})
    assert cookie(client)["max-age"] == 24 * 3600
    clock.shift(timedelta(hours=25))
    assert "signed out" not in visible_text(client.get(LOGIN))
    retention.run()
    assert not Session.objects.exists()


# -- ending by hand --------------------------------------------------------------------------------


def test_the_page_lists_every_browser_and_marks_this_one(user: User) -> None:
    signed_in(user_agent=FIREFOX)
    here = signed_in(user_agent="curl/8.0")
    said = visible_text(here.get(PAGE))
    assert "Firefox on Windows Signed in just now" in said
    assert "Another browser Signed in just now" in said
    assert "with a code by email" in said
    assert said.count("IP address 127.0.0.1") == 2
    assert said.index("This browser") < said.index("Firefox on Windows")


def test_a_session_is_ended_by_its_button(user: User) -> None:
    other, here = signed_in(), signed_in()
    [number] = re.findall(r'name="session"\s+value="(\d+)"', here.get(PAGE).content.decode())
    answer = here.post(PAGE, {"session": number}, follow=True)
    assert "Signed out of one other browser." in visible_text(answer)
    assert (is_in(other), is_in(here)) == (False, True)
    assert (event().user, event().by, event().detail) == (user, None, "one: 1")


def test_an_ended_session_leads_to_the_sign_in_and_back(user: User) -> None:
    other, here = signed_in(), signed_in()
    here.post(PAGE, {"others": ""})
    there = other.get(PAGE)
    assert there["Location"] == f"{LOGIN}?next={PAGE}"
    assert "You were signed out" in visible_text(other.get(there["Location"]))
    cache.clear()
    posted(other, there["Location"], {"email": ANNA, "next": PAGE})
    after = posted(other, f"{LOGIN}code/confirm/", {"code": newest_code()})
    assert after["Location"] == PAGE


def test_all_of_twenty_others_are_ended_at_once(user: User) -> None:
    others = [
        signed_in(),
        *(Client() for _ in range(19)),
    ]  # more codes by mail are more than are sent
    for other in others[1:]:
        other.force_login(user, "allauth.account.auth_backends.AuthenticationBackend")
    here = signed_in()
    assert here.get(PAGE).content.decode().count('name="session"') == 20
    said = visible_text(here.post(PAGE, {"others": ""}, follow=True))
    assert "Signed out of 20 other browsers." in said
    assert not any(map(is_in, others))
    assert Session.objects.filter(user=user).count() == 1


def test_ending_all_others_changes_the_key_of_this_one(user: User) -> None:
    here = signed_in()
    thief = copy_of(here)
    here.post(PAGE, {"others": ""})
    assert is_in(here)
    assert not is_in(thief)


def test_a_long_ago_sign_in_is_asked_whether_it_is_still_them(
    user: User, clock: time_machine.Traveller
) -> None:
    other, here = signed_in(), signed_in()
    clock.shift(timedelta(minutes=16))
    asked = here.post(PAGE, {"others": ""})
    assert "/accounts/reauthenticate/" in asked["Location"]
    assert is_in(other)
    posted(here, asked["Location"], {"send": ""})
    here.post(asked["Location"], {"code": newest_code()}, follow=True)
    assert not is_in(other)


@pytest.mark.parametrize("number", ["", "x", "-1", "٣", "9" * 30, "0", None])
def test_nobody_ends_a_session_that_is_not_theirs(people: People, number: str | None) -> None:
    other, here = signed_in(people.bob.email), signed_in(people.alice.email)
    theirs = str(Session.objects.get(user=people.bob).pk)
    answer = here.post(PAGE, {"session": theirs if number is None else number})
    assert answer.status_code == 302
    assert is_in(other)
    assert is_in(here)


def test_only_who_is_signed_in_sees_the_page() -> None:
    assert Client().get(PAGE)["Location"].startswith(LOGIN)
    assert Client().post(PAGE, {"others": ""})["Location"].startswith(LOGIN)


def test_staff_see_a_persons_sessions_and_end_one_or_all(people: People) -> None:
    phone, laptop = signed_in(people.alice.email), signed_in(people.alice.email, user_agent=FIREFOX)
    make_staff(people.bob.email)
    staff = signed_in(people.bob.email)
    page = reverse("admin:onboarding_user_change", args=[people.alice.pk])
    assert "Firefox on Windows" in visible_text(staff.get(page))
    action = reverse("admin:onboarding_user_sessions", args=[people.alice.pk])
    oldest = Session.objects.filter(user=people.alice).earliest("pk")
    staff.post(action, {"session": oldest.pk})
    assert (is_in(phone), is_in(laptop)) == (False, True)
    assert (event().user, event().by) == (people.alice, people.bob)
    assert "One session has ended." in visible_text(staff.post(action, follow=True))
    assert not is_in(laptop)
    assert "Not signed in anywhere." in visible_text(staff.get(page))


def test_only_staff_who_may_change_a_user_end_their_sessions(people: People) -> None:
    boss = make_staff(people.charlie.email)
    client, other = signed_in(boss.email), signed_in(people.alice.email)
    User.objects.filter(pk=people.bob.pk).update(is_staff=True)
    helper = signed_in(people.bob.email)
    for person in (boss, people.alice):
        action = reverse("admin:onboarding_user_sessions", args=[person.pk])
        assert helper.post(action).status_code == 403
        assert other.post(action).status_code in {302, 403}
    assert is_in(client)
    assert is_in(other)


# -- ending by a change ----------------------------------------------------------------------------


def set_password(client: Client, user: User) -> None:
    client.post("/accounts/password/set/", PHRASE)


def change_password(client: Client, user: User) -> None:
    user.set_password("an old long phrase")
    user.save()
    old = signed_in()
    client.cookies = old.cookies
    client.post("/accounts/password/change/", {"oldpassword": "an old long phrase", **PHRASE})


def make_main(client: Client, user: User) -> None:
    EmailAddress.objects.create(user=user, email="second@shop.example", verified=True)
    client.post("/accounts/email/", {"action_primary": "", "email": "second@shop.example"})


def remove_address(client: Client, user: User) -> None:
    EmailAddress.objects.create(user=user, email="second@shop.example", verified=True)
    client.post("/accounts/email/", {"action_remove": "", "email": "second@shop.example"})


def remove_passkey(client: Client, user: User) -> None:
    add_passkey(user)
    passkey = Authenticator.objects.get(user=user)
    cache.clear()
    posted(client, STILL_YOU, {"send": ""})
    posted(client, STILL_YOU, {"code": newest_code()})
    client.post(reverse("mfa_remove_webauthn", args=[passkey.pk]))
    assert not Authenticator.objects.exists()


def add_a_passkey(client: Client, user: User) -> None:
    form = {"name": "Phone", "credential": json.dumps({"id": "abc", "type": "public-key"})}
    client.get(reverse("mfa_add_webauthn"))
    with pytest.MonkeyPatch.context() as patch:
        for name in ("parse_registration_response", "complete_registration"):
            patch.setattr(auth, name, lambda credential: None)  # a browser's own work
        client.post(reverse("mfa_add_webauthn"), form)
    assert Authenticator.objects.exists()


CHANGES = {
    "passkey or second factor added": add_a_passkey,
    "password set": set_password,
    "password changed": change_password,
    "main address changed": make_main,
    "address removed": remove_address,
    "passkey or second factor removed": remove_passkey,
}


@pytest.mark.parametrize("what", CHANGES)
def test_other_sessions_end_when_a_way_to_sign_in_changes(user: User, what: str) -> None:
    here, other = signed_in(), signed_in()
    CHANGES[what](here, user)
    assert is_in(here)
    assert not is_in(other)
    assert Session.objects.filter(user=user).count() == 1
    assert event().detail.startswith(what)


@pytest.mark.parametrize("what", CHANGES)
def test_the_key_from_before_a_change_works_no_more(user: User, what: str) -> None:
    here = signed_in()
    thief = copy_of(here)
    CHANGES[what](here, user)
    assert is_in(here)
    assert not is_in(thief)


def test_a_change_prolongs_no_session(user: User, clock: time_machine.Traveller) -> None:
    here, begun = signed_in(), timezone.now()
    clock.shift(timedelta(minutes=10))
    set_password(here, user)
    assert Session.objects.get(user=user).created_at == begun


def test_a_new_password_by_code_ends_all_sessions(user: User) -> None:
    user.set_password("an old long phrase")
    user.save()
    other = signed_in()
    cache.clear()
    client = Client()
    posted(client, "/accounts/password/reset/", {"email": ANNA})
    posted(client, "/accounts/password/reset/confirm/", {"code": newest_code()})
    posted(client, "/accounts/password/reset/complete/", PHRASE)
    assert is_in(client)
    assert not is_in(other)
    assert Session.objects.get(user=user).method == "password_reset"


def admin_form(client: Client, person: User, **changed: str) -> None:
    """Save the user's page in the admin, with this changed; "" unticks a box."""
    page = reverse("admin:onboarding_user_change", args=[person.pk])
    form = {"email": person.email, "name": person.name, "language": person.language}
    boxes = {name: "on" for name in ("is_active", "is_staff") if getattr(person, name)}
    fields = {
        name: value for name, value in {**form, **boxes, **changed}.items() if value or name in form
    }
    assert client.post(page, fields)["Location"] == reverse("admin:onboarding_user_changelist")


def test_sessions_end_when_staff_change_somebodys_rights(people: People) -> None:
    make_staff(people.bob.email)
    staff = signed_in(people.bob.email)
    for changed in ({"is_staff": "on"}, {"is_active": ""}):
        other = signed_in(people.alice.email)
        admin_form(staff, people.alice, **changed)
        assert not is_in(other)
    assert SecurityEvent.objects.filter(kind="sessions_ended", by=people.bob).count() == 2


def test_sessions_go_on_when_staff_change_a_name(people: People) -> None:
    make_staff(people.bob.email)
    staff, other = signed_in(people.bob.email), signed_in(people.alice.email)
    admin_form(staff, people.alice, name="Alice Smith")
    assert is_in(other)


def test_who_is_made_staff_signs_in_again(user: User) -> None:
    client = signed_in()
    call_command("staff", ANNA, stdout=io.StringIO())
    assert not is_in(client)
    again = signed_in()
    call_command("staff", ANNA, stdout=io.StringIO())  # changes nothing
    assert is_in(again)


def test_whoever_was_deactivated_is_out_also_when_they_are_back(user: User) -> None:
    client = signed_in()
    User.objects.update(is_active=False)
    sessions.end_all(user, "deactivated")
    User.objects.update(is_active=True)
    assert not is_in(client)


# -- signing out -----------------------------------------------------------------------------------


def test_signing_out_ends_the_row_and_clears_what_the_browser_keeps(user: User) -> None:
    client = signed_in()
    answer = client.post("/accounts/logout/")
    assert answer["Clear-Site-Data"] == '"cache", "storage"'
    assert not Session.objects.filter(user=user).exists()
    assert cookie(client).value == ""
    assert "signed out because" not in visible_text(client.get(LOGIN))


def test_signing_out_of_the_staffs_pages_clears_it_too(user: User) -> None:
    make_staff(ANNA)
    assert "cache" in signed_in().post("/admin/logout/")["Clear-Site-Data"]


def test_no_other_page_clears_anything(user: User) -> None:
    client = signed_in()
    assert not client.get(PAGE).has_header("Clear-Site-Data")
    assert not client.post(PAGE, {"others": ""}).has_header("Clear-Site-Data")


# -- while a page is made --------------------------------------------------------------------------


def end_while(monkeypatch: pytest.MonkeyPatch, user: User) -> None:
    """All sessions end between the reading of the session and the writing of it."""
    usual = SessionStore.save

    def save(store: SessionStore, must_create: bool = False) -> None:
        if not must_create:
            Session.objects.filter(user=user).delete()
        usual(store, must_create)

    monkeypatch.setattr(SessionStore, "save", save)


@pytest.mark.parametrize(
    ("path", "leads_to"),
    [
        ("/accounts/email/?next=/shops/", f"{LOGIN}?next=%2Fshops%2F"),
        ("/accounts/email/?next=/shops/&a=1", f"{LOGIN}?next=%2Fshops%2F"),
    ],
)
def test_a_session_that_ends_while_a_page_is_made_leads_to_the_sign_in(
    user: User, monkeypatch: pytest.MonkeyPatch, path: str, leads_to: str
) -> None:
    client = signed_in()
    end_while(monkeypatch, user)
    answer = client.get(path)  # it remembers `next`
    assert (answer.status_code, answer["Location"].replace("/shops/", "%2Fshops%2F")) == (
        302,
        leads_to,
    )
    assert not Session.objects.exists()
    assert not is_in(client)


def test_a_form_whose_session_ends_meanwhile_leads_on(
    user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = signed_in()
    end_while(monkeypatch, user)
    answer = client.post("/accounts/email/", {"action_add": "", "email": "second@shop.example"})
    assert answer.status_code == 302
    assert answer["Location"].startswith("/accounts/")
    assert not Session.objects.exists()


@pytest.mark.parametrize("what", ["password set", "main address changed"])
def test_a_change_in_a_session_that_has_just_ended_does_not_bring_it_back(
    user: User, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """A new key would be a new session."""
    client = signed_in()
    usual = SessionStore.cycle_key

    def cycle_key(store: SessionStore) -> None:
        Session.objects.filter(user=user).delete()
        usual(store)

    monkeypatch.setattr(SessionStore, "cycle_key", cycle_key)
    CHANGES[what](client, user)
    assert not Session.objects.exists()
    assert not is_in(client)


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_page_that_reloads_by_itself_may_begin_a_session(user: User, method: str) -> None:
    client = Client()
    answer = getattr(client, method)(f"{LOGIN}?reload", {"email": ANNA})
    assert answer.status_code in {200, 302}
    posted(client, f"{LOGIN}code/confirm/?reload", {"code": newest_code()} if mail.outbox else {})
    assert is_in(client) == (method == "post")


@pytest.mark.parametrize("address", ["fe80::1%eth0", "2001:db8::1", "::ffff:192.0.2.1"])
def test_any_address_may_sign_in(user: User, address: str) -> None:
    client = Client(REMOTE_ADDR=address)
    posted(client, LOGIN, {"email": ANNA})
    posted(client, f"{LOGIN}code/confirm/", {"code": newest_code()})
    assert client.get(PAGE).status_code == 200
    assert Session.objects.get(user=user).address == address.partition("%")[0]


def test_requests_at_once_never_bring_an_ended_session_back(user: User) -> None:
    """Some ask for codes, which writes into the session; one signs out."""
    client = signed_in()
    copies = [copy_of(client) for _ in range(6)]

    def add(number: int) -> int:
        form = {"action_add": "", "email": f"more-{number}@shop.example"}
        return copies[number].post("/accounts/email/", form).status_code

    acts: list[Callable[[], int]] = [lambda number=number: add(number) for number in range(6)]  # type: ignore[misc]
    statuses = at_once(*acts, lambda: copy_of(client).post("/accounts/logout/").status_code)
    assert set(statuses) <= {200, 302, 429}
    assert not Session.objects.filter(user=user).exists()
    assert not is_in(client)


def test_a_late_answer_to_the_old_cookie_leaves_the_new_one_alone(user: User) -> None:
    """The key changes in one tab while a page of another one is under way."""
    here = signed_in()
    late = copy_of(here)
    here.post(PAGE, {"others": ""})
    answer = late.get(PAGE)
    assert settings.SESSION_COOKIE_NAME not in answer.cookies


@contextmanager
def nothing_can_be_written() -> Iterator[None]:
    """Another process holds SQLite's only write lock."""
    other = sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    yield
    other.rollback()
    other.close()


@pytest.mark.skipif(connection.vendor != "sqlite", reason="SQLite alone has one lock for all")
def test_a_page_is_shown_soon_when_its_use_cannot_be_noted(
    user: User, clock: time_machine.Traveller
) -> None:
    client = signed_in()
    begun, start = timezone.now(), time.perf_counter()
    clock.shift(timedelta(minutes=5))
    with nothing_can_be_written():
        assert client.get(PAGE).status_code == 200
    assert time.perf_counter() - start < 10  # seconds; whoever writes waits 20
    assert Session.objects.get().last_seen_at == begun
    assert client.get(PAGE).status_code == 200
    assert Session.objects.get().last_seen_at == timezone.now()


def test_a_mail_holds_no_key(user: User) -> None:
    client = signed_in()
    assert not any(cookie(client).value in str(each.body) for each in mail.outbox)


@pytest.mark.skipif(connection.vendor != "sqlite", reason="SQLite alone waits for a lock by a time")
def test_noting_a_use_leaves_the_time_that_this_thread_waits_for_the_lock(
    user: User, clock: time_machine.Traveller
) -> None:
    here = signed_in()
    clock.shift(timedelta(minutes=3))
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA busy_timeout = 1234")
        assert is_in(here)
        assert Session.objects.get().last_seen_at == timezone.now()
        assert cursor.execute("PRAGMA busy_timeout").fetchone() == (1234,)
