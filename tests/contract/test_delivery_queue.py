"""The queue of deliveries, in SQS: what is postponed, given up or lost to a refusal."""

import json
from itertools import count
from typing import TYPE_CHECKING, Any, cast

import pytest

from dev.local.embedded_aws import EmbeddedAws
from lib.aws.delivery_queue import DeliveryQueue
from lib.deliveries.attempts import Undelivered
from lib.errors import UnavailableError
from tests.patience import wait_until

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

numbers = count(1)
BODY = '{"id": "1", "data": {"name": "Zoë"}}'


class Queues:
    """Two queues of this test's own, and the adapter over them."""

    def __init__(self, aws: EmbeddedAws) -> None:
        self.client = cast("SQSClient", aws.client("sqs"))
        self.url = self._create()
        self.dead_letters = self._create()
        self.queue = DeliveryQueue(self.client, self.url, dead_letters_url=self.dead_letters)

    def _create(self) -> str:
        name = f"deliveries-{next(numbers)}"
        self.client.create_queue(QueueName=name)
        return f"{self.client.meta.endpoint_url}/000000000000/{name}"

    def receive(self, url: str, **options: Any) -> Any:  # noqa: ANN401 - boto3's own answer
        """Return the next message, None if there is none."""
        received = self.client.receive_message(QueueUrl=url, **options)
        return next(iter(received.get("Messages", [])), None)

    def received(self) -> str:
        """Return the receipt handle of a message that was just sent and received."""
        self.client.send_message(QueueUrl=self.url, MessageBody=BODY)
        handle: str = self.receive(self.url)["ReceiptHandle"]
        return handle


@pytest.fixture
def queues(aws: EmbeddedAws) -> Queues:
    return Queues(aws)


def test_a_postponed_message_is_hidden_until_its_time(queues: Queues) -> None:
    handle = queues.received()

    queues.queue.postpone(handle, seconds=3600)
    assert queues.receive(queues.url) is None

    queues.queue.postpone(handle, seconds=0)
    wait_until(lambda: queues.receive(queues.url) is not None)


def test_what_is_given_up_is_among_the_dead_letters_as_it_was_with_its_reason(
    queues: Queues,
) -> None:
    queues.queue.give_up(BODY, reason=Undelivered.RECEIVER_GONE)

    letter = queues.receive(queues.dead_letters, MessageAttributeNames=["All"])
    assert json.loads(letter["Body"]) == json.loads(BODY)
    assert letter["MessageAttributes"]["REASON"]["StringValue"] == "receiver-gone"


def test_a_refusal_is_told_as_one(queues: Queues) -> None:
    none = f"{queues.url}-none"
    gone = DeliveryQueue(queues.client, none, dead_letters_url=none)

    with pytest.raises(UnavailableError, match="SQS") as postponing:
        gone.postpone("handle", seconds=1)
    with pytest.raises(UnavailableError, match="SQS") as giving_up:
        gone.give_up(BODY, reason=Undelivered.NO_EVENT)

    assert {postponing.value.reason, giving_up.value.reason} == {"queue-refused"}
