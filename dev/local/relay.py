"""A relay in front of the embedded AWS, for whoever must see, hold or lose calls on their way."""

import json
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self, override
from urllib.parse import urlsplit

type Json = Any  # Parameters are free-form.
type Answer = tuple[int, bytes, Sequence[tuple[str, str]]]
"""Status, body and header fields."""

_DROPPED = frozenset({"connection", "content-length", "date", "server", "transfer-encoding"})


class Relay(ThreadingHTTPServer):
    """Passes calls on to ``upstream``; after ``stop`` connections are refused.

    A subclass that wants something else overrides :meth:`answer`.
    """

    daemon_threads = True

    def __init__(self, upstream: str) -> None:
        super().__init__(("127.0.0.1", 0), _Connection)
        self.upstream = urlsplit(upstream).netloc
        self._serving = threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True)

    @property
    def url(self) -> str:
        """The endpoint for a client of AWS."""
        return f"http://127.0.0.1:{self.server_port}"

    def answer(self, operation: str, asked: Json, pass_on: Callable[[], Answer]) -> Answer | None:
        """Return the answer to a call of ``operation`` with parameters ``asked``, None for none."""
        del operation, asked
        return pass_on()

    def stop(self) -> None:
        """Answer nothing more; a second time does nothing."""
        if self._serving.is_alive():
            self.shutdown()
            self._serving.join()
            self.server_close()

    @override
    def __enter__(self) -> Self:
        self._serving.start()
        return self

    @override
    def __exit__(self, *_: object) -> None:
        self.stop()


class _Connection(BaseHTTPRequestHandler):
    """One call: HTTP/1.0 keeps no connection that would outlive the relay."""

    server: Relay

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        operation = self.headers["X-Amz-Target"].rpartition(".")[2]
        answer = self.server.answer(operation, json.loads(body), partial(self._pass_on, body))
        if answer is None:
            return
        status, content, headers = answer
        self.send_response(status)
        for name, value in headers:
            if name.lower() not in _DROPPED:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        # Whoever asked may be gone by now.
        with suppress(ConnectionError):
            self.end_headers()
            self.wfile.write(content)

    def _pass_on(self, body: bytes) -> Answer:
        upstream = HTTPConnection(self.server.upstream, timeout=60)
        try:
            upstream.request("POST", self.path, body, dict(self.headers))
            answer = upstream.getresponse()
            return answer.status, answer.read(), answer.getheaders()
        finally:
            upstream.close()

    @override
    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""
