"""The receiver of a webhook: a real HTTP server on loopback that keeps what it is sent."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import SimpleQueue
from typing import Any, override

from standardwebhooks import Webhook

from tests.patience import PATIENCE_SECONDS

type Json = Any  # Events are free-form: tests check what they use.


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One request to the receiver, and what it was answered."""

    method: str
    target: str
    headers: Message
    body: bytes
    status: int

    @property
    def event(self) -> Json:
        return json.loads(self.body)

    def verified(self, secret: str) -> Json:
        """Return the event as the published library has it, which verifies the signature."""
        return Webhook(secret).verify(self.body, dict(self.headers.items()))


class Receiver(ThreadingHTTPServer):
    """Answers 204, but first whatever is in ``statuses``, in order; at a free port unless told."""

    daemon_threads = True

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Connection)
        self.statuses: SimpleQueue[int] = SimpleQueue()
        self.location = ""
        self._deliveries: SimpleQueue[Delivery] = SimpleQueue()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    @property
    def is_quiet(self) -> bool:
        """Whether no request has come that nobody has asked for."""
        return self._deliveries.empty()

    def next(self) -> Delivery:
        """Wait for the next request."""
        return self._deliveries.get(timeout=PATIENCE_SECONDS)

    def next_event(self, seen: set[str]) -> Json:
        """Wait for an event that is not one of ``seen``, and add it: each may come repeatedly."""
        while (event := self.next().event)["id"] in seen:
            pass
        seen.add(event["id"])
        return event

    def keep(self, delivery: Delivery) -> None:
        self._deliveries.put(delivery)


class _Connection(BaseHTTPRequestHandler):
    server: Receiver
    # A connection a request, so that stopping leaves none open.
    protocol_version = "HTTP/1.0"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        status = 204 if self.server.statuses.empty() else self.server.statuses.get()
        self.server.keep(
            Delivery(
                method=self.command,
                target=self.path,
                headers=self.headers,
                body=body,
                status=status,
            )
        )
        self.send_response(status)
        if self.server.location:
            self.send_header("Location", self.server.location)
        self.end_headers()

    @override
    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet."""


@contextmanager
def receiving(port: int = 0) -> Iterator[Receiver]:
    """Run a receiver until the end of the block."""
    with Receiver(port) as receiver:
        thread = threading.Thread(target=receiver.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield receiver
        finally:
            receiver.shutdown()
            thread.join()
