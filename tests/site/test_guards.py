"""An old session may look and connect; what changes who one is, reveals or destroys asks again."""

from __future__ import annotations

import re
import time
from contextlib import suppress
from dataclasses import replace

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.test import Client
from django.urls import NoReverseMatch, get_resolver, reverse

from onboarding.models import Connection, Invitation, Membership, SecurityEvent
from onboarding.people import guards
from tests.site.test_at_once import url_names
from tests.support.attempts import CONNECTED, begin_attempt, run_step
from tests.support.codes import newest_code
from tests.support.passkeys import add_passkey
from tests.support.people import People
from tests.support.scripted import Scripted
from tests.support.staff import staff_client
from tests.support.still_you import age, asks, confirm
from tests.support.visit import browser, url, visible_text
from vendors.contract import Done, text

pytestmark = pytest.mark.usefixtures("inline_executor")
PASSWORD = {"password1": "a long enough phrase", "password2": "a long enough phrase"}

# Every name of a URL that asks nothing, with the reason. A new one belongs here or into GUARDED.
UNGUARDED: dict[str, set[str]] = {
    "it only shows something": {
        *("start", "catalogue", "go", "shops", "home", "attempt", "attempt-status"),
        *("connection", "connection-status", "team", "return-lost", "brand_css", "security_txt"),
        *("demo_mails", "demo_mail_html", "account_inactive", "mfa_index", "mfa_list_webauthn"),
        *("account_password_reset_completed", "", "admin:", "admin:app_list", "admin:index"),
        *("admin:jsi18n", "admin:autocomplete", "admin:view_on_site"),
        *("admin:password_change_done", "admin:onboarding_connector_vendor"),
        *("shop-receipt", "shop-receipt-older", "shop-receipt-download", "receipt-keys"),
        *("account_events", "team-events", "receipt", "mfa_set_up", "return-elsewhere"),
    },
    "it signs in, which counts, or answers the question": {
        *("account_login", "account_login_password", "account_request_login_code"),
        *("account_confirm_login_code", "account_signup", "mfa_login_webauthn", "mfa_authenticate"),
        *("account_reauthenticate", "account_reauthenticate_code", "mfa_reauthenticate"),
        *("mfa_reauthenticate_webauthn", "admin:login"),
    },
    "it needs a code from the mailbox": {
        *("account_email_verification_sent", "account_reset_password"),
        *("account_confirm_password_reset_code", "account_complete_password_reset", "take-back"),
    },
    "it ends one's own session": {"account_logout", "admin:logout"},
    "it connects, checks, pauses, renames, resumes or repairs a shop": {
        *(
            "platform",
            "welcome",
            "connect",
            "leave-it",
            "forget-it",
            "continue",
            "finish",
            "answer",
        ),
        *("check-again", "use-found", "go-back", "both", "reconnect", "enter", "pause", "resume"),
        *("rename", "return", "return-here"),
        *("admin:onboarding_connection_ask", "admin:onboarding_connection_done"),
        *("admin:onboarding_connection_confirm", "admin:onboarding_account_resolve"),
    },
    "it says what a business or a person is called": {"rename-business", "own-name"},
    "it chooses the language of the pages": {"language"},
    "it notes what staff did elsewhere": {"admin:onboarding_erasuretask_done"},
    "it gives nobody a right that an owner has not given before": {
        *("invitation", "send-again", "revoke"),
    },
    "it sets what merchants are offered": {
        *("admin:onboarding_connector_add", "admin:onboarding_connector_plan"),
        "admin:onboarding_connectorrequest_change",
    },
    "it says which mails a person gets, in which language and time zone": {
        *("own-mails", "mails", "address-works"),
    },
    "it asks for a shop system that is not offered": {"ask"},
}
READ_ONLY = re.compile(
    r"admin:onboarding_(account|alert|attempt|connection|erasuretask|hourlycalls|mailrecord|refusedaddress"
    r"|securityevent|waitlistentry)"
    r"_(add|change|delete)"
    r"|admin:onboarding_connectorrequest_add"
)
LISTED = re.compile(r"admin:\w+_(changelist|history)")
ELSEWHERE = re.compile(r"admin:onboarding_(merchant|user)_delete|admin:onboarding_connector_change")


