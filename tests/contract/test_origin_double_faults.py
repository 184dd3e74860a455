"""Each fault of the double, as a real client sees it."""

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from http.client import HTTPConnection, IncompleteRead, RemoteDisconnected

import pytest

from dev.origin import Fault, OriginDouble, plain_users
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
from tests.patience import wait_until


@pytest.fixture
def origin() -> Iterator[OriginDouble]:
    with prepared() as double:
        yield double


@pytest.fixture
def connection(origin: OriginDouble) -> Iterator[HTTPConnection]:
    with closing(connect(origin)) as opened:
        yield opened


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (Fault("empty_list"), []),
        (Fault("lose_third"), [1, 2, 4, 5, 7, 8]),
        (Fault("unordered_ids"), [9, 8, 7, 6, 5, 4, 3, 2, 1]),
        (Fault("duplicate_ids"), [1, 1, 2, 3, 4, 5, 6, 7, 8, 9]),
    ],
)
def test_a_fault_changes_which_rows_a_list_has(
    origin: OriginDouble, connection: HTTPConnection, fault: Fault, expected: list[int]
) -> None:
    origin.faults = [fault]

    assert ids(get(connection)) == expected
    assert get(connection, f"{LIST}/3")[0] == 200


def test_huge_metadata_is_27_kilobytes_a_user(
    origin: OriginDouble, connection: HTTPConnection
) -> None:
    origin.faults = [Fault("huge_metadata")]

    payload = get(connection, f"{LIST}?limit=1")[1]

    metadata = payload["data"][0]["metadata"]
    assert {(len(key), len(value)) for key, value in metadata.items()} == {(40, 500)}
    assert len(metadata) == 50


@pytest.mark.parametrize("status", [401, 403, 429, 500, 502, 503])
def test_a_status_fault_answers_that_status_and_counts(
    origin: OriginDouble, connection: HTTPConnection, status: int
) -> None:
    origin.faults = [Fault("status", status=status)]

    response = send(connection)
    payload = json.loads(response.read())

    assert response.status == status
    assert response.headers["X-RateLimit-Limit-Default"] == "120"
    assert payload.get("statusCode", payload.get("status")) == (status if status > 499 else "error")


def test_an_error_may_come_as_a_200(origin: OriginDouble, connection: HTTPConnection) -> None:
    origin.faults = [Fault("status_error_200")]

    status, payload = get(connection)

    assert (status, payload["status"], len(payload["data"])) == (200, "error", 9)


ROW = plain_users(CLIENT, 1)[0]
NAMELESS = {key: ROW[key] for key in ROW if key != "id"}


@pytest.mark.parametrize(
    ("fault", "listed", "single"),
    [
        (Fault("wrong_shape"), {"data": None}, {"data": None}),
        (Fault("wrong_shape", shape="no_data"), {}, {}),
        (Fault("wrong_shape", shape="null_row"), {"data": [None]}, {"data": None}),
        (Fault("wrong_shape", shape="no_id"), {"data": [NAMELESS]}, {"data": NAMELESS}),
        (
            Fault("wrong_shape", shape="text_id"),
            {"data": [ROW | {"id": "1"}]},
            {"data": ROW | {"id": "1"}},
        ),
        (
            Fault("wrong_shape", shape="other_container"),
            {"data": {"users": [ROW]}},
            {"data": [ROW]},
        ),
    ],
)
def test_a_success_may_have_the_wrong_shape(
    origin: OriginDouble,
    connection: HTTPConnection,
    fault: Fault,
    listed: dict[str, object],
    single: dict[str, object],
) -> None:
    origin.faults = [fault]

    success = {"status": "success"}
    assert get(connection, f"{LIST}?limit=1") == (200, success | listed)
    assert get(connection, f"{LIST}/1") == (200, success | single)


def test_a_success_may_have_no_envelope(origin: OriginDouble, connection: HTTPConnection) -> None:
    origin.faults = [Fault("wrong_shape", shape="array")]

    assert get(connection, f"{LIST}?limit=1") == (200, [ROW])


def test_a_wrong_shape_leaves_a_refusal_alone(
    origin: OriginDouble, connection: HTTPConnection
) -> None:
    origin.faults = [Fault("wrong_shape")]

    assert get(connection, f"{LIST}?limit=0")[0] == 400


