"""Prepared queries read the rows that their queryset reads, with the SQL of the first time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection as database
from django.db import connections, transaction
from django.db.models.sql.compiler import SQLCompiler
from django.test.utils import CaptureQueriesContext

from onboarding.journey import transitions
from onboarding.models import Breaker, Connection
from onboarding.prepared import PreparedQuery
from tests.support.attempts import begin_attempt
from tests.support.people import People
from tests.support.scripted import Scripted

pytestmark = [pytest.mark.both, pytest.mark.django_db]


@pytest.fixture
def shop(people: People, scripted: Scripted) -> Connection:
    return begin_attempt(people).connection


@pytest.fixture
def query() -> PreparedQuery[Breaker]:
    return PreparedQuery(Breaker.objects.filter(vendor=""))


def test_the_row_is_what_the_queryset_reads(shop: Connection) -> None:
    shop.memo = {"tenant": "ann"}
    shop.save()
    for _ in range(2):
        with transaction.atomic():
            row = transitions.locked_for_check(shop.pk)
        assert (row, row.memo, row.due_at) == (shop, {"tenant": "ann"}, shop.due_at)
        assert "note" in row.get_deferred_fields()
        with CaptureQueriesContext(
            database,
        ) as queries:
            assert row.account.merchant.name == shop.account.merchant.name
            assert row.connector.key == shop.connector.key
        assert not queries.captured_queries


def test_each_call_reads_anew(shop: Connection) -> None:
    with transaction.atomic():
        before = transitions.locked_again(shop)
        Connection.objects.filter(pk=shop.pk).update(tries=7)
        assert (before.tries, transitions.locked_again(shop).tries) == (0, 7)


def test_the_row_is_locked(shop: Connection) -> None:
    with CaptureQueriesContext(database) as queries, transaction.atomic():
        transitions.locked_for_check(shop.pk)
        transitions.locked_again(shop)
    reads = [each["sql"] for each in queries.captured_queries if "SELECT" in each["sql"]]
    locks = ["FOR NO KEY UPDATE" in sql for sql in reads]
    assert locks == [database.features.has_select_for_update] * 2


@pytest.mark.django_db(transaction=True)
def test_a_lock_needs_a_transaction(shop: Connection) -> None:
    with transaction.atomic():
        transitions.locked_again(shop)
    if not database.features.has_select_for_update:
        assert transitions.locked_again(shop) == shop
        return
    with pytest.raises(transaction.TransactionManagementError):
        transitions.locked_again(shop)


def test_the_sql_is_built_once(
    query: PreparedQuery[Breaker], monkeypatch: pytest.MonkeyPatch
) -> None:
    Breaker.objects.create(vendor="v", host="a", cause="silent")
    assert not query.rows("w")
    monkeypatch.setattr(SQLCompiler, "as_sql", lambda *_: pytest.fail("built again"))
    assert [row.host for row in query.rows("v")] == ["a"]
    assert not query.rows("w")


def test_a_row_that_is_gone_raises_what_the_model_raises(shop: Connection) -> None:
    with transaction.atomic(), pytest.raises(Connection.DoesNotExist):
        transitions.locked_for_check(shop.pk + 1)


@pytest.mark.django_db(transaction=True)
def test_each_thread_reads_with_its_own_connection(query: PreparedQuery[Breaker]) -> None:
    """A row that is not committed is seen by the connection that wrote it, and by no other."""

    def hosts() -> list[str]:
        try:
            return [row.host for row in query.rows("v")]
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as other:
        assert not other.submit(hosts).result()
        with transaction.atomic():
            Breaker.objects.create(vendor="v", host="a")
            assert [row.host for row in query.rows("v")] == ["a"]
            if database.vendor == "postgresql":
                assert not other.submit(hosts).result()
        assert other.submit(hosts).result() == ["a"]
