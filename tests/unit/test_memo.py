"""Encryption of memos: only ciphertext is stored, keys rotate, and what happens if the keys are lost."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core.management import call_command
from django.db import connection as database
from django.utils import timezone
from pytest_django.fixtures import Settings

from onboarding import journey
from onboarding.management.commands.staff import make_staff
from onboarding.models import Attempt, Connection, memo, memo_key
from onboarding.models.memo import MemoUnreadable, Unread
from tests.support.attempts import begin_attempt, reloaded, run_step
from tests.support.merchant import Browser
from tests.support.people import People
from tests.support.scripted import Scripted
from tests.support.sweep import sweep
from vendors.contract import Connected, Redirect, Waiting, text

SECRET = {"token": "a secret that is looked for"}
SHOP = Connected(shop_id="shop-1", evidence=text("It is there."), account=SECRET, connection=SECRET)
LINK = Redirect(url="https://vendor.example/go")


@pytest.fixture
def connection(people: People, scripted: Scripted) -> Connection:
    return run_step(begin_attempt(people), scripted, SHOP).connection


def new_key(settings: Settings, *old: str) -> None:
    settings.MEMO_KEYS = [Fernet.generate_key().decode(), *old]


def lose_keys(settings: Settings) -> None:
    """Another key than all before, and the operator's word that those are gone for good."""
    memo_key.prove()
    new_key(settings)
    memo_key.confirm_loss()


def at_rest() -> str:
    """Every memo as the database has it."""
    return "".join(text for column in memo.columns() for _, text in memo.sealed_rows(*column))


def rekeyed(*options: str) -> tuple[str, int]:
    """What the command said, and its exit status."""
    out = StringIO()
    try:
        call_command("rekey", *options, stdout=out)
    except SystemExit as end:
        return out.getvalue(), int(str(end.code))
    return out.getvalue(), 0


def looked_at(connection: Connection) -> Connection:
    """After the worker's next look."""
    Connection.objects.filter(pk=connection.pk).update(due_at=timezone.now())
    sweep()
    return Connection.objects.select_related("account__merchant").get(pk=connection.pk)


# -- keys that rotate ----------------------------------------------------------------------------


def test_only_ciphertext_is_stored(connection: Connection) -> None:
    assert at_rest().count("gAAAA") >= 4
    assert SECRET["token"] not in at_rest()


def test_an_old_key_still_opens_and_the_first_encrypts(
    connection: Connection, settings: Settings
) -> None:
    old = settings.MEMO_KEYS
    new_key(settings, *old)
    connection.refresh_from_db()
    assert connection.memo == SECRET
    connection.save()
    settings.MEMO_KEYS = old
    connection.refresh_from_db()
    assert isinstance(connection.memo, Unread)


def test_rekey_makes_the_old_key_superfluous(connection: Connection, settings: Settings) -> None:
    new_key(settings, *settings.MEMO_KEYS)
    said, status = rekeyed()
    assert status == 0
    assert "No memo needs an older key" in said
    settings.MEMO_KEYS = settings.MEMO_KEYS[:1]
    connection.refresh_from_db()
    connection.account.refresh_from_db()
    assert (connection.memo, connection.account.memo) == (SECRET, SECRET)


def test_rekey_twice_changes_nothing_more(connection: Connection, settings: Settings) -> None:
    new_key(settings, *settings.MEMO_KEYS)
    rekeyed()
    before = at_rest()
    assert "0 memos were encrypted" in rekeyed()[0]
    assert at_rest() == before


def test_rekey_does_not_overwrite_concurrent_writes(
    connection: Connection, settings: Settings
) -> None:
    seen = dict(memo.sealed_rows(Connection, "memo"))[connection.pk]
    connection.memo = {"newer": True}
    connection.save()
    assert memo._replace(Connection, "memo", connection.pk, seen) == 0
    connection.refresh_from_db()
    assert connection.memo == {"newer": True}


# -- keys that are lost --------------------------------------------------------------------------


def test_a_shop_whose_memos_cannot_be_read_is_the_merchants_turn(
    connection: Connection, scripted: Scripted, settings: Settings
) -> None:
    lose_keys(settings)
    asked = len(scripted.asked)
    found = looked_at(connection)
    assert (found.status, found.turn) == ("action_needed", "merchant")
    assert "Please connect it again" in found.sentence
    assert len(scripted.asked) == asked  # a flow would take it for an empty memo


