"""What every mail has in common, read from a mail server: headers, a text and an HTML part."""

from __future__ import annotations

import ast
import html
import re
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest
from allauth.account.adapter import get_adapter
from allauth.core.context import request_context
from django.core.cache import cache
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone, translation
from pytest_django.fixtures import Settings

from onboarding import colours
from onboarding.background import schedule
from onboarding.email_addresses import mailbox
from onboarding.models import (
    Alert,
    Attempt,
    ClosingMail,
    Connection,
    FormerAddress,
    Invitation,
    Merchant,
    Notice,
    User,
    WaitlistEntry,
)
from onboarding.models.notifications import TASK
from onboarding.models.sessions import SessionStore
from onboarding.notifications import (
    address_mails,
    closing_mails,
    invitations,
    mail,
    notices,
    outbox,
    staff_alerts,
    waitlist,
)
from onboarding.notifications.mail import deliver
from tests.support.attempts import CONNECTED, begin_attempt, run_step
from tests.support.mail_server import MailServer, mail_server
from tests.support.people import People
from tests.support.scripted import Scripted
from tests.support.visit import browser

ROOT = Path(__file__).resolve().parents[2]
pytestmark = [pytest.mark.both, pytest.mark.django_db(transaction=True)]

SUPPORT, STAFF, SITE = "help@example.com", "staff@example.com", "https://shops.example"
BUTTON = re.compile(r'<a class="button" href="([^"]+)">([^<]+)</a>')


@pytest.fixture
def server(settings: Settings) -> Iterator[MailServer]:
    cache.clear()
    settings.SUPPORT_EMAIL, settings.STAFF_EMAIL, settings.SITE_URL = SUPPORT, [STAFF], SITE
    settings.EMAIL_FROM = '"Acme, Inc." <no-reply@mail.shops.example>'
    with mail_server(settings) as running:
        yield running


def part(message: EmailMessage, kind: str) -> str:
    found = message.get_body([kind])
    assert found
    return str(found.get_content())


def is_ours(message: EmailMessage, to: str) -> None:
    """What holds for every mail, whoever gets it."""
    assert message["To"] == to
    assert message["From"] == '"Acme, Inc." <no-reply@mail.shops.example>'
    assert message["Reply-To"] == SUPPORT
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Date"].datetime
    assert re.fullmatch(r"<[^@<>\s]+@mail\.shops\.example>", message["Message-ID"])
    assert message.get_content_type() == "multipart/alternative"
    assert [each.get_content_type() for each in message.iter_parts()] == ["text/plain", "text/html"]
    assert not message.defects
    assert message["Subject"].strip()
    text, page = part(message, "plain"), part(message, "html")
    assert "{" not in text + message["Subject"]
    assert page.startswith("<!DOCTYPE html>")
    assert not re.search(r"<img|<script|src=|@import|url\(", page)
    said = re.sub(r"<style>.*?</style>|<title>.*?</title>|<[^>]+>", " ", page, flags=re.DOTALL)
    urls = {word for word in words(text) if "://" in word}
    assert words(text) - words(said) <= urls | {"--", "-"}  # “-” begins a line of a list
    assert len(message.as_bytes()) < 30_000
    assert '<html lang="en">' in page
    assert "@media (prefers-color-scheme: dark)" in page
    assert page.count('class="button"') <= 1
    assert "You get this email because" in text
    assert text.rpartition("-- ")[2].split()  # who sends it, and where they are
    assert SITE in text.rpartition("-- ")[2]


def words(text: str) -> set[str]:
    return {word.rstrip(":") for word in html.unescape(text).split()}


# -- the mails of signing in -----------------------------------------------------------------------

CODES = [
    "login_code",
    "reauthentication_code",
    "email_confirmation",
    "email_confirmation_signup",
    "password_reset_code",
]
NOTICES = ["email_deleted", "password_changed", "password_set", "password_reset"]
OTHERS = ["unknown_account", "account_already_exists"]
FACTORS = ["webauthn_added", "webauthn_removed"]
FACTORS += ["totp_activated", "totp_deactivated", "recovery_codes_generated", "factors_reset"]
PREFIXES = [f"account/email/{name}" for name in CODES + NOTICES + OTHERS]
PREFIXES += [f"mfa/email/{name}" for name in FACTORS]
CLOSING = [str(kind) for kind in ClosingMail.Kind]
ROWS = [
    *(*CLOSING, "alert", "former_address", "guess_warning", "invitation", "request", "vendor_back"),
    *Notice.Kind.values,
]


