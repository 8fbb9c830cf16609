"""Mails about shops that were connected: one broke, it healed by itself, its connection ends."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
import time_machine
from django.conf import settings
from django.core import mail
from django.utils import timezone

from onboarding import journey
from onboarding.models import Connection, Membership, Notice
from onboarding.models.status import Status
from onboarding.notifications import choices, expiry_warnings
from tests.support.attempts import CONNECTED, begin_attempt, reloaded, run_check, run_step
from tests.support.notices import readers, told, why_not
from tests.support.outages import begin_outage, end_outage
from tests.support.people import People
from tests.support.scripted import Scripted
from vendors.contract import NeedsMerchant, Unavailable, text

pytestmark = pytest.mark.both
GONE = NeedsMerchant(code="gone", note=text("Your key was deleted."))
GRACE, HOUR, DAY = timedelta(minutes=16), timedelta(hours=1), timedelta(days=1)
BOTH = ["alice@example.org", "bob@example.org"]
STOPPED = "The connection of “My shop” has stopped working"


@pytest.fixture
def shop(people: People, scripted: Scripted) -> Connection:
    return connected(people, scripted)


def connected(people: People, scripted: Scripted, name: str = "My shop") -> Connection:
    """A shop whose merchant has seen that it is connected."""
    shop_id = "shop-1" if name == "My shop" else name
    answer = replace(CONNECTED, shop_id=shop_id)
    attempt = run_step(begin_attempt(people, name), scripted, answer)
    Notice.objects.filter(attempt=attempt).delete()
    return reloaded(attempt).connection


# -- it broke --------------------------------------------------------------------------------------


def test_all_members_are_told_which_shop_broke_and_why(
    shop: Connection, scripted: Scripted
) -> None:
    run_check(shop, scripted, GONE)
    assert told(GRACE) == told(GRACE) == [STOPPED, STOPPED]
    assert readers() == BOTH
    body = str(mail.outbox[0].body)
    assert "Your key was deleted." in body
    assert f"http://localhost{shop.get_absolute_url()}\n" in body
    assert "Forward this email" in body


def test_a_shop_that_works_again_within_minutes_mails_nobody(
    shop: Connection, scripted: Scripted
) -> None:
    run_check(shop, scripted, GONE)
    assert told(settings.BROKEN_NOTICE_AFTER / 2) == []
    run_check(shop, scripted, CONNECTED)
    assert (told(HOUR), why_not()) == ([], ["over", "over"])


def test_a_vendor_that_does_not_answer_breaks_no_shop(shop: Connection, scripted: Scripted) -> None:
    run_check(shop, scripted, Unavailable())
    assert (told(HOUR), Notice.objects.filter(kind="broken").count()) == ([], 0)


def test_an_outage_of_the_vendor_is_not_told_as_the_shops(
    shop: Connection, scripted: Scripted
) -> None:
    run_check(shop, scripted, GONE)
    begin_outage()
    assert told(GRACE) == []
    end_outage()
    assert len(told(HOUR)) == 2


def test_whoever_mends_it_is_not_told(people: People, shop: Connection, scripted: Scripted) -> None:
    run_check(shop, scripted, GONE)
    journey.reconnect(shop, people.bob)
    assert (told(GRACE), why_not()) == ([], ["over", "over"])


def test_several_shops_of_a_business_are_told_in_one_mail(
    people: People, scripted: Scripted
) -> None:
    for name in ("A", "B", "C"):
        run_check(connected(people, scripted, name), scripted, GONE)
    assert told(GRACE) == told(HOUR) == ["The connections of 3 shops have stopped working"] * 2
    assert f"http://localhost{people.acme.get_absolute_url()}\n" in str(mail.outbox[0].body)
    assert Notice.objects.filter(kind="broken", told_in=None).count() == 2


def test_what_breaks_later_waits_for_an_hour_after_the_last_mail(
    people: People, scripted: Scripted
) -> None:
    first, second = connected(people, scripted, "A"), connected(people, scripted, "B")
    run_check(first, scripted, GONE)
    assert len(told(GRACE)) == 2
    with time_machine.travel(timezone.now() + GRACE):
        run_check(second, scripted, GONE)
    assert len(told(2 * GRACE)) == 2
    assert len(told(GRACE + HOUR)) == 4


# -- it healed by itself ---------------------------------------------------------------------------


def test_who_was_told_that_it_broke_hears_that_it_healed(
    people: People, shop: Connection, scripted: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choices, "wants", lambda user, merchant, group: user == people.bob)
    run_check(shop, scripted, GONE)
    assert len(told(GRACE)) == 1
    run_check(shop, scripted, CONNECTED)
    assert told(HOUR) == told(HOUR) == [STOPPED, "The connection of “My shop” works again"]
    assert readers() == ["bob@example.org"] * 2


def test_a_shop_that_its_merchant_reconnected_did_not_heal_by_itself(
    people: People, shop: Connection, scripted: Scripted
) -> None:
    run_check(shop, scripted, GONE)
    assert len(told(GRACE)) == 2
    run_step(journey.reconnect(shop, people.alice), scripted, CONNECTED)
    assert not Notice.objects.filter(kind="healed").exists()


# -- it ends ---------------------------------------------------------------------------------------


def ends(connection: Connection, **left: float) -> datetime:
    """Let the shop end in so many days, and everybody be warned who must be."""
    end = timezone.now() + timedelta(**left)
    Connection.objects.filter(pk=connection.pk).update(expires_at=end)
    told(timedelta(0))
    return end


@pytest.mark.parametrize(
    ("days", "steps"),
    [
        (31, []),
        (29, ["30 days"]),
        (8, ["30 days"]),
        (6.9, ["7 days"]),
        (1.1, ["7 days"]),
        (0.9, ["1 day"]),
        (-1, []),
    ],
)
def test_a_warning_comes_in_time(shop: Connection, days: float, steps: list[str]) -> None:
    Connection.objects.update(connected_at=timezone.now() - 99 * DAY)
    ends(shop, days=days)
    warnings = Notice.objects.filter(kind="ends", user__email="alice@example.org")
    assert [notice.step for notice in warnings] == steps
    assert len(mail.outbox) == 2 * len(steps)


def test_whoever_has_just_begun_a_month_is_not_warned_of_its_end(shop: Connection) -> None:
    ends(shop, days=30)
    assert not mail.outbox


def test_each_warning_is_mailed_once_to_each_member(shop: Connection) -> None:
    ends(shop, days=6)
    assert told(timedelta(0)) == ["The connection of “My shop” ends within 7 days"] * 2
    assert readers() == BOTH
    assert shop.get_absolute_url() in str(mail.outbox[0].body)


def test_the_last_day_has_a_warning_of_its_own(shop: Connection) -> None:
    ends(shop, days=6)
    ends(shop, hours=20)
    said = [sent.subject.split("within ")[1] for sent in mail.outbox]
    assert sorted(said) == ["7 days", "7 days", "a day", "a day"]


def test_after_a_renewal_the_new_end_is_warned_of(shop: Connection) -> None:
    for days in (6, 60, 6):
        ends(shop, days=days)
    assert len(mail.outbox) == 4


def test_a_renewal_before_the_mail_leaves_is_not_warned_of(shop: Connection) -> None:
    Connection.objects.update(expires_at=timezone.now() + 6 * DAY)
    expiry_warnings.write()
    Connection.objects.update(expires_at=timezone.now() + 60 * DAY)
    assert (told(), why_not()) == ([], ["over", "over"])


def test_what_is_not_connected_needs_no_warning(shop: Connection) -> None:
    Connection.objects.filter(pk=shop.pk).update(status=Status.DISCONNECTED)
    ends(shop, days=6)
    assert not mail.outbox


def test_two_workers_write_one_warning_for_each_member(shop: Connection) -> None:
    Connection.objects.update(expires_at=timezone.now() + 6 * DAY)
    expiry_warnings.write()
    expiry_warnings.write()
    assert (
        Notice.objects.filter(kind="ends").count()
        == Membership.objects.filter(merchant=shop.account.merchant_id).count()
    )


def test_shops_that_end_together_are_one_mail(people: People, scripted: Scripted) -> None:
    for name in ("A", "B"):
        connected(people, scripted, name)
    Connection.objects.update(expires_at=timezone.now() + 6 * DAY)
    assert told() == ["The connections of 2 shops end soon"] * 2
