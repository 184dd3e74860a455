"""Whatever event comes in, a proxy response goes out: no exception, no undocumented 5xx."""

import base64
import json
from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dev.local.embedded_aws import EmbeddedAws
from dev.origin import demo_users
from handlers import api
from lib.errors import CODES
from lib.queries.list_query import LIST_NAMES
from tests.http_api import Received
from tests.integration.service import CLIENT, Json, Service, running_service

USERS = f"/oauth-clients/{CLIENT}/users"
LAMBDA_LIMIT_BYTES = 6 * 1024 * 1024
DOCUMENTED = {200, 202, 304, *map(int, CODES)} - {500}

JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=6,
)
ODD_NAMES = ("emails[]", "emails[0]", "emails[x]", "metadata[plan]", "metadata[", "Limit", "")
NAMES = st.sampled_from([*LIST_NAMES, "since", "wait", "clientId", *ODD_NAMES])
VALUES = (
    st.text(max_size=60)
    | st.sampled_from(
        ["", "0", "-1", "1e999", "0x10", "NaN", "1001", "a@b.co", "\ud800", ",", "true"]
    )
    | st.sampled_from(
        ["9" * 400, "x" * 10_240, ",".join(["a@example.com"] * 3_000), "id,name", "-id"]
    )
)
HEADERS = st.dictionaries(
    st.sampled_from(
        ["If-None-Match", "if-modified-since", "Cache-Control", "PRAGMA", "Accept-Encoding"]
    ),
    st.text(max_size=40)
    | st.sampled_from(["*", 'W/"1-0"', "no-cache", "max-age=0", "only-if-cached", "gzip"]),
)
PATHS = st.sampled_from(
    [
        USERS,
        f"/v2{USERS}",
        f"{USERS}/",
        f"{USERS}/1001",
        f"{USERS}/9e9",
        f"{USERS}/lookup",
        f"{USERS}//",
    ]
    + [
        USERS.replace("users", each)
        for each in ("cache", "cache/refresh", "cache/changes", "nothing")
    ]
    + ["/oauth-clients/stranger/users", "/oauth-clients/%2e%2e/users", "/", "", "\ud800"]
)
RESOURCES = st.sampled_from(
    [
        "/oauth-clients/{clientId}/users",
        "/oauth-clients/{clientId}/users/{userId}",
        "/oauth-clients/{clientId}/cache",
        "/openapi.json",
        "/{proxy+}",
        "$default",
    ]
)
PLACES = st.fixed_dictionaries(
    {"clientId": st.sampled_from([CLIENT, "stranger", "{clientId.x}", ""]) | JUNK},
    optional={"userId": st.sampled_from(["1001", "lookup", "a/b"]) | JUNK},
)
METHODS = st.sampled_from(
    ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "get", "", "\0"]
)
GATEWAYS = st.sampled_from([{}, {"resourceId": "a1b2c3"}, {"resourceId": "ANY /openapi.json"}])
BODIES = st.none() | st.text(max_size=80) | JUNK.map(json.dumps) | st.just("[" * 100_000)


@st.composite
def events(draw: st.DrawFn) -> Json:
    """Return an event as API Gateway makes it, or nearly."""
    params = draw(st.dictionaries(NAMES, st.lists(VALUES, max_size=3), max_size=4))
    headers = draw(HEADERS)
    body, encoded = draw(BODIES), draw(st.booleans())
    event: Json = {
        "httpMethod": draw(METHODS),
        "path": draw(PATHS),
        "resource": draw(RESOURCES),
        "pathParameters": draw(PLACES),
        "headers": headers,
        "multiValueHeaders": {name: [text] for name, text in headers.items()},
        "queryStringParameters": {name: values[-1] for name, values in params.items() if values},
        "multiValueQueryStringParameters": params,
        "requestContext": {"requestId": "r1"} | draw(GATEWAYS),
        "body": _base64(body) if encoded and body is not None else body,
        "isBase64Encoded": encoded,
    }
    if "ANY" in event["requestContext"].get("resourceId", ""):
        event |= {"version": "1.0"}
    for name in draw(st.sets(st.sampled_from(sorted(event)))):
        how = draw(st.sampled_from(["missing", "null", "junk"]))
        if how == "missing":
            del event[name]
        else:
            event[name] = None if how == "null" else draw(JUNK)
    return event


