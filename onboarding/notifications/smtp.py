"""Mail backend for SMTP: Django's, with a limit on the time that one mail takes.

The time-out of a socket limits one operation. A server that sends a byte a second would hold a thread for
hours; here the conversation as a whole ends after SECONDS.
"""

from __future__ import annotations

import io
import smtplib
import socket
import time
from typing import Any

from django.core.mail.backends import smtp

SECONDS = 20.0  # from the first byte to the last; the outbox's first retry comes later


class _Replies(io.RawIOBase):
    """What the server says, until the conversation has taken too long."""

    def __init__(self, sock: socket.socket, ends: float) -> None:
        self._sock, self._ends = sock, ends

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # that is what comes
        left = self._ends - time.monotonic()
        if left <= 0:
            raise TimeoutError("the conversation took too long")
        timeout = self._sock.gettimeout()
        self._sock.settimeout(left if timeout is None else min(timeout, left))
        try:
            return self._sock.recv_into(buffer)
        finally:
            self._sock.settimeout(timeout)


class _Limited:
    """Mixin for smtplib's connections."""

    sock: Any  # smtplib's socket, plain or with TLS
    file: Any  # what the server says, to read line by line

    def __init__(self, *args: object, **options: object) -> None:
        self._ends = time.monotonic() + SECONDS
        super().__init__(*args, **options)

    def getreply(self) -> tuple[int, bytes]:
        if self.file is None:
            self.file = io.BufferedReader(_Replies(self.sock, self._ends))
        reply: tuple[int, bytes] = super().getreply()  # type: ignore[misc]
        return reply


class _Connection(_Limited, smtplib.SMTP):
    pass


class _TLSConnection(_Limited, smtplib.SMTP_SSL):
    pass


class MailBackend(smtp.EmailBackend):
    """Django's mail backend for `smtp:` and `smtps:`."""

    _partial_connection: smtplib.SMTP | None  # until TLS and the sign-in are done

    @property
    def connection_class(self) -> type[smtplib.SMTP]:
        return _TLSConnection if self.use_ssl else _Connection

    def open(self) -> bool | None:
        """Django's, but a connection that fails on the way in (TLS, sign-in) is closed at once."""
        try:
            return super().open()
        finally:
            if self._partial_connection is not None:
                self._partial_connection.close()
                self._partial_connection = None
