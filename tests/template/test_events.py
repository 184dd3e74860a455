"""events/*.json: one for each trigger, of the shape its function is sent."""

import json
from pathlib import Path

import pytest

from dev import ROOT
from dev.local.gateway_events import Request, Resource, to_event
from dev.local.settings import DEMO_CALCOM_WEBHOOK_SECRET
from lib.origin.credential import SecretKey
from lib.origin.webhook import is_signed
from tests.template.stack import Json, Stack

STACK = Stack(InboundWebhooks="true")
CLIENT = "clxdemo0000000000000000001"
EVENTS: dict[str, Json] = {
    path.stem: json.loads(path.read_text(encoding="utf-8"))
    for path in sorted(Path(ROOT, "events").glob("*.json"))
}
HTTP_API = "list-users-http-api"
REQUESTS = [name for name, event in EVENTS.items() if "httpMethod" in event]
API = [name for name in REQUESTS if name != HTTP_API]
OTHERS = [name for name in EVENTS if name not in REQUESTS]


def test_there_is_an_event_for_each_trigger() -> None:
    assert set(REQUESTS) == {
        "cache-refresh",
        "cache-status",
        "get-user",
        "head-users",
        "list-changes",
        "list-events",
        "list-pages",
        "list-users",
        "list-users-by-email",
        "list-users-http-api",
        "look-users-up",
        "webhook",
    }
    assert set(OTHERS) == {
        "announce",
        "deliver",
        "erase",
        "generation-published",
        "hints",
        "refresh-client",
        "refresh-with-lease",
        "replay",
        "schedule",
    }


@pytest.mark.parametrize("name", API)
def test_an_api_event_is_for_a_declared_route(name: str) -> None:
    event = EVENTS[name]
    paths = STACK.properties("Api")["Body"]["paths"]

    assert event["httpMethod"].lower() in paths[event["resource"]]
    assert event["resource"].format(**event["pathParameters"]) == event["path"]
    assert event["pathParameters"]["clientId"] == CLIENT
    assert event["requestContext"]["stage"] == STACK.properties("Apiv2Stage")["StageName"]
    assert event["requestContext"]["path"] == f"/v2{event['path']}"


@pytest.mark.parametrize("name", API)
def test_an_api_event_has_the_members_that_the_local_front_sends(name: str) -> None:
    event = EVENTS[name]
    request = Request(
        method=event["httpMethod"],
        target=event["requestContext"]["path"],
        headers=[],
        body=(event["body"] or "").encode(),
        source_ip="192.0.2.10",
    )

    local = to_event(
        request, resources=[Resource(event["resource"])], request_id="r", now=1_760_000_000
    )

    assert event.keys() == local.keys()
    assert event["requestContext"].keys() >= local["requestContext"].keys()
    for member in ("resource", "path", "httpMethod", "pathParameters", "body", "isBase64Encoded"):
        assert event[member] == local[member]


def test_an_http_api_s_event_is_for_a_declared_route_and_its_path_has_the_stage() -> None:
    event, stack = EVENTS[HTTP_API], Stack(ApiAccess="iam-http")
    context = event["requestContext"]
    routes = [route["RouteKey"] for route in stack.of_type("AWS::ApiGatewayV2::Route").values()]

    assert context["resourceId"] in routes
    assert context["resourceId"] == f"ANY {event['resource']}"
    assert context["resourcePath"] == event["resource"]
    assert context["stage"] == stack.properties("HttpApiStage")["StageName"]
    assert event["path"] == context["path"]
    assert event["path"] == f"/v2{event['resource'].format(**event['pathParameters'])}"


def test_an_http_api_s_event_tells_itself_apart_by_its_version_and_by_the_key_of_its_route() -> (
    None
):
    (integration,) = Stack(ApiAccess="iam-http").of_type("AWS::ApiGatewayV2::Integration").values()

    assert EVENTS[HTTP_API]["version"] == integration["PayloadFormatVersion"]
    assert EVENTS[HTTP_API].keys() - {"version"} == EVENTS["list-users"].keys()
    assert not [name for name in API if "version" in EVENTS[name]]
    assert not [name for name in API if " " in EVENTS[name]["requestContext"]["resourceId"]]


@pytest.mark.parametrize("name", REQUESTS)
def test_single_values_are_the_last_of_the_multiple_ones(name: str) -> None:
    event = EVENTS[name]

    for single, multiple in (
        ("headers", "multiValueHeaders"),
        ("queryStringParameters", "multiValueQueryStringParameters"),
    ):
        values = event[multiple] or {}
        assert (event[single] or {}) == {key: several[-1] for key, several in values.items()}


def test_the_schedule_s_event_is_what_the_template_sends() -> None:
    assert json.loads(STACK.properties("Schedule")["Target"]["Input"]) == EVENTS["schedule"]


def test_a_refresh_event_names_its_client_and_why_it_was_sent() -> None:
    by_request, by_lease = EVENTS["refresh-client"], EVENTS["refresh-with-lease"]

    assert by_request.keys() == {"action", "clientId", "requestedAt"}
    assert by_lease.keys() == {"action", "clientId", "lease"}
    assert by_lease["lease"].keys() == {"holder", "token", "expiresAt"}
    assert {by_request["clientId"], by_lease["clientId"]} == {CLIENT}
    assert {by_request["action"], by_lease["action"]} == {"refresh"}


def test_a_stream_event_tells_of_a_new_generation_by_its_keys_alone() -> None:
    (record,) = EVENTS["generation-published"]["Records"]
    change = record["dynamodb"]
    stream = STACK.properties("Table")["StreamSpecification"]

    assert (record["eventSource"], record["eventName"]) == ("aws:dynamodb", "INSERT")
    assert change["Keys"] == {"pk": {"S": f"client#{CLIENT}"}, "sk": {"S": "gen#1"}}
    assert change["StreamViewType"] == stream["StreamViewType"]
    assert not change.keys() & {"NewImage", "OldImage"}


def test_a_replay_event_names_its_client_and_the_generation_to_start_after() -> None:
    assert EVENTS["replay"] == {"action": "replay", "clientId": CLIENT, "from": 0}


def test_an_event_of_hints_names_its_client() -> None:
    assert EVENTS["hints"] == {"action": "hints", "clientId": CLIENT}


def test_a_webhook_is_signed_by_the_local_run_s_secret_and_by_nobody_else() -> None:
    event = EVENTS["webhook"]
    secret = SecretKey(DEMO_CALCOM_WEBHOOK_SECRET)

    assert is_signed(event["body"].encode(), event["headers"]["X-Cal-Signature-256"], [secret])
    assert event["requestContext"]["identity"]["caller"] is None


def test_an_announce_event_names_its_client() -> None:
    assert EVENTS["announce"] == {"action": "announce", "clientId": CLIENT}


def test_a_delivery_s_event_is_a_message_of_the_queue_that_carries_an_event() -> None:
    (record,) = EVENTS["deliver"]["Records"]
    event = json.loads(record["body"])

    assert record["eventSource"] == "aws:sqs"
    assert int(record["attributes"]["ApproximateReceiveCount"]) == 1
    assert record.keys() >= {"messageId", "receiptHandle"}
    assert event["type"] == "managed-users-proxy.managed-user.updated.v1"
    assert event["data"]["clientId"] == CLIENT
