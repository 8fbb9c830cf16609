"""Names that people type: one line that can be seen, and never a link in a mail to a stranger."""

from __future__ import annotations

import html
import re
from datetime import timedelta

import pytest
from allauth.mfa.models import Authenticator
from django.core import mail
from django.core.cache import cache
from django.core.mail import EmailMultiAlternatives
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from onboarding import questions
from onboarding.models import Connection, Merchant, User
from onboarding.notifications import notices
from onboarding.notifications.mail import quoted, quoted_for_strangers
from tests.support.attempts import CONNECTED, begin_attempt, run_step
from tests.support.people import People, person
from tests.support.scripted import Scripted
from tests.support.staff import staff_client
from tests.support.visit import OPEN, browser, offer, start_attempt, visible_text
from vendors.contract import Question, text

pytestmark = [pytest.mark.both, pytest.mark.django_db(transaction=True)]

CLEANED = {
    "  Acme \t GmbH ": "Acme GmbH",
    "Acme\r\n\r\nYour account is locked": "Acme Your account is locked",
    "Acme\u2028GmbH\u0085AG": "Acme GmbH AG",
    "Ac\u200bme\u202e\u00ad": "Acme",
    "Acme\u0000": "Acme",
    "A\u0308rzte": "Ärzte",
    "👩‍🌾 Hof": "👩‍🌾 Hof",
    "می‌خواهم": "می‌خواهم",
}
INVISIBLE = ["", "   ", "\u200b", "\u3164", "\u2800", "\u00a0\u2060", "\u200d", "\u0301", "\u202e"]
LINKS = [
    "You won, collect at https://evil.example/win",
    "www.evil.example",
    "WWW.EVIL.EXAMPLE",
    "Acme HTTP://evil.example",
    "Acme ftp://evil.example",
    "\uff57\uff57\uff57.evil.example",
    "www\uff0eevil.example",
    "www\u3002evil.example",
    "https\uff1a\uff0f\uff0fevil.example",
    "ht\u200btps:/\u200b/evil.example",
    "w\u200dww.evil.example",
    "Acme\nhttps://evil.example",
]
NO_LINK = "Leave out web addresses"
TOO_LONG = "Use at most"


def errors_at(page: str, field: str) -> str:
    return html.unescape(page.partition(f'id="id_{field}_error"')[2].partition("</div>")[0])


@pytest.fixture
def anna(transactional_db: None) -> Client:
    cache.clear()
    return browser(person("anna@example.com", ""))


# -- a business ------------------------------------------------------------------------------------


@pytest.mark.parametrize("typed", CLEANED)
def test_a_business_gets_a_clean_name(anna: Client, typed: str) -> None:
    assert anna.post("/welcome/", {"name": typed}).status_code == 302
    assert Merchant.objects.get().name == CLEANED[typed]


@pytest.mark.parametrize("typed", INVISIBLE)
def test_a_business_has_a_name_that_can_be_seen(anna: Client, typed: str) -> None:
    page = anna.post("/welcome/", {"name": typed}).content.decode()
    assert "Enter the name of your business." in errors_at(page, "name")
    assert not Merchant.objects.exists()


@pytest.mark.parametrize("typed", LINKS)
def test_the_name_of_a_business_is_no_link(anna: Client, typed: str) -> None:
    page = anna.post("/welcome/", {"name": typed}).content.decode()
    assert NO_LINK in errors_at(page, "name")
    assert not Merchant.objects.exists()


def test_a_name_that_is_too_long_is_said_at_the_field(anna: Client) -> None:
    page = anna.post("/welcome/", {"name": "x" * 201}).content.decode()
    assert f"{TOO_LONG} 200 characters." in errors_at(page, "name")
    assert anna.post("/welcome/", {"name": "x" * 200}).status_code == 302


@pytest.mark.parametrize("name", ["Booking.com", "J.P. Morgan", "Foo A/S", "C & A: Berlin"])
def test_the_usual_names_are_taken(anna: Client, name: str) -> None:
    anna.post("/welcome/", {"name": name})
    assert Merchant.objects.get().name == name


