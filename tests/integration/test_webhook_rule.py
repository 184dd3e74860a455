"""The template's rule and API destination, made in the embedded AWS: what a receiver really gets.

The embedded AWS cannot deploy these two resources, but it has their API and calls the receiver.
"""

import json
from typing import Any

from dev.local.embedded_aws import EmbeddedAws
from lib.events.event import PREFIX
from tests.integration.receiver import receiving
from tests.template.stack import Stack

KEY = "key-of-the-receiver"
BUS = "bus-of-the-webhook"
EVENT = {
    "specversion": "1.0",
    "id": "0f1e2d3c4b5a69788796a5b4c3d2e1f0",
    "type": f"{PREFIX}.managed-user.updated.v1",
    "data": {"userId": 1001, "fields": ["name"]},
}


def _create(aws: EmbeddedAws, url: str) -> Any:  # noqa: ANN401 - boto3's own typing
    """Make the template's webhook for ``url``, and return the client of the bus."""
    stack = Stack(WebhookUrl=url, WebhookKey=KEY)
    events: Any = aws.client("events")
    aws.create_bus(BUS)
    connection = stack.properties("WebhookConnection")
    made = events.create_connection(Name="webhook", **connection)
    destination = stack.properties("WebhookDestination") | {"ConnectionArn": made["ConnectionArn"]}
    arn = events.create_api_destination(Name="webhook", **destination)["ApiDestinationArn"]
    rule = stack.properties("WebhookRule")
    pattern = json.dumps(rule["EventPattern"])
    events.put_rule(Name="webhook", EventBusName=BUS, EventPattern=pattern)
    (target,) = rule["Targets"]
    kept = {name: target[name] for name in ("Id", "InputPath", "HttpParameters", "RetryPolicy")}
    events.put_targets(Rule="webhook", EventBusName=BUS, Targets=[{**kept, "Arn": arn}])
    return events


def _entry(source: str, detail: object) -> dict[str, str]:
    return {
        "EventBusName": BUS,
        "Source": source,
        "DetailType": "change",
        "Detail": json.dumps(detail),
    }


def test_the_deployed_definition_posts_the_cloudevent_with_the_documented_headers(
    aws: EmbeddedAws,
) -> None:
    with receiving() as receiver:
        events = _create(aws, f"{receiver.url}/hook?tenant=1")
        events.put_events(Entries=[_entry("somebody-else", {"id": "x"}), _entry(PREFIX, EVENT)])
        delivery = receiver.next()

    assert (delivery.method, delivery.target) == ("POST", "/hook?tenant=1")
    assert delivery.headers["Content-Type"] == "application/cloudevents+json"
    assert delivery.headers["X-Webhook-Key"] == KEY
    assert delivery.event == EVENT
