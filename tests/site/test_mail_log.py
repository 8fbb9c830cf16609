"""The mail log: a row for each mail from its first try on, read by staff, who can send some again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django.fixtures import Settings

from onboarding.background import retention, schedule
from onboarding.models import Alert, Invitation, MailRecord, RefusedAddress, User
from onboarding.models.outbox import MAX_TRIES
from onboarding.notifications import (
    choices,
    invitations,
    outbox,
    refused_addresses,
    sent_again,
)
from onboarding.notifications.mail import AddressRefused
from onboarding.people import factor_reset, team
from onboarding.rights import erasure, export
from tests.support.codes import newest_code
from tests.support.factors import add_app
from tests.support.mail_server import MailServer, mail_server
from tests.support.people import People
from tests.support.staff import limited_client, staff_client
from tests.support.visit import browser, visible_text

LOG = reverse("admin:onboarding_mailrecord_changelist")
LOGIN, ADDRESSES = "/accounts/login/", "/accounts/email/"
DAN = "dan@example.org"

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _fresh(people: People) -> None:
    cache.clear()


@pytest.fixture
def server(settings: Settings) -> Iterator[MailServer]:
    with mail_server(settings) as running:
        yield running


def invite(people: People) -> Invitation:
    return team.invite(people.acme, people.alice, DAN, "member")


def record(**fields: object) -> MailRecord:
    return MailRecord.objects.filter(**fields).latest("pk")


def act(client: Client, action: str, *records: MailRecord) -> str:
    chosen = {"action": action, "_selected_action": [str(each.pk) for each in records]}
    return visible_text(client.post(LOG, chosen, follow=True))


# -- what is written -------------------------------------------------------------------------------


def test_a_mail_is_in_the_log_with_what_became_of_it(people: People) -> None:
    invite(people)
    row = record()
    assert (row.to, row.kind, row.language, row.outcome) == (DAN, "invitation", "en", "sent")
    assert (row.merchant, row.user, row.tries, row.reason) == (people.acme, None, 1, "")
    assert row.sent


def test_a_code_is_in_the_log_and_not_what_it_is(people: People) -> None:
    Client().post(LOGIN, {"email": "alice@example.org"})
    row = record(to="alice@example.org")
    assert (row.kind, row.user, row.outcome) == ("code", people.alice, "sent")
    assert newest_code() not in str(MailRecord.objects.values())


def test_an_alert_and_a_reset_second_step_are_in_the_log(
    people: People, settings: Settings
) -> None:
    settings.STAFF_EMAIL = ["staff@example.org", "night@example.org"]
    Alert.objects.create(vendor="v", cause="not_sent")
    schedule.mail()
    assert MailRecord.objects.filter(kind="alert", outcome="sent").count() == 2
    add_app(people.alice)
    factor_reset.reset(people.alice, why="asked")
    assert record().user == people.alice
    assert record().kind == "security"


def test_tries_are_counted_until_it_is_given_up(people: People, server: MailServer) -> None:
    server.answers = {"RCPT": "450 later"}
    made = invite(people)
    again = {"mail_retry_at": None}
    for tries in (made.mail_tries, MAX_TRIES - 1):
        Invitation.objects.update(mail_tries=max(tries, 1), **again)
        schedule.mail()
    [row] = MailRecord.objects.filter(to=DAN)
    assert (row.tries, row.outcome, row.sent) == (3, "given_up", None)
    assert row.reason == "The mail server did not take it (450)."


def test_a_refused_mail_says_so(people: People, server: MailServer) -> None:
    server.answers = {"RCPT": "550 5.1.1 no such user"}
    with pytest.raises(AddressRefused):
        invite(people)
    assert record(to=DAN).outcome == "refused"
    assert record(to=DAN).reason == "The mail server refuses this address (550)."


def test_a_code_that_failed_while_somebody_waited_is_given_up(server: MailServer) -> None:
    server.answers = {"RCPT": "450 later"}
    Client().post(LOGIN, {"email": "new@example.org"})
    assert record(to="new@example.org").outcome == "given_up"


@pytest.mark.both
def test_a_mail_that_nobody_wants_any_more_is_closed_and_reopened(
    people: People, server: MailServer
) -> None:
    server.answers = {"RCPT": "450 later"}
    made = invite(people)
    long_ago = timezone.now() - timedelta(hours=3)
    Invitation.objects.update(revoked=timezone.now())
    MailRecord.objects.update(tried=long_ago)
    schedule.mail()
    assert record().outcome == "not_wanted"
    server.answers = {}
    Invitation.objects.update(revoked=None, mail_retry_at=None)
    schedule.mail()
    assert (record().outcome, record().tries, MailRecord.objects.count()) == ("sent", 2, 1)
    assert made.pk


def test_the_log_is_kept_for_its_days(people: People, settings: Settings) -> None:
    settings.MAIL_LOG_DAYS = 90
    for days in (89, 91):
        asked = timezone.now() - timedelta(days=days)
        MailRecord.objects.create(to=DAN, kind="code", source="AccountMail", row=days, asked=asked)
    retention.run()
    assert [row.row for row in MailRecord.objects.all()] == [89]


def test_mails_are_exported_and_go_with_the_person(people: People) -> None:
    Client().post(LOGIN, {"email": "bob@example.org"})
    choices.stop(people.bob, people.acme, ["turn"])
    refused_addresses.note("bob@example.org", "550")
    document = export.person(people.bob)
    assert [row["kind"] for row in document["mails"]] == ["code"]
    assert document["mails_not_wanted"] == [{"group": "turn", "business": "Acme"}]
    assert document["refused_addresses"][0]["email"] == "bob@example.org"
    assert export.person(people.charlie)["mails"] == []
    erasure.erase(people.bob)
    assert not MailRecord.objects.filter(user=people.bob).exists()
    assert not people.bob.mail_choices.exists()
    assert not RefusedAddress.objects.exists()
    schedule.mail()
    assert record(kind="account_closed").to == ""


# -- staff's page ----------------------------------------------------------------------------------


def test_staff_search_by_address_and_filter(people: People) -> None:
    invite(people)
    Client().post(LOGIN, {"email": "alice@example.org"})
    staff = staff_client()
    assert DAN in visible_text(staff.get(LOG, {"q": "dan@"}))
    assert DAN not in visible_text(staff.get(LOG, {"q": "alice@example.org"}))
    assert DAN not in visible_text(staff.get(LOG, {"kind": "code"}))
    assert DAN not in visible_text(staff.get(LOG, {"outcome": "refused"}))
    assert visible_text(
        staff.get(reverse("admin:onboarding_mailrecord_change", args=[record().pk]))
    )


def test_the_log_is_in_the_language_of_staff(people: People) -> None:
    invite(people)
    staff = staff_client()
    User.objects.update(language="de")
    text = visible_text(staff.get(LOG))
    assert "Einladung English Gesendet" in text
    assert "Wartet auf den nächsten Versuch" in text
    one = visible_text(staff.get(reverse("admin:onboarding_mailrecord_change", args=[record().pk])))
    assert f"invitation: {DAN}" not in one


def test_the_security_log_and_bounces_are_in_the_language_of_staff(people: People) -> None:
    refused_addresses.note(ALICE, refused_addresses.BOUNCED)
    staff = staff_client()
    User.objects.update(language="fr")
    events = visible_text(staff.get(reverse("admin:onboarding_securityevent_changelist")))
    assert "droits de l’équipe interne modifiés" in events
    assert "staff rights changed" not in events
    refused = visible_text(staff.get(reverse("admin:onboarding_refusedaddress_changelist")))
    assert "L’e-mail nous est revenu plusieurs jours après." in refused


def test_a_person_leads_to_their_mails(people: People) -> None:
    invite(people)
    Client().post(LOGIN, {"email": "alice@example.org"})
    staff = staff_client()
    page = reverse("admin:onboarding_user_change", args=[people.alice.pk])
    link = f"{LOG}?user={people.alice.pk}"
    assert f'href="{link}"' in staff.get(page).content.decode()
    text = visible_text(staff.get(link))
    assert ("alice@example.org" in text, DAN in text) == (True, False)


def test_whoever_may_only_read_has_no_buttons(people: People) -> None:
    invite(people)
    reader = limited_client("view_mailrecord")
    page = reader.get(LOG)
    assert DAN in visible_text(page)
    assert "Send again" not in visible_text(page)
    act(reader, "send_again", record())
    assert MailRecord.objects.filter(to=DAN).count() == 1


def test_the_log_has_a_permission_of_its_own(people: People) -> None:
    assert limited_client("view_merchant").get(LOG).status_code == 403


def test_an_invitation_is_sent_again(people: People) -> None:
    invite(people)
    assert "sent again within a minute" in act(staff_client(), "send_again", record(to=DAN))
    schedule.mail()
    assert [row.outcome for row in MailRecord.objects.filter(to=DAN)] == ["sent", "sent"]


def test_a_code_cannot_be_sent_again_and_staff_read_why(people: People) -> None:
    Client().post(LOGIN, {"email": "alice@example.org"})
    said = act(staff_client(), "send_again", record(to="alice@example.org"))
    assert "Its words are not kept" in said
    schedule.mail()
    assert MailRecord.objects.filter(to="alice@example.org", kind="code").count() == 1


def test_what_is_gone_cannot_be_sent_again(people: People) -> None:
    invite(people).delete()
    with pytest.raises(sent_again.CannotSendAgain):
        sent_again.send_again(record(to=DAN))


# -- addresses that refuse mails -------------------------------------------------------------------

ALICE = "alice@example.org"
BANNER = f"We can’t reach you at {ALICE}"


def refuse(people: People, server: MailServer) -> None:
    """Alice's address refuses a mail that she did not ask for."""
    server.answers = {f"RCPT {ALICE}": "550 5.1.1 no such user"}
    made = people.other.invitations.create(email=ALICE)
    schedule.mail()
    made.refresh_from_db()
    assert made.mail_refused
    server.answers = {}


