"""A relay in front of the embedded AWS: it counts what passes, and can be stopped."""

import json
import threading
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self, override
from urllib.parse import urlsplit

_DROPPED = frozenset({"connection", "content-length", "date", "server", "transfer-encoding"})


class Relay(ThreadingHTTPServer):
    """Passes AWS calls on to ``upstream``, or hangs up; after ``stop`` connections are refused."""

    daemon_threads = True

    def __init__(self, upstream: str) -> None:
        super().__init__(("127.0.0.1", 0), _Connection)
        self.upstream = urlsplit(upstream).netloc
        self.calls: list[tuple[str, Any]] = []
        self.hangs_up = False
        self._serving = threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    @property
    def writes(self) -> list[tuple[str, Any]]:
        """The operations that wrote, each with its parameters."""
        return [call for call in self.calls if not call[0].startswith(("Get", "BatchGet"))]

    def stop(self) -> None:
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
        self.server.calls.append((operation, json.loads(body)))
        if self.server.hangs_up:
            return
        upstream = HTTPConnection(self.server.upstream, timeout=10)
        try:
            upstream.request("POST", self.path, body, dict(self.headers))
            answer = upstream.getresponse()
            content = answer.read()
        finally:
            upstream.close()
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in _DROPPED:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    @override
    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: ``Relay.calls`` is the log."""
