"""Invitations by mail: anybody may open the link, and one person may accept."""

from __future__ import annotations

import re
import time
from datetime import timedelta
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.core.mail import EmailMessage
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django.fixtures import Settings

from onboarding.background import schedule
from onboarding.models import Invitation, RateLimit, SecurityEvent, User
from onboarding.models.outbox import MAX_TRIES
from onboarding.notifications import sending
from onboarding.notifications.mail import AddressRefused
from onboarding.people import joining, team
from tests.support.codes import newest_code
from tests.support.mail_server import mail_server
from tests.support.people import People, person
from tests.support.site import free_port
from tests.support.sweep import sweep
from tests.support.visit import browser, visible_text

pytestmark = pytest.mark.both

DORA = "dora@example.org"
SMTP = "django.core.mail.backends.smtp.EmailBackend"


def invite(people: People, email: str = DORA, role: str = "member") -> Client:
    """Alice has pressed "Send the invitation"; her browser."""
    alice = browser(people.alice)
    page = reverse("invite", args=[people.acme.reference])
    response = alice.post(page, {"email": email, "role": role}, follow=True)
    assert response.status_code == 200
    return alice


def wrong(people: People, email: str) -> str:
    """What Alice reads when that address cannot be invited."""
    page = reverse("invite", args=[people.acme.reference])
    response = browser(people.alice).post(page, {"email": email, "role": "member"})
    assert 'href="#id_email"' in response.content.decode()
    return visible_text(response)


@pytest.fixture
def invitation(people: People) -> Invitation:
    invite(people)
    return Invitation.objects.get()


@pytest.fixture
def dora(people: People) -> User:
    return person(DORA, "Dora")


def is_member(people: People, user: User) -> bool:
    return people.acme.memberships.filter(user=user).exists()


def later(invitation: Invitation, days: int) -> None:
    """So many days have passed since it was sent."""
    invitation.expires_at -= timedelta(days=days)
    invitation.save()


def test_the_mail_says_who_invites_to_what_and_where(
    people: People, invitation: Invitation, mailoutbox: list[EmailMessage]
) -> None:
    [mail] = mailoutbox
    assert (mail.to, mail.subject) == ([DORA], "You are invited to a team at Gangway")
    assert (
        "“Alice” (alice@example.org) uses Gangway and invites you to the team of “Acme”."
        in mail.body
    )
    assert f"http://localhost{invitation.get_absolute_url()}\n" in mail.body
    assert re.search(r"expires on \d", str(mail.body))


def test_the_invited_person_accepts_once(
    people: People, invitation: Invitation, dora: User
) -> None:
    visitor, page = browser(dora), invitation.get_absolute_url()
    assert "Alice invites you to the team" in visible_text(visitor.get(page))
    home = people.acme.get_absolute_url()
    for _ in range(2):
        assert visitor.post(page)["Location"] == home
    assert people.acme.memberships.get(user=dora).role == "member"


def test_an_owner_can_be_invited(people: People, dora: User) -> None:
    invite(people, role="owner")
    browser(dora).post(Invitation.objects.get().get_absolute_url())
    assert people.acme.memberships.get(user=dora).role == "owner"


@pytest.mark.parametrize("method", ["get", "head"])
def test_looking_accepts_nothing(
    people: People, invitation: Invitation, dora: User, method: str
) -> None:
    response = getattr(browser(dora), method)(invitation.get_absolute_url())
    assert response.status_code == 200
    assert "no-store" in response["Cache-Control"]
    assert not is_member(people, dora)


def enter_code(visitor: Client, code: str) -> Any:
    return visitor.post(reverse("account_confirm_login_code"), {"code": code})


