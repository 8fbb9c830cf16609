"""Pictures of pages, for people to look at."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Error, Page

REFUSED = "Unable to capture screenshot"


def take_picture(page: Page, path: Path) -> None:
    """A picture of the whole page. Chromium may refuse to draw one, and draws it when asked again."""
    try:
        page.screenshot(path=path, full_page=True)
    except Error as error:
        if REFUSED not in error.message:
            raise
        page.screenshot(path=path, full_page=True)