def named() -> set[str]:
    names = set(url_names(get_resolver()))
    return {name for name in names if not (READ_ONLY.fullmatch(name) or LISTED.fullmatch(name))}


def test_every_address_asks_or_has_a_reason_not_to() -> None:
    """A new address belongs into guards.GUARDED or into UNGUARDED."""
    reviewed = set().union(*UNGUARDED.values())
    names = {name for name in named() if not ELSEWHERE.fullmatch(name)}
    assert names - guards.GUARDED.keys() == reviewed
    assert not reviewed & guards.GUARDED.keys()


def address(name: str) -> str:
    """An address of this name. The question comes first, so there needs to be nothing."""
    for count in range(4):
        with suppress(NoReverseMatch):
            return reverse(name, args=[1] * count)
    raise AssertionError(name)


HERE = sorted(
    name
    for name in guards.GUARDED.keys() & set(url_names(get_resolver()))
    if not guards.GUARDED[name].in_view
)


@pytest.mark.parametrize("name", HERE)
def test_a_post_of_an_old_session_asks(people: People, name: str) -> None:
    staff, page = staff_client(), address(name)
    form = {"role": "owner"}  # only an owner's invitation asks
    if name != "close-account":  # it would close that of our staff
        assert not asks(staff.post(page, form))
    assert asks(age(staff).post(page, form))


@pytest.mark.parametrize("name", [n for n in HERE if guards.GUARDED[n].secret])
def test_a_form_with_a_secret_asks_before_it_is_filled_in(people: People, name: str) -> None:
    old, page = age(staff_client()), address(name)
    assert asks(old.get(page))
    old.post(page, {"password1": "c4n4ry", "answer_password": "c4n4ry"})
    assert "c4n4ry" not in str(dict(old.session))


@pytest.fixture
def alice(people: People) -> Client:
    """The owner, who signed in ten days ago."""
    return age(browser(people.alice))


@pytest.fixture
def connection(people: People, scripted: Scripted) -> Connection:
    return run_step(begin_attempt(people), scripted, CONNECTED).connection


def test_the_post_goes_on_by_itself_at_its_own_address(
    people: People, alice: Client, connection: Connection, scripted: Scripted
) -> None:
    scripted.script.append(Done(here=text("It ended."), there=text("It stays there.")))
    question = alice.post(url("disconnect", connection))
    page = alice.get(question["Location"])
    assert "You are about to: Disconnect a shop" in visible_text(page)
    shown = confirm(alice, question)
    assert shown.redirect_chain[0] == (url("disconnect", connection), 307)
    assert shown.request["PATH_INFO"] == connection.get_absolute_url()
    connection.refresh_from_db()
    assert connection.status == "disconnected"


def test_the_mail_says_what_is_about_to_happen(alice: Client, connection: Connection) -> None:
    confirm(alice, alice.post(url("remove", connection)))
    assert "“Remove a shop from your list”" in mail.outbox[-1].body


def test_a_form_with_an_error_is_shown_at_its_own_address(people: People, alice: Client) -> None:
    page = reverse("invite", args=[people.acme.reference])
    shown = confirm(alice, alice.post(page, {"email": "nobody", "role": "owner"}))
    assert shown.request["PATH_INFO"] == page
    assert 'value="nobody"' in shown.content.decode()


def test_a_button_without_a_page_leads_back_to_where_it_was_pressed(
    people: People, alice: Client
) -> None:
    bob = people.acme.memberships.get(user=people.bob)
    team = reverse("team", args=[people.acme.reference])
    change = reverse("change-role", args=[people.acme.reference, bob.pk])
    pressed = alice.post(change, {"role": "owner"}, headers={"referer": f"http://localhost{team}"})
    assert pressed["Location"].endswith(f"next={team.replace('/', '%2F')}")
    assert confirm(alice, pressed).request["PATH_INFO"] == team
    bob.refresh_from_db()
    assert bob.owns


