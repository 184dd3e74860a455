"""Dead letters: by the runbook's table an operator knows of each message what it is.

The messages are of the shapes that AWS documents: Lambda's record of an asynchronous invocation and
of a stream's batch, and what EventBridge and EventBridge Scheduler send, with their attributes.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dev import ROOT
from lib.events.event import PREFIX
from tests.template.stack import Json, Stack

STACK = Stack(WebhookUrl="https://hooks.example.org/users")
QUEUE = {"Fn::GetAtt": ["DeadLetters", "Arn"]}
CLIENT = "clxdemo0000000000000000001"


def invocation(function: str, payload: Json, *, condition: str = "RetriesExhausted") -> Json:
    """Return Lambda's record of an asynchronous invocation that failed for good."""
    body = {
        "version": "1.0",
        "timestamp": "2026-11-14T18:16:05.568Z",
        "requestContext": {
            "requestId": "e4b46cbf-b738-4a1f-8880-a18cdf61200e",
            "functionArn": f"arn:aws:lambda:eu-west-1:123456789012:function:{function}:$LATEST",
            "condition": condition,
            "approximateInvokeCount": 1,
        },
        "requestPayload": payload,
        "responseContext": {
            "statusCode": 200,
            "executedVersion": "$LATEST",
            "functionError": "Unhandled",
        },
        "responsePayload": {"errorMessage": "Task timed out after 60.00 seconds"},
    }
    return {"body": body, "attributes": {}}


BATCH: Json = {
    "body": {
        "requestContext": {
            "requestId": "316aa6d0-8154-4c4e-9c1a-1f8e1c2b3a4d",
            "functionArn": "arn:aws:lambda:eu-west-1:123456789012:function:users-changes",
            "condition": "RetryAttemptsExhausted",
            "approximateInvokeCount": 11,
        },
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST"},
        "version": "1.0",
        "timestamp": "2026-11-14T00:13:49.717Z",
        "DDBStreamBatchInfo": {
            "shardId": "shardId-00000001573689847184-864758bb",
            "startSequenceNumber": "800000000003126276362",
            "endSequenceNumber": "800000000003126276362",
            "approximateArrivalOfFirstRecord": "2026-11-14T00:13:19Z",
            "approximateArrivalOfLastRecord": "2026-11-14T00:13:19Z",
            "batchSize": 1,
            "streamArn": "arn:aws:dynamodb:eu-west-1:123456789012:table/t/stream/2026-11-14",
        },
    },
    "attributes": {},
}
EVENT: Json = {
    "specversion": "1.0",
    "id": "ee566453e20b77279d1eeeaaf87a9c86",
    "type": f"{PREFIX}.managed-user.updated.v1",
    "data": {"generation": 8},
}
UNQUEUED: Json = {
    "body": {
        "version": "0",
        "id": "17793124-05d4-b198-2fde-7ededc63b103",
        "source": PREFIX,
        "detail-type": f"{PREFIX}.managed-user.updated.v1",
        "detail": {"id": "ee566453e20b77279d1eeeaaf87a9c86", "data": {"generation": 8}},
    },
    "attributes": {
        "RULE_ARN": "arn:aws:events:eu-west-1:123456789012:rule/users/deliveries",
        "TARGET_ARN": "arn:aws:sqs:eu-west-1:123456789012:users-Deliveries",
        "ERROR_CODE": "NO_PERMISSIONS",
        "ERROR_MESSAGE": "access to the resource is denied",
        "EXHAUSTED_RETRY_CONDITION": "MaximumEventAgeInSeconds",
        "RETRY_ATTEMPTS": "184",
    },
}
TICK: Json = {
    "body": json.loads(STACK.properties("Schedule")["Target"]["Input"]),
    "attributes": {
        "SCHEDULE_ARN": "arn:aws:scheduler:eu-west-1:123456789012:schedule/default/users",
        "TARGET_ARN": "arn:aws:lambda:eu-west-1:123456789012:function:users-refresh",
        "SCHEDULED_TIME": "2026-11-14T01:12:00Z",
        "EXECUTION_ID": "ad06616e51cdf74a",
        "ERROR_CODE": "AWS.Lambda.TooManyRequestsException",
        "ERROR_MESSAGE": "Rate Exceeded.",
        "RETRY_ATTEMPTS": "0",
        "IS_PAYLOAD_TRUNCATED": "false",
    },
}
MESSAGES: dict[str, Json] = {
    "a batch of the stream": BATCH,
    "an event that did not get into the webhook's queue": UNQUEUED,
    "an event that the receiver never took": {"body": EVENT, "attributes": {}},
    "an event that the receiver wanted no more": {
        "body": EVENT,
        "attributes": {"REASON": "receiver-gone"},
    },
    "no event, from the webhook's queue": {
        "body": {"hello": "world"},
        "attributes": {"REASON": "no-event"},
    },
    "a tick of the schedule": TICK,
    "a scheduled refresh": invocation("users-refresh", {"action": "refresh-all"}),
    "a refresh that waited too long": invocation(
        "users-refresh",
        {"action": "refresh", "clientId": CLIENT, "jitter": True},
        condition="EventAgeExceeded",
    ),
    "an announcement": invocation("users-changes", {"action": "announce", "clientId": CLIENT}),
    "hints": invocation("users-refresh", {"action": "hints", "clientId": CLIENT}),
    "a replay": invocation("users-changes", {"action": "replay", "clientId": CLIENT, "from": 1}),
    "an unknown action": invocation("users-changes", {"action": "anounce"}),
    "no action": invocation("users-changes", {"clientId": CLIENT}),
    "no object": invocation("users-refresh", ["refresh"]),
}
WHO_WRITES = {
    "AWS::Events::Rule": "an event that did not get into the webhook's queue",
    "AWS::SQS::Queue": "an event that the receiver never took",
    "AWS::Scheduler::Schedule": "a tick of the schedule",
    "AWS::Lambda::EventSourceMapping": "a batch of the stream",
    "AWS::Lambda::EventInvokeConfig": "a scheduled refresh",
}