def test_a_refusal_stops_mails_and_the_person_reads_so(people: People, server: MailServer) -> None:
    refuse(people, server)
    row = RefusedAddress.objects.get()
    assert (row.user, row.email, row.answer) == (people.alice, ALICE, "550 5.1.1 no such user")
    assert not choices.wants(people.alice, people.acme, "turn")
    people.acme.invitations.create(email=ALICE)
    schedule.mail()
    assert server.mails == []
    assert record(to=ALICE).outcome == "refused"
    assert "has refused an earlier email" in record(to=ALICE).reason
    assert BANNER in visible_text(browser(people.alice).get("/shops/", follow=True))
    assert BANNER not in visible_text(browser(people.bob).get("/shops/", follow=True))


def test_colleagues_read_it_beside_the_member(people: People) -> None:
    page = reverse("team", args=[people.acme.reference])
    said = "The mail server refuses this address"
    assert said not in visible_text(browser(people.bob).get(page))
    refused_addresses.note(ALICE)
    assert said in visible_text(browser(people.bob).get(page))


def test_a_code_is_still_sent_and_ends_it_once_it_is_used(
    people: People, server: MailServer
) -> None:
    refuse(people, server)
    client = Client()
    client.post(LOGIN, {"email": ALICE})
    code = server.mails[-1]["Subject"][:6]
    assert RefusedAddress.objects.exists()
    client.post("/accounts/login/code/confirm/", {"code": code})
    assert not RefusedAddress.objects.exists()