def test_no_template_of_a_mail_is_forgotten() -> None:
    found = {
        str(path.relative_to(ROOT / "templates")).removesuffix("_subject.txt")
        for path in (ROOT / "templates").glob("**/email/*_subject.txt")
    }
    assert found == {*PREFIXES, *(f"onboarding/email/{name}" for name in ROWS)}


@pytest.mark.parametrize("prefix", PREFIXES)
def test_every_mail_of_signing_in_looks_like_ours(
    server: MailServer, people: People, prefix: str
) -> None:
    request = RequestFactory().post("/")
    request.session = SessionStore()
    details = {
        "code": "ABCD-EFGH", "from_email": "old@example.com", "to_email": "new@example.com",
        "deleted_email": "old@example.com",
    }  # fmt: skip
    with request_context(request):
        if prefix.rpartition("/")[2] in NOTICES + FACTORS:
            get_adapter().send_notification_mail(prefix, people.alice, details)
        else:
            get_adapter().send_mail(prefix, "alice@example.org", details)
    [message] = server.mails
    is_ours(message, "alice@example.org")
    has_code = any(prefix.endswith(f"/{name}") for name in CODES)
    assert (">ABCD-EFGH</p>" in part(message, "html")) == has_code
    assert ("\nABCD-EFGH\n" in part(message, "plain").replace("\r", "")) == has_code


def test_a_real_sign_in_sends_such_a_mail(server: MailServer, client: Client) -> None:
    client.post("/accounts/login/", {"email": "kai@example.com"})
    [message] = server.mails
    is_ours(message, "kai@example.com")
    code = message["Subject"][:6]
    assert f">{code}</p>" in part(message, "html")


# -- the mails of rows -----------------------------------------------------------------------------


@pytest.fixture
def connection(people: People, scripted: Scripted) -> Connection:
    return run_step(begin_attempt(people), scripted, CONNECTED).connection


def test_an_invitation(server: MailServer, people: People) -> None:
    page = reverse("invite", args=[people.acme.reference])
    browser(people.alice).post(page, {"email": "dora@example.com", "role": "member"})
    [message] = server.mails
    is_ours(message, "dora@example.com")
    url = SITE + Invitation.objects.get().get_absolute_url()
    assert BUTTON.findall(part(message, "html")) == [(url, "Open this page to accept")]
    assert f"Open this page to accept:\n\n{url}\n" in part(message, "plain").replace("\r", "")


@pytest.mark.parametrize("was_removed", [True, False])
def test_a_former_address(server: MailServer, people: People, was_removed: bool) -> None:
    email = "old@example.com"
    row = FormerAddress.objects.create(user=people.alice, email=email, was_removed=was_removed)
    outbox.send(row, address_mails.compose)
    [message] = server.mails
    is_ours(message, email)
    said = "If that was not you, take your account back"
    assert BUTTON.findall(part(message, "html")) == [(SITE + row.get_absolute_url(), said)]
    assert row.key not in str(FormerAddress.objects.values())


def test_the_waitlist(server: MailServer, people: People, connection: Connection) -> None:
    WaitlistEntry.objects.create(
        user=people.alice, merchant=people.acme, connector=connection.connector
    )
    waitlist.mail_due()
    [message] = server.mails
    is_ours(message, "alice@example.org")
    [(url, label)] = BUTTON.findall(part(message, "html"))
    assert (url.startswith(f"{SITE}/m/"), label) == (True, "Continue where you left off")


OPEN, SEE, MEND = "Continue where you left off", "See your shop", "Open this page to fix it"
NOTICE_BUTTONS = {
    "ready": OPEN,
    "action_needed": OPEN,
    "staff_done": SEE,
    "connected": SEE,
    "way_back": "Open this page to finish",
    "broken": MEND,
    "healed": SEE,
    "ends": SEE,
    "unfinished": OPEN,
}


