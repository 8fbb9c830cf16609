"""Revealing a key and a secret: shown by POST until they are confirmed, then never again."""

from __future__ import annotations

import pytest
from django.db import connection as database
from django.test import Client
from django.urls import reverse

from onboarding.models import Connection, Event, SecurityEvent
from tests.support.attempts import CONNECTED, begin_attempt, run_step
from tests.support.people import People
from tests.support.scripted import Scripted
from tests.support.staff import every_page, staff_client
from tests.support.visit import browser, url, visible_text
from vendors.contract import Connected, Done, text

pytestmark = [pytest.mark.both, pytest.mark.usefixtures("inline_executor")]
KEY, SECRET = "k-c4n4ry-key", "s-c4n4ry-<secret>"
ESCAPED = "s-c4n4ry-&lt;secret&gt;"
READY = Connected(
    shop_id="shop-1", evidence=text("A key was cut."), reveal={"Key": KEY, "Secret": SECRET}
)


@pytest.fixture
def connection(people: People, scripted: Scripted) -> Connection:
    return run_step(begin_attempt(people), scripted, READY).connection


@pytest.fixture
def bob(people: People) -> Client:
    """A member to whom an owner has given the right to see secrets."""
    people.acme.memberships.filter(user=people.bob).update(may_see_secrets=True)
    return browser(people.bob)


def test_the_pages_say_that_something_is_ready_and_tell_nothing_of_it(
    people: People, connection: Connection, bob: Client
) -> None:
    for page in (connection.get_absolute_url(), connection.attempts.get().get_absolute_url()):
        response = bob.get(page)
        assert "Your key and secret are ready" in visible_text(response)
        assert "c4n4ry" not in response.content.decode()
        assert f'action="{url("reveal", connection)}"' in response.content.decode()
    home = bob.get(people.acme.get_absolute_url())
    assert "Your key and secret are ready. Connected Save your key" in visible_text(home)
    assert f'action="{url("reveal", connection)}"' in home.content.decode()


def test_they_are_shown_by_post_as_often_as_needed(connection: Connection, bob: Client) -> None:
    for _ in range(2):
        response = bob.post(url("reveal", connection))
        body = response.content.decode()
        assert f"<code>{KEY}</code>" in body
        assert f"<code>{ESCAPED}</code>" in body
        assert f'data-copy="{ESCAPED}"' in body
        assert "no-store" in response["Cache-Control"]
        assert response["Referrer-Policy"] == "same-origin"


@pytest.mark.parametrize("name", ["reveal", "reveal-download", "reveal-kept"])
def test_a_get_shows_nothing_and_spends_nothing(
    connection: Connection, bob: Client, name: str
) -> None:
    response = bob.get(url(name, connection))
    assert response["Location"] == connection.get_absolute_url()
    assert "c4n4ry" not in response.content.decode()
    assert Connection.objects.get().reveal == {"Key": KEY, "Secret": SECRET}


def test_they_are_downloaded_as_a_text_file(connection: Connection, bob: Client) -> None:
    response = bob.post(url("reveal-download", connection))
    assert response["Content-Disposition"].startswith('attachment; filename="my-shop-')
    assert response["Content-Type"].startswith("text/plain")
    assert "no-store" in response["Cache-Control"]
    assert f"Key: {KEY}\r\nSecret: {SECRET}\r\n" in response.content.decode()


def kept(bob: Client, connection: Connection) -> str:
    """The name of what the page shows, as its form sends it."""
    form = bob.post(url("reveal", connection)).context
    return str(form["secrets_digest"])


def test_once_confirmed_never_again(connection: Connection, bob: Client) -> None:
    seen = kept(bob, connection)
    assert "Saved. The key and secret are no longer stored here." in visible_text(
        bob.post(url("reveal-kept", connection), {"seen": seen}, follow=True)
    )
    assert Connection.objects.get().reveal is None
    response = bob.post(url("reveal", connection), follow=True)
    assert "There is nothing to show" in visible_text(response)
    assert "c4n4ry" not in response.content.decode()
    assert "are ready" not in visible_text(response)
    assert (
        "c4n4ry" not in bob.post(url("reveal-download", connection), follow=True).content.decode()
    )


def test_a_secret_newer_than_the_one_seen_is_kept(connection: Connection, bob: Client) -> None:
    seen = kept(bob, connection)
    newer = Connection.objects.get()
    newer.reveal = {"Key": "k-2"}
    newer.save()
    said = visible_text(bob.post(url("reveal-kept", connection), {"seen": seen}, follow=True))
    assert "There is a newer key and secret." in said
    assert Connection.objects.get().reveal == {"Key": "k-2"}
    bob.post(url("reveal-kept", connection))
    assert Connection.objects.get().reveal == {"Key": "k-2"}


def test_the_timeline_says_who_looked_and_who_confirmed(
    people: People, connection: Connection, bob: Client
) -> None:
    bob.post(url("reveal-kept", connection), {"seen": kept(bob, connection)})
    rows = Event.objects.filter(user=people.bob).order_by("pk")
    assert [str(row) for row in rows] == [
        "You viewed the key and secret.",
        "You confirmed that you saved the key and secret.",
    ]


def test_only_members_see_them(people: People, connection: Connection) -> None:
    for name in ("reveal", "reveal-download", "reveal-kept"):
        assert browser(people.charlie).post(url(name, connection)).status_code == 404
        answer = browser().post(url(name, connection))
        assert answer["Location"] == f"/accounts/login/?next={connection.get_absolute_url()}"
    assert Connection.objects.get().reveal is not None


