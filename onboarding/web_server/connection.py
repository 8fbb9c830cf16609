"""A client's connection, whose socket never blocks: what came in, and what has yet to go out.

Either the main thread of the web process works with a connection or the thread that answers its request,
never both.
"""

from __future__ import annotations

import errno
import socket
from collections import deque

from .incoming import Incoming

MOST_UNSENT = (
    4 * 1024 * 1024
)  # bytes of an answer that wait for the client without holding a thread
SECONDS_TO_TAKE = 30.0  # for what is beyond that
READ_SIZE = 64 * 1024


class Outgoing:
    """What gunicorn writes an answer to, in place of the socket: it keeps what the client does not take."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.waiting: deque[memoryview] = deque()
        self.size = 0

    def sendall(self, data: bytes) -> None:
        if data:
            self.waiting.append(memoryview(data))
            self.size += len(data)
        self.flush()
        if self.size > MOST_UNSENT:
            self._send_now()

    def flush(self) -> None:
        """Send what the client takes at once. OSError if it is gone."""
        while self.waiting:
            try:
                sent = self.sock.send(self.waiting[0])
            except (BlockingIOError, InterruptedError):
                return
            self.size -= sent
            rest = self.waiting.popleft()[sent:]
            if rest:
                self.waiting.appendleft(rest)

    def _send_now(self) -> None:
        """Wait for the client; TimeoutError if it takes too long."""
        self.sock.settimeout(SECONDS_TO_TAKE)
        try:
            self.sock.sendall(b"".join(self.waiting))
        finally:
            self.sock.setblocking(False)
        self.waiting.clear()
        self.size = 0

    # What gunicorn does with its socket beside that, after an answer that broke off. The connection is
    # closed by the main thread.

    def gettimeout(self) -> float:
        return 0.0

    def shutdown(self, how: int) -> None:
        raise OSError(errno.ENOTCONN, "closed by the main thread")

    def close(self) -> None:
        pass


class Connection:
    """What gunicorn's threads call a `conn`, with the request that is being read."""

    def __init__(
        self, own: socket.socket, client: object, server: object, longest_body: int
    ) -> None:
        own.setblocking(False)
        self.own, self.client, self.server = own, client, server
        self.longest_body = longest_body
        self.sock = Outgoing(own)
        self.incoming = Incoming(longest_body)
        self.deadline = 0.0
        self.keep = False  # for another request, once the answer is sent

    @property
    def size(self) -> int:
        """Bytes that are kept for this client."""
        return len(self.incoming.data) + self.sock.size

    @property
    def is_idle(self) -> bool:
        return not self.size

    def receive(self) -> bytes | None:
        """What has come; empty if the client is gone, None if nothing has come after all."""
        try:
            return self.own.recv(READ_SIZE)
        except (BlockingIOError, InterruptedError):
            return None
        except OSError:
            return b""

    def next_request(self, begun: bytes) -> None:
        """Begin to read the next request, of which these bytes are already here."""
        self.incoming = Incoming(self.longest_body)
        if begun:
            self.incoming.feed(begun)

    def close(self) -> None:
        self.own.close()