def test_a_visitor_joins_with_one_press_and_a_code(people: People, invitation: Invitation) -> None:
    page, nobody = invitation.get_absolute_url(), browser()
    assert "We send a code to d•••@example.org." in visible_text(nobody.get(page))
    assert nobody.post(page)["Location"] == reverse("account_confirm_login_code")
    assert mail.outbox[-1].to == [DORA]
    assert not people.acme.memberships.filter(user__email=DORA).exists()
    joined = enter_code(nobody, newest_code())
    assert joined["Location"] == people.acme.get_absolute_url()
    assert people.acme.memberships.get(user__email=DORA).role == "member"
    assert "You’ve joined Acme." in visible_text(nobody.get(joined["Location"]))
    event = SecurityEvent.objects.get(kind=SecurityEvent.Kind.JOINED)
    assert (event.user, event.by, event.detail) == (User.objects.get(email=DORA), None, "as member")


def test_somebody_with_an_account_joins_in_the_same_way(
    people: People, invitation: Invitation, dora: User
) -> None:
    nobody = browser()
    nobody.post(invitation.get_absolute_url())
    enter_code(nobody, newest_code())
    assert is_member(people, dora)


def test_another_sign_in_after_the_press_joins_nothing(
    people: People, invitation: Invitation
) -> None:
    page, visitor = invitation.get_absolute_url(), browser()
    visitor.post(page)
    visitor.post(reverse("account_login"), {"email": people.charlie.email})
    assert enter_code(visitor, newest_code())["Location"] == page
    assert "You are signed in as charlie@example.org" in visible_text(visitor.get(page))
    assert not is_member(people, people.charlie)
    assert Invitation.objects.get().accepted is None


def test_what_was_pressed_is_forgotten_after_an_hour(
    people: People, invitation: Invitation, dora: User
) -> None:
    visitor = browser()
    visitor.post(invitation.get_absolute_url())
    session = visitor.session
    session["joining"] = {**session["joining"], "at": time.time() - joining.HOLDS - 1}
    session.save()
    enter_code(visitor, newest_code())
    assert not is_member(people, dora)


def test_an_invitation_that_is_withdrawn_before_the_code_says_so(
    people: People, invitation: Invitation
) -> None:
    page, visitor = invitation.get_absolute_url(), browser()
    visitor.post(page)
    team.revoke(invitation)
    assert enter_code(visitor, newest_code())["Location"] == page
    assert "This invitation was withdrawn" in visible_text(visitor.get(page))
    assert not people.acme.memberships.filter(user__email=DORA).exists()


def test_the_link_alone_does_not_disclose_the_address(
    people: People, invitation: Invitation
) -> None:
    page, code_page = invitation.get_absolute_url(), reverse("account_confirm_login_code")
    for visitor in (browser(), browser(people.charlie)):
        assert DORA not in visitor.get(page).content.decode()
    nobody = browser()
    shown = nobody.post(page, follow=True).content.decode()
    assert f'action="{page}"' in shown  # "Send a new code"
    wrong = [enter_code(nobody, "000000").content.decode() for _ in range(3)]
    assert "This code no longer works" in wrong[-1]
    for text in (shown, *wrong, nobody.get(code_page).content.decode()):
        assert "d•••@example.org" in text
        assert DORA not in text


def test_pressed_twice_it_sends_one_code(people: People, invitation: Invitation) -> None:
    page, nobody = invitation.get_absolute_url(), browser()
    for _ in range(2):
        assert nobody.post(page)["Location"] == reverse("account_confirm_login_code")
    assert [each.to for each in mail.outbox[1:]] == [[DORA]]


def test_an_address_that_takes_no_mail_is_told_on_the_invitation(
    people: People, invitation: Invitation, settings: Settings
) -> None:
    with mail_server(settings) as server:
        server.answers = {"RCPT": "550 5.1.1 no such user"}
        response = browser().post(invitation.get_absolute_url(), follow=True)
    assert "Email to this address is refused." in visible_text(response)
    assert DORA not in response.content.decode()


def test_as_another_address_nothing_happens(people: People, invitation: Invitation) -> None:
    visitor, page = browser(people.charlie), invitation.get_absolute_url()
    for response in (visitor.get(page), visitor.post(page)):
        said = visible_text(response)
        assert "was sent to d•••@example.org" in said
        assert "You are signed in as charlie@example.org" in said
        assert "Join Acme" not in said
    assert not is_member(people, people.charlie)
    signed_out = visitor.post(reverse("account_logout"), {"next": page})
    assert signed_out["Location"] == page


