"""The shops of the engine's bench: connected shops whose check finds nothing new.

The first one is made through the models of the checkout and checked by its engine, so its row is as that
engine leaves it. The others are copies of its rows, made by the database: each has a business, an owner and
an account at the vendor of its own.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

import psycopg
from cryptography.fernet import Fernet
from psycopg import sql

from .checkout import MEMO_KEY, Checkout
from .quick_vendor import KEY

FIRST = 1000  # the copy with the number n has the primary key FIRST + n in each table
LATER = "2100-01-01"
NAME = "a shop"
MEMO = {"name": "A shop", "number": 1, "scopes": [], "expiry": 3600, "till": 75030000, "old": []}
PROTOTYPE = """
import json
from allauth.account.models import EmailAddress
from django.conf import settings
from django.utils import timezone
from onboarding import journey
from onboarding.catalogue import refresh
from onboarding.models import Account, Attempt, Connection, Connector, Merchant, User
refresh.refresh_catalogue(settings.VENDORS.offered["capillary"])
now = timezone.now()
user = User.objects.create_user("owner@example.org", name="An owner")
email = EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
merchant = Merchant.objects.create(name="A business")
member = merchant.memberships.create(user=user, role="owner")
account = Account.objects.create(merchant=merchant, vendor="capillary")
shop = Connection.objects.create(
    account=account, vendor="capillary", connector=Connector.objects.get(vendor="capillary"),
    name="{name}", shop_id="shop-0", key="{key}", memo={memo}, status="connected", turn="",
    answer="connected", connected_at=now, due_at=now)
attempt = Attempt.objects.create(
    connection=shop, user=user, status="connected", turn="", answer="connected",
    ended=now, ending="connected")
