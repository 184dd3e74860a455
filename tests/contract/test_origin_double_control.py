"""The control interface of the double: its API as JSON over HTTP."""

from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection

import pytest

from dev.origin import Fault, OriginDouble
from tests.contract.origin_double_client import CLIENT, LIST, connect, control, get, prepared, send

CONTROLLED = f"/_control/clients/{CLIENT}"


@pytest.fixture
def origin() -> Iterator[OriginDouble]:
    with prepared() as double:
        yield double


@pytest.fixture
def connection(origin: OriginDouble) -> Iterator[HTTPConnection]:
    with closing(connect(origin)) as opened:
        yield opened


def test_control_reads_and_changes_the_users(
    origin: OriginDouble, connection: HTTPConnection
) -> None:
    users = f"{CONTROLLED}/users"

    created = control(connection, "POST", users, {"name": "Ada", "email": "ada@example.com"})[1]
    control(connection, "PATCH", f"{users}/{created['id']}", {"name": "Ada L."})
    control(connection, "DELETE", f"{users}/1")

    assert control(connection, "GET", f"{users}/{created['id']}")[1]["name"] == "Ada L."
    assert control(connection, "GET", users) == (200, {"count": 9, "users": origin.users(CLIENT)})
    assert origin.users(CLIENT)[-1]["email"] == f"ada+{CLIENT}@example.com"
    assert origin.users(CLIENT)[0]["id"] == 2


def test_control_replaces_the_users_by_rows_or_by_a_count(
    origin: OriginDouble, connection: HTTPConnection
) -> None:
    users = f"{CONTROLLED}/users"

    assert control(connection, "PUT", users, [{"id": 5}]) == (200, {"count": 1})
    assert origin.users(CLIENT) == [{"id": 5}]
    assert control(connection, "PUT", users, {"count": 620}) == (200, {"count": 620})
    assert len(origin.users(CLIENT)) == 620


def test_control_rotates_a_secret(origin: OriginDouble, connection: HTTPConnection) -> None:
    status = control(connection, "PUT", f"{CONTROLLED}/secret", {"secret": "new"})[0]

    assert (status, get(connection)[0]) == (200, 401)
    assert origin.calls[-1].status == 401


def test_control_sets_and_clears_faults(origin: OriginDouble, connection: HTTPConnection) -> None:
    wanted = [{"kind": "status", "status": 503, "times": 3, "match": "limit"}]

    assert control(connection, "PUT", "/_control/faults", wanted)[0] == 200
    assert origin.faults == (Fault("status", status=503, times=3, match="limit"),)
    assert control(connection, "PUT", "/_control/faults", []) == (200, {"faults": []})
    assert not origin.faults


def test_control_sets_the_limits_it_names(origin: OriginDouble, connection: HTTPConnection) -> None:
    status, limits = control(connection, "PUT", "/_control/limits", {"ip": 1})

    assert status == 200
    assert limits == {"client": 500, "ip": 1, "window_seconds": 60, "block_seconds": 60}
    assert [get(connection)[0], get(connection)[0]] == [200, 429]
    assert origin.limits.ip == 1


def test_control_sets_the_bounds_it_names(origin: OriginDouble, connection: HTTPConnection) -> None:
    far, many = f"{LIST}?offset=251", f"{LIST}?limit=251"
    before = [get(connection, target)[0] for target in (far, many)]

    status, bounds = control(connection, "PUT", "/_control/bounds", {"max_offset": 251})

    assert (status, bounds) == (200, {"max_limit": 250, "max_offset": 251})
    assert before == [400, 400]
    assert [get(connection, target)[0] for target in (far, many)] == [200, 400]
    assert origin.bounds.max_offset == 251


def test_control_tells_the_calls_and_clears_them_but_is_none_itself(
    origin: OriginDouble, connection: HTTPConnection
) -> None:
    get(connection, f"{LIST}?limit=1")

    told = control(connection, "GET", "/_control/calls?clear=1")[1]

    assert (told["count"], told["calls"][0]["query"]) == (1, "limit=1")
    assert "x-cal-secret-key" in told["calls"][0]["headers"]
    assert origin.calls == []
    assert send(connection).headers["X-RateLimit-Remaining-Default"] == "118"


@pytest.mark.parametrize(
    ("method", "target", "body", "status"),
    [
        ("GET", "/_control/nope", None, 404),
        ("PATCH", "/_control/calls", None, 404),
        ("GET", "/_control/clients/nobody/users", None, 404),
        ("DELETE", f"{CONTROLLED}/users/77", None, 404),
        ("PUT", f"{CONTROLLED}/users", {}, 400),
        ("PUT", f"{CONTROLLED}/secret", {}, 400),
        ("PUT", "/_control/faults", [{"kind": "nope"}], 400),
        ("PUT", "/_control/faults", [{"kindness": 1}], 400),
        ("PUT", "/_control/limits", {"nope": 1}, 400),
        ("PUT", "/_control/bounds", {"nope": 1}, 400),
    ],
)
def test_control_refuses_what_makes_no_sense(
    connection: HTTPConnection, method: str, target: str, body: object, status: int
) -> None:
    answered, told = control(connection, method, target, body)

    assert (answered, list(told)) == (status, ["error"])
