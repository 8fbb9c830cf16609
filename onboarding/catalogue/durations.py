"""How long connecting a shop usually takes: the median of a connector's last first connects.

From the moment when the merchant began the shop until it was set up, waits and nights included. The sweep
writes it into a column of the connector each minute: the catalogue shows all connectors at once, also
while somebody types into its search, and would else ask one query for each of them.
"""

from __future__ import annotations

from statistics import median

from onboarding.models import Connection, Connector
from onboarding.models.catalogue import offered

FEWEST, LAST = 10, 50  # shops


def refresh() -> None:
    """Count them for every connector on offer; only what has changed is written."""
    for connector in offered().only("pk", "usual_seconds"):
        seconds = usual_seconds(connector)
        if seconds != connector.usual_seconds:
            Connector.objects.filter(pk=connector.pk).update(usual_seconds=seconds)


def usual_seconds(connector: Connector) -> int | None:
    """The median of the last 50; None for fewer than 10. It is read from an index, newest first."""
    connected = Connection.objects.filter(connector=connector, connected_at__isnull=False)
    times = connected.order_by("-connected_at").values_list("created", "connected_at")[:LAST]
    seconds = [(end - begin).total_seconds() for begin, end in times if end is not None]
    return max(round(median(seconds)), 0) if len(seconds) >= FEWEST else None