def test_the_button_ends_it_and_leads_back(people: People) -> None:
    refused_addresses.note(ALICE)
    alice, page = browser(people.alice), reverse("team", args=[people.acme.reference])
    answer = alice.post(reverse("address-works"), {"next": page}, follow=True)
    assert answer.request["PATH_INFO"] == page
    assert f"We email {ALICE} again." in visible_text(answer)
    assert BANNER not in visible_text(answer)


def test_another_main_address_ends_it(people: People) -> None:
    refused_addresses.note(ALICE)
    second = "second@example.org"
    EmailAddress.objects.create(user=people.alice, email=second, verified=True)
    form = {"action_primary": "", "email": second}
    browser(people.alice).post(ADDRESSES, form, follow=True)
    assert User.objects.get(pk=people.alice.pk).email == second
    assert not RefusedAddress.objects.exists()


def test_a_policy_of_the_mail_server_stops_no_address(people: People, server: MailServer) -> None:
    server.answers = {f"RCPT {ALICE}": "550 5.7.1 relay access denied"}
    people.other.invitations.create(email=ALICE)
    schedule.mail()
    assert not RefusedAddress.objects.exists()


def test_an_address_that_nobody_has_confirmed_is_not_noted(people: People) -> None:
    EmailAddress.objects.create(user=people.alice, email="typo@example.org", verified=False)
    assert refused_addresses.note("typo@example.org") == 0
    assert refused_addresses.note("nobody@example.org") == 0


def test_one_of_two_recipients_is_left_out(people: People) -> None:
    refused_addresses.note(ALICE)
    row = people.acme.invitations.create(email=DAN)
    message = invitations.compose(row)
    message.to = [ALICE, DAN]
    assert outbox._begin(row, message) is None
    assert message.to == [DAN]


def test_the_operator_tells_of_a_bounce(people: People, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("bounced", "Alice@example.org")
    assert RefusedAddress.objects.get().email == ALICE
    assert "no longer mailed" in capsys.readouterr().out
    with pytest.raises(CommandError, match=r"nobody@example\.org"):
        call_command("bounced", "nobody@example.org")
    call_command("bounced", "--works", ALICE)
    assert not RefusedAddress.objects.exists()


def test_staff_note_a_bounce_in_the_log(people: People) -> None:
    Client().post(LOGIN, {"email": ALICE})
    said = act(staff_client(), "bounced", record(to=ALICE))
    assert f"We no longer email {ALICE}" in said
    assert RefusedAddress.objects.get().user == people.alice
