"""What stands between the bus and the deliveries function: rule, queue, dead letters, secret.

All of it is made in the embedded AWS as ``template.yaml`` has it, but for the names. A queue here
has no policy: it would refuse whoever speaks no TLS, as all do on this machine.
"""

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from dev.local.embedded_aws import EmbeddedAws
from dev.template.literals import named, resource

SECRET_NAME = "managed-users-proxy-signing-secret"
_NAME = "webhook"
_DEAD_LETTERS = f"{_NAME}-dead-letters"


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """Where events are posted to, and the secret (or several) that they are signed with."""

    url: str = field(repr=False)
    secret: str = field(repr=False)

    @property
    def host(self) -> str:
        """What of the URL may be printed: the rest can hold a token."""
        parts = urlsplit(self.url)
        port = f":{parts.port}" if parts.port else ""
        return f"{parts.scheme}://{parts.hostname}{port}"

    def environment(self, aws: EmbeddedAws) -> dict[str, str]:
        """Return the variables that the deliveries function has besides."""
        return {
            "WEBHOOK_URL": self.url,
            "SIGNING_SECRET_ID": SECRET_NAME,
            "DELIVERIES_QUEUE_URL": queue_url(aws),
            "DEAD_LETTERS_URL": _url(aws, _DEAD_LETTERS),
        }


def queue_url(aws: EmbeddedAws) -> str:
    """Return the queue that the rule puts events into."""
    return _url(aws, _NAME)


def create_webhook(aws: EmbeddedAws, webhook: Webhook, *, bus: str) -> None:
    """Make all that leads events from ``bus`` to the deliveries function."""
    aws.put_secret_text(SECRET_NAME, webhook.secret)
    queues: Any = aws.client("sqs")
    queues.create_queue(QueueName=_DEAD_LETTERS)
    queue = named("Deliveries")
    redrive = {
        "deadLetterTargetArn": _arn(aws, _DEAD_LETTERS),
        "maxReceiveCount": queue["RedrivePolicy"]["maxReceiveCount"],
    }
    queues.create_queue(QueueName=_NAME)
    queues.set_queue_attributes(
        QueueUrl=queue_url(aws),
        Attributes={
            "RedrivePolicy": json.dumps(redrive),
            "VisibilityTimeout": str(queue["VisibilityTimeout"]),
        },
    )
    rule = resource("AWS::Events::Rule")
    (target,) = rule["Targets"]
    to_bus = {"EventBusName": bus}
    events: Any = aws.client("events")
    events.put_rule(Name=_NAME, EventPattern=json.dumps(rule["EventPattern"]), **to_bus)
    targets = [{"Id": target["Id"], "Arn": _arn(aws, _NAME), "InputPath": target["InputPath"]}]
    events.put_targets(Rule=_NAME, Targets=targets, **to_bus)


def remove_webhook(aws: EmbeddedAws, *, bus: str) -> None:
    """Remove what an earlier run with the same state directory may have left."""
    events: Any = aws.client("events")
    to_bus = {"EventBusName": bus}
    for rule in events.list_rules(NamePrefix=_NAME, **to_bus)["Rules"]:
        targets = events.list_targets_by_rule(Rule=rule["Name"], **to_bus)["Targets"]
        events.remove_targets(Rule=rule["Name"], Ids=[each["Id"] for each in targets], **to_bus)
        events.delete_rule(Name=rule["Name"], **to_bus)
        queues: Any = aws.client("sqs")
        for name in (_NAME, _DEAD_LETTERS):
            queues.delete_queue(QueueUrl=_url(aws, name))


def _url(aws: EmbeddedAws, name: str) -> str:
    return f"{aws.endpoint}/000000000000/{name}"


def _arn(aws: EmbeddedAws, name: str) -> str:
    return f"arn:aws:sqs:{aws.region}:000000000000:{name}"
