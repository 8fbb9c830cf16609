"""Memos at rest: only ciphertext, keys that rotate, and what happens when the keys are lost."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO

import pytest
from cryptography.fernet import Fernet
from django.core.management import call_command
from django.db import connection as database
from django.utils import timezone
from pytest_django.fixtures import Settings

from onboarding import journey
from onboarding.background import runner
from onboarding.management.commands.staff import make_staff
from onboarding.models import Attempt, Connection, memo
from onboarding.models.memo import Unread
from tests.support.attempts import begin_attempt, reloaded, run_step
from tests.support.merchant import Browser
from tests.support.people import People
from tests.support.scripted import Scripted
from vendors.contract import Connected, Redirect, Waiting, text

SECRET = {"token": "a secret that is looked for"}
SHOP = Connected(shop_id="shop-1", evidence=text("It is there."), account=SECRET, connection=SECRET)
LINK = Redirect(url="https://vendor.example/go")


@pytest.fixture
def shop(people: People, scripted: Scripted) -> Connection:
    return run_step(begin_attempt(people), scripted, SHOP).connection


def new_key(settings: Settings, *old: str) -> None:
    settings.MEMO_KEYS = [Fernet.generate_key().decode(), *old]


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


def looked_at(shop: Connection) -> Connection:
    """After the worker's next look."""
    Connection.objects.filter(pk=shop.pk).update(due_at=timezone.now())
    runner.sweep()
    return Connection.objects.select_related("account__merchant").get(pk=shop.pk)


# -- keys that rotate ----------------------------------------------------------------------------


def test_only_ciphertext_is_at_rest(shop: Connection) -> None:
    assert at_rest().count("gAAAA") >= 4
    assert SECRET["token"] not in at_rest()


def test_an_old_key_still_opens_and_the_first_encrypts(
    shop: Connection, settings: Settings
) -> None:
    old = settings.MEMO_KEYS
    new_key(settings, *old)
    shop.refresh_from_db()
    assert shop.memo == SECRET
    shop.save()
    settings.MEMO_KEYS = old
    shop.refresh_from_db()
    assert isinstance(shop.memo, Unread)


def test_rekey_makes_the_old_key_superfluous(shop: Connection, settings: Settings) -> None:
    new_key(settings, *settings.MEMO_KEYS)
    said, status = rekeyed()
    assert status == 0
    assert "No memo needs an older key" in said
    settings.MEMO_KEYS = settings.MEMO_KEYS[:1]
    shop.refresh_from_db()
    shop.account.refresh_from_db()
    assert (shop.memo, shop.account.memo) == (SECRET, SECRET)


def test_rekey_twice_changes_nothing_more(shop: Connection, settings: Settings) -> None:
    new_key(settings, *settings.MEMO_KEYS)
    rekeyed()
    before = at_rest()
    assert "0 memos were encrypted" in rekeyed()[0]
    assert at_rest() == before


def test_rekey_leaves_what_was_written_meanwhile(shop: Connection, settings: Settings) -> None:
    seen = dict(memo.sealed_rows(Connection, "memo"))[shop.pk]
    shop.memo = {"newer": True}
    shop.save()
    assert memo._replace(Connection, "memo", shop.pk, seen) == 0
    shop.refresh_from_db()
    assert shop.memo == {"newer": True}


# -- keys that are lost --------------------------------------------------------------------------


def test_a_shop_whose_memos_cannot_be_read_is_the_merchants_turn(
    shop: Connection, scripted: Scripted, settings: Settings
) -> None:
    new_key(settings)
    asked = len(scripted.asked)
    found = looked_at(shop)
    assert (found.status, found.turn) == ("action_needed", "merchant")
    assert "Connect it once more" in found.sentence
    assert len(scripted.asked) == asked  # a flow would take it for an empty memo


