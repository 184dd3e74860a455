"""What the page asks of the local run itself: the timeline, and a double that can be broken."""

import json

import pytest

from dev.local.desk import Desk
from dev.local.gateway_events import Request, Response
from dev.local.timeline import Timeline
from dev.origin import Fault, OriginDouble
from tests.openapi import Json

CLIENT = "clxdemo0000000000000000001"
HERE = {"Host": "127.0.0.1:8080"}


@pytest.fixture
def origin() -> OriginDouble:
    return OriginDouble({CLIENT: "key"}, users=3)


@pytest.fixture
def desk(origin: OriginDouble) -> Desk:
    return Desk(Timeline(), origin)


def request(
    path: str,
    method: str = "GET",
    *,
    headers: dict[str, str] | None = None,
    body: object = None,
    source_ip: str = "127.0.0.1",
) -> Request:
    return Request(
        method=method,
        target=path,
        headers=list({**HERE, **(headers or {})}.items()),
        body=b"" if body is None else json.dumps(body).encode(),
        source_ip=source_ip,
    )


def said(response: Response | None, status: int = 200) -> Json:
    assert response is not None
    assert response.status == status
    return json.loads(response.body)


def test_the_double_is_broken_and_mended_and_both_are_told(
    desk: Desk, origin: OriginDouble
) -> None:
    fault = {"kind": "status", "status": 503}
    said(desk.answer(request("/local/origin/faults", "PUT", body=[fault])))

    assert origin.faults == (Fault("status", status=503),)
    told = said(desk.answer(request(f"/local/timeline?client={CLIENT}")))
    assert told["origin"] == {"faults": ["status 503"]}
    assert [entry["did"]["what"] for entry in told["entries"]] == ["faults"]

    said(desk.answer(request("/local/origin/faults", "PUT", body=[])))
    newer = said(desk.answer(request(f"/local/timeline?client={CLIENT}&after={told['sequence']}")))
    assert newer["origin"] == {"faults": []}
    assert [entry["did"]["faults"] for entry in newer["entries"]] == [[]]


def test_who_is_signed_up_is_told_by_id(desk: Desk) -> None:
    users = f"/local/origin/clients/{CLIENT}/users"
    user = said(desk.answer(request(users, "POST", body={"name": "Ada"})))

    told = said(desk.answer(request(f"/local/timeline?client={CLIENT}")))

    [entry] = told["entries"]
    assert entry["did"] == {"method": "POST", "what": "users", "user": user["id"], "count": None}
    assert "Ada" not in json.dumps(told)
    assert said(desk.answer(request("/local/timeline?client=another")))["entries"] == []


def test_what_is_only_read_or_refused_is_not_told(desk: Desk) -> None:
    said(desk.answer(request("/local/origin/faults")))
    said(desk.answer(request("/local/origin/limits", "PUT", body={})))
    said(desk.answer(request("/local/origin/faults", "PUT", body=[{"kind": "no"}])), 400)

    assert said(desk.answer(request("/local/timeline")))["entries"] == []


@pytest.mark.parametrize(
    ("headers", "source_ip"),
    [
        ({"Host": "rebound.example:8080"}, "127.0.0.1"),
        ({"Host": ""}, "127.0.0.1"),
        ({"Origin": "https://elsewhere.example"}, "127.0.0.1"),
        ({"Origin": "null"}, "127.0.0.1"),
        ({"Sec-Fetch-Site": "cross-site"}, "127.0.0.1"),
        ({"Sec-Fetch-Site": "same-site"}, "127.0.0.1"),
        ({}, "192.0.2.7"),
    ],
)
@pytest.mark.parametrize("path", ["/local/origin/faults", "/local/timeline"])
def test_nobody_else_may(
    desk: Desk, origin: OriginDouble, path: str, headers: dict[str, str], source_ip: str
) -> None:
    body = [{"kind": "hang"}]
    refused = desk.answer(request(path, "PUT", headers=headers, body=body, source_ip=source_ip))

    said(refused, 403)
    assert origin.faults == ()


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "localhost:8080", "[::1]:8080"])
def test_pages_of_this_machine_may(desk: Desk, host: str) -> None:
    headers = {"Host": host, "Origin": f"http://{host}", "Sec-Fetch-Site": "same-origin"}

    assert said(desk.answer(request("/local/origin/faults", headers=headers))) == {"faults": []}


def test_a_run_with_a_real_origin_has_nothing_to_break() -> None:
    desk = Desk(Timeline(), None)

    assert desk.answer(request("/local/origin/faults")) is None
    assert said(desk.answer(request("/local/timeline")))["origin"] is None


@pytest.mark.parametrize("path", ["/", "/local", "/local/", "/local/nothing", "/v2/x"])
def test_other_paths_are_not_its_own(desk: Desk, path: str) -> None:
    assert desk.answer(request(path)) is None
