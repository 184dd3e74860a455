"""The HTTP front: what API Gateway is to the deployed service, on loopback.

One thread a connection, persistent connections, one write an answer. The front adds what the gateway
adds (request id, forwarding headers) and answers by itself only what the gateway answers by itself.
"""

import json
import socket
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from email.utils import formatdate
from http import HTTPStatus
from http.client import LineTooLong
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, override

from dev.gateway_events import (
    MalformedResultError,
    Request,
    Resource,
    Response,
    to_event,
    to_response,
)
from dev.workers import Failure, Result

type Invoke = Callable[[dict[str, Any]], Result | Failure]
type Observe = Callable[[Request, Response, float], None]

_MAX_BODY_BYTES = 10 * 1024 * 1024
_IDLE_SECONDS = 75.0
_BODILESS = frozenset({HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED})
_STATUS_OF_FAILURE = {
    Failure.HANDLER_ERROR: HTTPStatus.BAD_GATEWAY,
    Failure.TOO_LARGE: HTTPStatus.BAD_GATEWAY,
    Failure.DIED: HTTPStatus.BAD_GATEWAY,
    Failure.TIMED_OUT: HTTPStatus.GATEWAY_TIMEOUT,
    Failure.ALL_BUSY: HTTPStatus.SERVICE_UNAVAILABLE,
}


class Front(ThreadingHTTPServer):
    """Serves ``listener`` from :meth:`start` until :meth:`stop`."""

    daemon_threads = True
    block_on_close = False

    def __init__(
        self,
        listener: socket.socket,
        *,
        invoke: Invoke,
        resources: Sequence[Resource],
        observe: Observe,
        print_line: Callable[[str], None],
    ) -> None:
        super().__init__(listener.getsockname(), _Connection, bind_and_activate=False)
        self.socket.close()
        self.socket = listener
        self.invoke = invoke
        self.resources = resources
        self.observe = observe
        self.print_line = print_line
        self._connections: set[socket.socket] = set()
        self._busy = 0
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True)

    def start(self) -> None:
        """Begin to accept requests."""
        self._thread.start()

    def stop(self, *, grace_seconds: float = 1.0) -> None:
        """Accept nothing more, give requests under way ``grace_seconds``, close all connections."""
        self.shutdown()
        self.server_close()
        self._thread.join()
        with self._changed:
            self._changed.wait_for(lambda: self._busy == 0, timeout=grace_seconds)
            for connection in self._connections:
                _shut(connection)
            self._changed.wait_for(lambda: not self._connections, timeout=grace_seconds)

    def answer(self, request: Request) -> Response:
        """Return the service's answer to ``request``."""
        with self._changed:
            self._busy += 1
        started = time.monotonic()
        try:
            response = self._answer(request)
            self.observe(request, response, time.monotonic() - started)
            return response
        finally:
            with self._changed:
                self._busy -= 1
                self._changed.notify_all()

    @override
    def process_request(self, request: Any, client_address: Any) -> None:
        with self._changed:
            self._connections.add(request)
        super().process_request(request, client_address)

    @override
    def shutdown_request(self, request: Any) -> None:
        super().shutdown_request(request)
        with self._changed:
            self._connections.discard(request)
            self._changed.notify_all()

    @override
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that go away in the middle of an answer."""

    def _answer(self, request: Request) -> Response:
        request_id = str(uuid.uuid4())
        if not request.in_stage:
            return own_answer(request, HTTPStatus.NOT_FOUND, "The API's paths start with /v2.")
        event = to_event(request, resources=self.resources, request_id=request_id, now=time.time())
        outcome = self.invoke(event)
        match outcome:
            case Result(value):
                return self._translated(request, value)
            case failure:
                self.print_line(f"no answer: {failure}")
                return own_answer(request, _STATUS_OF_FAILURE[failure], "The service failed.")

    def _translated(self, request: Request, value: object) -> Response:
        try:
            return to_response(value)
        except MalformedResultError as error:
            self.print_line(f"malformed proxy response: {error}")
            return own_answer(request, HTTPStatus.BAD_GATEWAY, "The service failed.")


def own_answer(request: Request, status: HTTPStatus, message: str) -> Response:
    """Return an answer of the front itself, in the service's error envelope."""
    code = status.phrase.title().replace(" ", "")
    envelope = {
        "status": "error",
        "timestamp": time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime()),
        "path": request.path,
        "error": {
            "code": f"{code}Exception",
            "message": message,
            "details": {"message": message, "error": status.phrase, "statusCode": int(status)},
        },
    }
    headers = [("Content-Type", "application/json"), ("Cache-Control", "no-store")]
    return Response(status=status, headers=headers, body=json.dumps(envelope).encode())


class _Connection(BaseHTTPRequestHandler):
    """One client connection: requests one after the other."""

    protocol_version = "HTTP/1.1"
    timeout = _IDLE_SECONDS
    disable_nagle_algorithm = True
    server: Front

    @override
    def handle_one_request(self) -> None:
        self.close_connection = True
        try:
            self.raw_requestline = self.rfile.readline(65537)
            if not self.raw_requestline or not self.parse_request():
                return
            request = self._request()
            if isinstance(request, HTTPStatus):
                self.send_error(request)
                return
            self._write(request.method, self.server.answer(request))
        except (OSError, LineTooLong):
            # The client is gone, was idle for too long, or the stack is stopping.
            self.close_connection = True

    @override
    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet: what is printed about a request is decided elsewhere."""

    def _request(self) -> Request | HTTPStatus:
        size = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers:
            return HTTPStatus.LENGTH_REQUIRED
        if not size.isascii() or not size.isdigit():
            return HTTPStatus.BAD_REQUEST
        if int(size) > _MAX_BODY_BYTES:
            return HTTPStatus.REQUEST_ENTITY_TOO_LARGE
        host, port = self.connection.getsockname()[:2]
        client = str(self.client_address[0])
        forwarding = [
            ("X-Forwarded-For", client),
            ("X-Forwarded-Port", str(port)),
            ("X-Forwarded-Proto", "http"),
        ]
        given = [pair for pair in self.headers.items() if not pair[0].lower().startswith("x-forw")]
        return Request(
            method=self.command,
            target=self.path,
            headers=[*given, *forwarding],
            body=self.rfile.read(int(size)),
            source_ip=client or host,
        )

    def _write(self, method: str, response: Response) -> None:
        bodiless = method == "HEAD" or response.status in _BODILESS
        lines = [f"HTTP/1.1 {response.status} {_phrase(response.status)}"]
        lines += [f"{name}: {value}" for name, value in response.headers]
        lines.append(f"Date: {formatdate(usegmt=True)}")
        # The length of a HEAD answer is that of the GET answer, which an empty body does not tell.
        if response.status not in _BODILESS and (method != "HEAD" or response.body):
            lines.append(f"Content-Length: {len(response.body)}")
        if self.close_connection:
            lines.append("Connection: close")
        head = "\r\n".join([*lines, "", ""]).encode()
        self.wfile.write(head if bodiless else head + response.body)


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def _shut(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        # The client was faster.
        return