def test_an_address_that_is_not_verified_proves_nothing(
    people: People, invitation: Invitation
) -> None:
    EmailAddress.objects.create(user=people.charlie, email=DORA, verified=False)
    assert browser(people.charlie).post(invitation.get_absolute_url()).status_code == 403
    assert not is_member(people, people.charlie)


def test_a_second_verified_address_counts(people: People, invitation: Invitation) -> None:
    EmailAddress.objects.create(user=people.charlie, email=DORA, verified=True)
    browser(people.charlie).post(invitation.get_absolute_url())
    assert is_member(people, people.charlie)


def test_capital_letters_make_no_other_address(people: People, dora: User) -> None:
    invite(people, "Dora@Example.ORG")
    assert Invitation.objects.get().email == DORA
    assert "has already been invited" in wrong(people, "DORA@example.org")
    browser(dora).post(Invitation.objects.get().get_absolute_url())
    assert is_member(people, dora)
    assert "is already in the team" in wrong(people, "dORA@example.org")


def test_an_expired_invitation_is_a_calm_page_and_can_be_sent_again(
    people: People, invitation: Invitation, dora: User, mailoutbox: list[EmailMessage]
) -> None:
    later(invitation, 7)
    page = invitation.get_absolute_url()
    for response in (browser(dora).get(page), browser(dora).post(page)):
        assert "This invitation has expired" in visible_text(response)
    assert not is_member(people, dora)
    again = reverse("send-again", args=[people.acme.reference, invitation.reference])
    browser(people.alice).post(again)
    assert len(mailoutbox) == 2
    browser(dora).post(page)
    assert is_member(people, dora)


def test_an_expired_invitation_can_be_sent_again(people: People, invitation: Invitation) -> None:
    later(invitation, 7)
    invite(people)
    assert Invitation.objects.filter(accepted=None, revoked=None).count() == 1


def test_a_withdrawn_invitation_is_over(people: People, invitation: Invitation, dora: User) -> None:
    revoke = reverse("revoke", args=[people.acme.reference, invitation.reference])
    assert "was withdrawn" in visible_text(browser(people.alice).post(revoke, follow=True))
    page = invitation.get_absolute_url()
    for response in (browser(dora).get(page), browser(dora).post(page)):
        assert "This invitation was withdrawn" in visible_text(response)
    assert not is_member(people, dora)


def test_an_accepted_invitation_is_over_for_others_and_for_who_left(
    people: People, invitation: Invitation, dora: User
) -> None:
    page, visitor = invitation.get_absolute_url(), browser(dora)
    visitor.post(page)
    people.acme.memberships.filter(user=dora).delete()
    for each in (visitor, browser(), browser(people.charlie)):
        assert "was used already" in visible_text(each.post(page))
    assert not is_member(people, dora)


@pytest.mark.parametrize("name", ["send-again", "revoke"])
def test_an_accepted_invitation_is_neither_sent_nor_withdrawn(
    people: People, invitation: Invitation, dora: User, name: str, mailoutbox: list[EmailMessage]
) -> None:
    browser(dora).post(invitation.get_absolute_url())
    page = reverse(name, args=[people.acme.reference, invitation.reference])
    assert "no longer open" in visible_text(browser(people.alice).post(page, follow=True))
    assert len(mailoutbox) == 1
    assert is_member(people, dora)


def test_a_made_up_invitation_is_a_calm_page(people: People) -> None:
    response = browser(people.alice).get(reverse("invitation", args=["made-up"]))
    assert response.status_code == 404
    assert "We couldn’t find this invitation" in visible_text(response)


@pytest.mark.parametrize("email", ["", "nobody", "a b@example.org"])
def test_an_invalid_address_is_an_error_at_its_field(people: People, email: str) -> None:
    assert "Enter" in wrong(people, email)
    assert not Invitation.objects.exists()


