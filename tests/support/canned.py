"""A server with canned responses, byte for byte: for what no well-behaved server would do."""

from __future__ import annotations

import socket
import socketserver
import ssl
import struct
import threading
from collections.abc import Iterable

RESET = b""


def http(body: str = "{}", status: str = "200 OK", *headers: str) -> bytes:
    head = "".join(f"{line}\r\n" for line in (f"Content-Length: {len(body)}", *headers))
    return f"HTTP/1.1 {status}\r\n{head}\r\n{body}".encode()


class Canned(socketserver.ThreadingTCPServer):
    """Each request gets the next response: bytes, RESET, or (first, piece): the piece is repeated for ever.

    After the last response the connection is closed.
    """

    daemon_threads = True

    def __init__(
        self, *answers: bytes | tuple[bytes, bytes], tls: ssl.SSLContext | None = None
    ) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers = list(answers)
        self.tls = tls
        self.requests: list[str] = []
        self.connections = 0
        self.stopping = threading.Event()
        scheme = "https" if tls else "http"
        self.url = f"{scheme}://127.0.0.1:{self.server_address[1]}"
        self._thread = threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self) -> Canned:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopping.set()
        self.shutdown()
        self.server_close()


class _Handler(socketserver.BaseRequestHandler):
    server: Canned
    request: socket.socket

    def handle(self) -> None:
        self.server.connections += 1
        try:
            if self.server.tls:
                self.request = self.server.tls.wrap_socket(self.request, server_side=True)
            while self.server.answers and self._read():
                self._answer(self.server.answers.pop(0))
        except OSError:
            return  # the client hung up, or did not trust the certificate
        finally:
            self.request.close()

    def _read(self) -> bool:
        with self.request.makefile("rb", buffering=0) as file:
            lines: Iterable[bytes] = iter(file.readline, b"\r\n")
            head = []
            for line in lines:
                if not line:
                    return False
                head.append(line.decode("latin-1"))
            sizes = [line for line in head if line.lower().startswith("content-length:")]
            body = file.read(int(sizes[0].split(":")[1])) if sizes else b""
        self.server.requests.append("".join(head) + (body or b"").decode())
        return True

    def _answer(self, answer: bytes | tuple[bytes, bytes]) -> None:
        if answer == RESET:
            self.request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.request.close()
        elif isinstance(answer, bytes):
            self.request.sendall(answer)
        else:
            self.request.sendall(answer[0])
            while not self.server.stopping.wait(0.02):
                self.request.sendall(answer[1])
