"""A fake vendor host with canned responses, and calls to it as the journey makes them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from django.utils import timezone

from onboarding.availability import breaker
from onboarding.models import Breaker
from tests.support.canned import Canned, http
from vendors.contract import Order, Step, VendorError, Waiting, text
from vendors.http.api import Api, Nothing

OK, UNAVAILABLE, NOT_FOUND = (
    http(),
    http("{}", "503 Service Unavailable"),
    http("{}", "404 Not Found"),
)
WAIT = Waiting(note=text("…"), poll_every=timedelta(minutes=1), give_up_after=timedelta(hours=1))


def retry_after(seconds: float = 30) -> str:
    """A Retry-After header."""
    return f"Retry-After: {seconds:.0f}"


def rate_limited(seconds: float = 30) -> bytes:
    return http("{}", "429 Too Many Requests", retry_after(seconds))


@contextmanager
def host(*answers: bytes) -> Iterator[Canned]:
    with Canned(*answers) as server:
        yield server


def send(server: Canned, **call: Any) -> None:
    """Make one call as part of the current step."""
    of_api = {name: call.pop(name) for name in ("operator_credentials", "auth") if name in call}
    api = Api(name="scripted", base_url=server.url, **of_api)
    api.send(**{"method": "POST", "path": "/things", "reply": Nothing, "ok": (200,), **call})


def call_guarded(server: Canned, times: int = 1, **call: Any) -> VendorError | None:
    """Run `times` steps of one call each behind the circuit breaker; the error of the last one."""
    last: VendorError | None = None
    for _ in range(times):
        last = None
        try:
            with breaker.guard("scripted"):
                send(server, **call)
        except VendorError as error:
            last = error
    return last


def step_that_calls(server: Canned, **call: Any) -> Callable[[Order], Step]:
    """The same call as a step of the scripted vendor."""

    def answer(order: Order) -> Step:
        send(server, **call)
        return WAIT

    return answer


def breaker_row() -> Breaker:
    return Breaker.objects.get()


def seconds_until_retry() -> float:
    """Seconds until the breaker lets a call through again."""
    until = breaker_row().retry_at
    return (until - timezone.now()).total_seconds() if until else 0.0


def reach_retry_time() -> None:
    """Every breaker may be tried again now."""
    Breaker.objects.exclude(retry_at=None).update(retry_at=timezone.now())
