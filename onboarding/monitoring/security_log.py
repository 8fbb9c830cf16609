"""The security log: a row and a line for each event, with ids alone: no name, no secret."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Collection
from datetime import timedelta
from ipaddress import ip_address

from django.db.models import Count
from django.http import HttpRequest

from onboarding import clock
from onboarding.models import Merchant, SecurityEvent, User

from . import logs

log = logging.getLogger("onboarding.security")
observers: list[Callable[[SecurityEvent], None]] = []  # each hears of every event


def record(
    kind: SecurityEvent.Kind,
    request: HttpRequest | None = None,
    *,
    user: User | None = None,
    merchant: Merchant | None = None,
    detail: str = "",
) -> None:
    """Note what has happened. `user`: whom it is about; without it, whoever is signed in.

    Who is signed in did it. Without a request, a command or the background did.
    """
    signed_in = getattr(request, "user", None)
    actor = signed_in if isinstance(signed_in, User) else None
    about = user or actor
    event = SecurityEvent.objects.create(
        kind=kind,
        user=about,
        by=actor if actor != about else None,
        merchant=merchant,
        address=address_of(request) if request else None,
        reference=logs.reference.get(),
        detail=detail,
    )
    _log(event)
    for observer in observers:
        observer(event)


def _log(event: SecurityEvent) -> None:
    """A line of text; with LOG_FORMAT=json each part is a field of its own, too."""
    parts = {
        "event": event.kind,
        "person": event.user_id,
        "by": event.by_id,
        "business": event.merchant.reference if event.merchant else None,
        "address": event.address,
        "detail": event.detail or None,
    }
    words = [f"{name} {value or '-'}" for name, value in parts.items() if name != "event"]
    log.info("%s: %s", event.kind, ", ".join(words), extra={"fields": parts})


def counts(kinds: Collection[str], within: timedelta) -> Counter[str]:
    """How many events of each of these kinds there were in this last time."""
    rows = SecurityEvent.objects.filter(kind__in=kinds, at__gt=clock.now() - within)
    return Counter(dict(rows.order_by().values_list("kind").annotate(Count("pk"))))


def address_of(request: HttpRequest) -> str | None:
    """The IP address of the browser, as far as the proxies tell it; a Unix socket has none."""
    try:
        bare, _, _ = request.META.get("REMOTE_ADDR", "").partition("%")  # no zone: fe80::1%eth0
        return str(ip_address(bare))
    except ValueError:
        return None
