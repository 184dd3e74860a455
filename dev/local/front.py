"""The HTTP front: what API Gateway is to the deployed service, on loopback.

One thread a connection, persistent connections, one write an answer. The front adds what the
gateway adds (request id, forwarding headers). Answers of its own say what ``template.yaml`` makes
the gateway say, with one difference: a path outside the stage is a page of the local run or a 404
here, and a 403 there.
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

from dev.local.gateway_events import (
    STAGE,
    MalformedResultError,
    Request,
    Resource,
    Response,
    to_event,
    to_response,
)
from dev.local.workers import Failure, Result

type Invoke = Callable[[dict[str, Any]], Result | Failure]
type Observe = Callable[[Request, Response, float], None]

_MAX_BODY_BYTES = 10 * 1024 * 1024
_MAX_LINE_BYTES = 65_536
_IDLE_SECONDS = 75.0
_FORWARDING = {
    name.lower(): name for name in ("X-Forwarded-For", "X-Forwarded-Port", "X-Forwarded-Proto")
}
_BODILESS = frozenset({HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED})
_STATUS_OF_FAILURE = {
    Failure.HANDLER_ERROR: HTTPStatus.BAD_GATEWAY,
    Failure.TOO_LARGE: HTTPStatus.BAD_GATEWAY,
    Failure.DIED: HTTPStatus.BAD_GATEWAY,
    Failure.TIMED_OUT: HTTPStatus.GATEWAY_TIMEOUT,
    Failure.STOPPED: HTTPStatus.BAD_GATEWAY,
    Failure.ALL_BUSY: HTTPStatus.SERVICE_UNAVAILABLE,
}
_FAILED = ("InternalServerErrorException", "The service did not answer.")
_REFUSED = ("BadRequestException", "The request was refused before it reached the service.")
_OWN_ANSWERS = {
    HTTPStatus.NOT_FOUND: ("NotFoundException", f"The paths of this API start with /{STAGE}/."),
    HTTPStatus.BAD_GATEWAY: _FAILED,
    HTTPStatus.SERVICE_UNAVAILABLE: _FAILED,
    HTTPStatus.GATEWAY_TIMEOUT: (
        "GatewayTimeoutException",
        "The service did not answer in time.",
    ),
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
        site: Callable[[Request], Response | None] = lambda _request: None,
    ) -> None:
        super().__init__(listener.getsockname(), _Connection, bind_and_activate=False)
        self.socket.close()
        self.socket = listener
        self.invoke = invoke
        self.resources = resources
        self.observe = observe
        self.print_line = print_line
        self.site = site
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

    def _answer(self, request: Request) -> Response:
        if not request.in_stage:
            return self.site(request) or _own_answer(request.path, HTTPStatus.NOT_FOUND)
        event = to_event(
            request, resources=self.resources, request_id=str(uuid.uuid4()), now=time.time()
        )
        outcome = self.invoke(event)
        if isinstance(outcome, Result):
            return self._translated(request, outcome.value)
        self.print_line(f"no answer: {outcome}")
        return _own_answer(request.path, _STATUS_OF_FAILURE[outcome])

    def _translated(self, request: Request, value: object) -> Response:
        try:
            return to_response(value)
        except MalformedResultError as error:
            self.print_line(f"malformed proxy response: {error}")
            return _own_answer(request.path, HTTPStatus.BAD_GATEWAY)


def _own_answer(path: str, status: HTTPStatus) -> Response:
    code, message = _OWN_ANSWERS.get(status, _REFUSED)
    envelope = {
        "status": "error",
        "timestamp": time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime()),
        "path": path,
        "requestId": str(uuid.uuid4()),
        "error": {"code": code, "message": message, "details": {}},
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
            self.raw_requestline = self.rfile.readline(_MAX_LINE_BYTES + 1)
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
    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Refuse a request that cannot be made sense of."""
        self.close_connection = True
        self._write("GET", _own_answer("/", HTTPStatus(code)))

    @override
    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet: what is printed about a request is decided elsewhere."""

    def _request(self) -> Request | HTTPStatus:
        size = self.headers.get("Content-Length", "0")
        if len(self.raw_requestline) > _MAX_LINE_BYTES:
            return HTTPStatus.REQUEST_URI_TOO_LONG
        if "Transfer-Encoding" in self.headers:
            return HTTPStatus.LENGTH_REQUIRED
        if not size.isascii() or not size.isdigit():
            return HTTPStatus.BAD_REQUEST
        if int(size) > _MAX_BODY_BYTES:
            return HTTPStatus.REQUEST_ENTITY_TOO_LARGE
        return Request(
            method=self.command,
            # The request line is read as Latin-1; bytes that a client did not escape are UTF-8.
            target=self.path.encode("latin-1").decode(errors="replace"),
            headers=[*self._given_headers(), *self._forwarding_headers()],
            body=self.rfile.read(int(size)),
            source_ip=str(self.client_address[0]),
        )

    def _given_headers(self) -> list[tuple[str, str]]:
        return [pair for pair in self.headers.items() if pair[0].lower() not in _FORWARDING]

    def _forwarding_headers(self) -> list[tuple[str, str]]:
        hops = [*self.headers.get_all("X-Forwarded-For", []), str(self.client_address[0])]
        port = self.connection.getsockname()[1]
        values = (", ".join(hops), str(port), "http")
        return list(zip(_FORWARDING.values(), values, strict=True))

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
