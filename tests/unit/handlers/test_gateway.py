"""Events of API Gateway's proxy integrations, routes, and the responses to them."""

import gzip
import json
from base64 import b64decode, b64encode, b85encode
from hashlib import sha256
from http import HTTPStatus
from typing import Any

import pytest

from handlers.gateway import Request, Response, Route, error_response
from lib.errors import MethodNotAllowedError, NotFoundError, ServiceError

BASE = "/oauth-clients/clientid1"


def request(**event: Any) -> Request:  # noqa: ANN401 - an event is free-form
    """Return the request in an event."""
    return Request.from_event(event, fallback_id="fallback")


def routed(path: str, method: str = "GET") -> Route:
    """Return the route of a path."""
    return request(httpMethod=method, path=path).route()


@pytest.mark.parametrize(
    "event",
    [
        {},
        {
            "httpMethod": None,
            "path": None,
            "headers": None,
            "multiValueHeaders": None,
            "queryStringParameters": None,
            "multiValueQueryStringParameters": None,
            "requestContext": None,
            "body": None,
            "resource": None,
            "pathParameters": None,
            "version": None,
        },
        {"requestContext": "x", "headers": [], "queryStringParameters": "x", "body": {}},
        {"requestContext": {"http": "x", "path": None}, "pathParameters": ["x"]},
        {"multiValueQueryStringParameters": {"a": None, "b": []}},
    ],
)
def test_an_event_with_nothing_in_it_is_an_empty_request(event: dict[str, Any]) -> None:
    assert request(**event) == Request(
        method="", path="", params={}, headers={}, request_id="fallback", body=""
    )


@pytest.mark.parametrize(
    ("event", "params"),
    [
        ({"queryStringParameters": {"a": "1"}}, {"a": ["1"]}),
        ({"queryStringParameters": {"a": ""}}, {"a": [""]}),
        ({"queryStringParameters": {"a": None}}, {}),
        ({"multiValueQueryStringParameters": {"a": ["1", "2"]}}, {"a": ["1", "2"]}),
        (
            {
                "queryStringParameters": {"a": "2"},
                "multiValueQueryStringParameters": {"a": ["1", "2"]},
            },
            {"a": ["1", "2"]},
        ),
        (
            {"queryStringParameters": {"a": "2"}, "multiValueQueryStringParameters": None},
            {"a": ["2"]},
        ),
        (
            {"queryStringParameters": {"a": "2"}, "multiValueQueryStringParameters": {}},
            {"a": ["2"]},
        ),
    ],
)
def test_repeated_parameters_are_all_there_where_the_event_has_them(
    event: dict[str, Any], params: dict[str, list[str]]
) -> None:
    assert request(**event).params == params


@pytest.mark.parametrize(
    "event",
    [
        {"headers": {"Cache-Control": "no-cache, max-age=0"}},
        {"multiValueHeaders": {"CACHE-control": ["no-cache", "max-age=0"]}},
        {
            "headers": {"Cache-Control": "max-age=0"},
            "multiValueHeaders": {"Cache-Control": ["no-cache", "max-age=0"]},
        },
    ],
)
def test_header_names_are_lower_case_and_repeated_fields_joined(event: dict[str, Any]) -> None:
    assert request(**event).headers == {"cache-control": "no-cache, max-age=0"}


def test_the_request_id_is_api_gateways() -> None:
    assert request(requestContext={"requestId": "theirs"}).request_id == "theirs"


@pytest.mark.parametrize(
    ("identity", "caller"),
    [
        ({"caller": "AROAEXAMPLEEXAMPLE000:ada@example.com"}, "AROAEXAMPLEEXAMPLE000"),
        ({"caller": "AROAEXAMPLEEXAMPLE000:"}, "AROAEXAMPLEEXAMPLE000"),
        ({"caller": "AROAEXAMPLEEXAMPLE000:a:b\nc"}, "AROAEXAMPLEEXAMPLE000"),
        ({"caller": "AIDAEXAMPLEEXAMPLE000"}, "AIDAEXAMPLEEXAMPLE000"),
        ({"caller": "123456789012"}, "123456789012"),
        ({"caller": "ada@example.com"}, ""),
        ({"caller": None}, ""),
        ({"caller": ["AROAEXAMPLEEXAMPLE000"]}, ""),
        ({}, ""),
        (None, ""),
        ("x", ""),
    ],
)
def test_a_caller_is_known_by_an_id_without_the_session_s_name(
    identity: object, caller: str
) -> None:
    assert request(requestContext={"identity": identity}).caller == caller