def test_nothing_is_overwritten_and_the_old_key_heals(
    connection: Connection, scripted: Scripted, settings: Settings
) -> None:
    old = settings.MEMO_KEYS
    lose_keys(settings)
    looked_at(connection)
    new_key(settings, *old)
    scripted.script.append(SHOP)
    healed = looked_at(connection)
    assert (healed.status, healed.memo) == ("connected", SECRET)


def test_no_page_of_a_merchant_or_of_staff_fails(
    connection: Connection, people: People, scripted: Scripted, settings: Settings
) -> None:
    waits = run_step(journey.reconnect(connection, people.alice), scripted, LINK)
    Connection.objects.update(reveal={"Key": "k"})
    lose_keys(settings)
    merchant = Browser(people.alice, people.acme)
    staff = Browser(make_staff("staff@example.org"), people.acme)
    for page in (
        connection.get_absolute_url(),
        waits.get_absolute_url(),
        people.acme.get_absolute_url(),
    ):
        assert merchant.client.get(page).status_code == 200
    for name, pk in (
        ("account", connection.account_id),
        ("connection", connection.pk),
        ("attempt", waits.pk),
    ):
        for page in (f"/admin/onboarding/{name}/", f"/admin/onboarding/{name}/{pk}/change/"):
            assert staff.client.get(page).status_code == 200
    assert (
        staff.client.get(f"/admin/onboarding/account/{connection.account_id}/know/").status_code
        == 200
    )


def test_an_open_attempt_stops_and_its_button_starts_over(
    people: People, scripted: Scripted, settings: Settings
) -> None:
    wait = Waiting(note=text("…"), poll_every=timedelta(0), give_up_after=timedelta(days=1))
    attempt = run_step(begin_attempt(people), scripted, wait)
    lose_keys(settings)
    Attempt.objects.update(due_at=timezone.now())
    sweep()
    assert reloaded(attempt).answer == "unreadable"
    journey.continue_attempt(attempt, people.alice)
    done = run_step(attempt, scripted, SHOP)
    assert (scripted.calls[-1], done.connection.status) == ("start", "connected")


def test_continue_after_the_loss_starts_over_at_once(
    people: People, scripted: Scripted, settings: Settings
) -> None:
    attempt = run_step(begin_attempt(people), scripted, LINK)
    lose_keys(settings)
    journey.continue_attempt(reloaded(attempt), people.alice)
    assert run_step(attempt, scripted, SHOP).connection.status == "connected"


def test_a_reconnect_gives_up_what_cannot_be_read(
    connection: Connection, people: People, scripted: Scripted, settings: Settings
) -> None:
    lose_keys(settings)
    looked_at(connection)
    attempt = run_step(journey.reconnect(connection, people.alice), scripted, SHOP)
    connection.refresh_from_db()
    assert (attempt.connection.status, connection.memo) == ("connected", SECRET)


def test_disconnecting_ends_here_and_becomes_a_task_of_staff(
    connection: Connection, people: People, scripted: Scripted, settings: Settings
) -> None:
    lose_keys(settings)
    attempt = journey.disconnect(connection, people.alice)
    journey.advance(attempt.pk)
    connection.refresh_from_db()
    assert (connection.status, scripted.calls[-1]) == ("disconnected", "start")
    assert "by hand" in connection.task


def test_rekey_names_the_shops_and_tells_their_merchants_when_asked(
    connection: Connection, scripted: Scripted, settings: Settings
) -> None:
    memo_key.prove()
    new_key(settings)
    said, status = rekeyed()
    assert (status, connection.reference in said) == (1, True)
    rekeyed("--lost")
    sweep()
    connection.refresh_from_db()
    assert connection.status == "action_needed"


def test_ciphertext_never_reaches_a_page(
    connection: Connection, people: People, settings: Settings
) -> None:
    sealed = at_rest()[:40]
    lose_keys(settings)
    page = Browser(people.alice, people.acme).page(connection.get_absolute_url())
    assert sealed[:20] not in page
    with database.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM onboarding_connection WHERE memo LIKE %s", ["gAAAA%"])
        assert cursor.fetchone() == (1,)


def test_an_unreadable_memo_can_be_neither_merged_nor_unpacked() -> None:
    """mypy refuses all of these as well: `Unread` has no such methods."""
    unread: Any = Unread("gAAAA")
    for use in (
        lambda: {**unread},
        lambda: unread | {},
        lambda: {} | unread,
        lambda: dict(unread),
        lambda: [*unread],
        lambda: unread or {},
        lambda: unread["key"],
        lambda: unread.get("key"),
        lambda: memo.readable(unread),
    ):
        with pytest.raises(MemoUnreadable):
            use()
