"""A vendor's host that answers what the test says, and calls to it as the journey makes them."""

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

FINE, DOWN, NO = http(), http("{}", "503 Service Unavailable"), http("{}", "404 Not Found")
WAIT = Waiting(note=text("…"), poll_every=timedelta(minutes=1), give_up_after=timedelta(hours=1))


def later(seconds: float = 30) -> str:
    """An unavailable answer with Retry-After."""
    return f"Retry-After: {seconds:.0f}"


def busy(seconds: float = 30) -> bytes:
    return http("{}", "429 Too Many Requests", later(seconds))


@contextmanager
def host(*answers: bytes) -> Iterator[Canned]:
    with Canned(*answers) as server:
        yield server


def send(server: Canned, **call: Any) -> None:
    """One call, inside of whatever step goes on."""
    of_api = {name: call.pop(name) for name in ("operator_credentials", "auth") if name in call}
    api = Api(name="scripted", base_url=server.url, **of_api)
    api.send(**{"method": "POST", "path": "/things", "reply": Nothing, "ok": (200,), **call})


def ask(server: Canned, times: int = 1, **call: Any) -> VendorError | None:
    """Steps of one call each; what the last one met."""
    last: VendorError | None = None
    for _ in range(times):
        last = None
        try:
            with breaker.guard("scripted"):
                send(server, **call)
        except VendorError as error:
            last = error
    return last


def asking(server: Canned, **call: Any) -> Callable[[Order], Step]:
    """The same as an answer of the scripted vendor."""

    def answer(order: Order) -> Step:
        send(server, **call)
        return WAIT

    return answer


def row() -> Breaker:
    return Breaker.objects.get()


def left() -> float:
    """Seconds for which the host still rests."""
    until = row().retry_at
    return (until - timezone.now()).total_seconds() if until else 0.0


def time_passes() -> None:
    """Every rest is over."""
    Breaker.objects.exclude(retry_at=None).update(retry_at=timezone.now())