# -- a shop ----------------------------------------------------------------------------------------


@pytest.mark.usefixtures("inline_executor")
def test_a_shop_gets_a_clean_name(people: People, scripted: Scripted) -> None:
    start_attempt(people, scripted, OPEN, name="Ac\u200bme\n")
    assert Connection.objects.get().name == "Acme"


@pytest.mark.parametrize("typed", INVISIBLE)
@pytest.mark.usefixtures("inline_executor")
def test_a_shop_has_a_name_that_can_be_seen(people: People, scripted: Scripted, typed: str) -> None:
    """Without one it is called as what was connected."""
    start_attempt(people, scripted, OPEN, name=typed)
    assert Connection.objects.get().name == str(offer())


def test_a_shop_is_renamed_by_the_same_rule(people: People, scripted: Scripted) -> None:
    shop = begin_attempt(people).connection
    page = reverse("rename", args=[people.acme.reference, shop.reference])
    visitor = browser(people.alice)
    refused = visitor.post(page, {"name": "\u200b\u2060"}).content.decode()
    assert "Give this shop a name." in errors_at(refused, "name")
    assert f"{TOO_LONG} 100" in errors_at(
        visitor.post(page, {"name": "x" * 101}).content.decode(), "name"
    )
    visitor.post(page, {"name": "www.my\u202eshop.example\r\n"})
    shop.refresh_from_db()
    assert (
        shop.name == "www.myshop.example"
    )  # only colleagues read it, and many shops are called so


# -- what else is typed ----------------------------------------------------------------------------


def test_staff_follow_the_rule(people: People) -> None:
    page = reverse("admin:onboarding_merchant_change", args=[people.acme.pk])
    forms = {"memberships-TOTAL_FORMS": 0, "memberships-INITIAL_FORMS": 0, "language": "en"}
    staff = staff_client()
    for typed, said in ((LINKS[0], NO_LINK), ("\u200b", "required"), ("x" * 201, TOO_LONG)):
        assert said in visible_text(staff.post(page, {**forms, "name": typed}))
    staff.post(page, {**forms, "name": "Ac\u202eme\n"})
    people.acme.refresh_from_db()
    assert people.acme.name == "Acme"


def test_a_persons_name_follows_it_too(people: People) -> None:
    page = reverse("admin:onboarding_user_change", args=[people.bob.pk])
    fields = {"language": "en", "is_active": "on"}
    assert NO_LINK in visible_text(
        staff_client().post(page, {**fields, "name": "www.evil.example"})
    )
    staff_client("eve@example.org").post(page, {**fields, "name": "Bob\r\nBobson"})
    people.bob.refresh_from_db()
    assert people.bob.name == "Bob Bobson"


def test_a_passkey_is_renamed_by_it(people: People) -> None:
    data = {"name": "Phone", "credential": {}}
    key = Authenticator.objects.create(user=people.alice, type="webauthn", data=data)
    page, visitor = reverse("mfa_edit_webauthn", args=[key.pk]), browser(people.alice)
    session = visitor.session
    session["account_authentication_methods"] = [{"at": 2**33, "reauthenticated": True}]
    session["account_authentication_methods_user"] = str(people.alice.pk)
    session.save()
    said = errors_at(visitor.post(page, {"name": "\u200b"}).content.decode(), "name")
    assert "Give this passkey a name." in said
    visitor.post(page, {"name": " My\u202e phone\u0000 "})
    key.refresh_from_db()
    assert key.data["name"] == "My phone"


def test_answers_to_a_vendors_questions_are_one_line() -> None:
    asked = Question(key="n", label=text("Name"))
    form = questions.QuestionsForm([questions.plain(asked)], {"answer_n": " A\u200b\r\nB\u0000 "})
    assert form.is_valid()
    assert form.answers == {"n": "A B"}
    assert not questions.QuestionsForm([questions.plain(asked)], {"answer_n": "\u200b"}).is_valid()


