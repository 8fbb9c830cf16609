"""Gunicorn configuration: one process for each core, threads that wait for no client, logs in our format."""

from __future__ import annotations

import logging
import os
import socket
import sys
from collections.abc import Callable
from typing import Any

from gunicorn.glogging import Logger

from onboarding import settings
from onboarding.monitoring.logs import (
    ACCESS,
    TEXT,
    Json,
    JsonAccess,
    QueryRedactingFilter,
    ReferenceFilter,
    Text,
)
from onboarding.settings import HOST, PORT, SITE_HOST, WEB_THREADS


def addresses() -> list[str]:
    """Addresses to bind: HOST:PORT, and for `localhost` on IPv4 also ::1, which browsers may try first."""
    found = [f"[{HOST}]:{PORT}" if ":" in HOST else f"{HOST}:{PORT}"]
    if HOST == "127.0.0.1" and SITE_HOST == "localhost" and has_ipv6_loopback():
        found.append(f"[::1]:{PORT}")
    return found


def has_ipv6_loopback() -> bool:
    """Whether ::1 can be bound; containers often have no IPv6."""
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


bind = addresses()
worker_class = "onboarding.web_server.worker.Worker"
workers = int(os.environ.get("WEB_CONCURRENCY") or len(os.sched_getaffinity(0)))
threads = WEB_THREADS
keepalive = 5
graceful_timeout = 20
worker_tmp_dir = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108  # nosec B108  # gunicorn makes a file with an unknown name
# A vendor's return may carry a long token, and a browser the cookies of a whole domain. What is longer gets
# a page (414, 431) from web_server/answers.py.
limit_request_line = 8190
limit_request_field_size = 16_380
# Our own middleware decides by PROXY_COUNT which forwarded headers to trust.
forwarded_allow_ips = ""
secure_scheme_headers: dict[str, str] = {}
control_socket_disable = True
accesslog = "-"
access_log_format = "%(t)s %(h)s [%({x-request-reference}o)s] %(m)s %(U)s %(s)s %(B)s %(M)sms"


class GunicornLogger(Logger):  # type: ignore[misc]  # gunicorn has no types
    """Logs gunicorn's lines in the site's format, without query strings."""

    def atoms(self, resp: Any, req: Any, environ: Any, request_time: Any) -> dict[str, Any]:
        """What an access line is made of. The path as the client wrote it: escaped, and one word."""
        # Any: gunicorn has no types
        path = environ["RAW_URI"].partition("?")[0]
        return {**super().atoms(resp, req, environ, request_time), "U": path}

    def setup(self, cfg: Any) -> None:  # Any: gunicorn has no types
        super().setup(cfg)
        in_json = settings.LOG_FORMAT == "json"
        for handler in self.error_log.handlers:
            handler.setFormatter(Json() if in_json else Text(TEXT, style="{"))
            handler.addFilter(ReferenceFilter())
            handler.addFilter(QueryRedactingFilter())
        for handler in self.access_log.handlers:
            handler.setFormatter(JsonAccess() if in_json else Text(ACCESS, style="{"))


logger_class = GunicornLogger


def check_start() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "onboarding.settings")
    import django

    django.setup()
    from onboarding.doctor import start

    start.refuse_to_start()


def in_a_child(work: Callable[[], None]) -> int:
    """The exit status of a process that does this. The master itself must load no application: its
    workers would share what it has opened."""
    if child := os.fork():
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    status = 1
    try:
        work()
        status = 0
    except SystemExit as end:
        status = int(str(end.code))
    except Exception:
        logging.getLogger("gunicorn.error").exception("the start could not be checked")
        raise
    finally:
        os._exit(status)


def on_starting(server: Any) -> None:  # Any: gunicorn has no types
    """Refuse to start with one sentence; delete the metrics files of dead processes of this host."""
    if status := in_a_child(check_start):
        sys.exit(status)
    if settings.METRICS:
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "onboarding.settings")
        # prometheus_client is loaded only where METRICS asks for it.
        from onboarding.monitoring import counters

        counters.forget_dead(settings.METRICS_DIR)
