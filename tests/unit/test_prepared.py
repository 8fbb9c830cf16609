"""Prepared statements read and update the rows that their queryset finds, with the SQL of the first time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from django.db import DatabaseError, connections, transaction
from django.db import connection as database
from django.db.models.sql.compiler import SQLCompiler, SQLUpdateCompiler
from django.test.utils import CaptureQueriesContext

from onboarding.journey import transitions
from onboarding.models import Breaker, Connection
from onboarding.models.memo import opened
from onboarding.prepared import PreparedQuery, PreparedUpdate
from tests.support.attempts import begin_attempt
from tests.support.people import People
from tests.support.scripted import Scripted

pytestmark = [pytest.mark.both, pytest.mark.django_db]
MOMENT = datetime(2026, 11, 30, 12, 0, 0, 123456, tzinfo=UTC)


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
    monkeypatch.setattr(SQLCompiler, "get_converters", lambda *_: pytest.fail("looked up again"))
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


# -- updates ---------------------------------------------------------------------------------------


def test_an_update_sets_these_columns_of_the_rows_that_have_its_parameters() -> None:
    due = Breaker.objects.filter(vendor="").filter(retry_at__lt=MOMENT)
    update = PreparedUpdate(due, "cause", "opened")
    later = MOMENT + timedelta(seconds=1)
    for host, retry_at in [("due", MOMENT), ("late", later), ("never", None)]:
        Breaker.objects.create(vendor="v", host=host, retry_at=retry_at)
    Breaker.objects.create(vendor="w", host="due", retry_at=MOMENT)
    for _ in range(2):
        assert update.run(["silent", MOMENT], "v", later) == 1
    changed = Breaker.objects.exclude(cause="")
    assert list(changed.values_list("vendor", "host", "cause", "opened")) == [
        ("v", "due", "silent", MOMENT)
    ]
    assert update.run(["", None], "v", later) == 1
    assert not changed.exists()
    assert not Breaker.objects.exclude(opened=None).exists()


def test_the_sql_of_an_update_is_built_once(monkeypatch: pytest.MonkeyPatch) -> None:
    Breaker.objects.create(vendor="v", host="a")
    update = PreparedUpdate(Breaker.objects.filter(vendor=""), "cause")
    assert update.run(["silent"], "w") == 0
    monkeypatch.setattr(SQLUpdateCompiler, "as_sql", lambda *_: pytest.fail("built again"))
    assert update.run(["silent"], "v") == 1


def test_a_saved_row_reads_as_one_that_django_saved(shop: Connection) -> None:
    """Columns of each kind: encrypted, JSON, a moment, a foreign key, a number, text, a computed one."""
    shop.memo, shop.evidence, shop.due_at = {"tenant": "ann"}, {"by": ["ann"]}, MOMENT
    shop.tries, shop.name, shop.reveal = 3, "Żółw", None
    columns = "memo", "evidence", "due_at", "account", "tries", "name", "name_key", "reveal"
    with transaction.atomic():
        transitions.save(shop, *columns)
    ours = Connection.objects.filter(pk=shop.pk).values(*columns).get()
    shop.save(update_fields=columns)
    assert ours == Connection.objects.filter(pk=shop.pk).values(*columns).get()
    assert opened(ours["memo"]) == {"tenant": "ann"}


def test_a_column_that_is_named_twice_is_saved_once(shop: Connection) -> None:
    shop.tries = 3
    transitions.save(shop, "tries", "due_at", "tries")
    shop.refresh_from_db()
    assert shop.tries == 3


def test_a_row_that_is_gone_cannot_be_saved(shop: Connection) -> None:
    shop.pk += 1
    with pytest.raises(DatabaseError):
        transitions.save(shop, "tries")


def test_no_columns_are_no_statement(shop: Connection) -> None:
    with CaptureQueriesContext(database) as queries:
        transitions.save(shop)
    assert not queries.captured_queries
