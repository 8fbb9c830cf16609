"""Arbitrary text in every field of every form, in paths and in queries: no page answers with a 500.

The forms and addresses are found on the pages and in the URL patterns, so that a new one is tried too.
"""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from urllib.parse import quote_from_bytes

import pytest
from django.core.signals import got_request_exception
from django.db import transaction
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from pytest_django.fixtures import Settings

from onboarding.models import User
from tests.support.people import People
from tests.support.scripted import offered
from tests.support.site_map import Form, Obliging, World, addresses, build, client_of, every_form

pytestmark = [pytest.mark.both, pytest.mark.usefixtures("inline_executor")]
FORM = "application/x-www-form-urlencoded"
ODD = [
    b"", b" ", b"\0", b"a\0b", b"\xed\xa0\x80", b"\xff\xfe", b"\xf0\x9f", "\u202eevil\u202c".encode(),
    "\u200b".encode(), b"\r\nX: y", b"\x1b[31m\x7f\x07", "e\u0301\u0301".encode() * 99, b"x" * 10_000,
    b"9" * 5_000, b"-1", b"0", b"1e400", b"NaN", "\u0663".encode(), b"2147483648", b"%s%n{}", b"%00",
    b"9223372036854775808", b"' OR 1=1 --", b"<script>", b"[]", b"null", b"[" * 5_000, b"on", b"\\",
    b'{"id": "\\ud800", "rawId": "\\u0000"}', b"2026-99-99 25:61", b"../../etc/passwd", b"//evil.example",
    "\U0001f469\u200d\U0001f4bb".encode(), b"a@b.c" + b"c" * 300, b"\xc3\xa4@" + b"\xc3\xa4" * 70,
    b"a@[127.0.0.1]", b"d@example.org", b"member", b"red",
]  # fmt: skip
TEXTS = st.one_of(
    st.sampled_from(ODD),
    st.sampled_from(ODD),
    st.text(max_size=40).map(lambda text: text.encode(errors="replace")),
    st.binary(max_size=40),
)
NAMES = [
    "q", "p", "o", "all", "e", "_popup", "_to_field", "_changelist_filters", "_facets", "vendor", "turn",
    "status__exact", "begun", "unsure", "task", "waiting", "vendor__exact", "pk__in", "nonsense", "next",
    "since", "look", "version", "compare", "category", "state", "term", "app_label", "id", "visible__exact",
]  # fmt: skip
ROUNDS = int(os.environ.get("FUZZ_ROUNDS") or 3)  # examples for each form and each address
VISITORS = ["nobody", "alice", "staff"]
Pairs = list[tuple[str, bytes]]


def generated(test: Callable[[Any], None], strategy: st.SearchStrategy[Any], number: int) -> None:
    """Run `test` with some examples: others for each number, and the same ones in each run."""

    def example(drawn: Any) -> None:
        test(drawn)

    bounded = settings(
        max_examples=ROUNDS, deadline=None, database=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    seed(number)(bounded(given(strategy)(example)))()


@pytest.fixture
def world(people: People, settings: Settings) -> World:
    vendor = Obliging()
    settings.VENDORS = offered(vendor)
    return build(people, vendor)


@dataclass
class Asker:
    """Sends one request after the other as one visitor, and takes back what each has changed."""

    user: User | None
    errors: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.session = client_of(self.user).cookies.get("sessionid")
        got_request_exception.connect(self.note)

    def note(self, **_: object) -> None:
        self.errors.append(traceback.format_exc())

    def __call__(self, method: str, path: str, body: bytes = b"", **extra: Any) -> None:
        client = client_of(None)
        if self.session:
            client.cookies["sessionid"] = self.session.value
        with transaction.atomic():
            response = client.generic(method, path, body, FORM, **extra)
            transaction.set_rollback(True)
        assert not self.errors, (method, path, body[:300], extra, self.errors.pop())
        assert response.status_code < 500, (method, path, body[:300], extra)


@st.composite
def filled(draw: st.DrawFn, form: Form) -> Pairs:
    """The form with odd text in all fields or in one, with a field missing, doubled or made up."""
    own = [(name, value.encode()) for name, value in form.fields if name != "csrfmiddlewaretoken"]
    odd = [(name, draw(TEXTS)) for name, _ in own]
    one = draw(st.integers(0, max(len(own) - 1, 0)))
    match draw(st.sampled_from(["all", "one", "one", "missing", "doubled", "more"])):
        case "all":
            return odd
        case "missing":
            return own[:one] + own[one + 1 :]
        case "doubled":
            return odd + own
        case "more":
            return [*own, ("next", draw(TEXTS)), ("nonsense", draw(TEXTS))]
    return own[:one] + odd[one : one + 1] + own[one + 1 :]


def encoded(pairs: Pairs) -> bytes:
    parts = (f"{quote_from_bytes(name.encode())}={quote_from_bytes(text)}" for name, text in pairs)
    return "&".join(parts).encode()


def post(ask: Asker, form: Form, pairs: Pairs) -> None:
    ask("POST", form.action, encoded(pairs))


def query(ask: Asker, path: str, query: bytes) -> None:
    ask("GET", path, QUERY_STRING=query.decode())


def bend(ask: Asker, path: str, drawn: tuple[int, bytes, str]) -> None:
    segments = path.split("/")
    segments[drawn[0] % len(segments)] = quote_from_bytes(drawn[1], safe="")
    ask(drawn[2], "/" + "/".join(segments).lstrip("/"))


@pytest.mark.parametrize("visitor", VISITORS)
def test_no_text_in_a_form_is_an_error(world: World, visitor: str) -> None:
    ask, forms = Asker(world.visitors[visitor]), every_form(world, visitor)
    assert len(forms) >= {"nobody": 4, "alice": 20, "staff": 30}[visitor]
    for number, form in enumerate(forms):
        generated(partial(post, ask, form), filled(form), number)


@pytest.mark.parametrize("visitor", VISITORS)
def test_no_text_in_a_query_is_an_error(world: World, visitor: str) -> None:
    ask, paths = Asker(world.visitors[visitor]), addresses(world, visitor, rows=1)
    queries = st.lists(st.tuples(st.sampled_from(NAMES), TEXTS), min_size=1, max_size=5)
    for number, path in enumerate(paths):
        generated(partial(query, ask, path), queries.map(encoded), number)


@pytest.mark.parametrize("visitor", VISITORS)
def test_no_text_in_a_path_is_an_error(world: World, visitor: str) -> None:
    ask, paths = Asker(world.visitors[visitor]), addresses(world, visitor, rows=1)
    parts = st.tuples(st.integers(0, 7), TEXTS, st.sampled_from(["GET", "POST"]))
    for number, path in enumerate(paths):
        generated(partial(bend, ask, path), parts, number)
