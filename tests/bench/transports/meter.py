"""What checks cost: the counters of PostgreSQL, of the workers' processes and of the vendor, at one moment.

`Mark` holds them all. The difference of two marks (`Spent`) is what happened between them.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from .quick_vendor import QuickVendor

TICKS = os.sysconf("SC_CLK_TCK")  # a second
# Statements that only begin or end a transaction, and those by which PostgreSQL itself checks foreign keys.
TRANSACTION = re.compile(r"(begin|start transaction|commit|rollback)\b(?! to)")
FOREIGN_KEY = re.compile(r"select .* from only .* for key share of x$")
# A worker tries to take an account's lease, which it gets if nobody has it.
LEASE_TRY = re.compile(
    r"update onboarding_account set .*lease_until = .* where .*lease_until (is null|<)", re.DOTALL
)
# A worker claims rows in its look (one statement for many rows), or looks without a claim.
CLAIM = re.compile(r"(?=.*skip locked)(?=.*update onboarding_\w+ .*set .*lease_until)", re.DOTALL)
LOOK = re.compile(r"skip locked|row_number\(\)")


@dataclass(frozen=True)
class Calls:
    """How often a statement was executed, how many rows it returned or changed, and its milliseconds."""

    calls: float = 0
    rows: float = 0
    ms: float = 0

    def minus(self, other: Calls, share: float = 1) -> Calls:
        return Calls(
            max(self.calls - other.calls * share, 0),
            max(self.rows - other.rows * share, 0),
            max(self.ms - other.ms * share, 0),
        )


Statements = Mapping[str, Calls]  # by their text, in lower case and without quotes


def matching(statements: Statements, pattern: re.Pattern[str]) -> Calls:
    """The sum over the statements in which the pattern is found."""
    found = [calls for text, calls in statements.items() if pattern.search(text)]
    return Calls(
        sum(each.calls for each in found),
        sum(each.rows for each in found),
        sum(each.ms for each in found),
    )


@dataclass(frozen=True)
class Mark:
    """The counters at one moment (`at`: monotonic). CPU is in seconds, WAL in bytes.

    `commits` are of transactions that wrote something, `transactions` are all: single statements and the
    pool's tries of its connections, too.
    """

    at: float
    asked: int
    worker_cpu: float
    postgres_cpu: float
    redis_cpu: float
    commits: float
    transactions: float
    wal: float
    statements: Statements = field(repr=False)


@dataclass(frozen=True)
class Spent:
    """What was spent between two marks, or on the average in so many `seconds` of an idle worker."""

    seconds: float
    asked: int
    worker_cpu: float
    postgres_cpu: float
    redis_cpu: float
    commits: float
    transactions: float
    wal: float
    statements: Statements = field(repr=False)

    @classmethod
    def between(cls, a: Mark, b: Mark) -> Spent:
        statements = {
            text: calls.minus(a.statements.get(text, Calls()))
            for text, calls in b.statements.items()
        }
        return cls(
            seconds=b.at - a.at,
            asked=b.asked - a.asked,
            worker_cpu=b.worker_cpu - a.worker_cpu,
            postgres_cpu=b.postgres_cpu - a.postgres_cpu,
            redis_cpu=b.redis_cpu - a.redis_cpu,
            commits=b.commits - a.commits,
            transactions=b.transactions - a.transactions,
            wal=b.wal - a.wal,
            statements=statements,
        )

    def without(self, idle: Spent) -> Spent:
        """Without the statements and transactions that the same workers would have made with nothing due.

        CPU and WAL stay whole. A statement that was executed less often than that counts zero.
        """
        share = self.seconds / idle.seconds
        statements = {
            text: calls.minus(idle.statements.get(text, Calls()), share)
            for text, calls in self.statements.items()
        }
        return Spent(
            seconds=self.seconds,
            asked=self.asked,
            worker_cpu=self.worker_cpu,
            postgres_cpu=self.postgres_cpu,
            redis_cpu=self.redis_cpu,
            commits=max(self.commits - idle.commits * share, 0),
            transactions=max(self.transactions - idle.transactions * share, 0),
            wal=self.wal,
            statements=statements,
        )

    @property
    def statement_count(self) -> float:
        """What was sent to the database, without what only begins or ends a transaction."""
        return sum(
            calls.calls
            for text, calls in self.statements.items()
            if not TRANSACTION.match(text) and not FOREIGN_KEY.match(text)
        )

    def tries(self, ahead: float) -> float:
        """How often a worker began on a row: by claiming it in its look, or by its account's lease.

        `ahead`: by how many more rows are claimed and not done than before. They wait in a queue, and were
        not claimed in vain. An engine that does both counts the one that it did more often. Raises
        LookupError if it does neither: then this bench does not know its statements.
        """
        leases = matching(self.statements, LEASE_TRY).calls
        claims = matching(self.statements, CLAIM).rows
        if self.asked and not leases + claims:
            raise LookupError("no statement claims a row or takes an account's lease")
        return max(leases, claims - ahead)

    @property
    def look_ms(self) -> float:
        """How long PostgreSQL took for a look at what is due, on the average."""
        looks = matching(self.statements, LOOK)
        return looks.ms / looks.calls if looks.calls else 0.0


# -- reading the counters --------------------------------------------------------------------------


@dataclass
class Meter:
    """Reads the counters of one database and of these workers. `admin`: a connection to another database
    of the same server, so that reading is not counted."""

    admin: psycopg.Connection[tuple[object, ...]]
    database: str
    vendor: QuickVendor
    workers: list[int] = field(default_factory=list)  # their process ids
    redis: int = 0  # its process id

    def mark(self) -> Mark:
        commits, transactions, wal, backend = self._counters()
        return Mark(
            at=time.monotonic(),
            asked=self.vendor.asked().calls,
            worker_cpu=sum(map(cpu_seconds, self.workers)),
            postgres_cpu=_tree_cpu_seconds(parent_of(backend)),
            redis_cpu=cpu_seconds(self.redis) if self.redis else 0.0,
            commits=commits,
            transactions=transactions,
            wal=wal,
            statements=self._statements(),
        )

    def _counters(self) -> tuple[float, float, float, int]:
        """Commits, transactions, WAL, and the process id of this connection's backend.

        A transaction that writes gets the next number, so they are counted for the whole server.
        """
        query = """
            SELECT pg_snapshot_xmax(pg_current_snapshot())::text, xact_commit,
                pg_current_wal_lsn() - '0/0'::pg_lsn, pg_backend_pid()
            FROM pg_stat_database WHERE datname = %s
        """
        row = self.admin.execute(query, [self.database]).fetchone()
        assert row
        commits, transactions, wal, backend = (float(str(each)) for each in row)
        return commits, transactions, wal, int(backend)

    def _statements(self) -> Statements:
        query = """
            SELECT query, calls, rows, total_exec_time FROM pg_stat_statements
            WHERE dbid = (SELECT oid FROM pg_database WHERE datname = %s)
        """
        return by_text(self.admin.execute(query, [self.database]).fetchall())


def by_text(rows: Iterable[tuple[object, ...]]) -> Statements:
    """(text, calls, rows, milliseconds) of each statement, those with the same text added up."""
    found: dict[str, Calls] = {}
    for text, *numbers in rows:
        plain = " ".join(str(text).replace('"', "").lower().split())
        calls, changed, ms = (float(str(number)) for number in numbers)
        before = found.get(plain, Calls())
        found[plain] = Calls(before.calls + calls, before.rows + changed, before.ms + ms)
    return found


def _stat(pid: int) -> list[str]:
    """The fields of /proc/<pid>/stat from the state on; none if the process has ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []


def parent_of(pid: int) -> int:
    return int(_stat(pid)[1])


def cpu_seconds(pid: int, *, with_ended_children: bool = False) -> float:
    """User and system time of a process, and of its children that have ended."""
    times = _stat(pid)[11 : 15 if with_ended_children else 13]
    return sum(map(int, times)) / TICKS


def _tree_cpu_seconds(postmaster: int) -> float:
    """Of the server and all its processes, those that have ended, too."""
    children = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    living = [pid for pid in children if _stat(pid)[1:2] == [str(postmaster)]]
    own = cpu_seconds(postmaster, with_ended_children=True)
    return own + sum(map(cpu_seconds, living))
