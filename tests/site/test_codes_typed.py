"""How a code may be typed: only its letters and digits count, and a box without any costs no try."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.core.cache import cache
from django.test import Client

from tests.support.codes import KINDS, Kind
from tests.support.visit import visible_text

pytestmark = pytest.mark.django_db
EVERY_KIND = pytest.mark.parametrize("kind", KINDS, ids=str)
ODD = ["", " ", "\u00a0", "\u200b", "---", ". .", "\x00", "\u2060\ufeff", "🔑"]
# What people paste beside the code itself: blanks and dashes of all kinds, quotes, marks, wide letters.
DRESSES = [
    "{a}\u00a0{b}", "{a}{b}\u200b", "\ufeff{a}{b}", "\u202d{a}{b}\u202c", "{a}\u2011{b}", "{a}\u2013{b}",
    "{a}\u00ad{b}", "{a}\u2009{b}", "“{a}{b}”", "{a}{b}\u2028", "{a}\x00{b}", "{a}\u2060{b}", "{a}·{b}",
    "{wide}", "{lower}", "({a}) {b}.",
]  # fmt: skip


@pytest.fixture(autouse=True)
def _fresh_limits() -> None:
    cache.clear()


@EVERY_KIND
@pytest.mark.parametrize("typed", ODD, ids=ascii)
def test_a_box_without_letters_and_digits_costs_no_try(
    client: Client, asked: Callable[[Kind], str], compared: list[str], kind: Kind, typed: str
) -> None:
    code = asked(kind)
    for _ in range(4):
        assert "Enter the code from our email." in visible_text(kind.enter(client, typed))
    assert compared == []
    assert kind.enter(client, code).status_code == 302
    assert kind.worked(client)


@EVERY_KIND
@pytest.mark.parametrize("dress", DRESSES, ids=ascii)
def test_a_right_code_is_right_whatever_came_along(
    client: Client, asked: Callable[[Kind], str], kind: Kind, dress: str
) -> None:
    code = asked(kind)
    half = len(code) // 2
    wide = "".join(chr(ord(each) + 0xFEE0) for each in code)
    typed = dress.format(a=code[:half], b=code[half:], wide=wide, lower=code.lower())
    assert kind.enter(client, typed).status_code == 302
    assert kind.worked(client)
