"""Health checks and metrics, for load balancers and monitoring: no host name, https or session needed.

`/health/live`     liveness: this process answers; nothing else is checked
`/health/ready`    readiness: database, writing to it, migrations, MEMO_KEYS, worker, backlog; 200, or 503.
                   Clocks that are off are named there, and are no reason for 503
`/metrics`         Prometheus, with METRICS=1
"""

from __future__ import annotations

from django.conf import settings
from django.db import Error
from django.db import connection as database
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache

from onboarding import clock
from onboarding.methods import View, require_read
from onboarding.models import memo_key
from onboarding.monitoring import heartbeat, write_probe

Checks = dict[str, str]  # what is checked → "ok", or what is wrong
OK = "ok"
WARNINGS = {"clock"}  # checks that say what is wrong, while the site does its work


def view_of(path: str) -> View | None:
    """The view for this path, with or without a trailing slash; None for all other paths."""
    views = {"/health/live": live, "/health/ready": ready}
    if settings.METRICS:
        views["/metrics"] = metrics
    return views.get(path.removesuffix("/"))


@never_cache
@require_read
def live(request: HttpRequest) -> HttpResponse:
    return JsonResponse({"live": True})


@never_cache
@require_read
def ready(request: HttpRequest) -> HttpResponse:
    """`{"ready": false, "checks": {"database": "ok", "worker": "no sign of life for 90 s"}}`"""
    checks = run_checks()
    is_ready = all(result == OK for name, result in checks.items() if name not in WARNINGS)
    return JsonResponse({"ready": is_ready, "checks": checks}, status=200 if is_ready else 503)


@never_cache
@require_read
def metrics(request: HttpRequest) -> HttpResponse:
    # prometheus_client is loaded only where METRICS asks for it.
    from onboarding.monitoring import gauges

    return HttpResponse(gauges.page(), content_type=gauges.CONTENT_TYPE)


def run_checks() -> Checks:
    """Each check runs only if those that it depends on have passed."""
    checks: Checks = {}
    try:
        with database.cursor() as cursor:
            cursor.execute("SELECT 1")
        checks["database"] = OK
        if not heartbeat.migrated():
            return checks | {"migrations": "not all are applied"}
        workers = heartbeat.workers()
        checks |= {
            "migrations": OK,
            "database": write_probe.probe.fault() or OK,
            "memo_keys": memo_key.MISSING if memo_key.missing() else OK,
            "worker": _worker(workers),
            "backlog": _backlog(),
            "clock": _clock(workers),
        }
    except Error as error:
        checks["database"] = f"does not answer ({type(error).__name__})"
    return checks


def _worker(workers: heartbeat.Workers) -> str:
    if workers.silence is None:
        return "none has been seen"
    if not workers.alive:
        return f"no sign of life for {workers.silence.total_seconds():.0f} s"
    return "none takes rows: their clocks are off" if workers.all_pause else OK


def _clock(workers: heartbeat.Workers) -> str:
    """Which clocks are off: a web process is as useful with a wrong one, and other workers do the work."""
    clocks = {"this process": clock.skew()} if clock.is_off(clock.skew()) else {}
    clocks |= {worker.name: worker.skew for worker in workers.off}
    return ", ".join(f"{name}: {clock.in_words(skew)}" for name, skew in clocks.items()) or OK


def _backlog() -> str:
    age = max(backlog.age for backlog in heartbeat.backlog(most=1).values())
    return (
        f"something is due since {age.total_seconds():.0f} s"
        if age > heartbeat.BACKLOG_LIMIT
        else OK
    )
