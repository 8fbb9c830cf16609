"""How long after a shop becomes due, and the workers are told, the vendor is asked about it."""

from __future__ import annotations

import time

from .engines import Engine
from .quick_vendor import KEY
from .servers import Servers
from .shops import FIRST

TIMES = 30
WORKERS = 2
PATIENCE = 5.0  # seconds
HEADINGS = ("engine", "p50", "p90", "slowest")


def run(servers: Servers, engine: Engine) -> tuple[str, ...]:
    servers.clean()
    servers.shops.rest()
    servers.vendor.begin()
    with servers.shops.checkout.workers(engine.command, WORKERS):
        time.sleep(4.0)
        found = sorted(_once(servers, number) for number in range(1, TIMES + 1))
    figures = found[TIMES // 2], found[TIMES * 9 // 10], found[-1]
    return (engine.name, *(f"{seconds * 1000:.0f} ms" for seconds in figures))


def _once(servers: Servers, number: int) -> float:
    with servers.shops.checkout.connected() as database:
        database.execute(
            "UPDATE onboarding_connection SET due_at = now() WHERE id = %s", [FIRST + number]
        )
        at = time.time()
        database.execute("NOTIFY gangway_due")
    while time.time() - at < PATIENCE:
        first = servers.vendor.first_call(KEY.format(number))
        if first:
            time.sleep(0.2)
            return first - at
        time.sleep(0.02)
    return PATIENCE
