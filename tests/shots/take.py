"""`make shots`: every page and state in four looks, as pictures and on one contact sheet.

They are in `screenshots/`, which git ignores; open `screenshots/index.html`. ARGS="--only attempt" takes
those whose names contain a word.
"""

from __future__ import annotations

import argparse
from html import escape
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from tests.support import chromium as program
from tests.support.pictures import take_picture
from tests.support.site import ROOT

from .gallery import Gallery, gallery
from .world import Page

FOLDER = ROOT / "screenshots" / "pages"
LOOKS = {
    "wide-light": (1280, "light"),
    "narrow-light": (360, "light"),
    "wide-dark": (1280, "dark"),
    "narrow-dark": (360, "dark"),
}
SHEET = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Contact sheet</title><style>
body {{ margin: 1rem; background: #777; color: #fff; font: 14px/1.4 sans-serif; }}
section {{ display: flex; gap: 1rem; align-items: start; margin-bottom: 2rem; }}
h2 {{ margin: 0 0 .5rem; font-size: 1rem; }}
img {{ display: block; max-height: 60rem; border: 1px solid #000; }}
img.wide {{ width: 640px; }} img.narrow {{ width: 240px; }}
</style></head><body>{sections}</body></html>"""


def take(found: Gallery, chromium: Browser, look: str, pages: list[Page]) -> None:
    """A picture of each page in this look."""
    width, scheme = LOOKS[look]
    for who in found.cookies:
        size = {"width": width, "height": 800}
        context = found.browser(chromium, who, viewport=size, color_scheme=scheme)
        for page in (each for each in pages if each.who == who):
            tab = context.new_page()
            found.show(tab, page)
            tab.evaluate("document.fonts.ready")
            take_picture(tab, FOLDER / f"{page.name}.{look}.png", animations="disabled")
            tab.close()
        context.close()


def sheet(pages: list[Page]) -> str:
    return SHEET.format(sections="".join(map(section, pages)))


def section(page: Page) -> str:
    pictures = "".join(
        f'<a href="pages/{escape(page.name)}.{look}.png">'
        f'<img class="{look.split("-")[0]}" src="pages/{escape(page.name)}.{look}.png" alt="{look}"></a>'
        for look in LOOKS
    )
    return f"<h2>{escape(page.name)} <small>{escape(page.path)}</small></h2><section>{pictures}</section>"


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--only", default="", help="a word in the names of the pages")
    only = options.parse_args().only
    FOLDER.mkdir(parents=True, exist_ok=True)
    with gallery() as found, sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program.PROGRAM, args=program.ARGS)
        pages = [page for page in found.pages if only in page.name]
        for look in LOOKS:
            take(found, chromium, look, pages)
        chromium.close()
    index = Path(FOLDER.parent / "index.html")
    index.write_text(sheet(pages))
    print(f"{len(pages)} pages in {len(LOOKS)} looks: {index}")  # noqa: T201


if __name__ == "__main__":
    main()
