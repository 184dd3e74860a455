"""Behind an HTTP API: the same answers as behind a REST API, compressed by the function."""

import json
from collections.abc import Iterator, Mapping

import pytest

from dev import ROOT
from dev.local.embedded_aws import EmbeddedAws
from dev.local.gateway_events import Request, Resource, to_event
from dev.template.literals import api_paths
from handlers import api
from tests.http_api import Json, Received, as_http_api
from tests.integration.service import CLIENT, Service, running_service

USERS = f"/v2/oauth-clients/{CLIENT}/users"
CACHE = f"/v2/oauth-clients/{CLIENT}/cache"
GZIP = {"Accept-Encoding": "gzip"}
RESOURCES = [Resource(path) for path in api_paths()]


@pytest.fixture(scope="module")
def warm(aws: EmbeddedAws) -> Iterator[Service]:
    with running_service(aws, users=60) as running:
        running.refresh()
        yield running


def rest_event(
    target: str, headers: Mapping[str, str], *, method: str = "GET", body: bytes = b""
) -> Json:
    """Return what a REST API would send."""
    request = Request(
        method=method,
        target=target,
        headers=list(headers.items()),
        body=body,
        source_ip="192.0.2.10",
    )
    return to_event(request, resources=RESOURCES, request_id="r1", now=1_760_000_000)


def ask(
    service: Service,
    target: str = USERS,
    headers: Mapping[str, str] | None = None,
    *,
    method: str = "GET",
    body: bytes = b"",
) -> Received:
    """Return the answer to a request that came by an HTTP API; by default gzip is accepted."""
    event = rest_event(target, GZIP if headers is None else headers, method=method, body=body)
    return Received(api.handler(as_http_api(event), service.context()))


@pytest.mark.parametrize(
    "target",
    [
        USERS,
        f"{USERS}?limit=40&fields=id,name,email",
        f"{USERS}?q=a&sort=-name",
        "/v2/openapi.json",
    ],
)
def test_what_is_compressed_is_what_others_get(warm: Service, target: str) -> None:
    packed = ask(warm, target)
    plain = ask(warm, target, {})

    assert packed.headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in plain.headers
    assert packed.text == plain.text
    assert len(packed.content) < len(plain.content) / 2
    assert packed.headers["ETag"] == plain.headers["ETag"]
    assert packed.headers["Vary"] == plain.headers["Vary"] == "Accept-Encoding"
    assert not {"Content-Length", "Transfer-Encoding"} & (packed.headers.keys())


def test_the_same_snapshot_gives_the_same_bytes(warm: Service) -> None:
    first = ask(warm)
    warm.forget()

    assert ask(warm).content == first.content


def test_a_rest_api_s_answer_is_left_to_it(warm: Service) -> None:
    over_rest = Received(api.handler(rest_event(USERS, GZIP), warm.context()))
    over_http = ask(warm)

    assert over_rest.result["isBase64Encoded"] is False
    assert "Content-Encoding" not in over_rest.headers
    assert over_rest.text == over_http.text
    assert {**over_http.headers, "Age": ""} == {
        **over_rest.headers,
        "Age": "",
        "Content-Encoding": "gzip",
    }


@pytest.mark.parametrize("accepted", ["br", "gzip;q=0", "identity, gzip;q=0.5", "*;q=0", ""])
def test_who_does_not_want_it_is_not_sent_it(warm: Service, accepted: str) -> None:
    answer = ask(warm, headers={"Accept-Encoding": accepted})

    assert "Content-Encoding" not in answer.headers
    assert answer.headers["Vary"] == "Accept-Encoding"
    assert len(answer.body["data"]) == 50


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("headers", [GZIP, {}], ids=["gzip", "plain"])
def test_a_tag_of_either_coding_is_a_304_for_both(
    warm: Service, method: str, headers: Mapping[str, str]
) -> None:
    tag = ask(warm).headers["ETag"]

    answer = ask(warm, headers={**headers, "If-None-Match": tag}, method=method)

    assert (answer.status, answer.content) == (304, b"")
    assert "Content-Encoding" not in answer.headers
    assert answer.headers["Vary"] == "Accept-Encoding"
    assert answer.headers["ETag"] == tag


@pytest.mark.parametrize("headers", [GZIP, {}], ids=["gzip", "plain"])
def test_head_says_what_get_says_without_a_body(warm: Service, headers: Mapping[str, str]) -> None:
    got = ask(warm, headers=headers)

    told = ask(warm, headers=headers, method="HEAD")

    assert (told.status, told.content) == (200, b"")
    assert told.result["isBase64Encoded"] is False
    assert told.headers.keys() == got.headers.keys()
    for name in ("ETag", "Vary", "Content-Type", "Link"):
        assert told.headers[name] == got.headers[name]
    assert told.headers.get("Content-Encoding") == got.headers.get("Content-Encoding")


def test_a_short_answer_is_not_worth_it(warm: Service) -> None:
    user = ask(warm).body["data"][0]

    answer = ask(warm, f"{USERS}/{user['id']}")

    assert answer.body["data"] == user
    assert "Content-Encoding" not in answer.headers
    assert answer.headers["Vary"] == "Accept-Encoding"


def test_a_posted_look_up_is_compressed_too(warm: Service) -> None:
    ids = [user["id"] for user in ask(warm).body["data"]]

    answer = ask(warm, f"{USERS}/lookup", method="POST", body=json.dumps({"ids": ids}).encode())

    assert answer.headers["Content-Encoding"] == "gzip"
    assert [user["id"] for user in answer.body["data"]] == ids


@pytest.mark.parametrize(
    ("method", "target", "status"),
    [
        ("GET", f"{USERS}?limit=0", 400),
        ("GET", "/v2/oauth-clients/nobody/users", 404),
        ("PUT", USERS, 405),
        ("OPTIONS", USERS, 405),
    ],
)
def test_errors_of_the_service_have_its_envelope(
    warm: Service, method: str, target: str, status: int
) -> None:
    answer = ask(warm, target, method=method)

    assert answer.status == status
    assert answer.body["status"] == "error"
    assert answer.body["path"] == target.partition("?")[0]
    assert "Content-Encoding" not in answer.headers


def test_a_long_error_is_compressed_too(warm: Service) -> None:
    target = f"/v2/oauth-clients/{'x' * 2_000}/users"

    answer = ask(warm, target)

    assert answer.status == 404
    assert (answer.headers["Content-Encoding"], answer.headers["Vary"]) == (
        "gzip",
        "Accept-Encoding",
    )
    assert answer.body["error"]["message"] == f"Cannot GET {target}"


def test_what_is_stored_and_what_changed_is_answered(warm: Service) -> None:
    assert ask(warm, CACHE).body["data"]["users"] == 60
    assert ask(warm, f"{CACHE}/changes?since=1").status == 200


def test_the_example_event_gets_a_compressed_list(aws: EmbeddedAws) -> None:
    path = ROOT / "events/list-users-http-api.json"
    event = json.loads(path.read_text(encoding="utf-8"))
    client = event["pathParameters"]["clientId"]

    with running_service(aws, clients={client: "key"}, users=120) as running:
        running.refresh()
        answer = Received(api.handler(event, running.context()))

    assert answer.headers["Content-Encoding"] == "gzip"
    assert len(answer.body["data"]) == 10