@pytest.mark.parametrize(
    ("fault", "status"), [(Fault("html"), 502), (Fault("html", status=200), 200)]
)
def test_the_edge_answers_in_html(
    origin: OriginDouble, connection: HTTPConnection, fault: Fault, status: int
) -> None:
    origin.faults = [fault]

    page = send(connection)

    assert (page.status, page.headers["Content-Type"]) == (status, "text/html; charset=UTF-8")
    assert page.read().startswith(b"<!DOCTYPE html>")


def test_a_redirect_leads_to_another_host(origin: OriginDouble, connection: HTTPConnection) -> None:
    origin.faults = [Fault("redirect", location="http://127.0.0.1:1/")]

    response = send(connection)
    response.read()

    assert (response.status, response.headers["Location"]) == (302, "http://127.0.0.1:1/")


def test_an_oversize_body_is_valid_json_of_more_than_16_megabytes(
    origin: OriginDouble, connection: HTTPConnection
) -> None:
    origin.faults = [Fault("oversize")]

    body = send(connection).read()

    assert len(body) > 16 * 1024 * 1024
    assert len(json.loads(body)["data"]) == 9


def test_a_truncated_body_is_shorter_than_announced(
    origin: OriginDouble, connection: HTTPConnection
) -> None:
    origin.faults = [Fault("truncate")]

    response = send(connection)

    with pytest.raises(IncompleteRead):
        response.read()


def test_a_reset_comes_instead_of_an_answer(
    origin: OriginDouble, connection: HTTPConnection
) -> None:
    origin.faults = [Fault("reset")]

    with pytest.raises(ConnectionResetError):
        send(connection)
    assert [call.status for call in origin.calls] == [None]


def test_a_reset_mid_body_comes_after_the_headers(
    origin: OriginDouble, connection: HTTPConnection
) -> None:
    origin.replace(CLIENT, plain_users(CLIENT, 250))
    origin.faults = [Fault("reset_mid_body")]

    response = send(connection, f"{LIST}?limit=250")

    assert response.status == 200
    with pytest.raises(ConnectionResetError):
        response.read()


def test_a_dripping_body_arrives_whole(origin: OriginDouble, connection: HTTPConnection) -> None:
    origin.faults = [Fault("slow_drip", seconds=0.001)]

    status, payload = get(connection, f"{LIST}?offset=9")

    assert (status, payload) == (200, {"status": "success", "data": []})


def test_a_dripping_body_arrives_byte_by_byte_and_ends_with_its_fault(
    origin: OriginDouble, connection: HTTPConnection
) -> None:
    origin.faults = [Fault("slow_drip", seconds=3600)]
    response = send(connection)
    first = response.read(1)

    origin.faults = []

    assert first == b"{"
    with pytest.raises(IncompleteRead):
        response.read()


def test_a_delayed_answer_is_remembered_before_it_is_sent(
    origin: OriginDouble, connection: HTTPConnection
) -> None:
    origin.faults = [Fault("delay", seconds=60)]
    connection.request("GET", LIST, headers=SECRET)
    wait_until(lambda: bool(origin.calls))

    origin.faults = []

    assert connection.getresponse().read()


@pytest.mark.parametrize("end", [lambda origin: setattr(origin, "faults", []), OriginDouble.stop])
def test_a_hanging_call_is_never_answered_and_ends_with_its_fault_or_the_double(
    origin: OriginDouble, connection: HTTPConnection, end: Callable[[OriginDouble], None]
) -> None:
    origin.faults = [Fault("hang")]
    connection.request("GET", LIST, headers=SECRET)
    wait_until(lambda: bool(origin.calls))

    end(origin)

    with pytest.raises(RemoteDisconnected):
        connection.getresponse()


def test_a_fault_hits_the_next_calls_whose_target_matches(
    origin: OriginDouble, connection: HTTPConnection
) -> None:
    origin.faults = [Fault("status", status=503, times=2, match="offset=250")]

    targets = [LIST, f"{LIST}?offset=250", LIST, f"{LIST}?offset=250", f"{LIST}?offset=250"]

    assert [get(connection, target)[0] for target in targets] == [200, 503, 200, 503, 200]
    assert not origin.faults


def test_several_faults_add_up(origin: OriginDouble, connection: HTTPConnection) -> None:
    origin.faults = [Fault("lose_third"), Fault("unordered_ids"), Fault("delay", seconds=0.001)]

    assert ids(get(connection)) == [8, 7, 5, 4, 2, 1]


def test_an_unknown_kind_or_shape_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match="unknown kind 'nope'"):
        Fault("nope")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="unknown shape 'nope'"):
        Fault("wrong_shape", shape="nope")  # type: ignore[arg-type]