def test_a_secret_stays_as_it_was_typed_or_is_refused() -> None:
    asked = [questions.plain(Question(key="secret", label=text("Secret"), secret=True))]
    form = questions.QuestionsForm(asked, {"answer_secret": "a  b\u200bc"})
    assert form.is_valid()
    assert form.answers == {"secret": "a  b\u200bc"}
    assert not questions.QuestionsForm(asked, {"answer_secret": "a\u0000b"}).is_valid()


# -- in mails --------------------------------------------------------------------------------------


def invited(people: People, name: str) -> EmailMultiAlternatives:
    """Somebody is invited to a business that got its name before there was a rule."""
    Merchant.objects.update(name=name)
    page = reverse("invite", args=[people.acme.reference])
    browser(people.alice).post(page, {"email": "dora@example.com", "role": "member"})
    sent = mail.outbox[-1]
    assert isinstance(sent, EmailMultiAlternatives)
    return sent


@pytest.mark.parametrize(
    "name", [*LINKS, "Acme\r\n\r\nVerify at https://evil.example", "Evil.example"]
)
def test_an_invitation_carries_no_link_but_its_own(people: People, name: str) -> None:
    sent = invited(people, name)
    assert sent.subject == "You are invited to a team at Gangway"
    for part in (str(sent.body), str(sent.alternatives[0][0])):
        ours = part.replace("http://localhost", "").replace("alice@example.org", "")
        found = re.findall(
            r"https?:/\S+|www\.\S+|\w\.(?:example)\b", ours.replace("dora@example", "")
        )
        assert found == []
    assert "alice@example.org" in str(sent.body)


def test_a_name_in_a_mail_is_quoted_and_cut(people: People) -> None:
    sent = invited(people, "Acme” is closed. “" + "x" * 150)
    line = str(sent.body).splitlines()[0]
    assert line.endswith(f"to the team of “Acme' is closed. '{'x' * 41}…”.")


def test_the_html_part_escapes_names(people: People) -> None:
    sent = invited(people, "<b>Acme</b><script>")
    content = str(sent.alternatives[0][0])
    assert "<script>" not in content
    assert "&lt;b&gt;Acme" in content


def test_the_name_of_a_person_is_quoted_too(people: People) -> None:
    User.objects.filter(pk=people.alice.pk).update(name="Your bank\nhttps://evil.example")
    body = str(invited(people, "Acme").body)
    assert body.startswith("“Your bank https: // evil. example” (alice@example.org) uses Gangway")


def test_an_inviter_without_a_name_is_named_once(people: People) -> None:
    User.objects.filter(pk=people.alice.pk).update(name="")
    assert str(invited(people, "Acme").body).startswith(
        "alice@example.org uses Gangway and invites you to the team"
    )


def test_the_name_of_a_shop_is_quoted_and_cut(people: People, scripted: Scripted) -> None:
    run_step(begin_attempt(people), scripted, CONNECTED)
    Connection.objects.update(name="x\n" * 50, expires_at=timezone.now() + timedelta(days=6))
    notices.write_due()
    notices.mail_due()
    sent = mail.outbox[0]
    name = f"“{'x ' * 29}x…”"
    assert sent.subject == f"The connection of {name} ends within 7 days"
    assert f"The connection of {name} (“Acme”) ends on" in str(sent.body)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Acme", "“Acme”"),
        ("Booking.com", "“Booking. com”"),
        ("J.P. Morgan Inc.", "“J. P. Morgan Inc.”"),
        ("https://evil.example/win", "“https: // evil. example/win”"),
        ("win@evil.example", "“win@ evil. example”"),
        ("evil\u3002example", "“evil\u3002 example”"),
        ("evil.\u200dexample", "“evil. example”"),
        ("10.0.0.1", "“10. 0. 0. 1”"),
    ],
)
def test_strangers_get_no_name_that_is_a_link(name: str, shown: str) -> None:
    assert quoted_for_strangers(name) == shown


def test_colleagues_get_the_name_as_it_is() -> None:
    assert quoted("my-shop.example") == "“my-shop.example”"
    assert quoted("a" * 61) == f"“{'a' * 59}…”"


