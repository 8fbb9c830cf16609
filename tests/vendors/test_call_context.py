"""The deadline of a whole step, and the record of its calls."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import TypeAdapter

from tests.support.canned import RESET, Canned, http
from vendors.contract import Unavailable, VendorError
from vendors.http import call_context
from vendors.http.api import Api, Nothing, Reply
from vendors.http.call_context import CallContext, CallRecord, Pause, use_context

NOON = datetime(2026, 11, 29, 12, tzinfo=UTC)


class Thing(Reply):
    id: str


THINGS: TypeAdapter[list[Thing] | None] = TypeAdapter(list[Thing] | None)


def api(server: Canned) -> Api:
    return Api(name="vendor", base_url=server.url)


def send(server: Canned, path: str = "/things", **parts: str) -> None:
    api(server).send("GET", path, Nothing, ok=(200,), parts=parts)


def spent(step: CallContext) -> Callable[[str], None]:
    """What is asked before each call uses up the step's time: only the first call fits."""

    def rest(host: str) -> None:
        step._began -= 60

    return rest


def test_a_call_takes_no_longer_than_what_is_left_of_the_step() -> None:
    began = time.monotonic()
    with (
        Canned((b"HTTP/1.1 200 OK\r\n", b"X: y\r\n")) as server,
        use_context(CallContext(30)) as step,
    ):
        step._began -= 29.7
        with pytest.raises(Unavailable, match="took too long"):
            send(server)
    assert time.monotonic() - began < 20  # a call may take 30 s by itself
    assert step.calls[0].outcome == "time-out"


def test_moments_of_calls_are_by_the_clock_that_the_site_gives(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A time to wait that is a date counts from there as well."""
    monkeypatch.setattr(call_context, "_clock", lambda: NOON)
    busy = http("{}", "429 Too Many Requests", "Retry-After: Sun, 29 Nov 2026 12:02:00 GMT")
    with (
        Canned(busy) as server,
        use_context(CallContext(30)) as step,
        pytest.raises(Unavailable) as caught,
    ):
        send(server)
    assert (step.calls[0].at, step.calls[0].retry_after) == (NOON, 120)
    assert caught.value.asked_until == NOON + timedelta(minutes=2)


def test_several_calls_share_the_seconds_of_a_step() -> None:
    with Canned(http(), http()) as server, use_context(CallContext(30)) as step:
        step.pause_of = spent(step)
        send(server)
        with pytest.raises(Unavailable, match="was not sent: the step took too long"):
            send(server)
        assert len(server.requests) == len(step.calls) == 1


def test_a_creation_is_not_begun_when_it_might_be_cut_off() -> None:
    with Canned(http()) as server, use_context(CallContext(30)) as step:
        step._began -= 20
        with pytest.raises(Unavailable, match="was not sent"):
            api(server).send("POST", "/things", Nothing, ok=(200,), creates=True)
        send(server)
        assert len(server.requests) == 1


def test_the_pages_of_a_list_share_them_too() -> None:
    page = http('[{"id": "1"}]', "200 OK", 'Link: </things?page=2>; rel="next"')
    with Canned(page, http("[]")) as server, use_context(CallContext(30)) as step:
        step.pause_of = spent(step)
        with pytest.raises(Unavailable, match="the step took too long"):
            api(server).rows("/things", THINGS)
        assert len(server.requests) == 1


def test_without_a_step_each_call_has_its_own_time() -> None:
    with Canned(http()) as server:
        send(server)
        assert call_context.remaining(5.0) == 5.0


def test_a_host_with_an_open_breaker_is_not_called() -> None:
    with (
        Canned(http()) as server,
        use_context(CallContext(30, pause_of=lambda host: Pause(7.0))) as step,
    ):
        with pytest.raises(Unavailable, match="the circuit breaker of the host is open") as caught:
            send(server)
        assert (caught.value.retry_after, server.requests, step.calls) == (7.0, [], [])


def test_what_is_recorded_of_a_call(monkeypatch: pytest.MonkeyPatch) -> None:
    observed: list[CallRecord] = []
    monkeypatch.setattr(call_context, "observers", [observed.append])
    with Canned(http(), RESET) as server, use_context(CallContext(30)) as step:
        send(server, "/things/{id}", id="id-4711")
        with pytest.raises(Unavailable):
            send(server)
    assert [(each.call, each.outcome) for each in observed] == [
        ("GET /things/{id}", "200"),
        ("GET /things", "no answer"),
    ]
    assert observed == step.calls
    assert "4711" not in repr(observed)


@pytest.mark.parametrize(
    ("answer", "own", "said"),
    [
        (http(), True, "accepted"),
        (http("{}", "401 Unauthorized"), True, "refused"),
        (http("{}", "403 Forbidden"), True, "unclear"),
        (http('{"error": "spent"}', "401 Unauthorized"), True, "accepted"),
        (http("{}", "404 Not Found"), True, ""),
        (http("{}", "503 Busy"), True, ""),
        (http(), False, ""),
        (http("{}", "401 Unauthorized"), False, ""),
    ],
)
def test_what_is_recorded_of_our_credentials(answer: bytes, own: bool, said: str) -> None:
    def code(status: int, body: object) -> str:
        return str(body.get("error", "")) if isinstance(body, dict) else ""

    with Canned(answer) as server, use_context(CallContext(30)) as step:
        mine = Api(
            name="v", base_url=server.url, operator_credentials=own,
            machine_code=code, accepted_codes=("spent",),
        )  # fmt: skip
        with suppress(VendorError):
            mine.send("GET", "/", Nothing, ok=(200,))
    assert step.calls[0].credentials == said


def test_a_host_is_named_without_what_opens_it() -> None:
    with Canned(http()) as server, use_context(CallContext(30)) as step:
        host = server.url.removeprefix("http://")
        Api(name="v", base_url=f"http://us3r:s3cr3t@{host}").send("GET", "/", Nothing, ok=(200,))
    assert step.calls[0].host == host