def test_a_mail_that_failed_is_sent_by_a_later_sweep(
    people: People, settings: Settings, mailoutbox: list[EmailMessage]
) -> None:
    working = settings.EMAIL_BACKEND
    settings.EMAIL_BACKEND = SMTP
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", free_port()
    alice = invite(people)
    team = reverse("team", args=[people.acme.reference])
    assert "Not sent yet" in visible_text(alice.get(team))
    settings.EMAIL_BACKEND = working
    sweep()
    assert mailoutbox == []  # it rests for a minute
    Invitation.objects.update(mail_retry_at=timezone.now())
    sweep()
    assert [mail.to for mail in mailoutbox] == [[DORA]]
    assert "Sent:" in visible_text(alice.get(team))


def test_an_invitation_that_is_not_sent_yet_is_not_called_sent(
    people: People, settings: Settings
) -> None:
    with mail_server(settings) as server:
        server.answers = {"RCPT": "450 4.2.0 greylisted"}
        page = reverse("invite", args=[people.acme.reference])
        said = visible_text(browser(people.alice).post(page, invited(), follow=True))
        assert (
            "dora@example.org is invited, but the email has not been sent yet. We keep trying."
            in said
        )
        assert "Not sent yet. We keep trying." in said
        again = reverse(
            "send-again", args=[people.acme.reference, Invitation.objects.get().reference]
        )
        said = visible_text(browser(people.alice).post(again, follow=True))
        assert "The email to dora@example.org has not been sent yet" in said
        assert "was sent again" not in said


REFUSALS = ["550 5.1.1 no such user", "551 not here", "552 5.2.2 full", "553 no", "554 5.7.1 no"]


@pytest.mark.parametrize("answer", REFUSALS)
def test_a_refused_address_is_said_where_it_was_typed(
    people: People, settings: Settings, answer: str
) -> None:
    with mail_server(settings) as server:
        server.answers = {"RCPT": answer}
        for _ in range(2):
            said = wrong(people, DORA)
            assert "Email to this address is refused. Check it for typing mistakes." in said
            assert "is invited" not in said
        schedule.mail()
        asked = [line for line in server.commands if line.upper().startswith("RCPT")]
        assert len(asked) == 2
    assert not Invitation.objects.exists()


def test_refused_invitations_do_not_use_up_the_limit(people: People, settings: Settings) -> None:
    settings.ACCOUNT_RATE_LIMITS = {**settings.ACCOUNT_RATE_LIMITS, "invite": "1/h/key"}
    with mail_server(settings) as server:
        server.answers = {"RCPT bad@example.org": "550 no"}
        for _ in range(3):
            assert "is refused" in wrong(people, "bad@example.org")
        invite(people)
        assert len(server.mails) == 1


def test_an_address_that_is_refused_later_is_over_at_once_and_the_team_page_says_so(
    people: People, settings: Settings
) -> None:
    settings.STAFF_EMAIL = ["staff@example.org"]
    team = reverse("team", args=[people.acme.reference])
    with mail_server(settings) as server:
        server.answers = {f"RCPT {DORA}": "450 4.2.0 greylisted"}
        alice = invite(people)
        server.answers = {f"RCPT {DORA}": "550 5.1.1 no such user"}
        for _ in range(4):
            Invitation.objects.update(mail_retry_at=timezone.now())
            schedule.mail()
        assert Invitation.objects.get().mail_tries == 2
        said = visible_text(alice.get(team))
        assert "Email to this address is refused. Check it for typing mistakes, withdraw" in said
        assert "Not sent yet" not in said
        assert server.mails == []  # staff are not told: whoever invited can mend it
        again = reverse(
            "send-again", args=[people.acme.reference, Invitation.objects.get().reference]
        )
        assert "Email to dora@example.org is refused." in visible_text(
            alice.post(again, follow=True)
        )
        server.answers = {}
        assert "was sent again" in visible_text(alice.post(again, follow=True))
        assert "Sent:" in visible_text(alice.get(team))


def test_an_invitation_that_was_given_up_says_so(people: People) -> None:
    people.acme.invitations.create(email=DORA, mail_tries=MAX_TRIES)
    team = reverse("team", args=[people.acme.reference])
    assert "Not sent. We tried for three days." in visible_text(browser(people.alice).get(team))


