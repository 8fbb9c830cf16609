"""Prints how long pages take while an attack on the web server runs: python -m tests.security.figures

The table is that of docs/security/web-server.md. SECONDS=8 is how long each page is asked in each row.
"""

from __future__ import annotations

import os
import tempfile
import time
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from tests.security.attacks import ATTACKS, UPLOADS, under, under_uploads
from tests.security.running import PAGES, Took, measure, web_server
from tests.support.site import Site

SECONDS = float(os.environ.get("SECONDS", "8"))


def cell(took: Took) -> str:
    answered = len(took.seconds) - took.failed
    times = f"{took.p50 * 1000:.0f}/{took.p99 * 1000:.0f} ms"
    return times if not took.failed else f"{answered} of {len(took.seconds)} answered, {times}"


def row(site: Site, name: str, attack: AbstractContextManager[object]) -> str:
    with attack:
        time.sleep(1.5)  # until all of them are connected
        found = [cell(measure(site, path, SECONDS)) for path in PAGES]
    time.sleep(1)
    return f"| {name} | {' | '.join(found)} |"


def main() -> None:
    with (
        tempfile.TemporaryDirectory(prefix="edge-figures-") as name,
        web_server(Path(name)) as site,
    ):
        print(f"| attack | {' p50/p99 | '.join(PAGES)} p50/p99 |\n|---|---|---|", flush=True)
        held = {name: under(attack, site.port) for name, attack in ATTACKS.items()}
        sent = {name: under_uploads(upload, site.port) for name, upload in UPLOADS.items()}
        attacks: dict[str, AbstractContextManager[object]] = {"none": nullcontext(), **held, **sent}
        for name, attack in attacks.items():
            print(row(site, name, attack), flush=True)


if __name__ == "__main__":
    main()
