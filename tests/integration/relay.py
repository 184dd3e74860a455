"""A relay in front of the embedded AWS: it counts, holds or refuses what passes."""

import json
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self, override
from urllib.parse import urlsplit

from tests.patience import PATIENCE_SECONDS

type Json = Any  # Parameters and results are free-form.

_DROPPED = frozenset({"connection", "content-length", "date", "server", "transfer-encoding"})


_READS = ("Get", "BatchGet")


@dataclass(frozen=True)
class Hold:
    """A call that is held: ``reached`` when it has come, until it is ``released`` or dropped."""

    reached: threading.Event = field(default_factory=threading.Event)
    released: threading.Event = field(default_factory=threading.Event)
    dropped: threading.Event = field(default_factory=threading.Event)

    def drop(self) -> None:
        """Let the call get no further."""
        self.dropped.set()
        self.released.set()


class Relay(ThreadingHTTPServer):
    """Passes AWS calls on to ``upstream``, or hangs up; after ``stop`` connections are refused."""

    daemon_threads = True

    def __init__(self, upstream: str) -> None:
        super().__init__(("127.0.0.1", 0), _Connection)
        self.upstream = urlsplit(upstream).netloc
        self.calls: list[tuple[str, Any]] = []
        self.hangs_up = False
        self.answers_to_writes_to_lose = 0
        self.error: tuple[int, str] | None = None
        self._refusals: dict[str, list[Json]] = {}
        self._holds: dict[tuple[str, str], Hold] = {}
        self.answer_events: Callable[[list[Json]], Json] | None = None
        self._serving = threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True)

    def point_at(self, upstream: str) -> None:
        """Pass calls on to ``upstream`` from now on."""
        self.upstream = urlsplit(upstream).netloc

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    @property
    def writes(self) -> list[tuple[str, Any]]:
        """The operations that wrote, each with its parameters."""
        return [call for call in self.calls if not call[0].startswith(_READS)]

    def refuse_events(self, refuse: Callable[[Json], bool], *, put: Callable[..., Json]) -> None:
        """Refuse entries of PutEvents as a busy bus does.

        ``put`` takes the others to the bus: what was signed covers all of them, so that it cannot
        be passed on in part.
        """

        def answer(entries: list[Json]) -> Json:
            refused = [refuse(entry) for entry in entries]
            taken = [entry for entry, no in zip(entries, refused, strict=True) if not no]
            results = iter(put(Entries=taken)["Entries"] if taken else ())
            failed = {"ErrorCode": "ThrottlingException", "ErrorMessage": "Rate exceeded"}
            told = [failed if no else next(results) for no in refused]
            return {"FailedEntryCount": sum(refused), "Entries": told}

        self.answer_events = answer

    def refuse(self, operation: str, code: str, *, times: int = 1, **details: Json) -> None:
        """Refuse the next calls of ``operation`` with ``code``, ``details`` being its members."""
        body = {"__type": f"aws#{code}", "message": code, **details}
        self._refusals.setdefault(operation, []).extend([body] * times)

    def refusal(self, operation: str) -> Json:
        """Return what this call of ``operation`` is refused with, None if it is passed on."""
        waiting = self._refusals.get(operation)
        return waiting.pop(0) if waiting else None

    def hold(self, operation: str, when: str) -> "Hold":
        """Hold the next call of ``operation`` "before" it is passed on, or "after" it was done."""
        held = self._holds[operation, when] = Hold()
        return held

    def step(self, operation: str, when: str) -> bool:
        """Hold a call if that was asked for; tell whether it goes on."""
        held = self._holds.pop((operation, when), None)
        if held:
            held.reached.set()
            held.released.wait(PATIENCE_SECONDS)
        return held is None or not held.dropped.is_set()

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
        operation, asked = self.headers["X-Amz-Target"].rpartition(".")[2], json.loads(body)
        self.server.calls.append((operation, asked))
        if not self.server.step(operation, "before") or self.server.hangs_up:
            return
        if self.server.error:
            status, code = self.server.error
            self._reply(status, json.dumps({"__type": f"aws#{code}", "message": code}).encode())
            return
        if refusal := self.server.refusal(operation):
            self._reply(400, json.dumps(refusal).encode())
            return
        if operation == "PutEvents" and self.server.answer_events:
            told = self.server.answer_events(asked["Entries"])
            self._reply(200, json.dumps(told).encode())
            return
        upstream = HTTPConnection(self.server.upstream, timeout=PATIENCE_SECONDS)
        try:
            upstream.request("POST", self.path, body, dict(self.headers))
            answer = upstream.getresponse()
            content = answer.read()
        finally:
            upstream.close()
        self.server.step(operation, "after")
        if self.server.answers_to_writes_to_lose and not operation.startswith(_READS):
            self.server.answers_to_writes_to_lose -= 1
            return
        self._reply(answer.status, content, *answer.getheaders())

    def _reply(self, status: int, content: bytes, *headers: tuple[str, str]) -> None:
        self.send_response(status)
        for name, value in headers:
            if name.lower() not in _DROPPED:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        # Whoever asked may have been killed while the call was held.
        with suppress(ConnectionError):
            self.end_headers()
            self.wfile.write(content)

    @override
    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: ``Relay.calls`` is the log."""
