"""Several workers, a kill and a full day: each notice is mailed once, and nobody gets more than two a day."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from email import message_from_string
from email.header import decode_header, make_header
from pathlib import Path

import pytest
from django.utils import timezone

from onboarding.models import Attempt, Connection, Notice, User
from tests.support.attempts import CONNECTED, begin_attempt, run_step
from tests.support.people import People
from tests.support.racing import Racers, racers
from tests.support.scripted import Scripted

pytestmark = pytest.mark.both
STOPPED = "The connection of “My shop” has stopped working"


@pytest.fixture
def mails(tmp_path: Path) -> Path:
    return tmp_path / "mails"


@pytest.fixture
def processes(mails: Path, people: People) -> Iterator[Racers]:
    with racers(mails) as made:
        yield made


@pytest.fixture
def shop(people: People, scripted: Scripted) -> Connection:
    shop = run_step(begin_attempt(people), scripted, CONNECTED).connection
    Notice.objects.all().delete()
    return shop


def sent(mails: Path) -> Counter[tuple[str, str]]:
    """How often each mail was sent: (to, subject)."""
    texts = [part for path in mails.iterdir() for part in path.read_text().split("-" * 79 + "\n")]
    found = [message_from_string(text) for text in texts if text.strip()]
    return Counter((mail["To"], str(make_header(decode_header(mail["Subject"])))) for mail in found)


def notice(shop: Connection, user: User, kind: str, **fields: object) -> None:
    before = timezone.now() - timedelta(hours=2)
    row = Notice(kind=kind, user=user, connection=shop, at=before, not_before=before)
    row.key = f"{kind} {user.pk}"
    for name, value in fields.items():
        setattr(row, name, value)
    row.save()


def test_four_workers_send_each_mail_once_and_two_a_day(
    people: People, shop: Connection, processes: Racers, mails: Path
) -> None:
    end = timezone.now() + timedelta(days=5)
    for user in (people.alice, people.bob):
        notice(shop, user, "broken", mailed=timezone.now() - timedelta(days=2))
        notice(shop, user, "healed")
        for number, step in enumerate(("7 days", "7 days", "7 days")):
            notice(shop, user, "ends", step=step, at=end, key=f"{number} {user.pk}")
        notice(shop, user, "connected", attempt=shop.attempts.get())
    Connection.objects.update(expires_at=end)
    processes.race(*[{"act": "mail"}] * 4)
    found = sent(mails)
    assert set(found.values()) == {1}
    assert Counter(to for to, _ in found) == {"alice@example.org": 3, "bob@example.org": 3}
    processes.race({"act": "mail"})
    assert sent(mails) == found


@pytest.mark.parametrize(("dies", "times"), [("before", 1), ("after", 2)])
def test_a_killed_worker_loses_no_mail(
    people: People, shop: Connection, processes: Racers, mails: Path, dies: str, times: int
) -> None:
    """Between the mail server and our own note a kill sends the mail again: two are better than none."""
    Connection.objects.update(status="action_needed")
    Attempt.objects.update(created=timezone.now() - timedelta(days=1))
    notice(shop, people.alice, "broken")
    processes.kill({"act": "mail", "dies": dies})
    processes.race({"act": "mail"})  # the next try has its time
    assert Notice.objects.get().mailed is None
    Notice.objects.update(mail_retry_at=timezone.now())
    processes.race({"act": "mail"}, {"act": "mail"})
    assert sent(mails) == {("alice@example.org", STOPPED): times}
    assert Notice.objects.get().mailed
