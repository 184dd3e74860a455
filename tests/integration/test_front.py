"""The local HTTP front over real sockets: framing, persistence, refusals and its end."""

import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from threading import Barrier
from typing import Any

import pytest

from dev.local.front import Front
from dev.local.gateway_events import Request, Resource, Response
from dev.local.workers import Failure, Result
from tests.patience import PATIENCE_SECONDS

USERS = "/v2/oauth-clients/abc/users"

type Invoke = Callable[[dict[str, Any]], Result | Failure]


@contextmanager
def running_front(invoke: Invoke, seen: list[Response] | None = None) -> Iterator[int]:
    def observe(_request: Request, response: Response, _seconds: float) -> None:
        if seen is not None:
            seen.append(response)

    listener = socket.create_server(("127.0.0.1", 0), backlog=512)
    port = listener.getsockname()[1]
    front = Front(
        listener,
        invoke=invoke,
        resources=[Resource("/oauth-clients/{clientId}/users")],
        observe=observe,
        print_line=lambda _line: None,
    )
    front.start()
    try:
        yield port
    finally:
        front.stop()


def answering(**result: object) -> Invoke:
    return lambda _event: Result({"statusCode": 200, "body": "", **result})


def exchange(port: int, raw: bytes) -> bytes:
    """Send ``raw`` and return all that comes back until the front closes the connection."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_SECONDS) as connection:
        connection.sendall(raw)
        connection.shutdown(socket.SHUT_WR)
        with connection.makefile("rb") as answer:
            return answer.read()


def test_requests_on_one_connection_are_answered_one_after_the_other() -> None:
    with (
        running_front(lambda event: Result({"statusCode": 200, "body": event["body"]})) as port,
        closing(HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)) as client,
    ):
        client.connect()
        local = client.sock.getsockname()
        answers = []
        for body in ("one", "é", "three"):
            client.request("POST", USERS, body=body.encode())
            answers.append(client.getresponse().read().decode())
        same_connection = client.sock.getsockname() == local

    assert answers == ["one", "é", "three"]
    assert same_connection


def test_a_head_answer_has_the_headers_of_the_get_answer_and_no_body() -> None:
    raw = f"HEAD {USERS} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode()
    with running_front(answering(body="12345", headers={"ETag": 'W/"a"'})) as port:
        head, _, body = exchange(port, raw).partition(b"\r\n\r\n")

    assert b"\r\nContent-Length: 5" in head
    assert b'\r\nETag: W/"a"' in head
    assert body == b""


def test_a_not_modified_answer_has_neither_body_nor_length() -> None:
    raw = f"GET {USERS} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode()
    with running_front(answering(statusCode=304, body="ignored")) as port:
        head, _, body = exchange(port, raw).partition(b"\r\n\r\n")

    assert head.startswith(b"HTTP/1.1 304 Not Modified\r\n")
    assert b"\r\nDate: " in head
    assert b"content-length" not in head.lower()
    assert body == b""


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"nonsense\r\n\r\n", b"400"),
        (f"POST {USERS} HTTP/1.1\r\nContent-Length: x\r\n\r\n".encode(), b"400"),
        (f"POST {USERS} HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n".encode(), b"411"),
        (f"POST {USERS} HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n".encode(), b"413"),
        (b"GET /elsewhere HTTP/1.1\r\nConnection: close\r\n\r\n", b"404"),
    ],
)
def test_a_request_that_does_not_reach_the_service_is_refused_in_its_envelope(
    raw: bytes, status: bytes
) -> None:
    with running_front(answering()) as port:
        answer = exchange(port, raw)

    assert answer.startswith(b"HTTP/1.1 " + status)
    assert b'{"status": "error", ' in answer
    assert b"\r\nCache-Control: no-store\r\n" in answer


@pytest.mark.parametrize(
    ("failure", "status"),
    [
        (Failure.HANDLER_ERROR, 502),
        (Failure.TOO_LARGE, 502),
        (Failure.DIED, 502),
        (Failure.TIMED_OUT, 504),
        (Failure.ALL_BUSY, 503),
    ],
)
def test_a_failed_invocation_is_a_gateway_error(failure: Failure, status: int) -> None:
    with (
        running_front(lambda _event: failure) as port,
        closing(HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)) as client,
    ):
        client.request("GET", USERS)
        answer = client.getresponse()
        body = answer.read()

    assert answer.status == status
    assert b'"status": "error"' in body


def test_a_malformed_result_is_a_bad_gateway() -> None:
    seen: list[Response] = []
    with (
        running_front(answering(body={"not": "text"}), seen) as port,
        closing(HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)) as client,
    ):
        client.request("GET", USERS)
        answer = client.getresponse()
        answer.read()

    assert answer.status == 502
    assert [response.status for response in seen] == [502]


def test_bytes_that_a_client_did_not_escape_are_read_as_utf_8() -> None:
    raw = f"GET {USERS}?q=é HTTP/1.1\r\nConnection: close\r\n\r\n".encode()
    events: list[dict[str, Any]] = []

    def invoke(event: dict[str, Any]) -> Result:
        events.append(event)
        return Result({"statusCode": 200})

    with running_front(invoke) as port:
        exchange(port, raw)

    assert events[0]["queryStringParameters"] == {"q": "é"}


def test_two_hundred_clients_are_served_at_once() -> None:
    clients = 200
    together = Barrier(clients, timeout=PATIENCE_SECONDS)

    def invoke(_event: dict[str, Any]) -> Result:
        together.wait()
        return Result({"statusCode": 200})

    def ask(port: int) -> int:
        with closing(HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)) as client:
            client.request("GET", USERS)
            return client.getresponse().status

    with running_front(invoke) as port, ThreadPoolExecutor(max_workers=clients) as threads:
        statuses = set(threads.map(ask, [port] * clients))

    assert statuses == {200}


def test_stopping_closes_connections_that_clients_keep_open() -> None:
    with socket.socket() as idle:
        with running_front(answering()) as port:
            idle.connect(("127.0.0.1", port))
            idle.sendall(f"GET {USERS} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            idle.recv(65_536)

        idle.settimeout(PATIENCE_SECONDS)
        rest = idle.recv(1)

    assert rest == b""
