"""The content of log lines, and what they never contain. Lines of real processes: test_observed.py."""

from __future__ import annotations

import json
import logging
import re
import subprocess
import sys
from typing import Any

import pytest
from django.db import IntegrityError
from django.test import Client
from django.urls import reverse

from onboarding import journey
from onboarding.models import Attempt, Event
from onboarding.monitoring import logs
from tests.conftest import ROOT
from tests.support.attempts import begin_attempt
from tests.support.people import People
from tests.support.scripted import Scripted
from tests.support.sweep import sweep
from tests.support.visit import browser
from vendors.contract import Garbled, Order, Redirect, Step

REFERENCE = re.compile(r"[2-9A-HJ-NP-Z]{4}-[2-9A-HJ-NP-Z]{4}")
SECRET = "s3cr3t"


def record(error: BaseException | None = None) -> logging.LogRecord:
    info: Any = (type(error), error, error.__traceback__) if error else None
    return logging.LogRecord("onboarding", logging.ERROR, "", 0, "it broke", (), info)


def caught(make: Any) -> Exception:
    try:
        make()
    except Exception as error:  # noqa: BLE001  (any is what is looked at)
        return error
    raise AssertionError("nothing was raised")


def integrity() -> None:
    detail = f"DETAIL:  Key (shop, token)=({SECRET}, x) already exists."
    raise IntegrityError(f'duplicate key value violates "one_shop"\n{detail}')


def chained() -> None:
    try:
        int(SECRET)
    except ValueError as error:
        raise RuntimeError("outer") from error


@pytest.mark.parametrize(
    "make",
    [
        lambda: int(SECRET),
        lambda: dict[str, str]()[SECRET],
        integrity,
        chained,
        lambda: json.loads(f"[{SECRET}"),
    ],
)
@pytest.mark.parametrize(
    "lines", [logs.Json(), logs.Text(logs.TEXT, style="{")], ids=["json", "text"]
)
def test_a_traceback_has_files_and_lines_but_no_values(lines: logging.Formatter, make: Any) -> None:
    error = record(caught(make))
    error.reference = "-"
    said = lines.format(error)
    assert "test_logs.py" in said
    assert type(caught(make)).__name__ in said
    assert SECRET not in said


def test_what_our_own_code_says_of_a_fault_stays() -> None:
    assert logs.summary(Garbled("GET /v1/x answered 200, unreadable: 'id'")).endswith(
        "unreadable: 'id'"
    )
    assert logs.summary(AttributeError("'X' has no attribute 'y'")).endswith("no attribute 'y'")
    assert logs.summary(KeyError("y")) == "KeyError: '…'"
    assert len(logs.summary(RuntimeError("x" * 5000))) < 400


def test_a_traceback_tells_what_led_to_it() -> None:
    said = json.loads(logs.Json().format(record(caught(chained))))["traceback"]
    assert said.index("ValueError: invalid literal") < said.index("RuntimeError: outer")


def test_gunicorns_line_becomes_an_object() -> None:
    atoms = {"m": "GET", "U": "/a", "s": "200", "B": 12, "M": 3, "h": "10.0.0.1"}
    atoms |= {"{x-request-reference}o": "7K3Q-9M2P"}
    line = logging.LogRecord("gunicorn.access", 20, "", 0, "%(m)s %(U)s", (atoms,), None)
    said = json.loads(logs.JsonAccess().format(line))
    assert said.pop("time")
    assert said == {
        "level": "INFO", "logger": "gunicorn.access", "reference": "7K3Q-9M2P",
        "message": "GET /a 200", "address": "10.0.0.1", "method": "GET", "path": "/a",
        "status": 200, "bytes": 12, "ms": 3,
    }  # fmt: skip


BREAKS = """
import django, threading, warnings
django.setup()
warnings.warn("careful")
thread = threading.Thread(target=lambda: int("s3cr3t"), name="helper")
thread.start(); thread.join()
{}["s3cr3t"]
"""


@pytest.mark.process
def test_what_ends_a_process_or_a_thread_is_a_line_too(fresh_environment: dict[str, str]) -> None:
    more = {"LOG_FORMAT": "json", "DJANGO_SETTINGS_MODULE": "onboarding.settings"}
    environment = {**fresh_environment, **more, "PYTHONWARNINGS": "default"}
    command = [sys.executable, "-c", BREAKS]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    said = [json.loads(line) for line in done.stderr.splitlines()]
    assert [line["logger"] for line in said] == ["py.warnings", "python", "python"]
    assert [line["message"] for line in said[1:]] == ["the thread helper ends", "this process ends"]
    assert (done.returncode, SECRET in done.stderr) == (1, False)


# -- references ----------------------------------------------------------------------------------


def test_each_row_of_a_sweep_has_a_reference_in_lines_and_events(
    people: People, scripted: Scripted
) -> None:
    seen = list[str]()

    def answer(order: Order) -> Step:
        seen.append(logs.reference.get())
        return Redirect(url="https://vendor.example/x")

    for name in ("One", "Two"):
        attempt = begin_attempt(people, name)
        Attempt.objects.filter(pk=attempt.pk).update(due_at=attempt.created)
        scripted.script.append(answer)
        sweep()
    assert len(set(seen)) == 2
    assert all(REFERENCE.fullmatch(each) for each in seen)
    assert set(seen) <= set(Event.objects.values_list("reference", flat=True))
    assert logs.reference.get() == "-"


def test_what_a_request_began_keeps_its_reference(people: People, scripted: Scripted) -> None:
    seen = list[str]()

    def answer(order: Order) -> Step:
        seen.append(logs.reference.get())
        return Redirect(url="https://vendor.example/x")

    attempt = begin_attempt(people)
    scripted.script.append(answer)
    token = logs.reference.set("ABCD-2345")
    journey.advance(attempt.pk, present=True)
    logs.reference.reset(token)
    assert seen == ["ABCD-2345"]


def test_a_reference_ends_with_the_work_even_when_it_breaks() -> None:
    @logs.with_reference()
    def breaks() -> None:
        assert REFERENCE.fullmatch(logs.reference.get())
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        breaks()
    assert logs.reference.get() == "-"


def test_pages_that_say_no_carry_the_reference(client: Client, people: People) -> None:
    missing = client.get("/nowhere/")
    assert missing["X-Request-Reference"] in missing.content.decode()
    strict = browser(people.alice, strict=True)
    refused = strict.post(reverse("home", args=[people.acme.reference]))
    assert refused.status_code == 403
    assert refused["X-Request-Reference"] in refused.content.decode()


def test_a_broken_page_carries_the_reference(
    people: People, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ValueError(SECRET)

    monkeypatch.setattr("onboarding.views.start.catalogue.render", broken)
    caplog.handler.addFilter(logs.ReferenceFilter())
    visitor = Client(raise_request_exception=False)
    page = visitor.get("/")
    assert (page.status_code, page["X-Request-Reference"] in page.content.decode()) == (500, True)
    [line] = [each for each in caplog.records if each.name == "django.request"]
    assert line.__dict__["reference"] == page["X-Request-Reference"]