def invited(email: str = DORA) -> dict[str, str]:
    return {"email": email, "role": "member"}


def test_a_mail_whose_process_died_is_sent(people: People, mailoutbox: list[EmailMessage]) -> None:
    people.acme.invitations.create(email=DORA)
    for _ in range(2):
        sweep()
    assert len(mailoutbox) == 1


def test_what_is_over_is_not_mailed(people: People, mailoutbox: list[EmailMessage]) -> None:
    now = timezone.now()
    for number, over in enumerate(({"revoked": now}, {"accepted": now}, {"expires_at": now})):
        people.acme.invitations.create(email=f"{number}@example.org", **over)
    sweep()
    assert mailoutbox == []


def test_a_name_of_two_lines_breaks_no_mail(people: People, mailoutbox: list[EmailMessage]) -> None:
    people.acme.name = "Acme\r\nBcc: eve@example.org"
    people.acme.save()
    invite(people)
    assert mailoutbox[0].subject == "You are invited to a team at Gangway"
    assert "the team of “Acme Bcc: eve@ example. org”." in mailoutbox[0].body


def test_invitations_are_no_use_to_a_spammer(
    people: People, settings: Settings, mailoutbox: list[EmailMessage]
) -> None:
    settings.ACCOUNT_RATE_LIMITS = {**settings.ACCOUNT_RATE_LIMITS, "invite": "1/h/key"}
    invite(people)
    page = reverse("invite", args=[people.acme.reference])
    response = browser(people.alice).post(page, {"email": "e@example.org", "role": "member"})
    assert "try again in an hour" in visible_text(response)
    assert len(mailoutbox) == 1


def test_an_invitation_is_a_mail_to_a_mailbox_like_any_other(
    people: People, settings: Settings, mailoutbox: list[EmailMessage]
) -> None:
    few = settings.LOOPBACK_LIMITS["mails"] | {"address+ip": "2/h"}
    settings.LOOPBACK_LIMITS = {**settings.LOOPBACK_LIMITS, "mails": few}
    page = reverse("invite", args=[people.acme.reference])
    for tag in ("a", "b", "c"):
        fields = {"email": f"eve+{tag}@example.org", "role": "member"}
        said = visible_text(browser(people.alice).post(page, fields, follow=True))
    assert "We have already sent many emails to this address, so nothing was sent now." in said
    assert "Try again in 60 minutes." in said
    assert (len(mailoutbox), people.acme.invitations.count()) == (2, 2)
    invited = people.acme.invitations.earliest("pk")
    again = reverse("send-again", args=[people.acme.reference, invited.reference])
    said = visible_text(browser(people.alice).post(again, follow=True))
    assert "We have already sent many emails to this address" in said
    assert len(mailoutbox) == 2


def test_an_invitation_that_is_refused_costs_no_mail(
    people: People, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise AddressRefused

    monkeypatch.setattr(sending, "deliver", refuse)
    page = reverse("invite", args=[people.acme.reference])
    browser(people.alice).post(page, {"email": "e@example.org", "role": "member"})
    counts = RateLimit.objects.filter(key__regex="^(mails|invite)")
    assert {row.used for row in counts} == {0}


def test_who_is_invited_reads_so_before_naming_a_business(
    people: People, invitation: Invitation, dora: User
) -> None:
    response = browser(dora).get(reverse("welcome"))
    assert "You’re invited to Acme" in visible_text(response)
    assert invitation.get_absolute_url() in response.content.decode()


def test_who_has_several_businesses_changes_between_them_in_the_menu(
    people: People, invitation: Invitation
) -> None:
    people.other.memberships.create(user=people.alice)
    response = browser(people.alice).get(reverse("catalogue"))
    for merchant in (people.acme, people.other):
        assert f'href="{merchant.get_absolute_url()}"' in response.content.decode()
    alone = browser(people.bob).get(reverse("catalogue")).content.decode()
    assert reverse("team", args=[people.acme.reference]) in alone
