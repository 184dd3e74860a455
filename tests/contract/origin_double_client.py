"""Asks the double over a real connection, for the contract tests of the double."""

import json
from collections.abc import Mapping, Sequence
from http.client import HTTPConnection, HTTPResponse
from typing import Any

from dev.origin import OriginDouble, plain_users
from tests.patience import PATIENCE_SECONDS

CLIENT = "clientid1"
LIST = f"/v2/oauth-clients/{CLIENT}/users"
SECRET = {"x-cal-secret-key": "right"}


def prepared() -> OriginDouble:
    """Return a double, not yet started, whose client has the users 1 to 9."""
    origin = OriginDouble({CLIENT: "right"}, users=0)
    origin.replace(CLIENT, plain_users(CLIENT, 9))
    return origin


def connect(origin: OriginDouble) -> HTTPConnection:
    """Return a connection that does not wait for ever."""
    return HTTPConnection(origin.url.removeprefix("http://"), timeout=PATIENCE_SECONDS)


def send(
    connection: HTTPConnection,
    target: str = LIST,
    method: str = "GET",
    headers: Mapping[str, str] = SECRET,
) -> HTTPResponse:
    """Return the answer, its body unread."""
    connection.request(method, target, headers=headers)
    return connection.getresponse()


def get(
    connection: HTTPConnection, target: str = LIST, *, headers: Mapping[str, str] = SECRET
) -> tuple[int, Any]:
    """Return the status and the JSON body."""
    response = send(connection, target, headers=headers)
    return response.status, json.loads(response.read())


def control(
    connection: HTTPConnection, method: str, target: str, body: object = None
) -> tuple[int, Any]:
    """Return the status and the JSON body of a call of the control interface."""
    connection.request(method, target, body=json.dumps(body))
    response = connection.getresponse()
    return response.status, json.loads(response.read())


def ids(answered: tuple[int, Any]) -> list[int]:
    """Return the ids of a list that was answered with success."""
    status, payload = answered
    assert status == 200, payload
    return [row["id"] for row in payload["data"]]


def shown(data: bytes | Sequence[bytes] | None) -> Any:  # noqa: ANN401 - users, free-form
    """Return what documents say: of each user what the origin listed."""
    if data is None or isinstance(data, bytes):
        return data and json.loads(data)
    return [json.loads(line) for line in data]