@pytest.mark.parametrize(
    ("event", "body"),
    [
        ({"body": "{}"}, "{}"),
        ({"body": b64encode("ü".encode()).decode(), "isBase64Encoded": True}, "ü"),
        ({"body": b64encode(b"\xff").decode(), "isBase64Encoded": True}, ""),
        ({"body": "x", "isBase64Encoded": True}, ""),
        ({"body": "ü", "isBase64Encoded": True}, ""),
    ],
)
def test_a_body_comes_as_text_or_encoded(event: dict[str, Any], body: str) -> None:
    assert request(**event).body == body


def test_a_body_is_in_no_printed_form() -> None:
    assert "canary" not in repr(request(body="canary"))


@pytest.mark.parametrize("prefix", ["", "/v2"])
@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize(
    ("path", "method", "resource", "user_id"),
    [
        ("/users", "GET", "users", ""),
        ("/users", "HEAD", "users", ""),
        ("/users/7", "GET", "users/{userId}", "7"),
        ("/users/7", "HEAD", "users/{userId}", "7"),
        ("/users/abc", "GET", "users/{userId}", "abc"),
        ("/users/lookup", "POST", "users/lookup", ""),
        ("/cache", "GET", "cache", ""),
        ("/cache/refresh", "POST", "cache/refresh", ""),
        ("/cache/changes", "GET", "cache/changes", ""),
        ("/cache", "HEAD", "cache", ""),
        ("/cache/changes", "HEAD", "cache/changes", ""),
        ("/cache/pages", "GET", "cache/pages", ""),
        ("/events", "GET", "events", ""),
        ("/events", "HEAD", "events", ""),
    ],
)
def test_a_route_is_found_with_and_without_the_stage(
    *, prefix: str, slash: str, path: str, method: str, resource: str, user_id: str
) -> None:
    assert routed(f"{prefix}{BASE}{path}{slash}", method) == Route(resource, "clientid1", user_id)


@pytest.mark.parametrize(
    ("resource", "parameters", "method", "route"),
    [
        ("{client}/users", {}, "GET", Route("users", "clientid1", "")),
        (
            "{client}/users/{userId}",
            {"userId": "7"},
            "HEAD",
            Route("users/{userId}", "clientid1", "7"),
        ),
        ("{client}/users/lookup", {}, "POST", Route("users/lookup", "clientid1", "")),
        ("{client}/cache/changes", {}, "GET", Route("cache/changes", "clientid1", "")),
        ("/openapi.json", None, "GET", Route("/openapi.json", "", "")),
    ],
)
@pytest.mark.parametrize("base", ["/directory", "/directory/v2", "/a/b-c/d", "/v2/v2", ""])
def test_below_any_base_path_the_resource_that_api_gateway_found_counts(
    base: str, resource: str, parameters: dict[str, str] | None, method: str, route: Route
) -> None:
    resource = resource.replace("{client}", "/oauth-clients/{clientId}")
    found = None if parameters is None else parameters | {"clientId": "clientid1"}
    path = base + resource.format(**(found or {}))

    asked = request(httpMethod=method, path=path, resource=resource, pathParameters=found)

    assert asked.route() == route


@pytest.mark.parametrize(
    ("resource", "parameters"),
    [
        ("/{proxy+}", {"proxy": "oauth-clients/clientid1/users"}),
        ("/oauth-clients/{clientId}/users", {}),
        ("/oauth-clients/{clientId}/users", None),
        ("/oauth-clients/{clientId}/other", {"clientId": "another"}),
        ("$default", None),
        (None, None),
    ],
)
def test_where_no_resource_was_found_the_path_counts(
    resource: str | None, parameters: dict[str, str] | None
) -> None:
    asked = request(
        httpMethod="GET", path=f"{BASE}/users", resource=resource, pathParameters=parameters
    )

    assert asked.route() == Route("users", "clientid1", "")


@pytest.mark.parametrize("client_id", ["a b", "c" * 65, "a/b", "", None, 7.5, ["x"]])
def test_an_impossible_client_id_is_no_route(client_id: object) -> None:
    asked = request(
        httpMethod="GET",
        path="/directory/x",
        resource="/oauth-clients/{clientId}/users/{userId}",
        pathParameters={"clientId": client_id, "userId": "7"},
    )

    with pytest.raises(NotFoundError):
        asked.route()


def test_a_path_in_an_answer_is_the_one_that_was_asked_for() -> None:
    asked = request(
        httpMethod="GET",
        path="/directory/nope",
        resource="/{proxy+}",
        requestContext={"path": "/directory/nope"},
    )

    with pytest.raises(NotFoundError, match=r"^Cannot GET /directory/nope$"):
        asked.route()


@pytest.mark.parametrize("version", ["1.0", None])
def test_payload_1_0_of_an_http_api_is_understood(version: str | None) -> None:
    asked = request(version=version, httpMethod="GET", path=f"/v2{BASE}/users", resource="$default")

    assert asked.route().resource == "users"


