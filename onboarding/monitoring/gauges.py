"""Prometheus gauges read from the database, and the page /metrics with the counters of all processes."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta

from django.conf import settings
from django.db import Error
from django.db.models import Count, QuerySet
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily as Gauge
from prometheus_client.core import Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST as CONTENT_TYPE
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from onboarding import clock
from onboarding.models import (
    Alert,
    Breaker,
    Connection,
    Invitation,
    Notice,
    RefusedAddress,
    SecurityEvent,
    WaitlistEntry,
    merchants,
)
from onboarding.models.outbox import Mailed

from . import heartbeat, security_log

__all__ = ["CONTENT_TYPE", "page"]
SLOW = 0.2  # seconds


def page() -> bytes:
    """All metrics, in Prometheus' text format."""
    registry = CollectorRegistry()
    MultiProcessCollector(registry, path=str(settings.METRICS_DIR))  # type: ignore[no-untyped-call]
    registry.register(Database())
    return generate_latest(registry)


class Database(Collector):
    """Gauges, one query each. If the database does not answer, only `gangway_database_answers`."""

    def collect(self) -> Iterable[Metric]:
        answers = Gauge("gangway_database_answers", "Whether the database answers.")
        try:
            found = [
                *_connections(),
                *_backlog(),
                *_breaker(),
                *_workers(),
                *_alerts(),
                *_mails(),
                *_waitlist(),
                *_reminders(),
                *_refusals(),
            ]
        except Error:
            found = []
        answers.add_metric([], bool(found))
        return [answers, *found]


def _connections() -> Iterator[Metric]:
    gauge = Gauge("gangway_connections", "Shops by state.", labels=["vendor", "state"])
    for vendor, status, count in _states.get():
        gauge.add_metric([vendor, status], count)
    yield gauge


@dataclass
class _States:
    """Shops by vendor and state. To count them reads all shops: where this takes long, this process keeps
    the counts for a hundred times as long."""

    counts: list[tuple[str, str, int]] = field(default_factory=list)
    kept_until: float = 0.0  # in monotonic time

    def get(self) -> list[tuple[str, str, int]]:
        began = time.monotonic()
        if began >= self.kept_until:
            rows = Connection.objects.order_by().values_list("vendor", "status")
            self.counts = list(rows.annotate(Count("pk")))
            took = time.monotonic() - began
            self.kept_until = began + 100 * took if took > SLOW else 0.0
        return self.counts


_states = _States()


def _backlog() -> Iterator[Metric]:
    text = f"Rows that are due and not begun, of each vendor at most {heartbeat.COUNTED}."
    due = Gauge("gangway_due_rows", text, labels=["kind"])
    oldest = Gauge(
        "gangway_due_oldest_seconds", "For how long the oldest has been due.", labels=["kind"]
    )
    for kind, backlog in heartbeat.backlog().items():
        due.add_metric([kind], backlog.rows)
        oldest.add_metric([kind], backlog.age.total_seconds())
    yield from (due, oldest)


def _breaker() -> Iterator[Metric]:
    text = "1 while the host does not answer, or its vendor refuses our credentials."
    gauge = Gauge("gangway_breaker_open", text, labels=["vendor", "host"])
    for vendor, host, opened in Breaker.objects.values_list("vendor", "host", "opened"):
        gauge.add_metric([vendor, host.rpartition("@")[2]], opened is not None)
    yield gauge


def _workers() -> Iterator[Metric]:
    gauge = Gauge("gangway_workers", "Workers with a heartbeat within the last minute.")
    alive = heartbeat.workers().alive
    gauge.add_metric([], len(alive))
    here = Gauge(
        "gangway_clock_skew_seconds",
        "Seconds that this machine's clock is ahead of the database's.",
    )
    here.add_metric([], clock.skew().total_seconds())
    text = "Seconds that a worker's clock is ahead of the database's."
    skews = Gauge("gangway_worker_clock_skew_seconds", text, labels=["worker"])
    for worker in alive:
        skews.add_metric([worker.name], worker.skew.total_seconds())
    yield from (gauge, here, skews)


def _waitlist() -> Iterator[Metric]:
    gauge = Gauge("gangway_standbys", "People who will get a mail when a vendor is back.")
    gauge.add_metric([], WaitlistEntry.objects.filter(mailed=None, dropped=None).count())
    yield gauge


def _reminders() -> Iterator[Metric]:
    text = "Reminders of the last 30 days: sent, and those after which the team went on."
    gauge = Gauge("gangway_reminders", text, labels=["step", "outcome"])
    lately = {"kind": Notice.Kind.UNFINISHED, "mailed__gt": clock.now() - timedelta(days=30)}
    rows = Notice.objects.filter(**lately).order_by().values_list("step")
    for step, sent, came_back in rows.annotate(Count("pk"), Count("came_back")):
        gauge.add_metric([step, "sent"], sent)
        gauge.add_metric([step, "came back"], came_back)
    yield gauge


def _refusals() -> Iterator[Metric]:
    text = "Wrong codes, passwords and factors, refusals and foreign returns of the last hour."
    gauge = Gauge("gangway_security_events_last_hour", text, labels=["kind"])
    found = security_log.counts(SecurityEvent.REFUSALS, timedelta(hours=1))
    for kind in SecurityEvent.REFUSALS:
        gauge.add_metric([kind], found[kind])
    yield gauge


def _alerts() -> Iterator[Metric]:
    gauge = Gauge(
        "gangway_alerts_open", "Open alerts: staff have something to do.", labels=["vendor"]
    )
    rows = Alert.objects.filter(cleared=None).values_list("vendor").annotate(Count("pk"))
    for vendor, count in rows:
        gauge.add_metric([vendor], count)
    yield gauge


def _mails() -> Iterator[Metric]:
    gauge = Gauge("gangway_mails_due", "Mails that are not sent yet.", labels=["kind"])
    for kind, rows in _outbox().items():
        gauge.add_metric([kind], rows.filter(mailed=None, mail_refused=False).count())
    text = "Addresses of people that a mail server has refused: we do not mail them."
    refused = Gauge("gangway_refused_addresses", text)
    refused.add_metric([], RefusedAddress.objects.count())
    yield from (gauge, refused)


def _outbox() -> dict[str, QuerySet[Mailed]]:
    """Rows whose mail is wanted, sent or not, by the gauge's label `kind`."""
    now, alerts = clock.now(), Alert.objects.filter(cleared=None)
    found: dict[str, QuerySet[Mailed]] = {
        "alert": alerts if settings.STAFF_EMAIL else alerts.none(),
        "invitation": Invitation.objects.filter(merchants.OPEN, expires_at__gt=now),
        "notice": Notice.objects.filter(dropped=None, not_before__lte=now),
    }
    return found
