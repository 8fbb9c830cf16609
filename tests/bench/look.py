"""One look at what is due, with a million due shops of four vendors and a tenth as many due attempts."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterator, Mapping

from vendors import sandbox

from .checkout import Checkout
from .shops import COPIES, FIRST, copy_rows, make_first

LOOKS = 30
ROOM = 32  # rows of each vendor for which a worker with nothing to do has room
MOST = 5.0  # milliseconds
OTHERS = ("celigo", "itembase", "sharespine")
VENDORS = ("capillary", *OTHERS)
VENDOR = f"(ARRAY{list(VENDORS)})[1 + n % {len(VENDORS)}]"
DUE = "now() - (n::bigint * 7919 % 86400) * interval '1 s'"  # within a day, in no order
# What differs from the copies of shops.py: all shops share an account, and nobody reads their memos.
CHANGES: dict[str, dict[str, str]] = {
    "onboarding_connection": {
        **{
            k: v
            for k, v in COPIES["onboarding_connection"].items()
            if k not in {"account_id", "memo"}
        },
        "vendor": VENDOR,
        "due_at": DUE,
    },
    "onboarding_attempt": {
        **{k: v for k, v in COPIES["onboarding_attempt"].items() if k != "user_id"},
        "vendor": VENDOR,
        "due_at": DUE,
        "deadline": "now() + interval '7 days'",
        "ended": "NULL",
        "ending": "''",
        "status": "CASE n % 10 WHEN 0 THEN 'checking' ELSE 'in_progress' END",
        "answer": "CASE n % 10 WHEN 0 THEN 'progress' ELSE 'unavailable' END",
    },
}
# Times each look in a transaction that is rolled back, so that each finds the same rows, and explains its
# statements at the end. An engine without claims looks by two functions of its runner.
LOOK = """
import json, time
from functools import partial
from django.db import connection, transaction
from onboarding import journey
from onboarding.background import runner
rooms = dict.fromkeys({vendors}, {room})
def whole():
    rows = []
    runner.look(rooms, rows.append)
    return rows
if hasattr(journey, "LINES"):
    returned, attempts, checks = (partial(journey.claim, line, rooms) for line in journey.LINES)
    looks = {"returned": returned, "attempts": attempts, "checks": checks, "all": whole}
else:
    attempts, checks = runner._due_attempts, runner._due_checks
    looks = {"attempts": attempts, "checks": checks, "all": lambda: attempts() + checks()}
found = {what: [] for what in looks}
for _ in range({looks}):
    for what, look in looks.items():
        with transaction.atomic():
            began = time.perf_counter()
            rows = look()
            found[what].append([(time.perf_counter() - began) * 1000, len(rows)])
            transaction.set_rollback(True)
plans = {what: [] for what in looks}
for what, look in looks.items():
    sent = []
    def note(execute, sql, params, many, context):
        sent.append((sql, params))
        return execute(sql, params, many, context)
    with transaction.atomic():
        with connection.execute_wrapper(note):
            look()
        transaction.set_rollback(True)
    for sql, params in sent:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("EXPLAIN (ANALYZE, BUFFERS) " + sql, params)
            plans[what] += [line for [line] in cursor.fetchall()]
            transaction.set_rollback(True)
print("found", json.dumps([found, plans]))
"""


def environ() -> dict[str, str]:
    """The settings of the vendors beside the bench's own; none of them is asked."""
    return sandbox.environ("http://127.0.0.1:9", *OTHERS)


def run(checkout: Checkout, due: int) -> list[str]:
    """Returns the bounds that were missed."""
    _fill(checkout, due)
    asked = {"{vendors}": str(VENDORS), "{room}": str(ROOM), "{looks}": str(LOOKS)}
    script = LOOK
    for name, value in asked.items():
        script = script.replace(name, value)
    output = checkout.manage("shell", "-c", script)
    found, plans = json.loads(output.rpartition("found ")[2])
    return list(_judge(due, found, plans))


def _fill(checkout: Checkout, due: int) -> None:
    made = make_first(checkout)
    counts = {"onboarding_connection": due, "onboarding_attempt": due // 10}
    with checkout.connected() as database:
        for table, count in counts.items():
            copy_rows(database, table, made[table], count, CHANGES[table])
            query = f"SELECT count(*) FROM {table} WHERE due_at <= now() AND id > {FIRST}"
            [[number]] = database.execute(query).fetchall()
            assert number == count, f"{number} of {count} rows of {table} are due"
        database.execute("VACUUM (ANALYZE)")


def _judge(
    due: int, found: Mapping[str, list[list[float]]], plans: Mapping[str, list[str]]
) -> Iterator[str]:
    """`found`: milliseconds and rows of each look, by what was looked for. `plans`: of its statements."""
    print(f"{due} shops and {due // 10} attempts of {len(VENDORS)} vendors are due")
    for what, looks in found.items():
        times = [ms for ms, _ in looks[1:]]  # the first look reads what is in no cache yet
        rows = looks[0][1]
        median = statistics.median(times)
        print(
            f"look for {what}: {median:.1f} ms (median), {max(times):.1f} ms (longest), {rows} rows"
        )
        if not rows:
            yield f"a look for {what} finds none"
        if median > MOST:
            print("\n".join(plans[what]))
            yield f"a look for {what} takes {median:.1f} ms, more than {MOST:.0f}"
