"""Any text in front of every text of a vendor's answers: never a bug, never a page that fails.

What each kind of odd text leads to is in test_faults.py. Here hypothesis chooses the texts, for every
documented call, on both databases.
"""

from __future__ import annotations

import zlib

import pytest
from django.urls import reverse
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from onboarding.models import Attempt, Connection
from tests.faults.scene import Driver, Matrix, Scene
from tests.faults.test_faults import SCENES, driver, injector, rolled_back

__all__ = ["driver", "injector"]  # fixtures

EXAMPLES = 4  # for each scene
PECULIAR = [
    "\0", "\ud800", "\udc00\ud800", "\ufeff", "\u202e", "\x1b[2J", "\r\nX: y", "%s%(a)s{0}{{", "<b>&amp;",
    "\u2028", "\x85", "'\";--", "\\u0000", "x" * 201, "é" * 251, "💥" * 1001, " ", "..", "/", "?#",
]  # fmt: skip
TEXTS = st.sampled_from(PECULIAR) | st.text(st.characters(exclude_categories=()), min_size=1)


@pytest.mark.both
@pytest.mark.parametrize(("matrix", "scene"), SCENES)
def test_no_text_of_a_vendor_is_a_bug(matrix: Matrix, scene: Scene, driver: Driver) -> None:
    snapshot = driver.injector.stage.snapshot()

    @seed(zlib.crc32(f"{matrix.slug} {scene.route} {scene.when}".encode()))
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(TEXTS)
    def play(before: str) -> None:
        driver.injector.stage.restore(snapshot)
        matrix.forget()
        driver.injector.stage.fault(
            driver.slug,
            scene.route,
            kind="texts",
            times=None,
            skip=scene.call("").skip,
            before=before,
        )
        with rolled_back():
            driver.try_again() if scene.retried else scene.act(driver)
            expect_no_bug(driver)
        driver.injector.clear()

    play()


def expect_no_bug(driver: Driver) -> None:
    """A bug in a call raises at once; here are the rows that it leaves, and the pages."""
    assert not Attempt.objects.exclude(crashes=0).exists()
    assert not Connection.objects.exclude(crashes=0).exists()
    rows: list[Attempt | Connection] = [*Attempt.objects.all(), *Connection.objects.all()]
    for row in rows:
        driver.browser.page(row.get_absolute_url())
        name = f"admin:onboarding_{row._meta.model_name}_change"
        assert driver.staff.get(reverse(name, args=[row.pk])).status_code == 200
