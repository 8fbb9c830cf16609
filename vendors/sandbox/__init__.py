"""The sandboxes: imitations of the vendors on localhost, over real HTTP, with fault injection.

A vendor's `sandbox` package declares routes on a `Sandbox`; `environ(base_url)` returns the settings
with which Gangway uses it. Each sandbox is mounted below `/<slug>/`. A person chooses a fault on the
vendor's own pages or on the front page; a test injects faults (`Running.fault`, `/_control/fault`).
"""

from __future__ import annotations

import importlib
import logging
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import ModuleType

from .application import Application
from .dispatch import Sandboxes
from .http import Refused, Request, Response, json_response, redirect
from .pages import CASE_BUTTONS, page
from .routing import Sandbox
from .server import Server
from .state import JsonObject, Row, Store

__all__ = [
    "CASE_BUTTONS",
    "JsonObject",
    "Refused",
    "Request",
    "Response",
    "Row",
    "Running",
    "Sandbox",
    "Store",
    "demo_options",
    "environ",
    "json_response",
    "page",
    "redirect",
    "serve",
    "slugs",
    "start",
]

log = logging.getLogger(__name__)


def slugs() -> tuple[str, ...]:
    """The vendors that have a sandbox: the folders beside ours with a module of that name.

    The template of a vendor (`_template`) is none of them.
    """
    folders = Path(__file__).parent.parent.glob("[!_]*/")
    return tuple(sorted(folder.name for folder in folders if any(folder.glob("sandbox*"))))


def environ(base_url: str, *vendors: str) -> dict[str, str]:
    """The settings that point Gangway at the sandbox of these vendors (default: all)."""
    settings: dict[str, str] = {}
    for slug in vendors or slugs():
        settings |= _module(slug).environ(base_url.rstrip("/"))
    return settings


def demo_options(vendor: str) -> dict[str, dict[str, str]]:
    """What staff of a demo have answered about this vendor's connectors: by connector key, then question."""
    options: dict[str, dict[str, str]] = getattr(_module(vendor), "DEMO_OPTIONS", {})
    return options


def serve(host: str, port: int, data_dir: str | Path, vendors: Sequence[str] = ()) -> None:
    """Serve the sandboxes until interrupted (Ctrl+C). Their state is stored in `data_dir`."""
    running = Running(data_dir, host, port, vendors)
    with suppress(KeyboardInterrupt):
        running.run(poll_interval=0.5)
    log.info("sandbox stopped")
    running.close()


def start(
    data_dir: str | Path, host: str = "127.0.0.1", port: int = 0, vendors: Sequence[str] = ()
) -> Running:
    """Serve the sandboxes in a thread and return at once. Port 0 chooses a free port."""
    running = Running(data_dir, host, port, vendors)
    running.thread.start()
    return running


class Running(Sandboxes):
    """Sandboxes with a listening HTTP server. For tests: `fault`, `wait_until_held`, `counts`, `state` …"""

    def __init__(
        self, data_dir: str | Path, host: str, port: int, vendors: Sequence[str] = ()
    ) -> None:
        super().__init__(data_dir, [_module(slug).sandbox for slug in vendors or slugs()])
        self._server = Server(host, port, Application(self))
        self.url = f"http://{host}:{self._server.port}"
        self.thread = threading.Thread(target=self.run, name="sandbox", daemon=True)

    def run(self, poll_interval: float = 0.005) -> None:
        self._server.serve_forever(poll_interval)

    def stop(self) -> None:
        """Release held requests, stop the server and close the database."""
        self._server.shutdown()
        self.thread.join()
        self.close()

    def close(self) -> None:
        self._server.server_close()
        super().close()
        self._server.close_connections()


def _module(slug: str) -> ModuleType:
    return importlib.import_module(f"vendors.{slug}.sandbox")
