"""A job for each shop, scheduled for its next check: how long procrastinate takes to find what is due.

Then no look would be needed at all. But its function for the next job goes through the waiting ones in the
order of their numbers, and those that are due tomorrow stand among them.
"""

from __future__ import annotations

import time

import psycopg

from .servers import Servers

LATER = (1_000, 10_000, 100_000, 1_000_000)
HEADINGS = ("jobs due tomorrow", "fetch of the one that is due", "fetch when none is due")
FILL = """
INSERT INTO procrastinate_jobs (queue_name, task_name, args, queueing_lock, scheduled_at)
SELECT 'gangway', 'row', '{}', n::text, now() + interval '1 day' FROM generate_series(1, %s) AS n
"""
DUE = """
INSERT INTO procrastinate_jobs (queue_name, task_name, args, scheduled_at)
VALUES ('gangway', 'row', '{}', now())
"""
FETCH = "SELECT id FROM procrastinate_fetch_job_v2(ARRAY['gangway']::varchar[], %s)"
Database = psycopg.Connection[tuple[object, ...]]


def run(servers: Servers) -> list[tuple[str, ...]]:
    found = []
    for count in LATER:
        servers.clean()
        with servers.shops.checkout.connected() as database:
            found.append(_measure(database, count))
            print(" | ".join(found[-1]), flush=True)
    servers.clean()
    return found


def _measure(database: Database, count: int) -> tuple[str, ...]:
    database.execute(
        "SET session_replication_role = replica"
    )  # without its triggers: faster to fill
    database.execute(FILL, [count])
    database.execute("SET session_replication_role = origin")
    database.execute("VACUUM ANALYZE procrastinate_jobs")
    query = "INSERT INTO procrastinate_workers DEFAULT VALUES RETURNING id"
    [[worker]] = database.execute(query).fetchall()
    database.execute(DUE)
    due, found = _timed(database, worker)
    assert found
    nothing, found = _timed(database, worker)
    assert not found
    return f"{count:,}", f"{due:.1f} ms", f"{nothing:.1f} ms"


def _timed(database: Database, worker: object) -> tuple[float, bool]:
    began = time.perf_counter()
    [[job]] = database.execute(FETCH, [worker]).fetchall()
    return (time.perf_counter() - began) * 1000, job is not None