def test_payload_2_0_is_refused_in_so_many_words() -> None:
    http = {"method": "GET", "path": f"/v2{BASE}/users", "protocol": "HTTP/1.1"}
    asked = request(version="2.0", rawPath=f"/v2{BASE}/users", requestContext={"http": http})

    with pytest.raises(ServiceError, match=r"REST API.*payload format 1\.0") as caught:
        asked.route()

    assert caught.value.status == 500
    assert (asked.method, asked.public_path) == ("GET", f"/v2{BASE}/users")


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "/v2",
        "/nope",
        "/v1/oauth-clients/c/users",
        "/v2/v2/oauth-clients/c/users",
        "/oauth-clients/c",
        "/oauth-clients//users",
        "/oauth-clients/c//users",
        "/oauth-clients/c/users/1/2",
        "/oauth-clients/c/users//",
        "/oauth-clients/c d/users",
        "/oauth-clients/c%2e/users",
        "/oauth-clients/" + "c" * 65 + "/users",
        "/oauth-clients/c/cache/refresh/now",
        "/oauth-clients/c/Users",
    ],
)
def test_any_other_path_is_not_found(path: str) -> None:
    with pytest.raises(NotFoundError):
        routed(path)


@pytest.mark.parametrize("path", ["/nope/x", "/v2/nope/x"])
def test_a_path_that_is_not_found_is_named_as_at_the_origin(path: str) -> None:
    with pytest.raises(NotFoundError) as caught:
        routed(path, "PUT")

    assert caught.value.message == "Cannot PUT /v2/nope/x"


@pytest.mark.parametrize(
    ("path", "method", "allow"),
    [
        ("/users", "POST", "GET, HEAD"),
        ("/users", "", "GET, HEAD"),
        ("/users", "get", "GET, HEAD"),
        ("/users/7", "DELETE", "GET, HEAD"),
        ("/users/lookup", "GET", "POST"),
        ("/cache", "POST", "GET, HEAD"),
        ("/cache/refresh", "GET", "POST"),
        ("/cache/refresh", "HEAD", "POST"),
        ("/cache/changes", "POST", "GET, HEAD"),
        ("/cache/pages", "POST", "GET, HEAD"),
        ("/events", "POST", "GET, HEAD"),
    ],
)
def test_another_method_is_told_which_are_allowed(path: str, method: str, allow: str) -> None:
    with pytest.raises(MethodNotAllowedError) as caught:
        routed(BASE + path, method)

    assert caught.value.fields == {"Allow": allow}
    assert caught.value.message == f"Cannot {method} /v2{BASE}{path}"


def test_a_response_is_not_to_be_stored_unless_it_says_otherwise() -> None:
    event = Response(HTTPStatus.OK, "{}").to_event(request(requestContext={"requestId": "r1"}))

    assert event == {
        "statusCode": 200,
        "headers": {
            "Cache-Control": "no-store",
            "X-Request-Id": "r1",
            "X-Content-Type-Options": "nosniff",
            "Content-Type": "application/json; charset=utf-8",
        },
        "body": "{}",
        "isBase64Encoded": False,
    }


def test_a_responses_own_headers_win() -> None:
    response = Response(HTTPStatus.OK, "{}", {"Cache-Control": "private", "Age": "3"})

    headers = response.to_event(request())["headers"]

    assert (headers["Cache-Control"], headers["Age"]) == ("private", "3")


@pytest.mark.parametrize(
    ("method", "status", "body", "typed"),
    [
        ("GET", HTTPStatus.OK, "{}", True),
        ("HEAD", HTTPStatus.OK, "", True),
        ("HEAD", HTTPStatus.NOT_FOUND, "", True),
        ("GET", HTTPStatus.NOT_MODIFIED, "", False),
        ("HEAD", HTTPStatus.NOT_MODIFIED, "", False),
    ],
)
def test_head_and_304_have_no_body(
    method: str, status: HTTPStatus, body: str, *, typed: bool
) -> None:
    event = Response(status, "{}").to_event(request(httpMethod=method))

    assert event["body"] == body
    assert ("Content-Type" in event["headers"]) is typed


LONG = json.dumps({"data": ["user"] * 200})
HTTP_API: dict[str, Any] = {
    "version": "1.0",
    "resource": "/oauth-clients/{clientId}/users",
    "path": f"/v2{BASE}/users",
    "httpMethod": "GET",
    "multiValueHeaders": {"accept-encoding": ["gzip, br"]},
    "pathParameters": {"clientId": "clientid1"},
    "requestContext": {
        "identity": {"caller": "AROAEXAMPLEEXAMPLE000:jane@example.com"},
        "path": f"/v2{BASE}/users",
        "resourceId": "ANY /oauth-clients/{clientId}/users",
        "resourcePath": "/oauth-clients/{clientId}/users",
        "stage": "v2",
    },
}


