"""Mails that do not leave while somebody waits: the form says so. Over real SMTP."""

from __future__ import annotations

import gc
import logging
import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django.fixtures import Settings

from onboarding.background import schedule
from onboarding.models import Alert, User
from onboarding.notifications import staff_alerts
from tests.support.codes import forget_mails
from tests.support.mail_server import HANG_UP, MailServer, mail_server, use
from tests.support.people import person
from tests.support.site import free_port
from tests.support.visit import browser, visible_text

pytestmark = [pytest.mark.both, pytest.mark.django_db(transaction=True)]

LOGIN, CODE = "/accounts/login/", "/accounts/login/code/confirm/"
KAI, STAFF = "kai@example.com", "staff@example.com"
REFUSED = "Email to this address is refused. Check it for typing mistakes."
LATER = "We cannot send email at the moment. Try again in a minute."
SENT = "We have sent a mail"
AT_FIELD = 'id="id_{}_error"'
# What a mail server may say, by command, if it refuses the recipient for good.
REFUSALS = [
    {"RCPT": "550 5.1.1 no such user"},
    {"RCPT": "550 no such user"},
    {"RCPT": "551 user not local"},
    {"RCPT": "552 5.2.2 mailbox full"},
    {"RCPT": "553 5.1.3 bad address syntax"},
    {"RCPT": "554 5.7.1 relay access denied"},
    {"RCPT": "550-5.1.1 the account\r\n550 5.1.1 does not exist"},
    {"RCPT": "501 5.1.3 syntax"},
    {"CONTENT": "550 5.1.1 no such user"},
    {"CONTENT": "550 mailbox unavailable"},
]
# Everything else: trouble that passes, or that the operator has to mend.
TROUBLE = [
    {"RCPT": "450 4.2.0 greylisted"},
    {"RCPT": "421 too busy"},
    {"RCPT": "530 5.7.0 authentication required"},
    {"RCPT": HANG_UP},
    {"MAIL": "550 5.7.1 sender refused"},
    {"MAIL": "451 later"},
    {"MAIL": HANG_UP},
    {"DATA": "554 no"},
    {"DATA": HANG_UP},
    {"CONTENT": "554 5.7.1 message looks like spam"},
    {"CONTENT": "550 5.1.8 bad sender"},
    {"CONTENT": "451 try again"},
    {"CONTENT": HANG_UP},
    {"EHLO": "500 what", "HELO": "500 what"},
    {"EHLO": HANG_UP},
    {"CONNECT": "554 go away"},
    {"CONNECT": "421 too many"},
    {"CONNECT": HANG_UP},
    {"CONNECT": "rubbish"},
    {"RCPT": "rubbish"},
]


@pytest.fixture
def server(settings: Settings) -> Iterator[MailServer]:
    settings.STAFF_EMAIL = [STAFF]
    with mail_server(settings) as running:
        yield running


@pytest.fixture
def kai() -> User:
    return person(KAI, "Kai")


def shown(client: Client, page: str, **fields: str) -> str:
    """What the page says to this form: never an error page, never that something was sent."""
    response = client.post(page, fields, follow=True)
    assert response.status_code == 200, visible_text(response)
    assert SENT not in visible_text(response)
    return response.content.decode()


def code(server: MailServer) -> str:
    found = re.search(r"^[A-Z0-9-]{6,9}$", str(server.mails[-1].get_body(["plain"])), re.MULTILINE)
    assert found
    return found.group()


# -- signing in ----------------------------------------------------------------------------------


@pytest.mark.parametrize("answers", REFUSALS)
def test_a_refused_address_is_an_error_at_its_field(
    server: MailServer, client: Client, answers: dict[str, str]
) -> None:
    server.answers = answers
    for _ in range(5):  # the brake and the limits are not used up
        page = shown(client, LOGIN, email=KAI)
        assert REFUSED in page
        assert AT_FIELD.format("email") in page
    assert not User.objects.exists()
    assert not EmailAddress.objects.exists()
    assert client.get(CODE).status_code == 302
    relay_denied = "5.7.1" in str(answers)
    assert Alert.objects.exists() == relay_denied


@pytest.mark.parametrize("answers", TROUBLE)
def test_any_other_trouble_is_an_error_of_the_form_and_staff_are_told_once(
    server: MailServer, client: Client, answers: dict[str, str]
) -> None:
    server.answers = answers
    for _ in range(5):
        page = shown(client, LOGIN, email=KAI)
        assert LATER in page
        assert AT_FIELD.format("email") not in page
    assert Alert.objects.get(cleared=None).cause == staff_alerts.NOT_SENT
    server.answers = {}
    assert client.post(LOGIN, {"email": KAI}).headers["Location"] == CODE
    client.post(CODE, {"code": code(server)})
    assert "_auth_user_id" in client.session
    assert User.objects.count() == 1


