"""Each role against the calls that its function makes: nothing missing, nothing extra.

What Lambda does with a role by itself is not seen here: logs, traces, the stream, dead letters.
"""

from collections.abc import Iterator

import pytest

from dev.local.embedded_aws import EmbeddedAws
from handlers import changes
from tests.integration.relay import Relay
from tests.integration.service import (
    CLIENT,
    REVALIDATE_AGE,
    SECRET,
    Service,
    running_service,
)
from tests.template.stack import Stack

OTHER = "clxsample0000000000000002"
SERVICES = ("dynamodb", "secretsmanager", "events")
INVOKE = "lambda:InvokeFunction"
# A transaction is allowed by what it is made of.
ACTIONS = {
    "TransactWriteItems": {"dynamodb:PutItem", "dynamodb:UpdateItem"},
    "GetSecretValue": {"secretsmanager:GetSecretValue"},
    "PutEvents": {"events:PutEvents"},
}


@pytest.fixture
def relay(aws: EmbeddedAws) -> Iterator[Relay]:
    with Relay(aws.endpoint) as running:
        yield running


@pytest.fixture
def service(aws: EmbeddedAws, relay: Relay) -> Iterator[Service]:
    aws.create_bus("roles")
    endpoints = {
        f"AWS_ENDPOINT_URL_{name}": relay.url
        for name in ("DYNAMODB", "SECRETS_MANAGER", "EVENTBRIDGE")
    }
    with running_service(
        aws,
        users=620,
        clients={CLIENT: SECRET, OTHER: "other"},
        EVENT_BUS_NAME="roles",
        **endpoints,
    ) as running:
        yield running


def allowed(role: str) -> set[str]:
    """Return the actions that a role allows on what the function itself calls."""
    stack = Stack()
    policies = stack.properties(role)["Policies"] + [
        policy
        for policy in stack.of_type("AWS::IAM::Policy").values()
        if {"Ref": role} in policy["Roles"]
    ]
    actions: set[str] = set()
    for statement in (each for one in policies for each in one["PolicyDocument"]["Statement"]):
        named = statement["Action"]
        actions |= {named} if isinstance(named, str) else set(named)
    streams = {"ListStreams", "DescribeStream", "GetRecords", "GetShardIterator"}
    return {
        action
        for action in actions
        if action == INVOKE
        or (action.partition(":")[0] in SERVICES and action.partition(":")[2] not in streams)
    }


def called(relay: Relay) -> set[str]:
    """Return the actions that the calls since this was last asked needed."""
    operations = {operation for operation, _ in relay.calls}
    relay.calls.clear()
    return {
        action
        for operation in operations
        for action in ACTIONS.get(operation, {f"dynamodb:{operation}"})
    }


def test_the_api_function_calls_what_its_role_allows(service: Service, relay: Relay) -> None:
    past = service.origin.users(CLIENT)[-1]
    for path in (
        "/users",
        f"/users/{past['id']}",
        "/users?ids=1",
        "/cache",
        "/cache/changes?since=1",
        "/events?after=1",
    ):
        service.get(path)
    service.let_pass(REVALIDATE_AGE)
    service.get()
    invoked = {INVOKE} if service.next_invocation() else set()

    assert called(relay) | invoked == allowed("ApiRole")


def test_the_refresh_function_calls_what_its_role_allows(service: Service, relay: Relay) -> None:
    service.refresh()
    service.origin.delete(CLIENT, service.origin.users(CLIENT)[0]["id"])
    service.refresh({"action": "refresh", "clientId": CLIENT})

    assert called(relay) | {INVOKE} == allowed("RefreshRole")


def test_the_changes_function_calls_what_its_role_allows(service: Service, relay: Relay) -> None:
    for _ in range(2):
        service.refresh({"action": "refresh", "clientId": CLIENT})
        service.origin.delete(CLIENT, service.origin.users(CLIENT)[0]["id"])
    service.forget()
    called(relay)
    keys = {"pk": {"S": f"client#{CLIENT}"}, "sk": {"S": "gen#2"}}

    records = [{"dynamodb": {"Keys": keys, "SequenceNumber": "2"}}]
    result = changes.handler({"Records": records}, service.context())

    assert result == {"batchItemFailures": []}
    assert called(relay) == allowed("ChangesRole")
