"""MEMO_KEYS that do not open what is encrypted: no process works, and no shop is lowered for it."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from cryptography.fernet import Fernet
from django.core.mail import EmailMessage
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from onboarding import journey
from onboarding.background import key_guard, runner, worker
from onboarding.background.executor import Executor
from onboarding.doctor import memos, start
from onboarding.models import Account, Alert, Attempt, Connection, Hop, MemoKey, memo_key
from onboarding.models.memo import readable
from onboarding.monitoring import heartbeat
from tests.support.attempts import CONNECTED, WAIT, begin_attempt, reloaded, run_step
from tests.support.merchant import Browser
from tests.support.people import People
from tests.support.scripted import Scripted
from tests.support.sweep import sweep
from vendors.contract import Redirect

pytestmark = pytest.mark.both

SENTENCE = (
    "MEMO_KEYS lack a key that this site has encrypted with. Put that key back into MEMO_KEYS"
)
LINK = Redirect(url="https://vendor.example/go")


@pytest.fixture
def shop(people: People, scripted: Scripted, settings: Settings) -> Connection:
    """A connected shop of a site whose processes have started."""
    settings.STAFF_EMAIL = ["staff@example.org"]
    memo_key.prove()
    return run_step(begin_attempt(people), scripted, CONNECTED).connection


def another_key(settings: Settings) -> list[str]:
    """Configure a key that opens nothing; returns the right ones."""
    right = [*settings.MEMO_KEYS]
    settings.MEMO_KEYS = [Fernet.generate_key().decode()]
    return right


def checked(shop: Connection) -> Connection:
    """The shop after a check was due."""
    Connection.objects.filter(pk=shop.pk).update(due_at=timezone.now())
    sweep()
    return Connection.objects.select_related("account__merchant").get(pk=shop.pk)


def refuses() -> bool:
    try:
        start.refuse_to_start()
    except SystemExit as end:
        return end.code == start.LOAD_ERROR
    return False


# -- the start of a process ----------------------------------------------------------------------


def test_the_first_start_makes_one_canary_and_a_second_start_none(db: None) -> None:
    for _ in range(2):
        assert not refuses()
    assert MemoKey.objects.count() == 1


def test_a_process_with_another_key_does_not_start_and_says_why_in_one_line(
    shop: Connection, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    another_key(settings)
    assert refuses()
    [line] = [each for each in caplog.records if each.name == "onboarding.doctor.start"]
    assert line.getMessage().startswith(SENTENCE)
    assert "rekey --lost" in line.getMessage()


def test_check_doctor_and_start_say_the_same(shop: Connection, settings: Settings) -> None:
    another_key(settings)
    with pytest.raises(SystemCheckError, match=r"lack a key(.|\n)*rekey --lost"):
        call_command("check")
    assert memos.keys().level == "fault"
    assert memos.keys().message.startswith(memo_key.MISSING)
    assert memos.keys().fix == memo_key.FIX


def test_check_writes_no_canary(db: None) -> None:
    assert list(start.faults()) == []
    assert not MemoKey.objects.exists()


def test_staff_get_one_mail_from_a_process_that_does_not_start(
    shop: Connection, settings: Settings, mailoutbox: list[EmailMessage]
) -> None:
    right = another_key(settings)
    assert refuses()
    assert refuses()
    [mail] = mailoutbox
    assert SENTENCE.partition(". ")[0] in mail.body
    assert Alert.objects.get(cleared=None).cause == "memo_keys"
    settings.MEMO_KEYS = right
    assert not refuses()
    assert not Alert.objects.filter(cleared=None).exists()


def test_a_database_without_a_canary_is_proven_by_its_memos(
    shop: Connection, settings: Settings
) -> None:
    """The first start after an upgrade."""
    MemoKey.objects.all().delete()
    right = another_key(settings)
    assert refuses()
    assert not MemoKey.objects.exists()
    settings.MEMO_KEYS = right
    assert not refuses()
    assert MemoKey.objects.count() == 1


def test_some_memos_of_another_key_stop_the_first_start_too(
    shop: Connection, people: People, scripted: Scripted, settings: Settings
) -> None:
    """An upgrade of a site that ran under a wrong key for a while."""
    MemoKey.objects.all().delete()
    right = another_key(settings)
    Attempt.objects.update(connection_memo={"new": "key"})
    assert refuses()
    settings.MEMO_KEYS = [*settings.MEMO_KEYS, *right]
    assert not refuses()


# -- rotation ------------------------------------------------------------------------------------


def test_each_key_that_encrypts_must_stay_until_rekey(shop: Connection, settings: Settings) -> None:
    old = another_key(settings)
    new = [*settings.MEMO_KEYS]
    settings.MEMO_KEYS = [*new, *old]
    assert not refuses()
    for left_out in (new, old):
        settings.MEMO_KEYS = left_out
        assert refuses()
    settings.MEMO_KEYS = [*new, *old]
    call_command("rekey")
    settings.MEMO_KEYS = new
    assert not refuses()
    assert MemoKey.objects.count() == 1


def test_rekey_without_the_old_key_confirms_nothing(shop: Connection, settings: Settings) -> None:
    right = another_key(settings)
    with pytest.raises(SystemExit):
        call_command("rekey")
    assert refuses()
    settings.MEMO_KEYS = right
    assert not refuses()


def test_a_lost_key_that_is_found_again_counts_again(shop: Connection, settings: Settings) -> None:
    right = another_key(settings)
    with pytest.raises(SystemExit):
        call_command("rekey", "--lost")
    assert not refuses()
    new = [*settings.MEMO_KEYS]
    settings.MEMO_KEYS = [*new, *right]
    assert not refuses()
    settings.MEMO_KEYS = new
    assert refuses()


# -- a process that runs -------------------------------------------------------------------------


def test_no_shop_is_lowered_before_the_loss_is_confirmed(
    shop: Connection, scripted: Scripted, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    another_key(settings)
    asked = len(scripted.asked)
    found = checked(shop)
    assert (found.status, found.answer) == ("connected", "connected")
    assert found.due_at is not None
    assert timezone.now() < found.due_at <= timezone.now() + timedelta(minutes=1)
    assert len(scripted.asked) == asked
    assert SENTENCE in caplog.text
    assert Alert.objects.filter(cause="memo_keys", cleared=None).count() == 1


def test_a_memo_that_no_canary_explains_lowers_no_shop_either(
    shop: Connection, scripted: Scripted, settings: Settings
) -> None:
    """All canaries open, but a memo is of a key from before there were any."""
    right = another_key(settings)
    Account.objects.update(memo={"of": "the other key"})
    settings.MEMO_KEYS = right
    assert checked(shop).status == "connected"


def test_once_the_loss_is_confirmed_it_is_the_merchants_turn(
    shop: Connection, scripted: Scripted, settings: Settings
) -> None:
    another_key(settings)
    with pytest.raises(SystemExit):
        call_command("rekey", "--lost")
    sweep()
    shop.refresh_from_db()
    assert (shop.status, shop.turn) == ("action_needed", "merchant")


def test_an_attempt_stays_as_it_is(people: People, scripted: Scripted, settings: Settings) -> None:
    memo_key.prove()
    attempt = run_step(begin_attempt(people), scripted, WAIT)
    another_key(settings)
    Attempt.objects.update(due_at=timezone.now())
    sweep()
    row = reloaded(attempt)
    assert (row.answer, row.ended) == ("waiting", None)
    assert row.due_at is not None


def test_disconnecting_waits_for_the_key(
    shop: Connection, people: People, scripted: Scripted, settings: Settings
) -> None:
    another_key(settings)
    attempt = journey.disconnect(shop, people.alice)
    journey.advance(attempt.pk)
    shop.refresh_from_db()
    assert (shop.status, shop.task) == ("connected", "")


def test_nothing_that_a_merchant_presses_gives_up_a_memo(
    shop: Connection, people: People, settings: Settings
) -> None:
    right = another_key(settings)
    browser = Browser(people.alice, people.acme)
    answer = browser.client.post(f"{shop.get_absolute_url()}reconnect/")
    assert answer.status_code == 503
    assert "Nothing was changed" in answer.content.decode()
    settings.MEMO_KEYS = right
    shop.refresh_from_db()
    assert shop.memo == {}
    assert shop.attempts.filter(ended=None).count() == 0


def test_a_return_waits_for_its_key(people: People, scripted: Scripted, settings: Settings) -> None:
    """Its parameters came before the merchant had signed in, and are sealed with the missing key."""
    memo_key.prove()
    attempt = run_step(begin_attempt(people), scripted, LINK)
    hop = Hop.objects.get()
    journey.record_return(hop, {"code": "c"}, None)
    right = another_key(settings)
    journey.claim_return(reloaded(attempt), people.alice)
    assert Hop.objects.get().claimed is None
    settings.MEMO_KEYS = right
    journey.claim_return(reloaded(attempt), people.alice)
    assert readable(reloaded(attempt).call)["argument"] == {"code": "c"}


def test_ready_is_503_and_says_why(client: Client, shop: Connection, settings: Settings) -> None:
    another_key(settings)
    answer = client.get("/health/ready")
    assert (answer.status_code, answer.json()["checks"]["memo_keys"]) == (503, memo_key.MISSING)


def test_a_worker_pauses_while_another_deploy_has_a_newer_key(
    shop: Connection, settings: Settings, mailoutbox: list[EmailMessage]
) -> None:
    guard = key_guard.KeyGuard()
    assert guard.allows()
    old = another_key(settings)
    settings.MEMO_KEYS = [*settings.MEMO_KEYS, *old]
    memo_key.prove()  # by the other deploy
    settings.MEMO_KEYS, both = old, settings.MEMO_KEYS
    for _ in range(2):
        guard._next = 0.0
        assert not guard.allows()
    assert len(mailoutbox) == 1
    settings.MEMO_KEYS, guard._next = both, 0.0
    assert guard.allows()
    assert not Alert.objects.filter(cleared=None).exists()


def test_a_paused_worker_beats_and_sweeps_nothing(
    shop: Connection, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    another_key(settings)
    stop, swept = threading.Event(), list[object]()
    monkeypatch.setattr(runner, "look", lambda *_: swept.append(1))
    monkeypatch.setattr(runner, "executor", Executor())
    monkeypatch.setattr(heartbeat.worker_heartbeat, "beat", stop.set)
    worker.work_forever(stop)
    assert swept == []


def test_what_stopped_for_a_key_is_asked_again_at_once_when_it_is_back(
    shop: Connection, people: People, scripted: Scripted, settings: Settings
) -> None:
    attempt = run_step(begin_attempt(people, "Second"), scripted, WAIT)
    right = another_key(settings)
    with pytest.raises(SystemExit):
        call_command("rekey", "--lost")
    sweep()
    assert set(Connection.objects.values_list("status", flat=True)) == {"action_needed"}
    settings.MEMO_KEYS = [*settings.MEMO_KEYS, *right]
    assert key_guard.KeyGuard().allows()
    scripted.script.extend([WAIT, CONNECTED])
    sweep()
    shop.refresh_from_db()
    assert (shop.status, reloaded(attempt).answer) == ("connected", "waiting")


def test_a_web_server_that_started_without_its_database_proves_its_keys_before_a_page(
    shop: Connection, client: Client, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memo_key, "proof_is_due", True)
    right = another_key(settings)
    assert client.get("/").status_code == 503
    settings.MEMO_KEYS = right
    assert client.get("/").status_code == 200
    assert memo_key.proof_is_due is False