def test_nothing_is_overwritten_and_the_old_key_heals(
    shop: Connection, scripted: Scripted, settings: Settings
) -> None:
    old = settings.MEMO_KEYS
    new_key(settings)
    looked_at(shop)
    new_key(settings, *old)
    scripted.script.append(SHOP)
    healed = looked_at(shop)
    assert (healed.status, healed.memo) == ("connected", SECRET)


def test_no_page_of_a_merchant_or_of_staff_fails(
    shop: Connection, people: People, scripted: Scripted, settings: Settings
) -> None:
    waits = run_step(journey.reconnect(shop, people.alice), scripted, LINK)
    Connection.objects.update(reveal={"Key": "k"})
    new_key(settings)
    merchant = Browser(people.alice, people.acme)
    staff = Browser(make_staff("staff@example.org"), people.acme)
    for page in (shop.get_absolute_url(), waits.get_absolute_url(), people.acme.get_absolute_url()):
        assert merchant.client.get(page).status_code == 200
    for name, pk in (("account", shop.account_id), ("connection", shop.pk), ("attempt", waits.pk)):
        for page in (f"/admin/onboarding/{name}/", f"/admin/onboarding/{name}/{pk}/change/"):
            assert staff.client.get(page).status_code == 200
    assert staff.client.get(f"/admin/onboarding/account/{shop.account_id}/know/").status_code == 200


def test_an_open_attempt_stops_and_its_button_begins_anew(
    people: People, scripted: Scripted, settings: Settings
) -> None:
    wait = Waiting(note=text("…"), poll_every=timedelta(0), give_up_after=timedelta(days=1))
    attempt = run_step(begin_attempt(people), scripted, wait)
    new_key(settings)
    Attempt.objects.update(due_at=timezone.now())
    runner.sweep()
    assert reloaded(attempt).answer == "unreadable"
    journey.continue_attempt(attempt, people.alice)
    done = run_step(attempt, scripted, SHOP)
    assert (scripted.calls[-1], done.connection.status) == ("start", "connected")


def test_continue_after_the_loss_begins_anew_at_once(
    people: People, scripted: Scripted, settings: Settings
) -> None:
    attempt = run_step(begin_attempt(people), scripted, LINK)
    new_key(settings)
    journey.continue_attempt(reloaded(attempt), people.alice)
    assert run_step(attempt, scripted, SHOP).connection.status == "connected"


def test_a_reconnect_gives_up_what_cannot_be_read(
    shop: Connection, people: People, scripted: Scripted, settings: Settings
) -> None:
    new_key(settings)
    looked_at(shop)
    attempt = run_step(journey.reconnect(shop, people.alice), scripted, SHOP)
    shop.refresh_from_db()
    assert (attempt.connection.status, shop.memo) == ("connected", SECRET)


def test_disconnecting_ends_here_and_leaves_the_rest_to_staff(
    shop: Connection, people: People, scripted: Scripted, settings: Settings
) -> None:
    new_key(settings)
    attempt = journey.disconnect(shop, people.alice)
    journey.advance(attempt.pk)
    shop.refresh_from_db()
    assert (shop.status, scripted.calls[-1]) == ("disconnected", "start")
    assert "by hand" in shop.task


def test_rekey_names_the_shops_and_tells_their_merchants_when_asked(
    shop: Connection, scripted: Scripted, settings: Settings
) -> None:
    new_key(settings)
    said, status = rekeyed()
    assert (status, shop.reference in said) == (1, True)
    rekeyed("--lost")
    runner.sweep()
    shop.refresh_from_db()
    assert shop.status == "action_needed"


def test_ciphertext_never_reaches_a_page(
    shop: Connection, people: People, settings: Settings
) -> None:
    sealed = at_rest()[:40]
    new_key(settings)
    page = Browser(people.alice, people.acme).page(shop.get_absolute_url())
    assert sealed[:20] not in page
    with database.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM onboarding_connection WHERE memo LIKE %s", ["gAAAA%"])
        assert cursor.fetchone() == (1,)
