"""Direct access to the database of a running site, behind the back of its processes."""

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
class Database:
    path: Path

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self.path, timeout=10)) as handle:
            handle.row_factory = sqlite3.Row
            yield handle

    def rows(self, sql: str, *values: Any) -> list[dict[str, Any]]:
        with self._open() as handle:
            return [dict(row) for row in handle.execute(sql, values)]

    def execute(self, sql: str, *values: Any) -> None:
        with self._open() as handle:
            handle.execute(sql, values)
            handle.commit()

    # -- skips the time for which a successor waits for a dead process ----------------------------

    def expire_leases(self) -> None:
        for table in ("account", "operator", "attempt", "connection"):
            sql = f"UPDATE onboarding_{table} SET lease_until = ? WHERE lease_until > ?"
            self.execute(sql, PAST, PAST)
        self.execute("UPDATE onboarding_attempt SET due_at = ? WHERE due_at > ?", PAST, PAST)

    def expire_operator_lease(self) -> None:
        self.execute("UPDATE onboarding_operator SET lease_until = ?", PAST)

    def make_due(self, merchant: str) -> None:
        """Makes this merchant's scheduled attempts due now."""
        sql = f"UPDATE onboarding_attempt SET due_at = ? WHERE due_at > ? AND {OF_MERCHANT}"
        self.execute(sql, PAST, PAST, merchant)

    def make_check_due(self, merchant: str) -> None:
        """Makes the check of this merchant's shop due now."""
        connection = self.connection(merchant)["id"]
        self.execute("UPDATE onboarding_connection SET due_at = ? WHERE id = ?", PAST, connection)

    # -- lets time pass for mails ------------------------------------------------------------------

    def next_minute(self) -> None:
        """What workers do once a minute is due again, and the vendors that are down are asked again."""
        for work in ("notices", "probe"):
            self.execute("DELETE FROM onboarding_slot WHERE key LIKE ?", f"{work}:%")
        self.execute("UPDATE onboarding_breaker SET retry_at = ? WHERE retry_at > ?", PAST, PAST)

    def a_day_since_the_last_mail(self) -> None:
        earlier = "strftime('%Y-%m-%d %H:%M:%f', mailed, '-25 hours')"
        self.execute(f"UPDATE onboarding_notice SET mailed = {earlier} WHERE mailed NOT NULL")

    def an_hour_since_the_last_look(self, merchant: str) -> None:
        """At this merchant's attempts."""
        names = ("since", "seen_at", "created")
        moved = ", ".join(
            f"{name} = strftime('%Y-%m-%d %H:%M:%f', {name}, '-61 minutes')" for name in names
        )
        self.execute(f"UPDATE onboarding_attempt SET {moved} WHERE {OF_MERCHANT}", merchant)

    # -- one merchant -----------------------------------------------------------------------------

    def attempt(self, merchant: str) -> dict[str, Any]:
        """The newest attempt."""
        sql = f"SELECT * FROM onboarding_attempt WHERE {OF_MERCHANT} ORDER BY id DESC LIMIT 1"
        return self.rows(sql, merchant)[0]

    def is_away_without_return(self, attempt: int) -> bool:
        """Whether the merchant is at a vendor's page that does not redirect back."""
        sql = "SELECT 1 FROM onboarding_hop WHERE attempt_id = ? AND NOT returns AND taken NOT NULL"
        return bool(self.rows(sql, attempt))

    def account(self, merchant: str) -> dict[str, Any]:
        sql = """SELECT a.* FROM onboarding_account a
            JOIN onboarding_merchant m ON m.id = a.merchant_id WHERE m.reference = ?"""
        return self.rows(sql, merchant)[0]

    def connection(self, merchant: str) -> dict[str, Any]:
        sql = "SELECT * FROM onboarding_connection WHERE account_id = ?"
        return self.rows(sql, self.account(merchant)["id"])[0]
