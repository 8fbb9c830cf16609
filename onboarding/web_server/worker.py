"""The web process: gunicorn's, with threads that wait for no client.

The main thread reads requests and writes what clients do not take at once; none of their sockets blocks.
A thread gets a request when all of it is there. So clients that send or read slowly hold memory, of
which there is a bound, and no thread.
"""

from __future__ import annotations

import errno
import resource
import selectors
import socket
import time
from collections.abc import Callable
from concurrent.futures import Future

from gunicorn.http import Request, RequestParser, get_parser
from gunicorn.http.body import LengthReader
from gunicorn.http.errors import LimitRequestHeaders, NoMoreData
from gunicorn.workers.gthread import ThreadWorker

from onboarding.settings import LONGEST_BODY

from . import answers
from .connection import Connection

# Seconds.
FOR_HEAD = 10.0  # from the connection, or the first byte of a later request, to the end of the head
FOR_BODY = 30.0  # from there to the end of the body
FOR_ANSWER = 60.0  # for the client to take it, and as much longer as LEAST_RATE needs
LEAST_RATE = 10_000  # bytes a second
FOR_FAREWELL = 2.0  # until a client closes its side
FOR_REFUSED_BODY = 10.0  # as long is read and thrown away what a client sends after its refusal
BETWEEN_SWEEPS = 0.5

MOST_HELD = 64 * 1024 * 1024  # bytes of all clients that wait
SPARE_FILES = 200  # of the process, for other things than clients
READ, WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE

answers.install()


