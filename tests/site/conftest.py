"""Fixtures of the tests of pages."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from allauth.account import forms
from django.test import Client

from onboarding.people import codes
from tests.support.codes import Kind, anna, newest_code


@pytest.fixture
def compared(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was compared with a code, as it was typed, in the order of the comparisons."""
    seen: list[str] = []
    typed: dict[str, str] = {}
    lock, compare, as_stored = threading.Lock(), forms.compare_user_code, codes.as_stored

    def storing(kind: str, code: str, salt: str) -> str:
        made = as_stored(kind, code, salt)
        typed[made] = code
        return made

    def counting(*, actual: str, expected: str) -> bool:
        with lock:
            seen.append(typed[actual])
        return bool(compare(actual=actual, expected=expected))

    monkeypatch.setattr(codes, "as_stored", storing)
    monkeypatch.setattr(forms, "compare_user_code", counting)
    return seen


@pytest.fixture
def asked(client: Client) -> Callable[[Kind], str]:
    """Anna asks for a code of this kind; the code."""

    def ask(kind: Kind) -> str:
        kind.prepare(client, anna())
        assert kind.ask(client).status_code == 302
        return newest_code()

    return ask