def test_the_forms_need_their_token(people: People, connection: Connection) -> None:
    strict = browser(people.alice, strict=True)
    assert strict.post(url("reveal", connection)).status_code == 403


def test_no_page_of_staff_and_no_log_line_has_them(
    connection: Connection, bob: Client, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    bob.post(url("reveal", connection))
    bob.post(url("reveal-download", connection))
    staff = staff_client()
    assert not [page for page in every_page() if "c4n4ry" in staff.get(page).content.decode()]
    assert "c4n4ry" not in caplog.text


def test_the_database_holds_only_ciphertext(connection: Connection) -> None:
    with database.cursor() as cursor:
        cursor.execute("select reveal from onboarding_connection")
        assert "c4n4ry" not in str(cursor.fetchall())


def test_a_disconnected_shop_has_nothing_left_to_show(
    people: People, connection: Connection, scripted: Scripted
) -> None:
    scripted.script.append(Done(here=text("It ended."), there=text("The key opens nothing.")))
    alice = browser(people.alice)
    alice.post(url("disconnect", connection))
    assert Connection.objects.get().reveal is None
    assert "are ready" not in visible_text(alice.get(connection.get_absolute_url()))


def test_a_shop_without_secrets_offers_none(people: People, scripted: Scripted) -> None:
    connection = run_step(begin_attempt(people), scripted, CONNECTED).connection
    assert "are ready" not in visible_text(browser(people.bob).get(connection.get_absolute_url()))
    answer = browser(people.bob).post(url("reveal", connection))
    assert answer["Location"] == connection.get_absolute_url()


# -- who may see them ------------------------------------------------------------------------------

NAMES = ["reveal", "reveal-download", "reveal-kept"]


@pytest.mark.parametrize("name", NAMES)
def test_a_member_without_the_right_reads_who_has_it(
    people: People, connection: Connection, name: str
) -> None:
    """Before, every member could see and delete the secrets of every shop."""
    member = browser(people.bob)
    response = member.post(url(name, connection))
    assert response.status_code == 403
    assert "Only the owner of Acme can see them: Alice." in visible_text(response)
    assert "c4n4ry" not in response.content.decode()
    assert Connection.objects.get().reveal == {"Key": KEY, "Secret": SECRET}


def test_the_pages_of_a_member_name_the_owners_instead_of_a_button(
    people: People, connection: Connection
) -> None:
    member = browser(people.bob)
    for page in (connection.get_absolute_url(), connection.attempts.get().get_absolute_url()):
        response = member.get(page)
        assert "Only the owner of Acme can see them: Alice." in visible_text(response)
        assert url("reveal", connection) not in response.content.decode()
    home = visible_text(member.get(people.acme.get_absolute_url()))
    assert "Ask an owner to save them" in home


def test_a_member_who_connects_a_shop_is_told_who_gets_its_secrets(
    people: People, scripted: Scripted
) -> None:
    attempt = begin_attempt(people, user=people.bob)
    made = run_step(attempt, scripted, READY).connection
    said = visible_text(browser(people.bob).get(made.attempts.get().get_absolute_url()))
    assert "Only the owner of Acme can see them: Alice." in said
    assert KEY in browser(people.alice).post(url("reveal", made)).content.decode()


def test_an_owner_gives_the_right_and_takes_it(people: People, connection: Connection) -> None:
    bob = people.acme.memberships.get(user=people.bob)
    rights = reverse("change-rights", args=[people.acme.reference, bob.pk])
    alice, member = browser(people.alice), browser(people.bob)
    said = visible_text(alice.post(rights, {"may_see_secrets": "on"}, follow=True))
    assert "Bob may see keys and secrets now." in said
    assert member.post(url("reveal", connection)).status_code == 200
    alice.post(rights)
    assert member.post(url("reveal", connection)).status_code == 403
    details = SecurityEvent.objects.filter(kind="role_changed").order_by("pk")
    assert list(details.values_list("user", "by", "merchant", "detail")) == [
        (people.bob.pk, people.alice.pk, people.acme.pk, "may see secrets"),
        (people.bob.pk, people.alice.pk, people.acme.pk, "may no longer see secrets"),
    ]


def test_only_owners_give_the_right(people: People) -> None:
    bob = people.acme.memberships.get(user=people.bob)
    rights = reverse("change-rights", args=[people.acme.reference, bob.pk])
    assert browser(people.bob).post(rights, {"may_see_secrets": "on"}).status_code == 403
    assert browser(people.charlie).post(rights, {"may_see_secrets": "on"}).status_code == 404
    bob.refresh_from_db()
    assert not bob.may_see_secrets


def test_who_is_no_longer_an_owner_no_longer_sees_secrets(
    people: People, connection: Connection
) -> None:
    bob = people.acme.memberships.get(user=people.bob)
    role = reverse("change-role", args=[people.acme.reference, bob.pk])
    alice, member = browser(people.alice), browser(people.bob)
    alice.post(role, {"role": "owner"})
    assert member.post(url("reveal", connection)).status_code == 200
    alice.post(role, {"role": "member"})
    assert member.post(url("reveal", connection)).status_code == 403


def test_looking_and_forgetting_are_in_the_security_log(
    people: People, connection: Connection, bob: Client
) -> None:
    bob.post(url("reveal-kept", connection), {"seen": kept(bob, connection)})
    rows = SecurityEvent.objects.filter(kind__startswith="secrets_").order_by("pk")
    assert list(rows.values_list("kind", "user", "merchant")) == [
        ("secrets_shown", people.bob.pk, people.acme.pk),
        ("secrets_forgotten", people.bob.pk, people.acme.pk),
    ]
    assert "c4n4ry" not in str(list(rows.values()))
