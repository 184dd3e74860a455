"""The double answers what the origin answered: every exchange of a recordings file is replayed.

The unit tests of the double restate the same facts without the file.
"""

import json
import re
from collections.abc import Iterator
from http.client import HTTPConnection
from typing import Any

import pytest

from dev.origin import OriginDouble, Request, plain_users
from tests.patience import PATIENCE_SECONDS
from tests.recordings import CLIENT, CLIENTS, EXCHANGES, MISSING, Exchange

if not EXCHANGES:
    pytest.skip(MISSING, allow_module_level=True)

CALLS_BEFORE = {
    "rate limit: request 121 of one IP in a minute": 120,
    "rate limit: next request while blocked": 121,
}
TIMESTAMP = re.compile(r'"timestamp":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"')


@pytest.fixture
def origin() -> Iterator[OriginDouble]:
    with OriginDouble(
        CLIENTS, users=0, clock=lambda: 1.7e9, not_platform=["clnotplatform000000000000"]
    ) as double:
        yield double


@pytest.mark.parametrize("exchange", EXCHANGES, ids=[exchange["name"] for exchange in EXCHANGES])
def test_a_recorded_request_gets_the_recorded_answer(
    origin: OriginDouble, exchange: Exchange
) -> None:
    request, recorded = exchange["request"], exchange["response"]
    origin.replace(CLIENT, plain_users(CLIENT, exchange["users"]))
    for _ in range(CALLS_BEFORE.get(exchange["name"], 0)):
        origin.answer(Request(method="GET", target=request["path"]))

    status, headers, body = send(origin, request)

    assert (status, body) == (recorded["status"], text_of(recorded["body"]))
    assert headers == comparable(recorded["headers"], body)


def send(origin: OriginDouble, request: dict[str, Any]) -> tuple[int, dict[str, str], str]:
    connection = HTTPConnection(origin.url.removeprefix("http://"), timeout=PATIENCE_SECONDS)
    try:
        connection.request(request["method"], request["path"], headers=request["headers"])
        response = connection.getresponse()
        body = TIMESTAMP.sub('"timestamp":"<ISO-8601>"', response.read().decode())
        return response.status, comparable(dict(response.getheaders()), body), body
    finally:
        connection.close()


def text_of(body: object) -> str:
    """Return a recorded body as it was on the wire, so that the order of keys is compared too."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")) if body is not None else ""


def comparable(headers: dict[str, str], body: str) -> dict[str, str]:
    """Return the recorded kinds of headers; a tag made from a timestamp cannot be compared."""
    kept = {name.lower(): text for name, text in headers.items()}
    kept = {name: kept[name] for name in kept if name in RECORDED_HEADERS}
    if "<ISO-8601>" in body:
        del kept["etag"]
    return kept


RECORDED_HEADERS = {name for exchange in EXCHANGES for name in exchange["response"]["headers"]}