def test_an_http_api_s_request_says_all_that_a_rest_api_s_does() -> None:
    asked = request(**HTTP_API)

    assert asked.route() == Route("users", "clientid1", "")
    assert (asked.method, asked.public_path) == ("GET", f"/v2{BASE}/users")
    assert asked.caller == "AROAEXAMPLEEXAMPLE000"


def test_behind_an_http_api_a_long_body_is_compressed_for_whoever_accepts_it() -> None:
    event = Response(HTTPStatus.OK, LONG, {"ETag": 'W/"1"'}).to_event(request(**HTTP_API))

    headers = event["headers"]
    assert event["isBase64Encoded"] is True
    assert gzip.decompress(b64decode(event["body"])).decode() == LONG
    assert (headers["Content-Encoding"], headers["Vary"]) == ("gzip", "Accept-Encoding")
    assert headers["ETag"] == 'W/"1"'
    assert "Content-Length" not in headers


@pytest.mark.parametrize("accepted", [[], ["br"], ["gzip;q=0", "*"]])
def test_who_does_not_accept_it_is_told_that_others_may_get_it(accepted: list[str]) -> None:
    asked = request(**HTTP_API | {"multiValueHeaders": {"accept-encoding": accepted}})

    event = Response(HTTPStatus.OK, LONG).to_event(asked)

    assert (event["body"], event["isBase64Encoded"]) == (LONG, False)
    assert event["headers"]["Vary"] == "Accept-Encoding"
    assert "Content-Encoding" not in event["headers"]


@pytest.mark.parametrize(
    "rest",
    [
        {"version": None},
        {"version": "2.0"},
        # Emulators of REST APIs.
        {"requestContext": {"resourceId": "a1b2c3"}},
        {"requestContext": {"resourceId": None}},
        {"requestContext": None},
    ],
)
def test_a_rest_api_compresses_by_itself(rest: dict[str, Any]) -> None:
    event = Response(HTTPStatus.OK, LONG).to_event(request(**HTTP_API | rest))

    assert (event["body"], event["isBase64Encoded"]) == (LONG, False)
    assert not {"Content-Encoding", "Vary"} & event["headers"].keys()


@pytest.mark.parametrize(("length", "compressed"), [(1_023, False), (1_024, True)])
def test_a_body_is_compressed_from_1024_bytes_on(length: int, *, compressed: bool) -> None:
    # The last letter takes two bytes.
    event = Response(HTTPStatus.OK, "x" * (length - 2) + "é").to_event(request(**HTTP_API))

    assert event["isBase64Encoded"] is compressed
    assert ("Vary" in event["headers"]) is compressed


def test_a_body_that_would_only_grow_stays_as_it_is() -> None:
    # As good as random: nothing is to be found again in it, and base64 adds a third.
    body = b85encode(b"".join(sha256(bytes([number])).digest() for number in range(60))).decode()

    event = Response(HTTPStatus.OK, body).to_event(request(**HTTP_API))

    assert (event["body"], event["isBase64Encoded"]) == (body, False)
    assert event["headers"]["Vary"] == "Accept-Encoding"
    assert "Content-Encoding" not in event["headers"]


def test_head_is_told_of_the_coding_that_get_has() -> None:
    event = Response(HTTPStatus.OK, LONG).to_event(request(**HTTP_API | {"httpMethod": "HEAD"}))

    assert (event["body"], event["isBase64Encoded"]) == ("", False)
    assert event["headers"]["Content-Encoding"] == "gzip"
    assert event["headers"]["Vary"] == "Accept-Encoding"


def test_a_304_has_no_coding_and_keeps_its_vary() -> None:
    response = Response(HTTPStatus.NOT_MODIFIED, LONG, {"Vary": "Accept-Encoding"})

    event = response.to_event(request(**HTTP_API))

    assert (event["body"], event["isBase64Encoded"]) == ("", False)
    assert event["headers"]["Vary"] == "Accept-Encoding"
    assert "Content-Encoding" not in event["headers"]


def test_an_error_is_answered_in_the_origins_envelope() -> None:
    asked = request(path=f"{BASE}/users/99", requestContext={"requestId": "r1"})

    response = error_response(
        NotFoundError("no such user"), asked, now=1_800_000_000.25, headers={"A": "b"}
    )

    body = json.loads(response.body)
    assert (response.status, response.headers) == (HTTPStatus.NOT_FOUND, {"A": "b"})
    assert body["timestamp"] == "2027-01-15T08:00:00.250Z"
    assert (body["path"], body["requestId"]) == (f"/v2{BASE}/users/99", "r1")
