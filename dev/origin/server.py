"""Serves the double on a loopback socket over HTTP/1.1, and lets answers fail on their way.

Connections are kept alive. Stopping closes them all and waits until their threads let go of them,
so no socket outlives a test.
"""

import socket
import struct
import sys
import threading
import time
from collections.abc import Callable, Collection, Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self, override

from dev.origin.answers import Answer
from dev.origin.control import PREFIX, control
from dev.origin.origin import Origin, Outcome, Request

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
_STOP_SECONDS = 5
_EARLY_HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n"
_LONG_HEAD = b"HTTP/1.1 200 OK\r\nX-Padding: " + b"x" * 4096 + b"\r\n"


class OriginDouble(Origin):
    """The double on a socket: a context manager, or `start` and `stop`.

    It listens on the address ``host``, which is loopback unless containers must reach it. ``port``
    0 takes a free one, and every later start takes it again.
    """

    def __init__(
        self,
        clients: Mapping[str, str],
        *,
        users: int = 120,
        port: int = 0,
        clock: Callable[[], float] = time.time,
        not_platform: Collection[str] = (),
        host: str = "127.0.0.1",
    ) -> None:
        super().__init__(clients, users=users, clock=clock, not_platform=not_platform)
        self._host = host
        self._port = port
        self._server: _Server | None = None

    @property
    def url(self) -> str:
        """Where it listens, once it was started."""
        return f"http://{self._host}:{self._port}"

    def start(self) -> Self:
        """Listen, and serve in threads of its own; while it runs, do nothing more."""
        if not self._server:
            self._released = threading.Event()
            self._server = _Server(self, (self._host, self._port))
            self._port = self._server.server_port
        return self

    def stop(self) -> None:
        """Close every connection, answered or not; a second time does nothing."""
        if self._server:
            # Left set until the next start, so a call that is still being answered cannot hang.
            self._released.set()
            self._server.close()
            self._server = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


class _Server(ThreadingHTTPServer):
    """One thread accepts, one serves each connection."""

    request_queue_size = 512
    daemon_threads = True

    def __init__(self, origin: Origin, address: tuple[str, int]) -> None:
        super().__init__(address, _Handler)
        self.origin = origin
        self._connections: set[socket.socket] = set()
        self._closed_one = threading.Condition()
        self._accepting = threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True)
        self._accepting.start()

    def close(self) -> None:
        """Stop accepting, hang up on every caller and wait until their threads let go."""
        self.shutdown()
        self._accepting.join()
        with self._closed_one:
            for connection in self._connections:
                _hang_up(connection)
            self._closed_one.wait_for(lambda: not self._connections, _STOP_SECONDS)
        self.server_close()

    @override
    def process_request(self, request: Any, client_address: Any) -> None:
        with self._closed_one:
            self._connections.add(request)
        super().process_request(request, client_address)

    @override
    def shutdown_request(self, request: Any) -> None:
        super().shutdown_request(request)
        with self._closed_one:
            self._connections.discard(request)
            self._closed_one.notify_all()

    @override
    def handle_error(self, request: Any, client_address: Any) -> None:
        # A caller that goes away early is what some faults are there to provoke.
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


def _hang_up(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # The other side was faster.


class _Handler(BaseHTTPRequestHandler):
    """Reads one call after the other from a connection, and sends what the origin answers."""

    server: _Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path.startswith(PREFIX):
            self._send(control(self.server.origin, self.command, self.path, body))
            return
        request = Request(
            method=self.command,
            target=self.path,
            headers={name.lower(): text for name, text in self.headers.items()},
            ip=self.client_address[0],
        )
        self._deliver(self.server.origin.answer(request))

    def __getattr__(self, name: str) -> Callable[[], None]:
        # The base class looks up do_GET and its like; here every method is served alike.
        if name.startswith("do_"):
            return self._serve
        raise AttributeError(name)

    def _deliver(self, outcome: Outcome) -> None:
        for fault in outcome.faults:
            match fault.kind:
                case "delay":
                    outcome.released.wait(fault.seconds)
                case "hang":
                    outcome.released.wait()
                    self.close_connection = True
                    return
                case "reset":
                    self._reset()
                    return
                case "reset_mid_body":
                    self._send_part(outcome.answer, len(outcome.answer.body) // 2)
                    self._reset()
                    return
                case "truncate" | "cut":
                    size = len(outcome.answer.body) // 2
                    cut = fault.kind == "cut"
                    self._send_part(outcome.answer, fault.most_bytes if cut else size)
                    return
                case "slow_drip":
                    self._send_head(outcome.answer)
                    self._drip(outcome.answer.body, outcome, fault.seconds)
                    return
                case "drip_headers":
                    self._drip(_LONG_HEAD, outcome, fault.seconds)
                    self.close_connection = True
                    return
                case "early_hints":
                    self.wfile.write(_EARLY_HINTS)
                case _:
                    pass
        self._send(outcome.answer)

    def _send(self, answer: Answer) -> None:
        self._send_head(answer)
        if self.command != "HEAD":
            self.wfile.write(answer.body)

    def _send_head(self, answer: Answer) -> None:
        self.send_response(answer.status)
        if answer.status != HTTPStatus.NOT_MODIFIED:
            self.send_header("Content-Length", str(len(answer.body)))
        for name, text in answer.headers.items():
            self.send_header(name, text)
        self.end_headers()

    def _send_part(self, answer: Answer, size: int) -> None:
        self._send_head(answer)
        self.wfile.write(answer.body[:size])
        self.close_connection = True

    def _drip(self, sent: bytes, outcome: Outcome, pause_seconds: float) -> None:
        for byte in sent:
            self.wfile.write(bytes([byte]))
            if outcome.released.wait(pause_seconds):
                self.close_connection = True
                return

    def _reset(self) -> None:
        """Close so that the other side gets a reset, whatever was sent before."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        # The reading file keeps the socket open as long as it is.
        self.rfile.close()
        self.connection.close()

    @override
    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: `Origin.calls` is the log."""
