"""A picture that Chromium refuses to draw is asked for once more, and nothing else is."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest
from playwright.sync_api import Error, Page

from tests.support.pictures import REFUSED, take_picture

PICTURE = Path("page.png")


class Chromium:
    """Answers the first requests for a picture with these errors."""

    def __init__(self, *errors: str) -> None:
        self.errors, self.asked = list(errors), 0

    def screenshot(self, **_: object) -> None:
        self.asked += 1
        if self.errors:
            raise Error(self.errors.pop(0))


def test_a_refused_picture_is_asked_for_again() -> None:
    chromium = Chromium(f"Protocol error (Page.captureScreenshot): {REFUSED}")
    take_picture(cast("Page", chromium), PICTURE)
    assert chromium.asked == 2


@pytest.mark.parametrize(("errors", "asked"), [([REFUSED] * 2, 2), (["Target closed"], 1)])
def test_any_other_failure_is_one(errors: list[str], asked: int) -> None:
    chromium = Chromium(*errors)
    with pytest.raises(Error):
        take_picture(cast("Page", chromium), PICTURE)
    assert chromium.asked == asked
