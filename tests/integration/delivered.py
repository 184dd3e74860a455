"""The deliveries function between a real queue, dead letters and a receiver."""

import json
import uuid
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from dev.local.embedded_aws import EmbeddedAws
from handlers import deliveries
from handlers.delivering import delivering
from tests.integration.receiver import Json, Receiver, receiving
from tests.integration.service import Service, running_service

CANARY = b"canary-signing-secret-5f2a"
SECRET = f"whsec_{b64encode(CANARY).decode()}"
PERSON = "ada.canary@example.com"


@dataclass
class Deliveries:
    """The deliveries function, its queue and the dead letters."""

    service: Service
    receiver: Receiver
    queue: str
    dead_letters: str
    patch: pytest.MonkeyPatch

    @property
    def queues(self) -> Any:  # noqa: ANN401 - boto3's own typing
        return self.service.aws.client("sqs")

    def put(self, *bodies: str) -> None:
        """Put messages into the queue, as the rule does."""
        for body in bodies:
            self.queues.send_message(QueueUrl=self.queue, MessageBody=body)

    def receive(self) -> list[Json]:
        """Return what Lambda's poller would hand over now."""
        received = self.queues.receive_message(
            QueueUrl=self.queue, MaxNumberOfMessages=10, AttributeNames=["All"]
        ).get("Messages", [])
        return [
            {
                "messageId": message["MessageId"],
                "receiptHandle": message["ReceiptHandle"],
                "body": message["Body"],
                "attributes": message["Attributes"],
            }
            for message in received
        ]

    def handle(self, *records: Json) -> list[str]:
        """Return the ids of the messages that were not delivered."""
        done = deliveries.handler({"Records": list(records)}, self.service.context())
        return [failure["itemIdentifier"] for failure in done["batchItemFailures"]]

    def dead(self) -> list[Json]:
        """Return the dead letters."""
        told = self.queues.receive_message(
            QueueUrl=self.dead_letters, MaxNumberOfMessages=10, MessageAttributeNames=["All"]
        )
        return list(told.get("Messages", []))

    def change(self, **environment: str) -> None:
        """Go on in another environment, with other variables."""
        for name, value in environment.items():
            self.patch.setenv(name, value)
        delivering.cache_clear()


def event(number: int) -> str:
    """Return an event that holds a person."""
    return json.dumps({"id": f"event{number}", "type": "updated", "data": {"email": PERSON}})


@contextmanager
def running_deliveries(aws: EmbeddedAws, patch: pytest.MonkeyPatch) -> Iterator[Deliveries]:
    """Run the function with a queue, dead letters and a receiver of its own."""
    queues: Any = aws.client("sqs")
    names = [f"{kind}-{uuid.uuid4()}" for kind in ("deliveries", "dead")]
    for name in names:
        queues.create_queue(QueueName=name)
    queue, dead = (f"{aws.endpoint}/000000000000/{name}" for name in names)
    secret = f"signing-{uuid.uuid4()}"
    aws.put_secret_text(secret, SECRET)
    with receiving() as receiver:
        with running_service(
            aws,
            WEBHOOK_URL=f"{receiver.url}/hook?token=canary-t0ken",
            SIGNING_SECRET_ID=secret,
            DELIVERIES_QUEUE_URL=queue,
            DEAD_LETTERS_URL=dead,
            POWERTOOLS_METRICS_DISABLED="false",
        ) as service:
            delivering.cache_clear()
            yield Deliveries(service, receiver, queue, dead, patch)
        delivering.cache_clear()
