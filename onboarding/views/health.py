"""For load balancers and monitoring: no host name, no https, no session is asked for.

`/health/live`     this process answers; nothing else is looked at
`/health/ready`    database, migrations, worker, backlog: 200, or 503 when one of them is not well
`/metrics`         Prometheus, with METRICS=1
"""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.db import Error
from django.db import connection as database
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from onboarding.monitoring import heartbeat

Checks = dict[str, str]  # what is looked at → "ok", or what is wrong
WELL = "ok"


def view_of(path: str) -> Callable[[HttpRequest], HttpResponse] | None:
    """What answers at this path, with or without a slash at its end."""
    views = {"/health/live": live, "/health/ready": ready}
    if settings.METRICS:
        views["/metrics"] = metrics
    return views.get(path.removesuffix("/"))


@never_cache
@require_safe
def live(request: HttpRequest) -> HttpResponse:
    return JsonResponse({"live": True})


@never_cache
@require_safe
def ready(request: HttpRequest) -> HttpResponse:
    """`{"ready": false, "checks": {"database": "ok", "worker": "no sign of life for 90 s"}}`"""
    checks = looked_at()
    well = all(said == WELL for said in checks.values())
    return JsonResponse({"ready": well, "checks": checks}, status=200 if well else 503)


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    # prometheus_client is loaded only where METRICS asks for it.
    from onboarding.monitoring import gauges

    return HttpResponse(gauges.page(), content_type=gauges.CONTENT_TYPE)


def looked_at() -> Checks:
    """What comes later is looked at only if what it needs is well."""
    checks: Checks = {}
    try:
        with database.cursor() as cursor:
            cursor.execute("SELECT 1")
        checks["database"] = WELL
        if not heartbeat.migrated():
            return checks | {"migrations": "not all are applied"}
        checks |= {"migrations": WELL, "worker": _worker(), "backlog": _backlog()}
    except Error as error:
        checks["database"] = f"does not answer ({type(error).__name__})"
    return checks


def _worker() -> str:
    silence = heartbeat.since_last_heartbeat()
    if silence is None:
        return "none has been seen"
    if silence > heartbeat.DEAD_AFTER:
        return f"no sign of life for {silence.total_seconds():.0f} s"
    return WELL


def _backlog() -> str:
    age = max(backlog.age for backlog in heartbeat.backlog().values())
    if age > heartbeat.BACKLOG_LIMIT:
        return f"something is due since {age.total_seconds():.0f} s"
    return WELL