def _base64(text: str) -> str:
    return base64.b64encode(text.encode("utf-8", "surrogatepass")).decode()


@pytest.fixture(scope="module")
def service(aws: EmbeddedAws) -> Iterator[Service]:
    with running_service(aws, users=12) as running:
        running.get()
        yield running


def checked(service: Service, event: Json) -> Json:
    """Return the function's result, which must be a response that API Gateway takes."""
    result: dict[str, Any] = dict(api.handler(event, service.context()))
    assert result.keys() == {"statusCode", "headers", "body", "isBase64Encoded"}
    assert result["statusCode"] in DOCUMENTED
    assert isinstance(result["body"], str)
    assert all(isinstance(text, str) for pair in result["headers"].items() for text in pair)
    assert all("\n" not in text and "\r" not in text for text in result["headers"].values())
    assert len(json.dumps(result)) < LAMBDA_LIMIT_BYTES
    if result["statusCode"] >= 400 and result["body"]:
        assert Received(result).body["status"] == "error"
    return result


@settings(
    max_examples=600,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(events())
def test_any_event_has_a_documented_answer(service: Service, event: Json) -> None:
    service.origin.clear_calls()

    checked(service, event)


@pytest.mark.parametrize("limit", [10, 250])
def test_an_answer_never_passes_what_lambda_returns(service: Service, limit: int) -> None:
    escaped = {f"key-{n:02}": '"\\' * 250 for n in range(50)}
    rows = [user | {"metadata": escaped} for user in demo_users(CLIENT, 250)]
    service.origin.replace(CLIENT, rows)
    service.refresh({"action": "refresh", "clientId": CLIENT})
    service.forget()

    result = checked(
        service,
        {"httpMethod": "GET", "path": USERS, "queryStringParameters": {"limit": str(limit)}},
    )

    assert result["statusCode"] == (200 if limit == 10 else 400)


@pytest.mark.parametrize("base", ["", "/v2", "/directory", "/directory/v2", "/a/b"])
def test_an_event_of_a_custom_domain_is_answered(service: Service, base: str) -> None:
    service.get()

    result = checked(
        service,
        {
            "resource": "/oauth-clients/{clientId}/users",
            "path": f"{base}{USERS}",
            "httpMethod": "GET",
            "pathParameters": {"clientId": CLIENT},
            "requestContext": {"path": f"{base}{USERS}", "requestId": "r1"},
        },
    )

    assert result["statusCode"] == 200


def test_the_log_says_who_asks_and_under_no_name(service: Service, log: StringIO) -> None:
    identity = {
        "accessKey": "ASIAEXAMPLEEXAMPLE00",
        "caller": "AROAEXAMPLEEXAMPLE000:canary@example.com",
        "user": "AROAEXAMPLEEXAMPLE000:canary@example.com",
        "userArn": "arn:aws:sts::123456789012:assumed-role/reader/canary@example.com",
    }
    context = {"requestId": "r1", "identity": identity}

    # What has no metrics is written by the logger.
    checked(service, {"httpMethod": "GET", "path": "/nowhere", "requestContext": context})

    (line,) = map(json.loads, log.getvalue().splitlines())
    assert (line["message"], line["caller"]) == ("request", "AROAEXAMPLEEXAMPLE000")
    assert "canary" not in log.getvalue()


@pytest.mark.parametrize("route", ["$default", "GET /v2/oauth-clients/{clientId}/users"])
def test_an_event_of_another_payload_is_told_what_is_wrong(service: Service, route: str) -> None:
    path = f"/v2{USERS}"
    event = {
        "version": "2.0",
        "routeKey": route,
        "rawPath": path,
        "rawQueryString": "limit=1",
        "queryStringParameters": {"limit": "1"},
        "headers": {"host": "example.com"},
        "requestContext": {"http": {"method": "GET", "path": path}, "requestId": "r1"},
        "isBase64Encoded": False,
    }

    result = api.handler(event, service.context())

    body = json.loads(result["body"])
    assert (result["statusCode"], body["path"]) == (500, path)
    assert "payload format 1.0" in body["error"]["message"]
