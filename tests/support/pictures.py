"""Pictures of pages, for people to look at."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Literal

from playwright.sync_api import Error, Page

REFUSED = "Unable to capture screenshot"


def take_picture(
    page: Page, path: Path, *, animations: Literal["allow", "disabled"] = "allow"
) -> None:
    """A picture of the whole page. Chromium may refuse to draw one, and draws it when asked again."""
    draw = partial(page.screenshot, path=path, full_page=True, animations=animations)
    try:
        draw()
    except Error as error:
        if REFUSED not in error.message:
            raise
        draw()