@pytest.mark.parametrize("kind", Notice.Kind.values)
def test_mails_about_shops(
    server: MailServer, people: People, connection: Connection, kind: str
) -> None:
    label = NOTICE_BUTTONS[kind]
    if label != SEE:
        Attempt.objects.update(ended=None, ending="")
    attempt = connection.attempts.get()
    of_a_shop = Notice.GROUPS[kind] == "problems"
    row = Notice.objects.create(
        kind=kind, user=people.alice, connection=connection, attempt=None if of_a_shop else attempt,
        not_before=timezone.now(), key=kind, step="7 days" if kind == "ends" else "",
    )  # fmt: skip
    outbox.send(row, notices._compose)
    [message] = server.mails
    is_ours(message, "alice@example.org")
    page = connection if label in {SEE, MEND} else attempt
    assert BUTTON.findall(part(message, "html")) == [(SITE + page.get_absolute_url(), label)]
    assert "“My shop”" in message["Subject"]
    assert "“Acme”" in part(message, "plain")


@pytest.mark.parametrize("kind", Notice.TOLD_TOGETHER)
def test_mails_about_several_shops(
    server: MailServer, people: People, connection: Connection, kind: str
) -> None:
    rows = [
        Notice(kind=kind, user=people.alice, connection=connection, at=timezone.now(), key=key)
        for key in "abc"
    ]
    deliver(notices._compose(rows[0], others=rows[1:]))
    [message] = server.mails
    is_ours(message, "alice@example.org")
    assert "3 " in message["Subject"]
    assert part(message, "plain").count("“My shop”") == 3
    assert len(BUTTON.findall(part(message, "html"))) == 1


@pytest.mark.parametrize("kind", CLOSING)
def test_mails_about_closing(server: MailServer, people: People, kind: str) -> None:
    Merchant.objects.filter(pk=people.acme.pk).update(closed_at=timezone.now())
    row = closing_mails.tell(
        ClosingMail.Kind(kind), "alice@example.org", language="en", merchant=people.acme,
        facts={"vendors": ["scripted"]}, owners=["Bob"],
    )  # fmt: skip
    closing_mails.mail_due()
    [message] = server.mails
    is_ours(message, "alice@example.org")
    body = part(message, "plain")
    is_receipt = kind in ClosingMail.RECEIPTS
    assert (row.get_absolute_url() in body) == is_receipt
    assert ("“Acme”" in body) == (kind != "account_closed")
    row.refresh_from_db()
    assert row.reader is None


@pytest.mark.parametrize(
    "cause", ["no_progress", TASK, staff_alerts.UNDELIVERED, staff_alerts.NOT_SENT]
)
def test_an_alert(server: MailServer, connection: Connection, cause: str) -> None:
    Connection.objects.update(task="Switch it <b>off</b>.", detail="It says: x")
    Alert.objects.create(vendor=connection.vendor, cause=cause)
    staff_alerts.mail_due()
    [message] = server.mails
    is_ours(message, STAFF)
    buttons = BUTTON.findall(part(message, "html"))
    assert len(buttons) == (cause in {"no_progress", TASK})
    assert all(url.startswith(f"{SITE}/admin/") for url, _ in buttons)


def test_a_mail_that_is_tried_again_has_the_same_looks(server: MailServer, people: People) -> None:
    server.answers = {"RCPT": "450 later"}
    row = people.acme.invitations.create(email="dora@example.com")
    outbox.send(row, invitations.compose)
    server.answers = {}
    Invitation.objects.update(mail_retry_at=None)
    invitations.mail_due()
    is_ours(server.mails[0], "dora@example.com")


def test_without_a_support_address_there_is_no_reply_to(
    server: MailServer, client: Client, settings: Settings
) -> None:
    settings.SUPPORT_EMAIL = ""
    client.post("/accounts/login/", {"email": "kai@example.com"})
    assert server.mails[0]["Reply-To"] is None


@pytest.mark.parametrize("colour", ["", "#ffee00", "#101010", "#e53238"])
def test_the_button_can_be_read_in_the_operators_colour_on_light_and_on_dark(
    settings: Settings, colour: str
) -> None:
    settings.SITE_URL, settings.BRAND_COLOUR = SITE, colour
    page = mail.html_part("Subject", f"Open it:\n\n{SITE}/x/")
    assert BUTTON.findall(page) == [(f"{SITE}/x/", "Open it")]
    for accent in colours.accents(colour):
        assert f"background: {accent.colour}; color: {accent.on_it}" in page
        assert colours.contrast(accent.colour, accent.on_it) >= 4.5


def test_a_mail_in_another_language_says_which(settings: Settings) -> None:
    with translation.override("sv"):
        assert '<html lang="sv">' in mail.html_part("Ämne", "Hej.")