def test_inviting_an_owner_asks_and_inviting_a_member_does_not(
    people: People, alice: Client
) -> None:
    page = reverse("invite", args=[people.acme.reference])
    assert not asks(alice.post(page, {"email": "dora@example.org", "role": "member"}))
    question = alice.post(page, {"email": "emil@example.org", "role": "owner"})
    assert asks(question)
    assert not Invitation.objects.filter(email="emil@example.org").exists()
    confirm(alice, question)
    assert Invitation.objects.get(email="emil@example.org").role == "owner"


def test_whoever_signed_in_a_moment_ago_is_not_asked(
    people: People, connection: Connection, scripted: Scripted
) -> None:
    scripted.script.append(Done(here=text("It ended."), there=text("It stays there.")))
    recent = age(browser(people.alice), 14 * 60)
    assert not asks(recent.post(url("disconnect", connection)))
    assert asks(age(recent, 2 * 60).post(url("disconnect", connection)))


def test_an_answer_counts_for_fifteen_minutes(alice: Client, connection: Connection) -> None:
    confirm(alice, alice.post(reverse("account_email"), {"action_add": "", "email": "x@y.example"}))
    assert not asks(alice.post(url("remove", connection)))
    assert asks(age(alice, 16 * 60).post(url("remove", connection)))


def test_a_takeover_is_asked_at_its_first_step(people: People, alice: Client) -> None:
    page = reverse("account_email")
    for button in ("action_add", "action_primary", "action_remove"):
        assert asks(alice.post(page, {button: "", "email": "thief@evil.example"}))
    assert asks(alice.post(reverse("account_set_password"), PASSWORD))
    assert not EmailAddress.objects.filter(email="thief@evil.example").exists()
    people.alice.refresh_from_db()
    assert not people.alice.has_usable_password()


def test_a_secret_that_was_typed_too_late_is_typed_again(people: People, alice: Client) -> None:
    page = reverse("account_set_password")
    shown = confirm(alice, alice.post(page, PASSWORD))
    assert shown.request["PATH_INFO"] == page
    assert "Please fill in the form again" in visible_text(shown)
    people.alice.refresh_from_db()
    assert not people.alice.has_usable_password()


def test_what_waited_too_long_is_not_carried_out(
    people: People, alice: Client, connection: Connection
) -> None:
    question = alice.post(url("disconnect", connection))
    session = alice.session
    session[guards.KEPT] = {**session[guards.KEPT], "at": time.time() - 16 * 60}
    session.save()
    shown = confirm(alice, question)
    assert shown.request["PATH_INFO"] == url("disconnect", connection)
    assert "What will happen" in visible_text(shown)
    connection.refresh_from_db()
    assert connection.status == "connected"


def test_what_waits_is_carried_out_once(people: People, alice: Client) -> None:
    bob = people.acme.memberships.get(user=people.bob)
    change = reverse("change-role", args=[people.acme.reference, bob.pk])
    confirm(alice, alice.post(change, {"role": "owner"}))
    Membership.objects.filter(pk=bob.pk).update(role="member")
    again = alice.post(change, {guards.ANSWER: "1", "next": "/shops/"})
    assert again["Location"] == "/shops/"
    bob.refresh_from_db()
    assert not bob.owns


def test_another_form_at_the_same_address_is_not_replaced_later(
    people: People, alice: Client
) -> None:
    """The browser was closed before it could carry out what waited."""
    page = reverse("invite", args=[people.acme.reference])
    alice.post(page, {"email": "first@example.org", "role": "owner"})
    session = alice.session
    kept = {"answered_at": time.time() - 2 * guards.REDIRECT_TAKES}
    session[guards.KEPT] = {**session[guards.KEPT], **kept}
    session.save()
    alice.post(page, {"email": "second@example.org", "role": "member"})
    assert [each.email for each in Invitation.objects.all()] == ["second@example.org"]


def test_nobody_else_carries_out_what_waits(people: People, alice: Client) -> None:
    bob = people.acme.memberships.get(user=people.bob)
    change = reverse("change-role", args=[people.acme.reference, bob.pk])
    alice.post(change, {"role": "owner"})
    session = alice.session
    kept = {"user": people.bob.pk, "answered_at": time.time()}
    session[guards.KEPT] = {**session[guards.KEPT], **kept}
    session.save()
    age(alice, -10 * 24 * 3600)
    assert alice.post(change, {guards.ANSWER: "1"}).status_code == 302
    bob.refresh_from_db()
    assert not bob.owns


