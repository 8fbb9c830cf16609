"""allauth's own rate limits, counted in our table: allauth reads a value of the cache, adds to it and writes
it back, and a cache forgets.

allauth has no setting for where it counts. So the two functions that count are replaced at start; the rates
stay allauth's settings, which may name a `network` beside an `ip`, a `user` and a `key`.
"""

from __future__ import annotations

from allauth.core.exceptions import RateLimited
from allauth.core.internal import ratelimit
from django.http import HttpRequest

from onboarding.models import User

from .askers import Asker, limits_of
from .limits import Limit, note_refusal


class Usage:
    """One use of a limit, in the place of allauth's."""

    def __init__(self, limit: Limit | None) -> None:
        self.limit = limit

    def rollback(self) -> None:
        if self.limit:
            self.limit.give_back()


def install() -> None:
    ratelimit._consume_single_rate = _consume
    ratelimit.clear = _clear


def _consume(
    request: HttpRequest,
    *,
    app: str,
    action: str,
    rate: ratelimit.Rate,
    key: str | None = None,
    user: User | None = None,
    dry_run: bool = False,
    raise_exception: bool = False,
) -> Usage | None:
    limit = _limit(request, app, action, rate, key, user)
    if limit is None:
        return Usage(None)
    refused = limit.seconds_left() > 0 if dry_run else not limit.take()
    if not refused:
        return Usage(None if dry_run else limit)
    note_refusal(request, limit)
    if raise_exception:
        raise RateLimited
    return None


def _clear(
    request: HttpRequest,
    *,
    app: str,
    action: str,
    config: dict[str, str] | None = None,
    key: str | None = None,
    user: User | None = None,
) -> None:
    for rate in ratelimit.get_rates(app=app, action=action, config=config):
        if limit := _limit(request, app, action, rate, key, user):
            limit.forget()


def _limit(
    request: HttpRequest,
    app: str,
    action: str,
    rate: ratelimit.Rate,
    key: str | None,
    user: User | None,
) -> Limit | None:
    """None: not counted. On this machine, one network has as many people as there are tests."""
    if rate.per == "network":
        asker = Asker.of(request)
        if asker.is_local:
            return None
        whom = asker.network
    elif rate.per == "ip":
        whom = Asker.of(request).ip
    elif rate.per == "user":
        whom = str((user or request.user).pk)
    else:
        whom = key or ""
    text = f"{rate.amount}/{rate.duration:.0f}s"
    [limit] = limits_of(action, rate.per, (app, whom), text)
    return limit