def table() -> list[list[str]]:
    """Return the rows of the runbook's table of dead letters."""
    text = Path(ROOT, "docs/runbook.md").read_text(encoding="utf-8")
    section = text.split("\n## Dead letters\n")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def found(message: Json, path: str) -> Any:  # noqa: ANN401 - bodies are free-form
    """Return what is at a dotted path of a message, None if there is nothing."""
    for name in path.split("."):
        message = message.get(name) if isinstance(message, dict) else None
    return message


def is_it(sign: str, message: Json) -> bool:
    """Tell whether a message has the sign in the first column of the table.

    That is a path that is there, or one with the values it may have; the last row takes the rest.
    """
    path, *values = re.findall(r"`([^`]+)`", sign)
    value = found(message, path)
    return value in values if values else value is not None


def matching(message: Json) -> list[int]:
    """Return the rows that a message fits, in the order of the table."""
    return [number for number, (sign, *_) in enumerate(table()) if is_it(sign, message)]


def sources() -> Iterator[str]:
    """Yield the type of each resource that puts messages into the queue."""
    for body in STACK.resources.values():
        text = json.dumps(body["Properties"])
        if body["Type"] in WHO_WRITES and json.dumps(QUEUE) in text:
            yield body["Type"]


def test_each_kind_of_message_is_told_apart_from_all_others() -> None:
    rows = {name: matching(message) for name, message in MESSAGES.items()}

    assert [name for name, numbers in rows.items() if not numbers] == []
    # Only the last row, for what nobody has thought of, is wide enough to fit more.
    assert all(len(set(numbers) - {len(table()) - 1}) <= 1 for numbers in rows.values())


def test_no_row_is_for_a_message_that_does_not_come() -> None:
    assert {matching(message)[0] for message in MESSAGES.values()} == set(range(len(table())))


def test_every_row_says_what_it_is_what_to_do_and_when_to_delete_it() -> None:
    for row in table():
        assert len(row) == 4
        assert all(row)


def test_whoever_writes_to_the_queue_has_a_message_here() -> None:
    assert set(sources()) == WHO_WRITES.keys()
    assert set(WHO_WRITES.values()) <= MESSAGES.keys()


def test_one_queue_is_the_end_and_it_keeps_what_nobody_has_read_for_two_weeks() -> None:
    queues = STACK.of_type("AWS::SQS::Queue")

    # The other one is no end: what fails there comes here.
    assert queues.keys() == {"DeadLetters", "Deliveries"}
    assert queues["DeadLetters"]["MessageRetentionPeriod"] == 14 * 24 * 3600
    assert "RedrivePolicy" not in queues["DeadLetters"]
