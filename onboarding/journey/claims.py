"""Claims: a worker takes due rows by writing its lease into them, so that no other worker tries them.

PostgreSQL does it in one statement: the oldest due rows of each vendor that nobody holds, however long the
line behind them, without waiting for rows that others are claiming at this moment (SKIP LOCKED). `due_at`
stays as it is. So if the worker dies, its rows come first again when their leases end.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection as database
from django.db.models import Q, QuerySet

from onboarding import clock
from onboarding.models import Attempt, Connection
from onboarding.models.status import Answer, Status

from .leases import BY_KEY, LEASE, Lease, is_free, new_token

RowModel = type[Attempt] | type[Connection]


class Line(NamedTuple):
    """A line of rows that wait for workers. `only`: which rows of the table stand in it, also in SQL."""

    model: RowModel
    only: Q
    only_sql: str

    @property
    def rows(self) -> QuerySet[Attempt] | QuerySet[Connection]:
        return self.model._default_manager.filter(self.only)

    @property
    def table(self) -> str:
        return self.model._meta.db_table


# The merchant has returned from the vendor's pages, and nobody has asked the vendor about it yet.
RETURNED = Line(
    Attempt,
    Q(ended=None, status=Status.CHECKING, answer=Answer.PROGRESS),
    f"ended IS NULL AND status = '{Status.CHECKING}' AND answer = '{Answer.PROGRESS}'",
)
ATTEMPTS = Line(Attempt, Q(ended=None), "ended IS NULL")
CHECKS = Line(Connection, Q(due_at__isnull=False), "due_at IS NOT NULL")
LINES = (RETURNED, ATTEMPTS, CHECKS)  # in this order: people wait for the first two

# The limit stands inside, so that the index (vendor, due_at) answers it for each vendor. The rows to update
# are an array: PostgreSQL would take them for many more, and read the whole table.
CLAIM = """
WITH due AS MATERIALIZED (
    SELECT line.id FROM unnest(%(vendors)s::text[], %(rooms)s::int[]) AS place (vendor, room)
    CROSS JOIN LATERAL (
        SELECT id FROM {table} AS waiting
        WHERE {only} AND waiting.vendor = place.vendor AND due_at <= %(now)s
        AND (lease_until IS NULL OR lease_until < %(now)s)
        ORDER BY due_at LIMIT place.room FOR UPDATE SKIP LOCKED
    ) AS line
)
UPDATE {table} AS claimed SET lease_until = %(until)s, lease_token = %(token)s
WHERE claimed.id = ANY (ARRAY(SELECT id FROM due))
RETURNING claimed.due_at, claimed.vendor, claimed.id, clock_timestamp()
"""
NEXT = """
SELECT min(next.due_at), clock_timestamp() FROM unnest(%(vendors)s::text[]) AS place (vendor)
CROSS JOIN LATERAL (
    (SELECT due_at FROM {attempts} AS waiting
    WHERE {open} AND waiting.vendor = place.vendor AND due_at > %(now)s ORDER BY due_at LIMIT 1)
    UNION ALL
    (SELECT due_at FROM {connections} AS waiting
    WHERE {checked} AND waiting.vendor = place.vendor AND due_at > %(now)s ORDER BY due_at LIMIT 1)
) AS next
"""


class Claimed(NamedTuple):
    """A row that this process has claimed. `token`: of the row's lease."""

    vendor: str
    pk: int
    token: str


def claim(line: Line, rooms: Mapping[str, int]) -> list[Claimed]:
    """Claim due rows of a line, the oldest first: of each vendor (slug) at most so many."""
    wanted = {slug: room for slug, room in rooms.items() if room > 0}
    if not wanted:
        return []
    claimed = _claim_at_once if database.vendor == "postgresql" else _claim_by_vendor
    return list(claimed(line, wanted))


def _claim_at_once(line: Line, rooms: Mapping[str, int]) -> Iterator[Claimed]:
    sql = CLAIM.format(table=line.table, only=line.only_sql)
    token, vendors, places = new_token(), list(rooms), list(rooms.values())
    now = clock.now()
    params = {"vendors": vendors, "rooms": places, "now": now, "until": now + LEASE, "token": token}
    for _, vendor, pk in sorted(_answers(sql, params)):
        yield Claimed(vendor, pk, token)


def _claim_by_vendor(line: Line, rooms: Mapping[str, int]) -> Iterator[Claimed]:
    """SQLite has one writer: a look that finds nothing does not wait for its turn."""
    now, token = clock.now(), new_token()
    claimed: list[tuple[datetime | None, str, int]] = []
    for vendor, room in rooms.items():
        due = line.rows.filter(is_free(), vendor=vendor, due_at__lte=now)
        keys = list(due.order_by("due_at").values_list("pk", flat=True)[:room])
        rows = line.rows.filter(pk__in=keys)
        if keys and rows.filter(is_free()).update(lease_until=now + LEASE, lease_token=token):
            claimed += rows.filter(lease_token=token).values_list("due_at", "vendor", "pk")
    for _, vendor, pk in sorted(claimed, key=lambda row: row[0] or now):  # None: ended just now
        yield Claimed(vendor, pk, token)


def release(model: RowModel, pk: int, token: str) -> None:
    """Give a claim up, unless another process has taken the row: others may claim it at once."""
    if token:
        Lease(BY_KEY[model], pk, token, is_held=True).release()


def next_due(vendors: Iterable[str]) -> datetime | None:
    """When the next row of these vendors becomes due; None if there is none, or on SQLite."""
    if database.vendor != "postgresql":
        return None
    sql = NEXT.format(
        attempts=ATTEMPTS.table,
        open=ATTEMPTS.only_sql,
        connections=CHECKS.table,
        checked=CHECKS.only_sql,
    )
    [[moment]] = _answers(sql, {"vendors": list(vendors), "now": clock.now()})
    found: datetime | None = moment
    return found


def _answers(sql: str, params: Mapping[str, Any]) -> list[list[Any]]:  # Any: what columns hold
    """The rows that the statement returns, without their last column: it sets our clock."""
    began = time.monotonic()
    with database.cursor() as cursor:
        cursor.execute(sql, params)
        rows = [list(row) for row in cursor.fetchall()]
    if rows:
        clock.learn(rows[0][-1], began)
    return [row[:-1] for row in rows]
