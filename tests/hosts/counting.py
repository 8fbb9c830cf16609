"""What a run has lost, done twice or dated wrongly, counted from the vendors' log and from our rows.

A connected shop has a due moment in every period (its own slot, journey/transitions.py). It is *lost* if the
vendor was not asked between this moment and the next, and *twice* if it was asked more than once. A call
whose host was killed, stopped or cut off before it could save the answer does not count: it is asked
*again*, which nobody can avoid. No call is excused when a clock was set.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from tests.support.recording import VendorCall

LICENCE = "GET /v1/connectors/{_id}/licenses/{_id_of_license}"  # the call of a check at Celigo
EPOCH = datetime(2020, 1, 1, tzinfo=UTC).timestamp()
GOLDEN_RATIO = 0.6180339887498949
EARLY = (
    0.5  # seconds: a call so little before its due moment belongs to it: clocks are read from afar
)
SAVED_AFTER = 3.0  # seconds after the vendor's answer, in which a host that dies has not saved it
NEVER = float("inf")


@dataclass
class Trouble:
    """What happened to one host: from when to when, and until when the others had time to make up for it."""

    host: str
    address: str
    what: str
    loses_answers: bool
    began: float
    ended: float = NEVER
    until: float = NEVER
    said: dict[str, float] = field(default_factory=dict)  # by /health/ready, after so many seconds
    future: Counter[str] = field(default_factory=Counter)  # by column

    def covers(self, moment: float) -> bool:
        return self.began <= moment < self.until

    def takes_with_it(self, call: VendorCall) -> bool:
        """Whether the answer of this call may have been lost with the host."""
        ended = NEVER if call.ended is None else call.ended
        under_way = call.began <= self.ended and ended + SAVED_AFTER >= self.began
        return self.loses_answers and call.peer == self.address and under_way


@dataclass(frozen=True)
class Shop:
    pk: int
    key: str
    connected_at: float


@dataclass
class Asked:
    """How often a shop was asked for one due moment."""

    shop: Shop
    due: float
    calls: list[VendorCall]
    troubles: Sequence[Trouble]

    @property
    def kept(self) -> list[VendorCall]:
        """The calls that are not excused. The last one never is."""
        kept = [call for call in self.calls[:-1] if not self._is_excused(call)]
        return [*kept, *self.calls[-1:]]

    def _is_excused(self, call: VendorCall) -> bool:
        return any(trouble.takes_with_it(call) for trouble in self.troubles)

    @property
    def lost(self) -> int:
        return int(not self.calls)

    @property
    def twice(self) -> int:
        return max(len(self.kept) - 1, 0)

    @property
    def again(self) -> int:
        return len(self.calls) - len(self.kept)


def due_moments(shop: Shop, period: float, until: float) -> Iterator[float]:
    """Its moments, from the first check on: half a period after it was connected, or later.

    The last one is half a period before `until`: a call that comes later makes the next one fall out.
    """
    slot = EPOCH + period * ((shop.pk * GOLDEN_RATIO) % 1)
    first = shop.connected_at + period / 2
    due = slot + period * -((slot - first) // period)
    while due + period / 2 <= until:
        yield due
        due += period


def asked(
    shops: Iterable[Shop],
    calls: Sequence[VendorCall],
    troubles: Sequence[Trouble],
    period: float,
    until: float,
) -> list[Asked]:
    """For each shop and each of its due moments."""
    by_key: dict[str, list[VendorCall]] = {}
    for call in calls:
        if call.route == LICENCE:
            by_key.setdefault(call.thing.rpartition("/")[2], []).append(call)
    return [
        Asked(shop, due, _between(by_key.get(shop.key, []), due, period), troubles)
        for shop in shops
        for due in due_moments(shop, period, until)
    ]


def _between(calls: list[VendorCall], due: float, period: float) -> list[VendorCall]:
    return [call for call in calls if due - EARLY <= call.began < due + period - EARLY]


def taken_over_after(
    trouble: Trouble, shops: Iterable[Shop], calls: Sequence[VendorCall]
) -> list[float]:
    """For each check that was under way on the host: the seconds until another host made it."""
    keys = {shop.key for shop in shops if shop.connected_at < trouble.began}
    checks = [call for call in calls if call.thing.rpartition("/")[2] in keys]
    cut_short = [
        call
        for call in checks
        if call.peer == trouble.address and call.began <= trouble.began
        and (call.ended is None or call.ended > trouble.began)
    ]  # fmt: skip
    return [_next_by_another(call, trouble, checks) for call in cut_short]


def _next_by_another(call: VendorCall, trouble: Trouble, checks: Sequence[VendorCall]) -> float:
    found = (
        each.began - trouble.began
        for each in checks
        if each.thing == call.thing and each.peer != call.peer and each.began > trouble.began
    )
    return next(found, NEVER)


# -- our own rows --------------------------------------------------------------------------------------

# Moments of the past that lie in the future, and leases and checks further away than any may be: how many
# of which column.
_PAST = {
    "event": ("at",),
    "call": ("at",),
    "hop": ("created", "minted", "taken", "spent"),
    "attempt": ("created", "since", "ended", "call_started_at"),
    "connection": ("created", "since", "connected_at", "checked_at", "call_started_at"),
    "worker": ("at",),
}
_AHEAD = {
    "connection.lease_until": "41 s",
    "attempt.lease_until": "41 s",
    "account.lease_until": "41 s",
}
_COUNT = (
    "SELECT '{table}.{column}' AS column, count(*) AS rows FROM onboarding_{table}"
    " WHERE {column} > clock_timestamp() + interval '{ahead}'"
)


def future(period: float) -> str:
    """The statement that counts them."""
    furthest = dict.fromkeys(_past_columns(), "0 s") | _AHEAD
    furthest["connection.due_at"] = f"{period * 1.5 + 5} s"
    parts = []
    for name, ahead in furthest.items():
        table, column = name.split(".")
        parts.append(_COUNT.format(table=table, column=column, ahead=ahead))
    return " UNION ALL ".join(parts)


def _past_columns() -> Iterator[str]:
    for table, columns in _PAST.items():
        yield from (f"{table}.{column}" for column in columns)


# Entries of a timeline that say the same as the one before them.
DOUBLED = """
SELECT at, connection_id, status, note FROM (
    SELECT *, lag((status, note, attempt_id)) OVER (PARTITION BY connection_id ORDER BY at, id) AS before
    FROM onboarding_event) AS entry
WHERE before = (status, note, attempt_id)
"""
SHOPS = """
SELECT id AS pk, key, extract(epoch FROM connected_at)::float AS connected_at
FROM onboarding_connection WHERE vendor = 'celigo' AND status = 'connected'
"""
OF_MERCHANTS = """
SELECT m.reference AS merchant, a.key AS account_key, a.announced, a.unsure, c.*
FROM onboarding_merchant m
LEFT JOIN onboarding_account a ON a.merchant_id = m.id
LEFT JOIN onboarding_connection c ON c.account_id = a.id
"""
