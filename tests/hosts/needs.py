"""What a machine needs for several hosts with clocks of their own."""

from __future__ import annotations

from tests.hosts import host, network
from tests.support import postgres


def missing() -> str:
    """What this machine lacks; "" if it has everything."""
    lacks = network.missing() or host.missing()
    return lacks or (
        "" if postgres.programs() else "PostgreSQL (Debian: apt-get install postgresql)"
    )