def test_what_waits_holds_no_token_and_no_cookie(alice: Client, connection: Connection) -> None:
    alice.post(url("disconnect", connection), {"csrfmiddlewaretoken": "x" * 64})
    assert "x" * 64 not in str(dict(alice.session))
    assert alice.cookies["gangway_session"].value not in str(dict(alice.session))


def test_a_request_by_htmx_moves_the_whole_page(
    people: People, alice: Client, connection: Connection
) -> None:
    here = {"HX-Request": "true", "Referer": f"http://localhost{connection.get_absolute_url()}"}
    response = alice.post(url("disconnect", connection), headers=here)
    assert response.status_code == 200
    assert asks(response)


def test_what_cannot_be_undone_at_the_vendor_asks(
    people: People,
    alice: Client,
    connection: Connection,
    scripted: Scripted,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The harmless action does not."""
    act = reverse("act", args=[people.acme.reference, connection.reference, "mine"])
    [mine] = [each for each in scripted.actions() if each.key == "mine"]
    scripted.script.extend([Done(here=text("Done."), there=text("Done."))] * 2)
    assert not asks(alice.post(act))
    monkeypatch.setattr(Scripted, "actions", lambda self: (replace(mine, danger=True),))
    question = alice.post(act)
    assert asks(question)
    assert len(scripted.script) == 1
    confirm(alice, question)
    assert scripted.script == []


def test_staff_come_back_to_their_form(
    people: People, connection: Connection, scripted: Scripted
) -> None:
    staff = staff_client()
    page = reverse("admin:onboarding_connection_act", args=[connection.pk, "tidy"])
    found = re.search(r'name="form_id" value="([^"]+)"', staff.get(page).content.decode())
    assert found
    scripted.script.append(Done(here=text("Tidied."), there=text("It stays there.")))
    shown = confirm(staff, age(staff).post(page, {"form_id": found[1]}))
    assert "Tidied." in visible_text(shown)
    assert "sent this form twice" in visible_text(
        staff.post(page, {"form_id": found[1]}, follow=True)
    )


def test_every_answer_is_in_the_security_log(people: People, alice: Client) -> None:
    confirm(alice, alice.post(reverse("account_email"), {"action_add": "", "email": "a@b.example"}))
    event = SecurityEvent.objects.get(kind="confirmed_identity")
    assert (event.user, event.detail) == (people.alice, "code")


def test_an_address_is_confirmed_without_a_second_question(people: People, alice: Client) -> None:
    """The press that sent its code was asked."""
    page = reverse("account_email")
    confirm(alice, alice.post(page, {"action_add": "", "email": "second@example.org"}))
    alice.post(reverse("account_email_verification_sent"), {"code": newest_code()})
    assert EmailAddress.objects.get(email="second@example.org").verified
    assert SecurityEvent.objects.filter(kind="address_added", user=people.alice).exists()


@pytest.mark.parametrize(
    "page", ["account_reauthenticate", "mfa_reauthenticate_webauthn", "account_reauthenticate_code"]
)
def test_every_page_that_takes_the_answer_marks_its_form(people: People, page: str) -> None:
    """Otherwise its fields would reach the view that goes on."""
    people.alice.set_password("a long enough phrase")
    people.alice.save()
    add_passkey(people.alice)
    client = browser(people.alice)
    client.post(reverse("account_reauthenticate_code"), {"send": ""})
    assert f'name="{guards.ANSWER}"' in client.get(reverse(page)).content.decode()


def test_a_password_answers_too(people: People) -> None:
    people.alice.set_password("a long enough phrase")
    people.alice.save()
    alice = age(browser(people.alice))
    page = reverse("leave-team", args=[people.acme.reference])
    people.acme.memberships.filter(user=people.bob).update(role="owner")
    question = alice.post(page)
    form = {"password": "a long enough phrase", "next": page, guards.ANSWER: "1"}
    alice.post(question["Location"], form, follow=True)
    assert not people.acme.memberships.filter(user=people.alice).exists()
    assert SecurityEvent.objects.filter(detail="password").exists()
