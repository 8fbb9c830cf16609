"""A mail server over real SMTP that answers as a test wants."""

from __future__ import annotations

import socketserver
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from pytest_django.fixtures import Settings

from onboarding.conf.service_urls import MAIL_BACKENDS

HANG_UP = "hang up"  # an answer: the connection is closed without one
DEFAULTS = {
    "CONNECT": "220 ready",
    "EHLO": "250-here\r\n250-AUTH PLAIN LOGIN\r\n250 8BITMIME",
    "DATA": "354 go on",
    "AUTH": "235 come in",
    "QUIT": "221 bye",
}


@dataclass
class MailServer:
    """`answers`: by verb, or by verb and recipient (`RCPT kai@…`). `CONTENT` is the answer after DATA.

    `received`: (recipients, message) of every mail that was taken. `commands`: all that was said.
    `open`: while it is clear, the server listens and says nothing. `pace`: seconds for each byte it says.
    """

    port: int
    answers: dict[str, str] = field(default_factory=dict)
    received: list[tuple[list[str], EmailMessage]] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    pace: float = 0.0
    open: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.open.set()

    @property
    def mails(self) -> list[EmailMessage]:
        return [message for _, message in self.received]

    def answer(self, verb: str, address: str = "") -> str:
        default = DEFAULTS.get(verb, "250 ok")
        return self.answers.get(f"{verb} {address}", self.answers.get(verb, default))


class _Dialogue(socketserver.StreamRequestHandler):
    server: _Server

    def handle(self) -> None:
        self.people = list[str]()
        if not self.say(self.server.mail.answer("CONNECT")):
            return
        while line := self.rfile.readline():
            if not self.obey(line.decode("utf-8", "replace").strip()):
                return

    def say(self, answer: str) -> bool:
        if answer == HANG_UP:
            return False
        self.server.mail.open.wait()
        line = f"{answer}\r\n".encode()
        for part in (
            [line[at : at + 1] for at in range(len(line))] if self.server.mail.pace else [line]
        ):
            time.sleep(self.server.mail.pace)
            self.wfile.write(part)
        return True

    def finish(self) -> None:
        with suppress(OSError):  # whoever asked has gone
            super().finish()

    def obey(self, line: str) -> bool:
        mail, verb = self.server.mail, line.partition(" ")[0].upper()
        mail.commands.append(line)
        address = line.partition("<")[2].partition(">")[0]
        answer = mail.answer(verb, address)
        if verb == "MAIL":
            self.people = []
        if verb == "RCPT" and answer.startswith("2"):
            self.people.append(address)
        if verb == "DATA" and answer.startswith("3"):
            return self.say(answer) and self.take()
        return self.say(answer) and verb != "QUIT"

    def take(self) -> bool:
        content = b""
        while (line := self.rfile.readline()) not in {b".\r\n", b""}:
            content += line.removeprefix(b".") if line.startswith(b"..") else line
        answer = self.server.mail.answer("CONTENT")
        if answer.startswith("2"):
            parsed: Any = message_from_bytes(content, policy=policy.default)
            self.server.mail.received.append((self.people, parsed))
        return self.say(answer)


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True
    request_queue_size = 100
    mail: MailServer

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Whoever asked has gone: that is what tests of slow servers are about."""


@contextmanager
def running(port: int = 0) -> Iterator[MailServer]:
    """The server alone, for a site of its own processes. Port 0: any free one."""
    with _Server(("127.0.0.1", port), _Dialogue) as server:
        server.mail = MailServer(server.server_address[1])
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.mail
        server.mail.open.set()
        server.shutdown()


@contextmanager
def mail_server(settings: Settings) -> Iterator[MailServer]:
    """The server, and the settings by which the site uses it."""
    with running() as server:
        use(settings, server.port)
        yield server


def use(settings: Settings, port: int) -> None:
    settings.EMAIL_BACKEND = MAIL_BACKENDS["smtp"]
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
    settings.EMAIL_TIMEOUT = 5