journey.check(shop.pk)
shop.refresh_from_db()
assert shop.checked_at and shop.due_at > now, (shop.answer, shop.detail)
assert (shop.status, shop.answer) == ("connected", "connected"), (shop.status, shop.answer)
event = shop.events.create(status=shop.status, note=shop.note)
rows = [user, email, merchant, member, account, shop, attempt, event]
print("made", json.dumps([[row._meta.db_table, row.pk] for row in rows]))
"""
# What differs in the copy with the number n, in the order in which the rows are made.
COPIES: dict[str, dict[str, str]] = {
    "onboarding_user": {"email": "'owner-' || n || '@example.org'"},
    "account_emailaddress": {"user_id": "{first} + n", "email": "'owner-' || n || '@example.org'"},
    "onboarding_merchant": {"reference": "'b' || n"},
    "onboarding_membership": {"user_id": "{first} + n", "merchant_id": "{first} + n"},
    "onboarding_account": {"merchant_id": "{first} + n"},
    "onboarding_connection": {
        "account_id": "{first} + n",
        "reference": "'c' || n",
        "name_key": "encode(sha256(convert_to(({first} + n) || ' {name}', 'UTF8')), 'hex')",
        "shop_id": "'shop-' || n",
        "key": "format({key}, n)",
        "memo": "(SELECT sealed FROM bench_memo WHERE number = n)",
        "due_at": "'{later}'",
    },
    "onboarding_attempt": {
        "connection_id": "{first} + n",
        "user_id": "{first} + n",
        "reference": "'a' || n",
    },
    "onboarding_event": {"connection_id": "{first} + n"},
}
Cursor = psycopg.Connection[tuple[object, ...]]


@dataclass(frozen=True)
class Shops:
    """`count` shops in the database of a checkout, with the numbers 1 to `count`."""

    checkout: Checkout
    count: int

    @classmethod
    def seed(cls, checkout: Checkout, count: int) -> Shops:
        rows = make_first(checkout)
        with checkout.connected() as database:
            _seal_memos(database, count)
            for table, pk in rows.items():
                copy_rows(database, table, pk, count, COPIES[table])
        found = cls(checkout, count)
        found.rest()
        return found

    def rest(self) -> None:
        """Nothing is due, no row is leased or being worked on, and no dead row is left from before."""
        with self.checkout.connected() as database:
            for table in ("onboarding_connection", "onboarding_account"):
                values = [
                    sql.SQL("{} = {}").format(sql.Identifier(name), sql.SQL(value))
                    for name, value in _resting(database, table)
                ]
                statement = sql.SQL("UPDATE {} SET {}")
                database.execute(
                    statement.format(sql.Identifier(table), sql.SQL(", ").join(values))
                )
                database.execute(sql.SQL("VACUUM (ANALYZE) {}").format(sql.Identifier(table)))

    def make_due(self, count: int = 0) -> int:
        """Make so many of them due (default: all), since an hour, one after the other; how many."""
        count = count or self.count
        due = "now() - interval '1 hour' + (id - %s) * interval '1 ms'"
        with self.checkout.connected() as database:
            statement = (
                f"UPDATE onboarding_connection SET due_at = {due} WHERE id > %s AND id <= %s"
            )
            database.execute(statement, [FIRST, FIRST, FIRST + count])
        return count

    def claimed(self) -> int:
        """How many are claimed and not done."""
        with self.checkout.connected() as database:
            query = "SELECT count(*) FROM onboarding_connection WHERE lease_until > now()"
            [[number]] = database.execute(query).fetchall()
        return int(str(number))

    def failed_calls(self) -> dict[str, int]:
        """How often a call had each outcome but 200, since this database was made."""
        query = "SELECT outcome, count(*) FROM onboarding_call WHERE outcome <> '200' GROUP BY 1"
        with self.checkout.connected() as database:
            rows = database.execute(query).fetchall()
        return {str(outcome): int(str(number)) for outcome, number in rows}

    def unsettled(self) -> int:
        """How many are still due, or are no longer connected as they were."""
        unsettled = "due_at <= now() OR status <> 'connected' OR answer <> 'connected'"
        with self.checkout.connected() as database:
            query = f"SELECT count(*) FROM onboarding_connection WHERE {unsettled}"
            [[number]] = database.execute(query).fetchall()
        return int(str(number))


def make_first(checkout: Checkout) -> dict[str, int]:
    """Make the shop that is copied. Returns the primary key of its row in each table of COPIES."""
    made = {"name": NAME, "key": KEY.format(0), "memo": {**MEMO, "key": KEY.format(0)}}
    output = checkout.manage("shell", "-c", PROTOTYPE.format(**made))
    rows: dict[str, int] = dict(json.loads(output.rpartition("made ")[2]))
    assert list(rows) == list(COPIES), rows
    return rows


def _seal_memos(database: Cursor, count: int) -> None:
    """The memo of each shop, with the key of its client, encrypted as the site does it."""
    cipher = Fernet(MEMO_KEY)
    database.execute("CREATE TABLE bench_memo (number integer PRIMARY KEY, sealed text)")
    with database.cursor() as cursor, cursor.copy("COPY bench_memo FROM STDIN") as rows:
        for number in range(1, count + 1):
            memo = json.dumps({**MEMO, "key": KEY.format(number)})
            rows.write_row((number, cipher.encrypt(memo.encode()).decode()))


def copy_rows(database: Cursor, table: str, pk: int, count: int, changes: dict[str, str]) -> None:
    """Copy a row `count` times. `changes`: the columns that differ, as SQL with the number n."""
    made = {"first": FIRST, "name": NAME, "key": f"'{KEY.format('%s')}'", "later": LATER}
    changed = {"id": "{first} + n", **changes}
    values = [
        sql.SQL(changed[name].format(**made)) if name in changed else sql.Identifier("old", name)
        for name in columns(database, table)
    ]
    statement = sql.SQL("INSERT INTO {table} ({names}) SELECT {values} FROM {table} AS old,"
                        " generate_series(1, {count}) AS n WHERE old.id = {pk}")  # fmt: skip
    database.execute(
        statement.format(
            table=sql.Identifier(table),
            names=sql.SQL(", ").join(map(sql.Identifier, columns(database, table))),
            values=sql.SQL(", ").join(values),
            count=sql.Literal(count),
            pk=sql.Literal(pk),
        )
    )
    sequence = "SELECT setval(pg_get_serial_sequence(%s, 'id'), (SELECT max(id) FROM {}))"
    database.execute(sql.SQL(sequence).format(sql.Identifier(table)), [table])


def columns(database: Cursor, table: str) -> list[str]:
    query = """
        SELECT column_name FROM information_schema.columns
        WHERE table_name = %s AND table_schema = 'public' ORDER BY ordinal_position
    """
    return [str(name) for [name] in database.execute(query, [table]).fetchall()]


def _resting(database: Cursor, table: str) -> list[tuple[str, str]]:
    """The columns of a row that nobody works on and that is not due, as far as the table has them."""
    values = {
        "due_at": f"'{LATER}'",
        "lease_until": "NULL",
        "lease_token": "''",
        "call_started_at": "NULL",
        "crashes": "0",
    }
    there = columns(database, table)
    return [(name, value) for name, value in values.items() if name in there]
