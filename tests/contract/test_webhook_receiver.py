"""The webhook's receiver over sockets: what an attempt comes to, and where none is made."""

import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, override

import pytest

from lib.deliveries.attempts import Answered, Attempt, Unanswered, Undelivered
from lib.deliveries.receiver import HttpReceiver
from tests.patience import PATIENCE_SECONDS

NOWHERE = Unanswered(Undelivered.RECEIVER_ADDRESS)
LOST = Unanswered(Undelivered.RECEIVER_CONNECTION)


class Server(ThreadingHTTPServer):
    """Answers as told, and keeps what it is asked."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Connection)
        self.status = 204
        self.answer: list[tuple[str, str]] = []
        self.raw = b""
        self.asked: list[tuple[str, Mapping[str, str], bytes]] = []
        self.callers: list[Any] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/hook?token=t0ken"

    @override
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of callers who hang up."""


class _Connection(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked.append((self.path, dict(self.headers), body))
        self.server.callers.append(self.client_address)
        if self.server.raw:
            self.wfile.write(self.server.raw)
            self.close_connection = True
            return
        self.send_response(self.server.status)
        for name, value in self.server.answer:
            self.send_header(name, value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    @override
    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@contextmanager
def serving() -> Iterator[Server]:
    """Run a server until the end of the block."""
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join(PATIENCE_SECONDS)


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as running:
        yield running


def post(server: Server, body: bytes = b'{"id": "1"}', **headers: str) -> Attempt:
    """Post once to ``server``."""
    return HttpReceiver(server.url).post(body, headers)


def test_the_body_arrives_to_the_byte_with_the_header_fields(server: Server) -> None:
    body = '{"id": "1", "name": "Zoë"}'.encode()

    assert post(server, body, **{"webhook-id": "1"}) == Answered(204)

    ((path, headers, received),) = server.asked
    assert (path, received) == ("/hook?token=t0ken", body)
    assert headers["webhook-id"] == "1"
    assert headers["User-Agent"] == "managed-users-proxy"


def test_status_and_retry_after_are_what_is_kept_of_an_answer(server: Server) -> None:
    server.status, server.answer = 503, [("Retry-After", "120"), ("Set-Cookie", "a=b")]
    receiver = HttpReceiver(server.url)

    assert receiver.post(b"{}", {}) == Answered(503, "120")

    receiver.post(b"{}", {})
    assert "Cookie" not in server.asked[1][1]


def test_the_connection_is_kept_for_the_next_event(server: Server) -> None:
    receiver = HttpReceiver(server.url)

    for _ in range(3):
        receiver.post(b"{}", {})

    assert len(set(server.callers)) == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(server: Server, status: int) -> None:
    with serving() as elsewhere:
        server.status, server.answer = status, [("Location", elsewhere.url)]

        assert post(server) == Answered(status)

        assert elsewhere.asked == []
    assert len(server.asked) == 1


def test_an_endless_answer_is_not_read_to_its_end(server: Server) -> None:
    length = 10**12
    server.raw = f"HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n".encode() + b"x" * 10**6

    assert post(server) == Answered(200)


def test_an_answer_that_breaks_off_has_been_given(server: Server) -> None:
    server.raw = b"HTTP/1.1 202 Accepted\r\nContent-Length: 10\r\n\r\nabc"

    assert post(server) == Answered(202)


def test_an_interim_answer_is_not_the_final_one(server: Server) -> None:
    server.raw = b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n"

    assert post(server) == Answered(500)


@pytest.mark.parametrize(
    "raw",
    [
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 2xx OK\r\n\r\n",
        b"HTTP/1.1 204 " + b"x" * 70_000,
        b"HTTP/1.1 204 OK\r\n" + b"a: b\r\n" * 200 + b"\r\n",
    ],
)
def test_what_is_no_http_is_no_answer(server: Server, raw: bytes) -> None:
    server.raw = raw

    assert post(server) == LOST


def test_where_nobody_listens_there_is_no_answer() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    assert HttpReceiver(f"http://127.0.0.1:{port}/").post(b"{}", {}) == LOST


def test_a_name_that_leads_nowhere_is_no_answer() -> None:
    assert HttpReceiver("https://nobody.invalid/").post(b"{}", {}) == LOST


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "[::1]", "10.0.0.1", "169.254.169.254", "[::ffff:10.0.0.1]"],
)
def test_a_private_address_is_refused_before_anything_is_sent(server: Server, host: str) -> None:
    receiver = HttpReceiver(f"https://{host}:{server.server_port}/")

    assert receiver.post(b"{}", {}) == NOWHERE
    assert server.callers == []


def test_plain_text_goes_to_this_machine_alone() -> None:
    assert HttpReceiver("http://10.0.0.1/").post(b"{}", {}) == NOWHERE


class Names:
    """A resolver that leads a name to other addresses at each look-up."""

    def __init__(self, *answers: list[str]) -> None:
        self._answers = iter(answers)
        self.asked: list[str] = []

    def look_up(self, name: str, port: int, **_: object) -> list[Any]:
        self.asked.append(name)
        family = socket.AF_INET
        found = next(self._answers)
        return [(family, socket.SOCK_STREAM, 6, "", (each, port)) for each in found]


def test_one_private_address_among_others_is_enough_to_refuse_a_name() -> None:
    names = Names(["9.9.9.9", "10.0.0.1"])
    receiver = HttpReceiver("https://hooks.example.com/", look_up=names.look_up)

    assert receiver.post(b"{}", {}) == NOWHERE
    assert names.asked == ["hooks.example.com"]


def test_the_address_that_was_looked_at_is_the_one_connected_to(server: Server) -> None:
    # A name that leads elsewhere when it is looked up again is not looked up again.
    names = Names(["127.0.0.1"], ["10.0.0.1"])
    url = f"http://hooks.example.com:{server.server_port}/hook"
    receiver = HttpReceiver(url, look_up=names.look_up)

    assert receiver.post(b"{}", {}) == Answered(204)

    assert names.asked == ["hooks.example.com"]
    ((_, headers, _),) = server.asked
    assert headers["Host"] == f"hooks.example.com:{server.server_port}"


def test_of_several_addresses_the_next_is_tried_where_one_does_not_answer(server: Server) -> None:
    # Nothing listens at the first.
    names = Names(["127.0.0.3", "127.0.0.1"])
    url = f"http://hooks.example.com:{server.server_port}/hook"

    assert HttpReceiver(url, look_up=names.look_up).post(b"{}", {}) == Answered(204)


def test_a_proxy_of_the_environment_is_not_asked(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.delenv("no_proxy", raising=False)

    assert post(server) == Answered(204)
