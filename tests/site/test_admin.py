"""The admin: who may open its pages, what they show, and what they never show."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from cryptography.fernet import Fernet
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from pytest_django.fixtures import Settings

from onboarding.admin import changelist
from onboarding.models import Account, Alert, Attempt, Connection, Event, Hop, User
from tests.support.attempts import CONNECTED, begin_attempt, run_step
from tests.support.people import People, connector
from tests.support.scripted import Scripted
from tests.support.staff import every_page, limited_client, listed, page, page_text, staff_client
from tests.support.sweep import sweep
from vendors.contract import Garbled, Redirect, Unavailable

pytestmark = pytest.mark.both

SECRET = "c4n4ry-do-not-show"
BROKEN = Garbled("the list was no list", cause="garbled-list")


@pytest.fixture
def connection(people: People, scripted: Scripted) -> Connection:
    """A shop that waits for staff."""
    return run_step(begin_attempt(people), scripted, BROKEN).connection


@pytest.fixture
def staff(people: People) -> Client:
    return staff_client()


# -- the way in ----------------------------------------------------------------------------------


def test_the_admin_is_entered_through_the_one_email_form(people: People, client: Client) -> None:
    response = client.get("/admin/onboarding/connection/", follow=True)
    where, _ = response.redirect_chain[-1]
    assert where == "/accounts/login/?next=%2Fadmin%2Fonboarding%2Fconnection%2F"
    posted = client.post("/admin/login/", {"username": "erin@example.org", "password": "x"})
    assert posted.headers["Location"].startswith("/accounts/login/")


def test_a_merchants_user_reads_why_not(people: People, client: Client) -> None:
    client.force_login(people.alice)
    response = client.get("/admin/", follow=True)
    assert response.status_code == 403
    assert len(response.redirect_chain) == 1
    assert "You are signed in as alice@example.org." in page_text(response)


def test_every_page_is_closed_to_a_merchants_user(connection: Connection, people: People) -> None:
    client = Client()
    client.force_login(people.alice)
    answers = {client.get(address).headers.get("Location", "") for address in every_page()}
    assert {address.partition("?")[0] for address in answers} == {"/admin/login/"}


def test_staff_who_are_signed_in_go_straight_to_their_pages(staff: Client) -> None:
    assert staff.get("/admin/login/").headers["Location"] == "/admin/"


# -- secrets -------------------------------------------------------------------------------------


def _hide_secrets(connection: Connection) -> None:
    """The marker in everything that is encrypted, and in what fences and finds."""
    hidden = {"x": SECRET}
    Connection.objects.update(memo=hidden, answers=hidden, reveal=hidden)
    Attempt.objects.update(
        call={"name": "start", "argument": hidden}, account_memo=hidden, connection_memo=hidden
    )
    Account.objects.update(
        memo=hidden, staff_answers=hidden, lease_token=SECRET, lease_until=timezone.now()
    )
    attempt = connection.attempts.get()
    attempt.hops.all().delete()
    Hop.objects.create(
        attempt=attempt, user=attempt.user, state=SECRET, digest=SECRET, url=SECRET, params=hidden
    )


def test_no_page_holds_a_secret(connection: Connection, staff: Client) -> None:
    _hide_secrets(connection)
    Account.objects.update(unsure="room", creator=connection.attempts.get())
    Alert.objects.get_or_create(vendor="scripted", cause="waiting", cleared=None)
    found = {address: staff.get(address, follow=True) for address in every_page()}
    bad = [address for address, response in found.items() if SECRET in response.content.decode()]
    assert bad == []
    assert {response.status_code for response in found.values()} <= {200, 403}
    assert found[page(connection)].status_code == 200


def test_no_page_even_reads_what_is_encrypted(
    connection: Connection, staff: Client, settings: Settings
) -> None:
    _hide_secrets(connection)
    rows = (
        connection,
        connection.account,
        connection.attempts.get(),
        connection.account.merchant,
        connection.connector,
    )
    settings.MEMO_KEYS = [Fernet.generate_key().decode()]
    pages = [*map(page, rows), *map(listed, ("connection", "account", "attempt", "merchant"))]
    assert {staff.get(address).status_code for address in pages} == {200}


def test_pages_hold_nothing_inline(connection: Connection, staff: Client) -> None:
    Account.objects.update(unsure="room", creator=connection.attempts.get())
    for address in every_page():
        body = staff.get(address, follow=True).content.decode()
        inline = r"<style|\sstyle=|\son[a-z]+=|<script(?![^>]*\bsrc=)(?![^>]*application/json)"
        assert re.findall(inline, body) == [], address


def test_statuses_and_facts_are_not_typed(connection: Connection, staff: Client) -> None:
    for row in (connection, connection.account, connection.attempts.get()):
        body = staff.get(page(row)).content.decode()
        assert "_save" not in body
        assert staff.post(page(row), {"status": "connected"}).status_code == 403
    assert Connection.objects.get().status == "on_it"


# -- the list of connections ---------------------------------------------------------------------


def test_a_row_says_where_a_shop_stands(connection: Connection, staff: Client) -> None:
    row = page_text(staff.get(listed("connection")))
    for word in (
        "My shop",
        "Acme",
        "Scripted",
        "We’re on it",
        "staff",
        "We do not understand an answer",
    ):
        assert word in row


def test_the_first_filter_is_what_waits_for_staff(connection: Connection, staff: Client) -> None:
    body = staff.get(listed("connection")).content.decode()
    assert re.findall(r"\?status__exact=([a-z_]+)", body)[0] == "on_it"
    assert "1 connection" in page_text(staff.get(listed("connection") + "?status__exact=on_it"))
    assert "0 connections" in page_text(
        staff.get(listed("connection") + "?status__exact=connected")
    )


@pytest.mark.parametrize("query", ["turn=staff", "vendor=scripted", "begun=1", "begun=7"])
def test_the_other_filters(connection: Connection, staff: Client, query: str) -> None:
    assert "1 connection" in page_text(staff.get(f"{listed('connection')}?{query}"))
    Connection.objects.update(
        turn="us", vendor="gone", created=timezone.now() - timedelta(days=8), name="Old shop"
    )
    assert "0 connections" in page_text(staff.get(f"{listed('connection')}?{query}"))


@pytest.mark.parametrize("term", ["{0.reference}", "k-1", "s-1", "my sh", "cme", "BOB@example"])
def test_a_search_finds_a_shop(connection: Connection, staff: Client, term: str) -> None:
    Connection.objects.filter(pk=connection.pk).update(key="k-1", shop_id="s-1")
    response = staff.get(listed("connection"), {"q": term.format(connection)})
    assert "1 connection" in page_text(response)


@pytest.mark.parametrize("term", ["k-", "s-", "charlie@example.org", "%", "nobody"])
def test_a_search_finds_no_other_shop(connection: Connection, staff: Client, term: str) -> None:
    Connection.objects.filter(pk=connection.pk).update(key="k-1", shop_id="s-1")
    assert "0 connections" in page_text(staff.get(listed("connection"), {"q": term}))


def test_the_list_asks_as_much_for_many_as_for_one(connection: Connection, staff: Client) -> None:
    with CaptureQueriesContext(database) as one:
        staff.get(listed("connection"), {"q": "shop", "status__exact": "on_it"})
    Connection.objects.bulk_create(
        Connection(account=connection.account, connector=connection.connector, vendor="scripted",
                   name=f"shop {number}", status="on_it")
        for number in range(30)
    )  # fmt: skip
    with CaptureQueriesContext(database) as many:
        response = staff.get(listed("connection"), {"q": "shop", "status__exact": "on_it"})
    assert "31 connections" in page_text(response)
    assert len(many) == len(one) <= 13


def test_a_long_list_is_counted_up_to_a_cap(
    connection: Connection, staff: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changelist, "COUNTED", 1)
    with CaptureQueriesContext(database) as queries:
        response = staff.get(listed("connection"))
    counts = [query["sql"] for query in queries if "COUNT(" in query["sql"]]
    assert [("LIMIT 2" in sql, "DISTINCT" in sql) for sql in counts] == [(True, False)]
    assert "more than" not in page_text(response)


@pytest.mark.parametrize(
    ("rows", "said"), [(1_000, "1000 users"), (1_001, "more than 1,000 users")]
)
def test_a_list_beyond_the_cap_says_more_than(
    people: People, staff: Client, monkeypatch: pytest.MonkeyPatch, rows: int, said: str
) -> None:
    monkeypatch.setattr(changelist, "COUNTED", 1_000)
    more = rows - User.objects.count()
    User.objects.bulk_create(User(email=f"{number}@example.org") for number in range(more))
    assert said in page_text(staff.get(listed("user")))
    found = page_text(staff.get(listed("user"), {"q": "alice"}))
    assert "1 user" in found


def queries_of(client: Client, address: str) -> int:
    with CaptureQueriesContext(database) as queries:
        assert client.get(address).status_code == 200
    return len(queries)


def test_the_page_of_a_user_asks_as_much_for_many_permissions_as_for_one(people: People) -> None:
    readers = [staff_client(), limited_client("view_user", "change_user")]
    permissions = Permission.objects.all()
    people.bob.user_permissions.set(permissions[:1])
    few = [queries_of(reader, page(people.bob)) for reader in readers]
    people.bob.user_permissions.set(permissions)
    assert [queries_of(reader, page(people.bob)) for reader in readers] == few
    assert max(few) < 20


def test_the_page_of_a_merchant_asks_as_much_for_many_members_as_for_two(
    people: People, staff: Client
) -> None:
    few = queries_of(staff, page(people.acme))
    for number in range(20):
        user = User.objects.create_user(f"{number}@example.org")
        people.acme.memberships.create(user=user)
    assert queries_of(staff, page(people.acme)) == few


# -- a connection's page -------------------------------------------------------------------------


def test_the_timeline_reads_oldest_first(connection: Connection, staff: Client) -> None:
    read = page_text(staff.get(page(connection)))
    said = ["Connecting started.", "Our staff know"]
    places = [read.rindex(sentence) for sentence in said]
    assert places == sorted(places)
    assert Event.objects.count() == 2


def test_the_button_asks_the_vendor_now(
    connection: Connection, scripted: Scripted, staff: Client
) -> None:
    scripted.script.append(CONNECTED)
    response = staff.post(page(connection, "ask"), follow=True)
    assert "We are asking the vendor about 1 shop." in page_text(response)
    sweep()
    assert Connection.objects.get().status == "connected"
    assert LogEntry.objects.get().get_change_message() == "Asked the vendor now."


def test_the_action_asks_about_each_chosen_shop(
    connection: Connection, scripted: Scripted, staff: Client
) -> None:
    chosen = {"action": "ask_now", "_selected_action": [connection.pk]}
    assert "about 1 shop." in page_text(staff.post(listed("connection"), chosen, follow=True))
    assert Attempt.objects.filter(ended=None, due_at__lte=timezone.now()).exists()
    Attempt.objects.update(ended=timezone.now(), ending="replaced")
    answer = page_text(staff.post(listed("connection"), chosen, follow=True))
    assert "1 shop was skipped" in answer


def test_a_shop_that_was_disconnected_stays_so(
    people: People, scripted: Scripted, staff: Client
) -> None:
    connection = run_step(begin_attempt(people), scripted, CONNECTED).connection
    Connection.objects.update(status="disconnected", due_at=None)
    assert "shop was skipped" in page_text(staff.post(page(connection, "ask"), follow=True))
    assert Connection.objects.get().due_at is None


def test_an_open_visit_does_not_hide_the_check(
    people: People, scripted: Scripted, staff: Client
) -> None:
    connection = run_step(begin_attempt(people), scripted, CONNECTED).connection
    Attempt.objects.create(
        connection=connection,
        user=people.alice,
        purpose="enter",
        call={"name": "enter"},
        call_number=1,
    )
    staff.post(page(connection, "ask"))
    scripted.script.append(Unavailable())
    sweep()
    assert scripted.calls == ["start", "check"]


def test_asking_needs_a_post_and_the_right(connection: Connection, staff: Client) -> None:
    Attempt.objects.update(due_at=None)
    assert staff.get(page(connection, "ask")).status_code == 405
    reader = limited_client("view_connection")
    assert "Ask the vendor now" not in page_text(reader.get(page(connection)))
    assert reader.post(page(connection, "ask")).status_code == 403
    assert Attempt.objects.get().due_at is None


def test_an_attempt_shows_when_the_browser_left_and_came_back(
    people: People, scripted: Scripted, staff: Client
) -> None:
    attempt = run_step(
        begin_attempt(people), scripted, Redirect(url="https://vendor.example/?k=" + SECRET)
    )
    read = staff.get(page(attempt)).content.decode()
    assert "alice@example.org" in read
    assert "Link created" in read
    assert SECRET not in read


# -- merchants and users -------------------------------------------------------------------------


def test_a_merchants_page_lists_members_accounts_and_shops(
    connection: Connection, staff: Client
) -> None:
    read = page_text(staff.get(page(connection.account.merchant)))
    for word in ("Owner", "alice@example.org", "bob@example.org", "scripted", "My shop"):
        assert word in read


def test_only_superusers_hand_out_power(people: People) -> None:
    clerk = limited_client("view_user", "change_user")
    erin = User.objects.filter(pk=staff_client().session["_auth_user_id"]).get()
    clerk.post(page(people.bob), {"name": "Bob B", "is_active": "on", "is_superuser": "on"})
    people.bob.refresh_from_db()
    assert (people.bob.name, people.bob.is_superuser) == ("Bob B", False)
    assert clerk.post(page(erin), {"name": "Mine"}).status_code == 403


def test_a_user_is_added_without_a_password(staff: Client) -> None:
    given = {"email": " New@Example.org ", "is_active": "on"}
    staff.post(reverse("admin:onboarding_user_add"), given)
    added = User.objects.get(email="new@example.org")
    assert not added.has_usable_password()
    assert "password" not in staff.get(page(added)).content.decode()


def test_nothing_but_connectors_is_deleted(connection: Connection, staff: Client) -> None:
    mine = connector("scripted", "free", staff_made=True)
    rows = (
        connection,
        connection.account,
        connection.attempts.get(),
        connection.account.merchant,
        connection.connector,
    )
    assert {staff.get(page(row, "delete")).status_code for row in rows} == {403}
    assert staff.get(page(mine, "delete")).status_code == 200


# -- odd parameters ------------------------------------------------------------------------------


@pytest.mark.parametrize("value", ["nonsense", "", "1'", "9" * 5_000, "\ufffd"])
@pytest.mark.parametrize(
    "name", ["vendor", "status__exact", "turn", "begun", "unsure", "task", "waiting"]
)
def test_a_filter_value_that_nobody_offers_is_ignored(
    connection: Connection, staff: Client, name: str, value: str
) -> None:
    for model in ("connection", "account", "attempt", "connector", "waitlistentry"):
        response = staff.get(listed(model), {name: value}, follow=True)
        assert response.status_code == 200
    if name in {"vendor", "status__exact", "turn"}:
        assert "My shop" in page_text(staff.get(listed("connection"), {name: value}))


@pytest.mark.parametrize(
    "query", ["vendor=%00", "status__exact=%00", "q=%00", "%00=1", "begun=a%00"]
)
def test_a_filter_value_with_a_nul_gets_a_page(
    connection: Connection, staff: Client, query: str
) -> None:
    response = staff.get(listed("connection"), QUERY_STRING=query)
    assert response.status_code == 400
    assert "We could not read your request" in page_text(response)


@pytest.mark.parametrize("number", ["null", "", "-1", "1.5", "\0", "9" * 5_000, "\u0663"])
@pytest.mark.parametrize("model", ["connection", "connector"])
def test_a_chosen_row_without_a_number_gets_a_page(
    connection: Connection, staff: Client, model: str, number: str
) -> None:
    chosen = {"action": "ask_now", "_selected_action": number, "index": "0"}
    assert staff.post(listed(model), chosen).status_code == 400


def test_an_empty_name_of_a_field_is_none(connection: Connection, staff: Client) -> None:
    assert staff.get(page(connection), {"_to_field": ""}).status_code == 200
    assert staff.get("/admin/auth/group/1/change/", {"_to_field": ""}).status_code == 302


@pytest.mark.parametrize("number", ["9223372036854775808", "9" * 5000, "-1", "x"])
def test_a_chosen_row_without_a_number_of_ours_is_refused(people: People, number: str) -> None:
    for model, field in (("user", "groups"), ("user", "user_permissions")):
        page = reverse(f"admin:onboarding_{model}_add")
        answer = staff_client().post(page, {"email": "u@example.org", field: number})
        assert (answer.status_code, "is not one of the available" in answer.content.decode()) == (
            200,
            True,
        )
    answer = staff_client().post(
        reverse("admin:auth_group_add"), {"name": "G", "permissions": number}
    )
    assert answer.status_code == 200
