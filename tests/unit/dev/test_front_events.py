"""The local front: what API Gateway makes of a request, and of a function's result."""

from typing import Any

import pytest

from dev.local.gateway_events import (
    MalformedResultError,
    Request,
    Resource,
    to_event,
    to_response,
)
from dev.local.journal import printable

RESOURCES = [
    Resource("/oauth-clients/{clientId}/users"),
    Resource("/oauth-clients/{clientId}/users/{userId}"),
    Resource("/oauth-clients/{clientId}/cache"),
    Resource("/oauth-clients/{clientId}/users/lookup"),
]
USERS = "/v2/oauth-clients/abc/users"


def event_of(
    target: str = USERS,
    *,
    method: str = "GET",
    headers: list[tuple[str, str]] | None = None,
    body: bytes = b"",
) -> dict[str, Any]:
    request = Request(
        method=method,
        target=target,
        headers=headers or [],
        body=body,
        source_ip="127.0.0.1",
    )
    return to_event(request, resources=RESOURCES, request_id="request-1", now=1_700_000_000.25)


@pytest.mark.parametrize(
    ("query", "several", "last"),
    [
        ("", None, None),
        ("?", None, None),
        ("?limit=2.0", {"limit": ["2.0"]}, {"limit": "2.0"}),
        ("?emails=a&emails=b", {"emails": ["a", "b"]}, {"emails": "b"}),
        (
            "?emails[]=a&emails%5B%5D=b&emails[0]=c",
            {"emails[]": ["a", "b"], "emails[0]": ["c"]},
            {"emails[]": "b", "emails[0]": "c"},
        ),
        ("?emails=a%2Bb@x.org", {"emails": ["a+b@x.org"]}, {"emails": "a+b@x.org"}),
        ("?emails=a+b@x.org", {"emails": ["a b@x.org"]}, {"emails": "a b@x.org"}),
        ("?q=%E2%82%AC%20%C3%A9", {"q": ["€ é"]}, {"q": "€ é"}),
        ("?q=é", {"q": ["é"]}, {"q": "é"}),
        ("?limit=&sort", {"limit": [""], "sort": [""]}, {"limit": "", "sort": ""}),
        ("?a=1&&b=2&", {"a": ["1"], "b": ["2"]}, {"a": "1", "b": "2"}),
        ("?a=b=c", {"a": ["b=c"]}, {"a": "b=c"}),
        ("?q=%FF", {"q": ["\N{REPLACEMENT CHARACTER}"]}, {"q": "\N{REPLACEMENT CHARACTER}"}),
        ("?q=100%", {"q": ["100%"]}, {"q": "100%"}),
    ],
)
def test_a_query_is_decoded_into_all_values_and_the_last_value_of_each_name(
    query: str, several: dict[str, list[str]] | None, last: dict[str, str] | None
) -> None:
    event = event_of(USERS + query)

    assert event["multiValueQueryStringParameters"] == several
    assert event["queryStringParameters"] == last


@pytest.mark.parametrize(
    ("path", "resource", "parameters"),
    [
        ("/oauth-clients/abc/users/lookup", RESOURCES[3].template, {"clientId": "abc"}),
        ("/oauth-clients/abc/users", RESOURCES[0].template, {"clientId": "abc"}),
        (
            "/oauth-clients/abc/users/7",
            RESOURCES[1].template,
            {"clientId": "abc", "userId": "7"},
        ),
        (
            "/oauth-clients/abc/users/a%2Fb",
            RESOURCES[1].template,
            {"clientId": "abc", "userId": "a%2Fb"},
        ),
        ("/oauth-clients/abc/cache", RESOURCES[2].template, {"clientId": "abc"}),
        ("/me", "/{proxy+}", {"proxy": "me"}),
        ("/oauth-clients//users", "/{proxy+}", {"proxy": "oauth-clients//users"}),
        ("/", "/{proxy+}", {"proxy": ""}),
    ],
)
def test_a_path_loses_its_stage_stays_encoded_and_finds_its_resource(
    path: str, resource: str, parameters: dict[str, str]
) -> None:
    event = event_of(f"/v2{path}?limit=1")

    assert event["path"] == path
    assert event["resource"] == resource
    assert event["pathParameters"] == parameters
    assert event["requestContext"]["path"] == f"/v2{path}"
    assert event["requestContext"]["resourcePath"] == resource
    assert event["requestContext"]["stage"] == "v2"


@pytest.mark.parametrize(
    ("target", "inside"),
    [
        ("/v2", True),
        ("/v2/me", True),
        ("/v2?x=1", True),
        ("/v20/me", False),
        ("/oauth-clients/abc/users", False),
        ("/", False),
        ("*", False),
    ],
)
def test_only_paths_below_the_stage_belong_to_the_api(target: str, *, inside: bool) -> None:
    request = Request(method="GET", target=target, headers=[], body=b"", source_ip="127.0.0.1")

    assert request.in_stage is inside