QUOTES = {"de": "„Acme“", "sv": "”Acme”", "fr": "«\xa0Acme\xa0»"}


@pytest.mark.parametrize("language", QUOTES)
def test_names_are_in_the_quotes_of_the_reader(
    server: MailServer, people: People, connection: Connection, language: str
) -> None:
    User.objects.update(language=language)
    reader = User.objects.get(pk=people.alice.pk)
    WaitlistEntry.objects.create(user=reader, merchant=people.acme, connector=connection.connector)
    people.acme.invitations.create(email=people.charlie.email, invited_by=reader)
    closing_mails.tell(
        ClosingMail.Kind.NEW_OWNER, reader.email, language=language, merchant=people.acme
    )
    schedule.mail()
    texts = [part(message, "plain") for message in server.mails]
    assert len(texts) == 3
    assert [text for text in texts if QUOTES[language] not in text or "“Acme”" in text] == []


def test_french_quotes_stay_with_their_words_in_a_subject_and_buttons_have_no_blank_at_the_end(
    settings: Settings,
) -> None:
    settings.SITE_URL = SITE
    said = f"Continuer\u202f:\n\n{SITE}/x\n\n-- \nRegler\u202f:\n{SITE}/y\nAide\u202f: a@b.fr"
    sent = mail.Mail("«\xa0Acme\xa0»\u202f:  c’est\nà vous", said, ["a@b.fr"])
    assert sent.subject == "«\xa0Acme\xa0»\u202f: c’est à vous"
    page = str(sent.alternatives[0][0])
    assert BUTTON.findall(page) == [(f"{SITE}/x", "Continuer")]
    assert f'<a href="{SITE}/y">Regler</a>' in page
    assert "Aide\u202f: a@b.fr" in page


def test_lists_of_a_text_are_lists_and_footers_have_links_with_words(settings: Settings) -> None:
    settings.SITE_URL = SITE
    text = f"Gone:\n- One\n- Two\n\n-- \nStop these:\n{SITE}/mails/?key=1\nGangway\n{SITE}\nHelp: a@b.de"
    page = mail.html_part("Subject", text)
    assert "<li>One</li><li>Two</li>" in page.replace("\n", "")
    assert f'<a href="{SITE}/mails/?key=1">Stop these</a>' in page
    assert f'<a href="{SITE}">{SITE}</a>' in page
    assert "Help: a@b.de" in page


def test_all_mails_are_made_in_one_place() -> None:
    """A mail that is built elsewhere would lack the headers."""
    own = ROOT / "onboarding" / "notifications"
    makers = {"EmailMessage", "EmailMultiAlternatives", "send_mail", "mail_admins", "mail_managers"}
    for path in (ROOT / "onboarding").glob("**/*.py"):
        calls = [
            each for each in ast.walk(ast.parse(path.read_text())) if isinstance(each, ast.Call)
        ]
        named = {each.func.id for each in calls if isinstance(each.func, ast.Name)}
        assert path == own / "mail.py" or not makers & named, path


# -- the brand in headers --------------------------------------------------------------------------

BRANDS = [
    "Acme, Inc.", "Acme: shops", 'The "Best" Shop', "Acme [Berlin] (West)", "Acme <b>", "Acme; more",
    "shop@home", "Back\\slash", "Brötchen & Söhne, Köln", "株式会社アクメ", "Smile 😀", "x" * 300,
    "Größe " * 50,
]  # fmt: skip


@pytest.mark.parametrize("brand", BRANDS)
def test_every_brand_makes_a_mail(
    server: MailServer, client: Client, settings: Settings, people: People, brand: str
) -> None:
    brand = brand.strip()
    settings.BRAND_NAME = brand
    settings.EMAIL_FROM = mailbox(brand, "no-reply@shops.example")
    client.post("/accounts/login/", {"email": "kai@example.com"})
    page = reverse("invite", args=[people.acme.reference])
    browser(people.alice).post(page, {"email": "dora@example.com", "role": "member"})
    Alert.objects.create(vendor="v", cause=staff_alerts.NOT_SENT)
    staff_alerts.mail_due()
    assert len(server.mails) == 3
    for message in server.mails:
        [sender] = message["From"].addresses
        assert sender.addr_spec == "no-reply@shops.example"
        assert sender.display_name.replace(" ", "") == brand.replace(" ", "")
        assert brand[:40] in message["Subject"]
        assert len(message["Subject"]) <= 151
