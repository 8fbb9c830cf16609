"""How long after a shop is due its check is begun, by one worker that has nothing else to do."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from .quick_vendor import KEY, QuickVendor
from .rates import SETTLE
from .shops import FIRST, Shops

SAMPLES = 20
PATIENCE = 10.0  # seconds
MOST = 100.0  # milliseconds
AHEAD = 1.5  # seconds: a moment to come is set so long before
# What staff's "ask the vendor now" does, for each number that it reads; says when it was committed.
ASK_NOW = """
import sys, time
from onboarding import journey
from onboarding.models import Connection
print("ready", flush=True)
for line in sys.stdin:
    shop = Connection.objects.get(pk=int(line))
    began = time.time()
    assert journey.ask_now(shop)
    print("asked", began, flush=True)
"""


def run(shops: Shops, vendor: QuickVendor) -> list[str]:
    """Returns the bounds that were missed."""
    shops.rest()
    vendor.begin(0)
    with shops.checkout.workers(1):
        time.sleep(SETTLE)
        by_time = [_by_time(shops, vendor, number) for number in range(1, SAMPLES + 1)]
        with _site(shops) as site:
            numbers = range(SAMPLES + 1, 2 * SAMPLES + 1)
            by_site = [_by_site(site, vendor, number) for number in numbers]
    return [*_judge("whose time comes", by_time), *_judge("made due by the site", by_site)]


def _judge(what: str, found: Sequence[float]) -> Iterator[str]:
    """`found` in milliseconds."""
    median, worst = statistics.median(found), max(found)
    print(f"a shop {what} is begun after {median:.0f} ms (median), {worst:.0f} ms (longest)")
    if worst > MOST:
        yield f"a shop {what} was begun after {worst:.0f} ms, more than {MOST:.0f}"


def _by_time(shops: Shops, vendor: QuickVendor, number: int) -> float:
    """Milliseconds from the moment at which this shop is due until its vendor is called."""
    with shops.checkout.connected() as database:
        ahead = AHEAD + number / SAMPLES  # at another part of a second each time
        query = """
            UPDATE onboarding_connection SET due_at = clock_timestamp() + %s * interval '1 s'
            WHERE id = %s RETURNING extract(epoch FROM due_at)
        """
        [[due]] = database.execute(query, [ahead, FIRST + number]).fetchall()
    time.sleep(ahead)
    return (_called(vendor, number) - float(str(due))) * 1000


@contextmanager
def _site(shops: Shops) -> Iterator[subprocess.Popen[str]]:
    """A process of the site that makes shops due."""
    checkout = shops.checkout
    process = subprocess.Popen(
        [sys.executable, "manage.py", "shell", "-c", ASK_NOW],
        cwd=checkout.path,
        env=checkout.env(checkout.near),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        _said(process, "ready")
        yield process
    finally:
        process.kill()
        process.wait()


def _by_site(site: subprocess.Popen[str], vendor: QuickVendor, number: int) -> float:
    """Milliseconds from "ask the vendor now" until the vendor of this shop is called."""
    assert site.stdin
    time.sleep(1 + number / SAMPLES / 2)
    site.stdin.write(f"{FIRST + number}\n")
    site.stdin.flush()
    asked = _said(site, "asked")
    return (_called(vendor, number) - float(asked)) * 1000


def _said(process: subprocess.Popen[str], word: str) -> str:
    """What follows this word in the next line that begins with it."""
    assert process.stdout
    for line in process.stdout:
        if line.startswith(word):
            return line.removeprefix(word).strip()
    raise RuntimeError(f"the site's process ended before it said “{word}”")


def _called(vendor: QuickVendor, number: int) -> float:
    """POSIX seconds at which the vendor was first called about this shop."""
    deadline = time.monotonic() + PATIENCE
    while (at := vendor.first_call(KEY.format(number))) is None:
        if time.monotonic() > deadline:
            raise RuntimeError(f"shop {number} was not asked within {PATIENCE:.0f} s")
        time.sleep(0.005)
    return at
