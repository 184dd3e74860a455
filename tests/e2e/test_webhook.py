"""Change events of a deployment reach a webhook: signed, from the queue, by its own function.

The template takes https URLs alone. The receivers of these tests listen on this machine, so the
function's variable is changed to what it takes for local runs.
"""

import json
import os
import socket
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from dev.deploy.deployment import Deployment
from dev.origin import OriginDouble
from tests.e2e.calls import Json, eventually
from tests.e2e.test_changes import invoke
from tests.integration.receiver import Delivery, Receiver, receiving

pytestmark = pytest.mark.e2e
CLIENTS = {f"clxwebhook0000000000000{number}": f"key-{number}" for number in range(9)}
NEWER = f"whsec_{b64encode(b'n' * 32).decode()}"


@pytest.fixture(scope="module")
def origin() -> Iterator[OriginDouble]:
    with OriginDouble(CLIENTS, users=5) as double:
        yield double


@pytest.fixture(scope="module")
def deployment(built: Path, origin: OriginDouble) -> Iterator[Deployment]:
    with Deployment(
        sam=os.environ["SAM"],
        built=built,
        clients=CLIENTS,
        CalApiUrl=origin.url,
        # SAM CLI splits at blanks outside quotes.
        ScheduleExpression='"rate(60 minutes)"',
        WebhookUrl="https://hooks.example.com/users",
    ) as deployed:
        yield deployed


@dataclass
class Webhook:
    """The webhook of the deployment."""

    deployment: Deployment
    clients: Iterator[str]
    failures: list[str] = field(default_factory=list)

    def lead_to(self, url: str) -> None:
        """Let events be posted to ``url`` from now on."""
        functions: Any = self.deployment.aws.client("lambda")
        name = self.deployment.outputs["DeliveriesFunctionName"]
        told = functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
        variables = {**told, "WEBHOOK_URL": url}
        functions.update_function_configuration(
            FunctionName=name, Environment={"Variables": variables}
        )

    def publish(self) -> str:
        """Publish what there is to be told of another client, and return its id."""
        client_id = next(self.clients)
        swept = invoke(self.deployment, "RefreshFunction", action="refresh", clientId=client_id)
        assert swept["outcome"] == "published", swept
        return client_id

    @property
    def secret(self) -> str:
        """What the operator gives to the receiver."""
        secrets = self.deployment.aws.client("secretsmanager")
        arn = self.deployment.outputs["SigningSecretArn"]
        return secrets.get_secret_value(SecretId=arn)["SecretString"]

    def put_secret(self, text: str) -> None:
        secrets = self.deployment.aws.client("secretsmanager")
        secrets.put_secret_value(
            SecretId=self.deployment.outputs["SigningSecretArn"], SecretString=text
        )

    def wait_for_a_failure(self, reason: str) -> None:
        """Wait until the function has logged that an event was not delivered, for ``reason``."""
        seen = eventually(self.logged_failures, lambda failures: len(failures) > len(self.failures))
        self.failures = seen
        assert json.loads(seen[-1])["reason"] == reason

    def take_out(self) -> None:
        """Empty the queue, so that no event of one test comes in another."""
        queues: Any = self.deployment.aws.client("sqs")
        queues.purge_queue(QueueUrl=self.deployment.deliveries_url)

    def logged_failures(self) -> list[str]:
        """Return the log's lines of attempts that the receiver is to blame for."""
        logs: Any = self.deployment.aws.client("logs")
        told = logs.filter_log_events(logGroupName="/aws/lambda/managed-users-deliveries")
        lines = [event["message"] for event in told["events"]]
        return [line for line in lines if '"reason":"receiver-' in line]


@pytest.fixture(scope="module")
def unused_clients() -> Iterator[str]:
    return iter(CLIENTS)


@pytest.fixture
def webhook(deployment: Deployment, unused_clients: Iterator[str]) -> Iterator[Webhook]:
    made = Webhook(deployment, unused_clients)
    made.failures = made.logged_failures()
    yield made
    made.take_out()


@pytest.fixture
def receiver(webhook: Webhook) -> Iterator[Receiver]:
    with receiving() as running:
        webhook.lead_to(f"{running.url}/hook?token=t0ken")
        yield running


def _client(delivery: Delivery) -> str:
    client_id: str = delivery.event["data"]["clientId"]
    return client_id


def test_an_event_is_delivered_and_verified_with_the_secret_that_the_stack_has_generated(
    webhook: Webhook, receiver: Receiver
) -> None:
    client_id = webhook.publish()

    delivery = receiver.next()

    assert (delivery.method, delivery.target) == ("POST", "/hook?token=t0ken")
    assert delivery.headers["Content-Type"] == "application/cloudevents+json"
    event = delivery.verified(webhook.secret)
    assert event["type"].endswith(".managed-users.baseline.v1")
    assert (event["data"]["clientId"], event["id"]) == (client_id, delivery.headers["webhook-id"])


def test_a_receiver_that_was_down_gets_what_it_has_missed(webhook: Webhook) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    webhook.lead_to(f"http://127.0.0.1:{port}/hook")
    client_id = webhook.publish()
    webhook.wait_for_a_failure("receiver-connection")

    with receiving(port) as receiver:
        delivery = receiver.next()

        assert _client(delivery) == client_id
        assert delivery.verified(webhook.secret)


def test_in_a_rotation_a_receiver_verifies_with_either_secret(
    webhook: Webhook, receiver: Receiver
) -> None:
    old = webhook.secret
    webhook.put_secret(f"{NEWER}\n{old}")
    # Another environment knows no earlier secret.
    webhook.lead_to(f"{receiver.url}/rotated")
    webhook.publish()

    delivery = receiver.next()

    assert len(delivery.headers["webhook-signature"].split(" ")) == 2
    assert delivery.verified(old) == delivery.verified(NEWER)


def test_a_redirect_is_a_failure_and_leads_nowhere(webhook: Webhook, receiver: Receiver) -> None:
    with receiving() as elsewhere:
        receiver.location = f"{elsewhere.url}/hook"
        receiver.statuses.put(307)
        webhook.publish()

        first, second = receiver.next(), receiver.next()

        assert (first.status, second.status) == (307, 204)
        assert first.event == second.event
        assert elsewhere.is_quiet


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]"])
def test_a_private_address_is_refused(webhook: Webhook, receiver: Receiver, host: str) -> None:
    webhook.lead_to(f"https://{host}:{receiver.server_port}/hook")
    webhook.publish()

    webhook.wait_for_a_failure("receiver-address")

    assert receiver.is_quiet


def test_what_a_receiver_wants_no_more_is_a_dead_letter(
    webhook: Webhook, receiver: Receiver
) -> None:
    receiver.statuses.put(410)
    client_id = webhook.publish()
    delivery = receiver.next()

    letter = _dead_letter(webhook.deployment)

    assert _client(delivery) == client_id
    assert letter["Body"].encode() == delivery.body
    assert letter["MessageAttributes"]["REASON"]["StringValue"] == "receiver-gone"


def _dead_letter(deployment: Deployment) -> Json:
    queues: Any = deployment.aws.client("sqs")
    (letter,) = eventually(
        lambda: queues.receive_message(
            QueueUrl=deployment.dead_letters_url, MessageAttributeNames=["All"]
        ).get("Messages", []),
        bool,
    )
    return letter
