"""Expiry warnings: members get a mail a week and a day before something ends, each once."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.core import mail
from django.utils import timezone

from onboarding.models import Connection, ExpiryWarning
from onboarding.models.status import Status
from onboarding.notifications import expiry_warnings
from tests.support.attempts import CONNECTED, begin_attempt, run_step
from tests.support.people import People
from tests.support.scripted import Scripted

pytestmark = pytest.mark.both


@pytest.fixture
def connection(people: People, scripted: Scripted) -> Connection:
    return run_step(begin_attempt(people), scripted, CONNECTED).connection


def ends(connection: Connection, **left: float) -> datetime:
    """Let the shop end in so many days, and everybody be warned who must be."""
    end = timezone.now() + timedelta(**left)
    Connection.objects.filter(pk=connection.pk).update(expires_at=end)
    expiry_warnings.mail_due()
    return end


@pytest.mark.parametrize(
    ("days", "kinds"), [(8, []), (6.9, ["week"]), (1.1, ["week"]), (0.9, ["day"]), (-1, [])]
)
def test_a_warning_comes_in_time(connection: Connection, days: float, kinds: list[str]) -> None:
    ends(connection, days=days)
    assert [notice.kind for notice in ExpiryWarning.objects.all()] == kinds
    assert len(mail.outbox) == len(kinds)


def test_each_warning_is_mailed_once_to_all_members(connection: Connection) -> None:
    ends(connection, days=6)
    expiry_warnings.mail_due()
    assert len(mail.outbox) == 1
    assert sorted(mail.outbox[0].to) == ["alice@example.org", "bob@example.org"]
    assert "My shop" in mail.outbox[0].subject
    assert connection.get_absolute_url() in str(mail.outbox[0].body)


def test_the_last_day_has_a_warning_of_its_own(connection: Connection) -> None:
    ends(connection, days=6)
    ends(connection, hours=20)
    assert [sent.subject.split("within ")[1] for sent in mail.outbox] == ["a week", "a day"]


def test_after_a_renewal_the_new_end_is_warned_of(connection: Connection) -> None:
    ends(connection, days=6)
    ends(connection, days=36)
    ends(connection, days=6)
    assert len(mail.outbox) == 2


def test_what_is_not_connected_needs_no_warning(connection: Connection) -> None:
    Connection.objects.filter(pk=connection.pk).update(status=Status.DISCONNECTED)
    ends(connection, days=6)
    assert not mail.outbox


def test_two_workers_write_one_warning(connection: Connection) -> None:
    end = ends(connection, days=6)
    ExpiryWarning.objects.bulk_create(
        [ExpiryWarning(connection=connection, kind="week", expires_at=end)], ignore_conflicts=True
    )
    assert ExpiryWarning.objects.count() == 1
