"""Storage of the sandboxes: JSON rows of several kinds in one SQLite file."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

# A JSON object, such as the body of a request. Any: only the vendor's sandbox knows what a field holds.
JsonObject = dict[str, Any]
Row = JsonObject  # a stored one, with `id`
Line = tuple[Any, ...]  # of the database: what is in it depends on the statement

TABLE = """CREATE TABLE IF NOT EXISTS thing (
    number INTEGER PRIMARY KEY, vendor TEXT NOT NULL, kind TEXT NOT NULL, id TEXT NOT NULL,
    body TEXT NOT NULL, UNIQUE (vendor, kind, id))"""


class Database:
    """The SQLite file. One transaction at a time: all changes of a request are stored, or none."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        # A sandbox need not survive a power cut, only the death of its process.
        self._connection.execute("PRAGMA synchronous = OFF")
        self._connection.execute(TABLE)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def run(self, sql: str, *values: object) -> list[Line]:
        with self._lock:
            return self._connection.execute(sql, values).fetchall()

    def close(self) -> None:
        with self._lock:
            self._connection.close()


class Store:
    """The rows of one vendor, by kind and id, in the order in which they were added."""

    def __init__(self, database: Database, vendor: str) -> None:
        self._database, self._vendor = database, vendor

    def add(self, kind: str, id: str, **fields: object) -> Row:
        row = {"id": id} | fields
        sql = "INSERT INTO thing (vendor, kind, id, body) VALUES (?, ?, ?, ?)"
        self._database.run(sql, self._vendor, kind, id, json.dumps(row))
        return row

    def get(self, kind: str, id: str) -> Row | None:
        sql = "SELECT body FROM thing WHERE vendor = ? AND kind = ? AND id = ?"
        found = self._database.run(sql, self._vendor, kind, id)
        return _row(found[0][0]) if found else None

    def rows(self, kind: str, **where: object) -> list[Row]:
        """All rows of a kind whose fields equal `where`."""
        sql = "SELECT body FROM thing WHERE vendor = ? AND kind = ?"
        sql += " AND json_extract(body, ?) IS ?" * len(where) + " ORDER BY number"
        pairs = [part for name, value in where.items() for part in (f"$.{name}", value)]
        return [_row(body) for (body,) in self._database.run(sql, self._vendor, kind, *pairs)]

    def change(self, kind: str, id: str, **fields: object) -> Row:
        row = self.get(kind, id)
        if row is None:
            raise KeyError(kind)
        row |= fields
        sql = "UPDATE thing SET body = ? WHERE vendor = ? AND kind = ? AND id = ?"
        self._database.run(sql, json.dumps(row), self._vendor, kind, id)
        return row

    def count(self) -> dict[str, int]:
        """How many rows of each kind were ever made."""
        sql = "SELECT kind, count(*) FROM thing WHERE vendor = ? GROUP BY kind ORDER BY kind"
        return dict(self._database.run(sql, self._vendor))

    def dump(self) -> dict[str, list[Row]]:
        return {kind: self.rows(kind) for kind in self.count()}

    def empty(self) -> None:
        self._database.run("DELETE FROM thing WHERE vendor = ?", self._vendor)


def _row(body: str) -> Row:
    row: Row = json.loads(body)
    return row
