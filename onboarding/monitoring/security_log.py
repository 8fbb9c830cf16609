"""The security log: a row and a line for each event, with ids alone: no name, no secret."""

from __future__ import annotations

import logging
from ipaddress import ip_address

from django.http import HttpRequest

from onboarding.models import Merchant, SecurityEvent, User

from . import logs

log = logging.getLogger("onboarding.security")


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
    log.info(
        "%s: person %s, by %s, business %s, address %s%s",
        event.kind,
        event.user_id or "-",
        event.by_id or "-",
        merchant.reference if merchant else "-",
        event.address or "-",
        f", {detail}" if detail else "",
    )


def address_of(request: HttpRequest) -> str | None:
    """The IP address of the browser, as far as the proxies tell it; a Unix socket has none."""
    try:
        bare, _, _ = request.META.get("REMOTE_ADDR", "").partition("%")  # no zone: fe80::1%eth0
        return str(ip_address(bare))
    except ValueError:
        return None