class Worker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """Overrides how connections come, wait and go; the loop and the requests are gunicorn's."""

    waiting: dict[Connection, None]  # for a client, the longest first
    worker_connections: int
    next_sweep = 0.0

    def init_process(self) -> None:
        self.waiting = {}
        most, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if most < 4 * self.worker_connections:
            most = min(hard, 4 * self.worker_connections) if hard > 0 else 4096
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
        self.worker_connections = min(self.worker_connections, max(most - SPARE_FILES, 50))
        super().init_process()

    # -- connections come ------------------------------------------------------------------------------

    def accept(self, listener: socket.socket) -> None:
        """Take a new client. When there are too many, the one that has kept us waiting longest goes."""
        try:
            own, client = listener.accept()
        except OSError as error:
            if error.errno in {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}:
                self._drop_the_first()
            elif error.errno not in {errno.EAGAIN, errno.ECONNABORTED}:
                raise
            return
        self.nr_conns += 1
        conn = Connection(own, client, listener.getsockname(), LONGEST_BODY)
        self._wait(conn, READ, self._read, FOR_HEAD)
        if self.nr_conns >= self.worker_connections:
            self._drop_the_first()

    def _drop_the_first(self) -> None:
        if first := next(iter(self.waiting), None):
            self._drop(first)

    # -- and wait --------------------------------------------------------------------------------------

    def _wait(
        self, conn: Connection, event: int, then: Callable[[Connection], None], seconds: float
    ) -> None:
        conn.deadline = time.monotonic() + seconds
        self.waiting[conn] = None

        # Another client of the same turn of the loop may have made this one go.
        def come(_: object) -> None:
            if conn in self.waiting:
                then(conn)

        self.poller.register(conn.own, event, come)

    def _wait_no_more(self, conn: Connection) -> None:
        del self.waiting[conn]
        self.poller.unregister(conn.own)

    def _drop(self, conn: Connection) -> None:
        self._wait_no_more(conn)
        self._close(conn)

    def _close(self, conn: Connection) -> None:
        self.nr_conns -= 1
        conn.close()

    def _read(self, conn: Connection) -> None:
        """Take what has come of a request; hand it to a thread when it is whole."""
        data = conn.receive()
        if data == b"":
            return self._drop(conn)
        was_idle, had_head = conn.is_idle, conn.incoming.has_head
        conn.incoming.feed(data or b"")
        if conn.incoming.whole:
            self._wait_no_more(conn)
            self.enqueue_req(conn)
        elif conn.incoming.has_head and not had_head:
            self._wait_for_body(conn)
        elif was_idle and data:
            conn.deadline = time.monotonic() + FOR_HEAD
        return None

    def _wait_for_body(self, conn: Connection) -> None:
        conn.deadline = time.monotonic() + FOR_BODY
        if conn.incoming.expects:
            try:
                conn.sock.sendall(answers.CONTINUE)
            except OSError:
                self._drop(conn)

    def _write(self, conn: Connection) -> None:
        """Send more of an answer that the client did not take at once."""
        try:
            conn.sock.flush()
        except OSError:
            return self._drop(conn)
        if not conn.sock.waiting:
            self._wait_no_more(conn)
            self._after_answer(conn)
        return None

    def _throw_away(self, conn: Connection) -> None:
        if conn.receive() == b"":
            self._drop(conn)

    # -- for no longer than they may -------------------------------------------------------------------

    def murder_pending(self) -> None:
        """End what takes too long or too much. gunicorn calls this after each turn of its loop."""
        now = time.monotonic()
        if now < self.next_sweep:
            return
        self.next_sweep = now + BETWEEN_SWEEPS
        for conn in [each for each in self.waiting if each.deadline < now]:
            self._end_late(conn)
        held = sum(conn.size for conn in self.waiting)
        for conn in sorted(self.waiting, key=lambda each: -each.size) if held > MOST_HELD else ():
            if held <= MOST_HELD:
                break
            held -= conn.size
            self._drop(conn)

    def _end_late(self, conn: Connection) -> None:
        """A client that has begun a request is told why."""
        if not conn.incoming.data or conn.sock.size:
            return self._drop(conn)
        self._wait_no_more(conn)
        try:
            answers.write_error(conn.sock, 408, "Request Timeout", "")
        except OSError:
            return self._close(conn)
        return self._say_farewell(conn)

    def murder_keepalived(self, force: bool = False) -> None:
        for conn in [*self.waiting] if force else ():
            self._drop(conn)

    def _cap_keepalive(self, deadline: float) -> None:
        """The process stops: clients that have sent nothing have until this moment."""
        for conn in self.waiting:
            if conn.is_idle:
                conn.deadline = min(conn.deadline, deadline)

    # -- requests are answered ------------------------------------------------------------------------

    def handle(self, conn: Connection) -> bool:
        """Answer a request, in a thread. Whether the connection may have another one."""
        request = None
        try:
            parser = get_parser(self.cfg, [bytes(conn.incoming.data)], conn.client)
            request = next(parser)
            if conn.incoming.head_too_large:
                raise NoMoreData
            self._prepare(request, parser, conn)
            keep = self.handle_request(request, conn) and bool(parser.finish_body())
            if keep:
                conn.next_request(parser.unreader.take_buffered())
            return keep
        except NoMoreData:
            if conn.incoming.head_too_large:
                too_long = LimitRequestHeaders("too long")
                self.handle_error(request, conn.sock, conn.client, too_long)
        except StopIteration:
            pass
        except OSError as error:
            self.log.debug("The client is gone: %s", error)
        except Exception as error:  # noqa: BLE001  (gunicorn's handler logs it)
            self.handle_error(request, conn.sock, conn.client, error)
        return False

    def _prepare(self, request: Request, parser: RequestParser, conn: Connection) -> None:
        """A request whose body is not all here is the last one of its connection."""
        request._expected_100_continue = False  # answered above, where it is
        reader, here = request.body.reader, parser.unreader.buf.getbuffer().nbytes
        if conn.incoming.too_large or (isinstance(reader, LengthReader) and reader.length > here):
            request.force_close()

    def finish_request(self, conn: Connection, future: Future[bool]) -> None:
        """Back in the main thread: gunicorn calls this when `handle` is done."""
        conn.keep = not future.cancelled() and not future.exception() and future.result()
        if conn.sock.waiting:
            self._wait(conn, WRITE, self._write, FOR_ANSWER + conn.sock.size / LEAST_RATE)
        else:
            self._after_answer(conn)

    def _after_answer(self, conn: Connection) -> None:
        if not conn.keep:
            return self._say_farewell(conn)
        if conn.incoming.whole:
            return self.enqueue_req(conn)  # type: ignore[no-any-return]
        begun = FOR_BODY if conn.incoming.has_head else FOR_HEAD
        idle = self.cfg.keepalive if self.alive else FOR_FAREWELL
        return self._wait(conn, READ, self._read, idle if conn.is_idle else begun)

    def _say_farewell(self, conn: Connection) -> None:
        """Close our side, and the connection when the client has read all: it would not get it otherwise."""
        try:
            conn.own.shutdown(socket.SHUT_WR)
        except OSError:
            return self._close(conn)
        seconds = FOR_REFUSED_BODY if conn.incoming.too_large else FOR_FAREWELL
        conn.next_request(b"")
        return self._wait(conn, READ, self._throw_away, seconds)
