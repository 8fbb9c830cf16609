"""Sixty people sign up while the mail server is slow, silent or away: nobody reads an untruth.

Other pages answer meanwhile. docs/security/availability.md has the figures (tests/security/queue_figures.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest

from tests.security.crowds import Took, one_process, readers, said, sign_ups
from tests.support.mail_server import running
from tests.support.site import Site, free_port

CROWD = 60
PATIENCE = 10.0  # seconds; a machine with nothing else to do needs two
ON_ITS_WAY, SENT = "We are sending the code to", "We have sent a code"
DOWN = "We cannot send email at the moment"
BEHAVIOURS = {"away": None, "slow": 1.0, "silent": 3600.0, "good": 0.0}  # seconds for each byte


@pytest.fixture(scope="module")
def port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, port: int) -> Iterator[Site]:
    folder: Path = tmp_path_factory.mktemp("site")
    with one_process(folder, EMAIL_URL=f"smtp://127.0.0.1:{port}") as made:
        yield made


def crowd(site: Site, port: int, what: str) -> tuple[Took, Took]:
    """What those who sign up get, and those who read other pages."""
    pace = BEHAVIOURS[what]
    with nullcontext() if pace is None else running(port) as server:
        if server:
            server.pace = pace or 0.0
        with readers(site, "/", "/connectors/") as others:
            return sign_ups(site, CROWD, what), others


@pytest.mark.parametrize("what", BEHAVIOURS)
def test_whatever_the_mail_server_does_all_pages_answer_and_are_true(
    site: Site, port: int, what: str
) -> None:
    people, others = crowd(site, port, what)
    assert set(people.statuses) == {200}, str(people)
    assert set(others.statuses) == {200}, str(others)
    assert max(people.slowest, others.slowest) < PATIENCE
    on_its_way, sent, down = (said(people, each) for each in (ON_ITS_WAY, SENT, DOWN))
    assert on_its_way + sent + down == CROWD
    assert sent == 0 or what == "good"
    assert down == 0 or what == "away"
