"""`manage.py sandbox`: serves the sandboxes of all vendors, by default on the port after the site's."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from onboarding.background.shutdown import sigterm_as_ctrl_c
from vendors import sandbox


class Command(BaseCommand):
    help = "Serve the sandboxes of all vendors. Their state is stored in DATA_DIR."

    def add_arguments(self, parser: CommandParser) -> None:
        address = urlsplit(settings.SANDBOX_URL)
        parser.add_argument("--host", default=address.hostname or "127.0.0.1")
        parser.add_argument("--port", type=int, default=address.port or settings.PORT + 1)

    def handle(self, *args: object, host: str, port: int, **options: object) -> None:
        if not settings.LOOPBACK:
            raise CommandError("The sandbox is only for a SITE_URL on a loopback address.")
        folder = settings.DATA_DIR / "sandbox"
        folder.mkdir(parents=True, exist_ok=True)
        self.stdout.write(f"Sandbox at http://{host}:{port}/")
        self.stdout.flush()
        with sigterm_as_ctrl_c():
            sandbox.serve(host, port, folder)
