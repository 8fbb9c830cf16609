"""The database of a running site, read and turned behind the back of its processes."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PAST = "2000-01-01 00:00:00"
OF_MERCHANT = """connection_id IN (SELECT c.id FROM onboarding_connection c
    JOIN onboarding_account a ON a.id = c.account_id
    JOIN onboarding_merchant m ON m.id = a.merchant_id WHERE m.reference = ?)"""


@dataclass(frozen=True)
class Books:
    path: Path

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self.path, timeout=10)) as database:
            database.row_factory = sqlite3.Row
            yield database

    def rows(self, sql: str, *values: Any) -> list[dict[str, Any]]:
        with self._open() as database:
            return [dict(row) for row in database.execute(sql, values)]

    def change(self, sql: str, *values: Any) -> None:
        with self._open() as database:
            database.execute(sql, values)
            database.commit()

    # -- the time that a successor waits for a dead process, without waiting for it ---------------

    def leases_run_out(self) -> None:
        for table in ("account", "operator"):
            sql = f"UPDATE onboarding_{table} SET lease_until = ? WHERE lease_until > ?"
            self.change(sql, PAST, PAST)
        self.change("UPDATE onboarding_attempt SET due_at = ? WHERE due_at > ?", PAST, PAST)

    def operators_lease_runs_out(self) -> None:
        self.change("UPDATE onboarding_operator SET lease_until = ?", PAST)

    def overdue(self, merchant: str) -> None:
        """What waits for this merchant's time is due now."""
        sql = f"UPDATE onboarding_attempt SET due_at = ? WHERE due_at > ? AND {OF_MERCHANT}"
        self.change(sql, PAST, PAST, merchant)

    def check_due(self, merchant: str) -> None:
        """The vendor is to be asked about this merchant's shop."""
        shop = self.shop(merchant)["id"]
        self.change("UPDATE onboarding_connection SET due_at = ? WHERE id = ?", PAST, shop)

    # -- one merchant -----------------------------------------------------------------------------

    def attempt(self, merchant: str) -> dict[str, Any]:
        """The newest one."""
        sql = f"SELECT * FROM onboarding_attempt WHERE {OF_MERCHANT} ORDER BY id DESC LIMIT 1"
        return self.rows(sql, merchant)[0]

    def away(self, attempt: int) -> bool:
        """Whether the merchant is at a page that sends nobody back."""
        sql = "SELECT 1 FROM onboarding_hop WHERE attempt_id = ? AND NOT returns AND taken NOT NULL"
        return bool(self.rows(sql, attempt))

    def account(self, merchant: str) -> dict[str, Any]:
        sql = """SELECT a.* FROM onboarding_account a
            JOIN onboarding_merchant m ON m.id = a.merchant_id WHERE m.reference = ?"""
        return self.rows(sql, merchant)[0]

    def shop(self, merchant: str) -> dict[str, Any]:
        sql = "SELECT * FROM onboarding_connection WHERE account_id = ?"
        return self.rows(sql, self.account(merchant)["id"])[0]
