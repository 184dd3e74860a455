"""The double on its socket: connections, the log of calls, the hook, and the command."""

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing
from http.client import HTTPConnection, RemoteDisconnected

import pytest

from dev.origin import OriginDouble, Request
from tests.contract.origin_double_client import (
    CLIENT,
    LIST,
    SECRET,
    connect,
    get,
    ids,
    prepared,
    send,
)
from tests.patience import PATIENCE_SECONDS


@pytest.fixture
def origin() -> Iterator[OriginDouble]:
    with prepared() as double:
        yield double


@pytest.fixture
def connection(origin: OriginDouble) -> Iterator[HTTPConnection]:
    with closing(connect(origin)) as opened:
        yield opened


def test_a_connection_serves_call_after_call(connection: HTTPConnection) -> None:
    get(connection)
    first_socket = connection.sock

    assert ids(get(connection, f"{LIST}?limit=2")) == [1, 2]
    assert connection.sock is first_socket


def test_head_has_the_headers_of_get_and_no_body(connection: HTTPConnection) -> None:
    whole = send(connection)
    length = len(whole.read())

    head = send(connection, method="HEAD")

    assert head.read() == b""
    assert head.headers["Content-Length"] == str(length)
    assert head.headers["ETag"] == whole.headers["ETag"]


def test_starting_twice_is_starting_once(origin: OriginDouble) -> None:
    url = origin.url

    assert origin.start().url == url


def test_many_callers_are_served_at_once(origin: OriginDouble) -> None:
    arrived = threading.Barrier(20)
    origin.before_call = lambda _request: arrived.wait(PATIENCE_SECONDS)

    with ExitStack() as stack:
        opened = [stack.enter_context(closing(connect(origin))) for _ in range(20)]
        for connection in opened:
            connection.request("GET", LIST, headers=SECRET)
        statuses = []
        for connection in opened:
            response = connection.getresponse()
            statuses.append(response.status)
            response.read()

    assert statuses == [200] * 20


def test_stopping_closes_connections_and_a_later_start_takes_the_same_port() -> None:
    origin = OriginDouble({CLIENT: "right"}, users=1).start()
    url = origin.url
    with closing(connect(origin)) as connection:
        get(connection)
        origin.stop()
        origin.stop()
        with pytest.raises((RemoteDisconnected, ConnectionError)):
            send(connection)

    with origin, closing(connect(origin)) as connection:
        assert origin.url == url
        assert get(connection)[0] == 200


def test_calls_are_remembered_without_their_secret(
    origin: OriginDouble, connection: HTTPConnection
) -> None:
    get(connection, f"{LIST}?limit=1")
    get(connection, f"{LIST}/1")
    get(connection, "/v2/nope")

    listed, by_id, nowhere = origin.calls
    assert (listed.sequence, by_id.sequence, nowhere.sequence) == (1, 2, 3)
    assert (listed.method, listed.path, listed.query, listed.status) == (
        *("GET", LIST, "limit=1"),
        200,
    )
    assert (listed.client_id, by_id.user_id, nowhere.client_id) == (CLIENT, "1", None)
    assert "x-cal-secret-key" in listed.headers
    assert "x-cal-client-id" not in listed.headers
    assert "right" not in repr(origin.calls)
    assert origin.list_calls(CLIENT) == [listed]


def test_cleared_calls_are_gone_and_numbers_go_on(
    origin: OriginDouble, connection: HTTPConnection
) -> None:
    get(connection)
    origin.clear_calls()
    get(connection)

    assert [call.sequence for call in origin.calls] == [2]


def test_the_hook_changes_the_data_between_two_calls_of_a_sweep(
    origin: OriginDouble, connection: HTTPConnection
) -> None:
    seen: list[Request] = []

    def delete_one_before_the_second_call(request: Request) -> None:
        seen.append(request)
        if len(seen) == 2:
            origin.delete(CLIENT, 1)

    origin.before_call = delete_one_before_the_second_call
    first = ids(get(connection, f"{LIST}?limit=3"))
    second = ids(get(connection, f"{LIST}?limit=3&offset=3"))

    assert (first, second) == ([1, 2, 3], [5, 6, 7])
    assert [request.query for request in seen] == ["limit=3", "limit=3&offset=3"]
    assert "right" not in repr(seen)


def test_a_rotated_secret_is_the_only_one_accepted(
    origin: OriginDouble, connection: HTTPConnection
) -> None:
    origin.rotate_secret(CLIENT, "new")

    assert get(connection)[0] == 401


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_the_command_prints_its_url_and_serves_until_a_signal(stop: signal.Signals) -> None:
    clients = json.dumps({CLIENT: "right"})
    options = ["--clients", clients, "--users", "3"]
    command = [sys.executable, "-m", "dev.origin", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 -- our own module
        assert process.stdout
        address = process.stdout.readline().strip().removeprefix("http://")
        with closing(HTTPConnection(address, timeout=PATIENCE_SECONDS)) as connection:
            status, payload = get(connection)
        process.send_signal(stop)
        rest = process.stdout.read()

    assert (status, len(payload["data"])) == (200, 3)
    assert (process.returncode, rest) == (0, "")