# -- few invitations before the first shop ---------------------------------------------------------


def test_before_the_first_shop_few_people_can_be_invited(
    people: People, scripted: Scripted
) -> None:
    page, alice = reverse("invite", args=[people.acme.reference]), browser(people.alice)
    cache.clear()
    for number in range(6):
        fields = {"email": f"p{number}@example.com", "role": "member"}
        said = visible_text(alice.post(page, fields, follow=True))
    assert "Until your first shop is connected, you can send five invitations a day." in said
    assert len(mail.outbox) == 5
    run_step(begin_attempt(people), scripted, CONNECTED)
    alice.post(page, {"email": "p7@example.com", "role": "member"})
    assert len(mail.outbox) == 6


# -- another name for a business or for oneself ------------------------------------------------------


def rename_business(people: People, typed: str, reader: str = "alice") -> str:
    page = reverse("rename-business", args=[people.acme.reference])
    response = browser(getattr(people, reader)).post(page, {"name": typed}, follow=True)
    return html.unescape(response.content.decode())


@pytest.mark.parametrize("typed", CLEANED)
def test_an_owner_renames_the_business(people: People, typed: str) -> None:
    reference = people.acme.reference
    Merchant.objects.filter(pk=people.acme.pk).update(name="Old")
    assert CLEANED[typed] in rename_business(people, typed)
    people.acme.refresh_from_db()
    assert (people.acme.name, people.acme.reference) == (CLEANED[typed], reference)
    assert "You renamed your business." in own_events(people)
    assert "Alice renamed the business." in team_events(people)


def own_events(people: People) -> str:
    return visible_text(browser(people.alice).get(reverse("account_events")))


def team_events(people: People) -> str:
    page = reverse("team-events", args=[people.acme.reference])
    return visible_text(browser(people.alice).get(page))


@pytest.mark.parametrize("typed", [*INVISIBLE, *LINKS, "x" * 201])
def test_no_other_name_is_taken_for_a_business(people: People, typed: str) -> None:
    assert errors_at(rename_business(people, typed), "name")
    people.acme.refresh_from_db()
    assert people.acme.name == "Acme"


def test_a_member_renames_no_business(people: People) -> None:
    assert "Only owners can do this" in rename_business(people, "Bobs", "bob")
    people.acme.refresh_from_db()
    assert people.acme.name == "Acme"


def test_the_same_name_again_is_no_event(people: People) -> None:
    rename_business(people, " Acme ")
    assert "renamed" not in team_events(people)


def save_own_name(people: People, typed: str) -> str:
    response = browser(people.bob).post(reverse("own-name"), {"name": typed}, follow=True)
    return html.unescape(response.content.decode())


@pytest.mark.parametrize("typed", CLEANED)
def test_a_person_says_what_they_are_called(people: People, typed: str) -> None:
    assert "Your name was changed." in save_own_name(people, typed)
    team = browser(people.alice).get(reverse("team", args=[people.acme.reference]))
    assert f"<strong>{CLEANED[typed]}</strong>" in html.unescape(team.content.decode())


@pytest.mark.parametrize("typed", INVISIBLE)
def test_without_a_name_a_person_is_their_address(people: People, typed: str) -> None:
    save_own_name(people, typed)
    people.bob.refresh_from_db()
    assert (people.bob.name, people.bob.get_short_name()) == ("", "bob@example.org")


@pytest.mark.parametrize("typed", [*LINKS, "x" * 151])
def test_no_other_name_is_taken_for_a_person(people: People, typed: str) -> None:
    before = people.bob.name
    assert errors_at(save_own_name(people, typed), "name")
    people.bob.refresh_from_db()
    assert people.bob.name == before


def test_an_invitation_is_sent_under_the_own_name(people: People) -> None:
    browser(people.alice).post(reverse("own-name"), {"name": "Alice Liddell"})
    page = reverse("invite", args=[people.acme.reference])
    browser(people.alice).post(page, {"email": "dora@example.org", "role": "member"})
    assert "“Alice Liddell” (alice@example.org)" in str(mail.outbox[-1].body)
