"""Change events of a deployment reach a webhook, by an API destination with the template's rule.

The emulator has connections and API destinations, but deploys none from a template. So they are
made here, from what the template says of them.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from dev.deploy.deployment import Deployment
from dev.origin import OriginDouble
from dev.template.literals import resource
from tests.e2e.calls import send
from tests.e2e.conftest import CLIENT
from tests.integration.receiver import Receiver, receiving

PATH = f"/v2/oauth-clients/{CLIENT}"
KEY = "canary-webhook-key"
NAME = "webhook"


@pytest.fixture
def receiver(deployment: Deployment) -> Iterator[Receiver]:
    rule = resource("AWS::Events::Rule")
    (target,) = rule["Targets"]
    key = resource("AWS::Events::Connection")["AuthParameters"]["ApiKeyAuthParameters"]
    events: Any = deployment.aws.client("events")
    bus = deployment.outputs["EventBusName"]
    with receiving() as receiver:
        connection = events.create_connection(
            Name=NAME,
            AuthorizationType="API_KEY",
            AuthParameters={
                "ApiKeyAuthParameters": {"ApiKeyName": key["ApiKeyName"], "ApiKeyValue": KEY}
            },
        )
        destination = events.create_api_destination(
            Name=NAME,
            ConnectionArn=connection["ConnectionArn"],
            HttpMethod="POST",
            InvocationEndpoint=f"{receiver.url}/hook",
        )
        pattern = json.dumps(rule["EventPattern"])
        events.put_rule(Name=NAME, EventBusName=bus, EventPattern=pattern)
        posted = {
            "Id": NAME,
            "Arn": destination["ApiDestinationArn"],
            "RoleArn": "arn:aws:iam::000000000000:role/webhook",
            "InputPath": target["InputPath"],
        }
        events.put_targets(Rule=NAME, EventBusName=bus, Targets=[posted])
        yield receiver
        events.remove_targets(Rule=NAME, EventBusName=bus, Ids=[NAME])
        events.delete_rule(Name=NAME, EventBusName=bus)


def test_a_change_is_posted_with_the_key(
    deployment: Deployment, origin: OriginDouble, receiver: Receiver
) -> None:
    send(deployment, "GET", f"{PATH}/users")
    user = origin.users(CLIENT)[-1]
    origin.update(CLIENT, user["id"], bio="Told by webhook")

    send(deployment, "POST", f"{PATH}/cache/refresh?wait=true")

    while (delivery := receiver.next()).event.get("subject") != str(user["id"]):
        pass
    assert delivery.event["type"].endswith(".managed-user.updated.v1")
    assert (delivery.method, delivery.target) == ("POST", "/hook")
    assert delivery.headers["X-Webhook-Key"] == KEY
