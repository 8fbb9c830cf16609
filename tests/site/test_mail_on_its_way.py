"""Mails with codes while the mail server is slow, dead or refuses late: pages say what is true. Over SMTP."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.db import OperationalError, connection
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from onboarding.models import AccountMail, Alert, Invitation, User
from onboarding.notifications import account_mails, outbox, sending, smtp
from onboarding.notifications.mail import Mail
from tests.support.mail_server import HANG_UP, MailServer, mail_server, use
from tests.support.people import business, person
from tests.support.site import free_port, wait_until
from tests.support.visit import browser, visible_text

pytestmark = [pytest.mark.both, pytest.mark.django_db(transaction=True)]

LOGIN, CODE = "/accounts/login/", "/accounts/login/code/confirm/"
KAI = "kai@example.com"
ON_ITS_WAY, SENT = "We are sending the code to", "We have sent a code"
LATE = "We can’t send email at the moment"
REFUSED = "Email to this address is refused"
PAST = timedelta(minutes=-1)


@pytest.fixture
def server(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[MailServer]:
    """A mail server that says nothing until it is opened. Pages do not wait long for it."""
    monkeypatch.setattr(sending, "WAIT", 0.1)
    with mail_server(settings) as running:
        running.open.clear()
        yield running
        running.open.set()
        wait_until("no thread sends any more", idle)


def idle() -> bool:
    return sending.pool.is_idle()


def asked(client: Client, email: str = KAI) -> str:
    """What the page says after the address was sent."""
    client.get(LOGIN)  # which tells this browser from others
    response = client.post(LOGIN, {"email": email}, follow=True)
    assert response.status_code == 200
    return visible_text(response)


def opened(server: MailServer, **answers: str) -> None:
    """The mail server goes on, and whatever waited for it is over."""
    server.answers = answers
    server.open.set()
    wait_until("the threads are done", idle)


def look(client: Client) -> str:
    return visible_text(client.get(CODE))


def code(server: MailServer) -> str:
    found = re.search(r"^\d{6}$", str(server.mails[-1].get_body(["plain"])), re.MULTILINE)
    assert found
    return found.group()


def die_and_sweep(age: timedelta = PAST) -> None:
    """The process that was sending has died, its claim is over, and a worker sweeps."""
    AccountMail.objects.update(mail_retry_at=timezone.now() + age)
    account_mails.mail_due()


# -- a slow mail server ----------------------------------------------------------------------------


def test_the_page_says_that_the_code_is_on_its_way_and_then_that_it_was_sent(
    server: MailServer, client: Client
) -> None:
    page = asked(client)
    assert ON_ITS_WAY in page
    assert SENT not in page
    opened(server)
    assert SENT in look(client)
    client.post(CODE, {"code": code(server)})
    assert "_auth_user_id" in client.session


def test_asking_again_does_not_say_that_a_code_was_just_sent(
    server: MailServer, client: Client
) -> None:
    asked(client)
    page = asked(client)
    assert ON_ITS_WAY in page
    assert "just sent" not in page
    assert AccountMail.objects.count() == 1


def test_an_address_that_is_refused_later_is_told_at_the_next_look(
    server: MailServer, client: Client
) -> None:
    asked(client)
    opened(server, RCPT="550 5.1.1 no such user")
    page = look(client)
    assert REFUSED in page
    assert KAI in page
    assert SENT not in page
    assert not Alert.objects.exists()


def test_a_mail_that_fails_later_is_said_not_to_leave_and_is_sent_while_its_code_works(
    server: MailServer, client: Client
) -> None:
    asked(client)
    opened(server, RCPT="450 later")
    assert LATE in look(client)
    assert Alert.objects.get().cause == "not sent"
    server.answers = {}
    die_and_sweep()
    assert SENT in look(client)
    client.post(CODE, {"code": code(server)})
    assert "_auth_user_id" in client.session


def test_a_mail_that_nobody_has_sent_for_long_is_said_not_to_leave(
    server: MailServer, client: Client
) -> None:
    asked(client)
    AccountMail.objects.update(created=timezone.now() + PAST)
    assert LATE in look(client)


def test_a_mail_that_fails_later_gives_the_limits_of_the_address_back_once(
    server: MailServer, client: Client
) -> None:
    """Three codes a minute are the limit. The brake of ten seconds is over each time."""
    server.open.set()
    for _ in range(4):
        server.answers, before = {}, AccountMail.objects.count()
        server.open.clear()
        assert ON_ITS_WAY in asked(client)
        assert AccountMail.objects.count() == before + 1
        opened(server, RCPT="450 later")
        assert LATE in look(client)
        assert LATE in look(client)


@pytest.mark.parametrize(
    ("page", "form"),
    [
        ("/accounts/email/", {"action_add": "", "email": "new@example.com"}),
        ("/accounts/password/reset/", {"email": KAI}),
        ("/accounts/reauthenticate/code/", {"send": "1"}),
    ],
)
def test_every_page_for_a_code_says_the_same(
    server: MailServer, page: str, form: dict[str, str]
) -> None:
    kai = person(KAI, "Kai")
    visitor = Client() if "reset" in page else browser(kai)
    response = visitor.post(page, form, follow=True)
    assert ON_ITS_WAY in visible_text(response)
    opened(server, RCPT="550 no")
    where = response.redirect_chain[-1][0]
    assert REFUSED in visible_text(visitor.get(where))


def test_an_invitation_to_a_slow_server_is_tried_again(server: MailServer) -> None:
    kai = person(KAI, "Kai")
    acme = business("Acme", owner=kai)
    page = browser(kai).post(
        f"/m/{acme.reference}/team/invite/",
        {"email": "dan@example.org", "role": "member"},
        follow=True,
    )
    assert "but the email has not been sent yet. We keep trying." in visible_text(page)
    opened(server)
    assert Invitation.objects.get().mailed


# -- the row ---------------------------------------------------------------------------------------


def test_the_row_holds_the_mail_encrypted_until_it_is_sent(
    server: MailServer, client: Client
) -> None:
    asked(client)
    stored = stored_rows()
    assert KAI not in stored
    opened(server)
    assert code(server) not in stored
    assert AccountMail.objects.get().content is None


def stored_rows() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM onboarding_accountmail")
        return repr(cursor.fetchall())


def test_what_a_dead_process_left_is_sent_by_the_sweep_once(
    server: MailServer, client: Client
) -> None:
    asked(client)
    opened(server, CONTENT=HANG_UP)
    server.answers = {}
    die_and_sweep()
    die_and_sweep()
    assert len(server.mails) == 1


def test_the_sweep_leaves_alone_what_a_page_is_sending(server: MailServer, client: Client) -> None:
    asked(client)
    account_mails.mail_due()
    opened(server)
    assert len(server.mails) == 1


def test_a_code_that_is_over_is_never_sent(server: MailServer, client: Client) -> None:
    asked(client)
    opened(server, RCPT="450 later")
    server.answers = {}
    AccountMail.objects.update(expires_at=timezone.now())
    die_and_sweep()
    assert not server.mails
    assert not AccountMail.objects.exists()


def test_a_mail_that_was_too_long_in_the_queue_is_sent_by_one_process(
    server: MailServer, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its claim is over, so the sweep takes it; the thread finds that out when its turn comes."""
    monkeypatch.setattr(sending, "FRESH_FOR", 0)
    held = [hold(server) for _ in range(sending.THREADS)]
    asked(client)
    with_open_server(server, die_and_sweep)
    opened(server)
    assert sum(KAI in str(mail["To"]) for mail in server.mails) == 1
    assert len(held) == sending.THREADS