def test_headers_keep_their_case_and_all_their_values() -> None:
    event = event_of(headers=[("If-None-Match", 'W/"a"'), ("x-a", "1"), ("x-a", "2")])

    assert event["headers"] == {"If-None-Match": 'W/"a"', "x-a": "2"}
    assert event["multiValueHeaders"] == {"If-None-Match": ['W/"a"'], "x-a": ["1", "2"]}


def test_headers_about_the_connection_end_at_the_gateway() -> None:
    event = event_of(headers=[("Connection", "keep-alive"), ("TE", "trailers"), ("Accept", "*/*")])

    assert event["headers"] == {"Accept": "*/*"}


def test_a_request_without_headers_has_none_rather_than_empty_ones() -> None:
    event = event_of()

    assert event["headers"] is None
    assert event["multiValueHeaders"] is None
    assert event["stageVariables"] is None


@pytest.mark.parametrize(
    ("body", "expected"),
    [(b"", None), (b'{"a":"\xc3\xa9"}', '{"a":"é"}'), (b"\xff", "\N{REPLACEMENT CHARACTER}")],
)
def test_a_body_is_text_or_null(body: bytes, expected: str | None) -> None:
    event = event_of(method="POST", body=body)

    assert event["body"] == expected
    assert event["isBase64Encoded"] is False


def test_the_context_tells_method_caller_time_and_request_id() -> None:
    event = event_of(method="HEAD", headers=[("User-Agent", "curl/8")])

    context = event["requestContext"]
    assert event["httpMethod"] == context["httpMethod"] == "HEAD"
    assert context["identity"] == {"sourceIp": "127.0.0.1", "userAgent": "curl/8"}
    assert context["requestTimeEpoch"] == 1_700_000_000_250
    assert context["requestId"] == "request-1"


def test_a_result_becomes_a_response_with_all_values_of_each_header() -> None:
    response = to_response(
        {
            "statusCode": 200,
            "headers": {"Content-Type": "application/json", "Age": 7, "Link": "shadowed"},
            "multiValueHeaders": {"link": ["<a>", "<b>"]},
            "body": "é",
            "isBase64Encoded": False,
        }
    )

    assert response.status == 200
    assert response.headers == [
        ("Content-Type", "application/json"),
        ("Age", "7"),
        ("link", "<a>"),
        ("link", "<b>"),
    ]
    assert response.body == "é".encode()


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ("Date", ["x-amzn-Remapped-Date"]),
        ("content-length", ["x-amzn-Remapped-content-length"]),
        ("Transfer-Encoding", []),
        ("ETag", ["ETag"]),
    ],
)
def test_headers_that_the_gateway_writes_itself_come_out_renamed(
    given: str, sent: list[str]
) -> None:
    response = to_response({"statusCode": 304, "headers": {given: "x"}})

    assert [name for name, _ in response.headers] == sent


def test_a_body_without_a_type_is_json_and_no_body_has_no_type() -> None:
    with_body = to_response({"statusCode": 200, "body": "{}"})
    without = to_response({"statusCode": 304, "body": ""})

    assert with_body.headers == [("Content-Type", "application/json")]
    assert without.headers == []


@pytest.mark.parametrize(
    "result",
    [
        None,
        "text",
        [],
        {},
        {"statusCode": "200"},
        {"statusCode": True},
        {"statusCode": 99},
        {"statusCode": 600},
        {"statusCode": 200, "body": {"status": "success"}},
        {"statusCode": 200, "headers": ["a"]},
        {"statusCode": 200, "headers": {"A": None}},
        {"statusCode": 200, "headers": {"A b": "x"}},
        {"statusCode": 200, "headers": {"A": "x\r\nB: y"}},
        {"statusCode": 200, "multiValueHeaders": {"A": "x"}},
        {"statusCode": 200, "cookies": []},
    ],
)
def test_a_result_of_another_form_is_refused(result: object) -> None:
    with pytest.raises(MalformedResultError):
        to_response(result)


@pytest.mark.parametrize(
    ("path", "printed"),
    [
        (USERS, USERS),
        (f"{USERS}/ada@example.com", f"{USERS}/…"),
        (f"{USERS}/ada%40example.com", f"{USERS}/…"),
        (f"{USERS}/\x1b[2J", f"{USERS}/?[2J"),
    ],
)
def test_a_printed_path_holds_no_address_and_no_control_character(path: str, printed: str) -> None:
    assert printable(path) == printed