def test_without_a_mail_server_nothing_is_said_to_be_sent(
    client: Client, settings: Settings
) -> None:
    use(settings, free_port())
    assert LATER in shown(client, LOGIN, email=KAI)
    assert Alert.objects.get().cause == staff_alerts.NOT_SENT


@pytest.fixture
def collected() -> Iterator[None]:
    """What is garbage goes at the end of the test, so a connection left open is an error of this test."""
    yield
    gc.collect()


@pytest.mark.usefixtures("collected")
def test_a_server_that_does_not_let_us_in_is_trouble(
    server: MailServer, client: Client, settings: Settings
) -> None:
    settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = "geheim"
    server.answers = {"AUTH": "535 5.7.8 no"}
    assert LATER in shown(client, LOGIN, email=KAI)


@pytest.mark.usefixtures("collected")
def test_a_server_without_the_tls_that_we_need_is_trouble(
    server: MailServer, client: Client, settings: Settings
) -> None:
    settings.EMAIL_USE_TLS = True
    assert LATER in shown(client, LOGIN, email=KAI)
    settings.EMAIL_USE_TLS, settings.EMAIL_USE_SSL = False, True
    assert LATER in shown(client, LOGIN, email=KAI)


@pytest.mark.usefixtures("collected")
def test_a_server_that_is_silent_is_trouble(
    server: MailServer, client: Client, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.EMAIL_TIMEOUT = 0.2
    monkeypatch.setattr(server, "answer", lambda *_: "250-never\r\n250-ends")
    assert LATER in shown(client, LOGIN, email=KAI)


def test_the_code_that_was_sent_before_still_works(
    server: MailServer, client: Client, kai: User
) -> None:
    client.post(LOGIN, {"email": KAI})
    sent = code(server)
    server.answers = {"RCPT": "450 later"}
    forget_mails()  # ten seconds later
    assert LATER in shown(client, LOGIN, email=KAI)
    client.post(CODE, {"code": sent})
    assert client.session["_auth_user_id"] == str(kai.pk)


def test_a_known_user_stays_when_their_address_is_refused(
    server: MailServer, client: Client, kai: User
) -> None:
    server.answers = {"RCPT": "550 no"}
    assert REFUSED in shown(client, LOGIN, email=KAI)
    assert EmailAddress.objects.get(user=kai).verified


def test_closed_accounts_and_strangers_read_the_same(server: MailServer) -> None:
    User.objects.create_user("closed@example.com", is_active=False)
    person("known@example.com", "Known")
    for answers in ({"RCPT": "550 no"}, {"RCPT": "450 no"}):
        server.answers = answers
        addresses = [f"{who}@example.com" for who in ("closed", "known", "new")]
        pages = {
            re.sub(r'value="[A-Za-z0-9]{64}"|Reference.*', "", shown(Client(), LOGIN, email=each))
            .replace(each, "")
            for each in addresses
        }  # fmt: skip
        assert len(pages) == 1


def test_an_address_still_gets_one_code_in_ten_seconds(server: MailServer, client: Client) -> None:
    server.answers = {"RCPT": "450 later"}
    shown(client, LOGIN, email=KAI)
    server.answers = {}
    client.post(LOGIN, {"email": KAI})
    assert (
        "We have just sent a code"
        in client.post(LOGIN, {"email": KAI}, follow=True).content.decode()
    )
    assert len(server.mails) == 1


def test_the_log_names_the_answer_and_no_address(
    server: MailServer, client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    server.answers = {"RCPT": f"550 5.1.1 {KAI} is unknown"}
    shown(client, LOGIN, email=KAI)
    assert "a mail was not sent: SMTPRecipientsRefused (550)" in caplog.text
    assert KAI not in caplog.text


# -- the other forms that send a code -------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "sentence"), [("550 5.1.1 no", REFUSED), ("450 later", LATER), (HANG_UP, LATER)]
)
class TestEveryOtherForm:
    def test_a_further_address(
        self, server: MailServer, kai: User, answer: str, sentence: str
    ) -> None:
        server.answers = {"RCPT": answer}
        for _ in range(2):
            page = shown(browser(kai), "/accounts/email/", action_add="", email="new@example.com")
            assert sentence in page
            assert (AT_FIELD.format("email") in page) == (sentence == REFUSED)
        assert EmailAddress.objects.count() == 1

    def test_an_address_of_the_list(
        self, server: MailServer, kai: User, answer: str, sentence: str
    ) -> None:
        EmailAddress.objects.create(user=kai, email="old@example.com", verified=False)
        server.answers = {"RCPT": answer}
        for _ in range(2):
            page = shown(browser(kai), "/accounts/email/", action_send="", email="old@example.com")
            assert f"old@example.com: {sentence}" in page

    def test_a_new_password(
        self, server: MailServer, client: Client, kai: User, answer: str, sentence: str
    ) -> None:
        server.answers = {"RCPT": answer}
        for address in [KAI] * 7 + ["nobody@example.com"]:
            page = shown(client, "/accounts/password/reset/", email=address)
            assert sentence in page
            assert (AT_FIELD.format("email") in page) == (sentence == REFUSED)

    def test_a_password_with_an_address_that_is_not_confirmed(
        self, server: MailServer, client: Client, kai: User, answer: str, sentence: str
    ) -> None:
        kai.set_password("a long enough phrase")
        kai.save()
        EmailAddress.objects.update(verified=False)
        server.answers = {"RCPT": answer}
        for _ in range(2):
            phrase = {"login": KAI, "password": "a long enough phrase"}
            page = shown(client, "/accounts/login/password/", **phrase)
            assert sentence in page
            assert (AT_FIELD.format("login") in page) == (sentence == REFUSED)

    def test_is_it_still_you(
        self, server: MailServer, kai: User, answer: str, sentence: str
    ) -> None:
        server.answers = {"RCPT": answer}
        for _ in range(5):
            page = shown(browser(kai), reverse("account_reauthenticate_code"), send="1")
            assert sentence in page
            assert "just sent" not in page

    def test_a_mail_that_no_form_asked_for(
        self, server: MailServer, client: Client, answer: str, sentence: str
    ) -> None:
        """Somebody else has confirmed the address meanwhile, so signing in needs a further mail."""
        client.post(LOGIN, {"email": KAI})
        EmailAddress.objects.create(user=person("other@example.com", ""), email=KAI, verified=True)
        server.answers = {"RCPT": answer}
        response = client.post(CODE, {"code": code(server)})
        assert response.status_code == (422 if sentence == REFUSED else 503)
        heading = "Email to this address is refused" if sentence == REFUSED else LATER[:33]
        assert heading in visible_text(response)


# -- mails that tell what has happened ------------------------------------------------------------


@pytest.mark.parametrize("answers", [{"RCPT": "550 no"}, {"RCPT": "450 no"}, {"CONNECT": HANG_UP}])
def test_a_mail_that_only_tells_stops_nothing(
    server: MailServer, kai: User, answers: dict[str, str]
) -> None:
    server.answers = answers
    visitor = browser(kai)
    phrase = {"password1": "a long enough phrase", "password2": "a long enough phrase"}
    assert visitor.post("/accounts/password/set/", phrase).headers["Location"] == "/accounts/2fa/"
    kai.refresh_from_db()
    assert kai.check_password("a long enough phrase")
    EmailAddress.objects.create(user=kai, email="old@example.com", verified=True)
    visitor = browser(kai)
    removed = visitor.post("/accounts/email/", {"action_remove": "", "email": "old@example.com"})
    assert removed.status_code == 302
    assert EmailAddress.objects.count() == 1
    assert Alert.objects.exists() == ("550" not in str(answers))


@pytest.mark.parametrize("answers", [{"RCPT": "550 no"}, {"CONNECT": HANG_UP}])
def test_a_passkey_is_removed_whatever_becomes_of_the_mail(
    server: MailServer, client: Client, kai: User, answers: dict[str, str]
) -> None:
    key = Authenticator.objects.create(user=kai, type="webauthn", data={"name": "Phone"})
    client.force_login(kai)
    session, now = client.session, timezone.now().timestamp()
    session["account_authentication_methods"] = [{"at": now, "reauthenticated": True}]
    session["account_authentication_methods_user"] = str(kai.pk)
    session.save()
    server.answers = answers
    response = client.post(reverse("mfa_remove_webauthn", args=[key.pk]))
    assert response.headers["Location"] == reverse("mfa_list_webauthn")
    assert not Authenticator.objects.exists()


# -- the alert ------------------------------------------------------------------------------------


def test_staff_get_one_mail_as_soon_as_mail_works(server: MailServer, client: Client) -> None:
    server.answers = {f"RCPT {KAI}": "451 4.3.0 disk full"}
    for _ in range(2):
        shown(client, LOGIN, email=KAI)
        schedule.mail()
    [told] = server.mails
    assert (told["To"], told["Subject"]) == (
        STAFF,
        "[Gangway] An email that somebody was waiting for could not be sent",
    )
    assert "manage.py doctor" in str(told.get_body(["plain"]))


def test_the_alert_clears_an_hour_later_and_the_next_failure_opens_another(
    server: MailServer, client: Client
) -> None:
    server.answers = {f"RCPT {KAI}": "451 4.3.0 disk full"}
    shown(client, LOGIN, email=KAI)
    schedule.mail()
    assert not Alert.objects.get().cleared
    Alert.objects.update(opened=timezone.now() - timedelta(minutes=61))
    schedule.mail()
    assert Alert.objects.get().cleared
    shown(client, LOGIN, email=KAI)
    schedule.mail()
    assert len(server.mails) == 2


def test_the_sweep_leaves_the_alert_open(server: MailServer, client: Client) -> None:
    server.answers = {f"RCPT {KAI}": "451 4.3.0 disk full"}
    shown(client, LOGIN, email=KAI)
    staff_alerts.clear_resolved()
    assert not Alert.objects.get().cleared