def hold(server: MailServer) -> AccountMail:
    """A mail that takes a thread for as long as the server says nothing."""
    return account_mails.send_code(Mail("Held", "Held", ["held@example.com"]))


def with_open_server(server: MailServer, act: object) -> None:
    """Do this while new conversations are answered, and those that wait are not yet."""
    assert callable(act)
    waiting, server.open = server.open, threading.Event()
    server.open.set()
    act()
    server.open = waiting


def test_where_too_many_wait_the_sweep_sends_it(
    server: MailServer, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "pool", sending.Pool(limit=1))
    monkeypatch.setattr(outbox, "pool", sending.pool)
    for _ in range(sending.THREADS + 1):
        hold(server)
        wait_until("a thread takes it", lambda: sending.pool.waiting() <= 1)
    assert ON_ITS_WAY in asked(client)
    opened(server)
    account_mails.mail_due()
    assert SENT in look(client)


def test_only_some_pages_wait(
    server: MailServer, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "WAIT", 60)
    monkeypatch.setattr(sending, "_waiters", threading.BoundedSemaphore(1))
    sending._waiters.acquire()
    assert ON_ITS_WAY in asked(client)


def test_word_of_a_change_is_tried_again(server: MailServer) -> None:
    kai = person(KAI, "Kai")
    EmailAddress.objects.create(user=kai, email="old@example.com", verified=True)
    removed = browser(kai).post(
        "/accounts/email/", {"action_remove": "", "email": "old@example.com"}
    )
    assert removed.status_code == 302
    opened(server, RCPT="450 later")
    server.answers = {}
    die_and_sweep()
    [told] = server.mails
    assert told["To"] == KAI


# -- a conversation that never ends ----------------------------------------------------------------


def test_a_server_that_says_a_byte_now_and_then_is_cut_off(
    server: MailServer, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(smtp, "SECONDS", 0.5)
    server.pace, began = 0.2, time.monotonic()
    asked(client)
    opened(server)
    assert time.monotonic() - began < 10  # its greeting alone takes longer with every byte
    assert LATE in look(client)


def test_a_mail_server_that_is_away_keeps_nobody_waiting(
    client: Client, settings: Settings
) -> None:
    use(settings, free_port())
    page = asked(client)
    assert "We cannot send email at the moment. Try again in a minute." in page
    assert not AccountMail.objects.exists()
    assert User.objects.count() == 1


# -- a database that cannot be written --------------------------------------------------------------


def test_no_code_is_said_to_be_sent_when_the_limits_cannot_be_counted(
    client: Client,
) -> None:
    with connection.execute_wrapper(refuse_writes_of_limits):
        page = client.post(LOGIN, {"email": KAI})
    assert page.status_code == 503
    assert "just sent" not in visible_text(page)
    assert not AccountMail.objects.exists()


def refuse_writes_of_limits(execute: Any, sql: str, *args: Any) -> Any:
    if sql.startswith("INSERT") and '"onboarding_ratelimit"' in sql:
        raise OperationalError("database or disk is full")
    return execute(sql, *args)
