"""A business with a thousand begun shops: pages take as many queries as with a few, and stay short."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from onboarding.models import Account, Attempt, Connection
from onboarding.models.connections import shop_name_key
from onboarding.models.status import Answer, Status, Turn
from tests.support.people import People
from tests.support.scripted import Scripted
from tests.support.staff import staff_client
from tests.support.visit import OPEN, browser, offer, start_attempt, url, visible_text

pytestmark = [
    pytest.mark.both,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("inline_executor"),
]
MANY, FEW = 1000, 3


def begun(people: People, count: int) -> list[Attempt]:
    """Shops of Acme that Alice has begun, each with an open attempt."""
    connector = offer()
    account, _ = Account.objects.get_or_create(merchant=people.acme, vendor=connector.vendor)
    state = {"status": Status.IN_PROGRESS, "turn": Turn.MERCHANT, "answer": Answer.REDIRECT}
    known = Connection.objects.count()
    shops = Connection.objects.bulk_create(
        Connection(
            account=account, vendor=account.vendor, connector=connector, name=f"Shop {number}",
            name_key=shop_name_key(people.acme.pk, f"Shop {number}"), **state,
        )
        for number in range(known, known + count)
    )  # fmt: skip
    far = timezone.now() + timedelta(days=1)
    return Attempt.objects.bulk_create(
        Attempt(
            connection=shop,
            user=people.alice,
            purpose=Attempt.Purpose.CONNECT,
            deadline=far,
            **state,
        )
        for shop in shops
    )


def pages(people: People, attempt: Attempt) -> dict[str, tuple[Client, str]]:
    alice, staff = browser(people.alice), staff_client()
    return {
        "home": (alice, people.acme.get_absolute_url()),
        "shops": (alice, reverse("shops")),
        "start": (alice, "/"),
        "connect": (alice, reverse("connect", args=[people.acme.reference, offer().slug])),
        "attempt": (alice, url("attempt", attempt)),
        "poll": (alice, url("attempt-status", attempt)),
        "admin connections": (staff, reverse("admin:onboarding_connection_changelist")),
        "admin attempts": (staff, reverse("admin:onboarding_attempt_changelist")),
        "admin merchant": (
            staff,
            reverse("admin:onboarding_merchant_change", args=[people.acme.pk]),
        ),
    }


def queries(client: Client, path: str) -> tuple[int, int]:
    """How many queries the page takes, and how many bytes it has."""
    with CaptureQueriesContext(connection) as found:
        page = client.get(path)
    assert page.status_code in {200, 302}, path
    return len(found), len(page.content)


def test_pages_of_a_thousand_begun_shops_are_like_those_of_a_few(
    people: People, scripted: Scripted
) -> None:
    first = start_attempt(people, scripted, OPEN)
    begun(people, FEW)
    for client, path in pages(people, first).values():
        client.get(path)
    before = {name: queries(*page) for name, page in pages(people, first).items()}
    begun(people, MANY)
    after = {name: queries(*page) for name, page in pages(people, first).items()}
    more = {name: after[name][0] - before[name][0] for name in before}
    assert more.pop("home") == 2  # it has pages now: how many, and one of them
    assert set(more.values()) == {0}
    assert max(size for _, size in after.values()) < 100_000


def test_all_shops_are_on_some_page_those_that_ended_last(people: People) -> None:
    begun(people, 250)
    ended = Connection.objects.earliest("created")
    Connection.objects.filter(pk=ended.pk).update(status=Status.DISCONNECTED)
    alice, home = browser(people.alice), people.acme.get_absolute_url()
    read = [visible_text(alice.get(f"{home}?page={number}")) for number in (1, 2, 3)]
    found = [name for text in read for name in re.findall(r"Shop \d+\b", text)]
    assert len(set(found)) == 250
    assert found[-1] == ended.name
    assert "Shops 101 to 200 of 250" in read[1]
    assert "Shops 201 to 250 of 250" in visible_text(alice.get(f"{home}?page=99"))
    assert "Shops 1 to 100 of 250" in visible_text(alice.get(f"{home}?page=x"))
