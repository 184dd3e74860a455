"""What Lambda's poller is to the deployed service: it brings a queue's messages to a function.

Messages go to the function in batches, some side by side. What it does not report as failed is
deleted; what it does stays hidden in the queue, for as long as the function or the queue says. The
mapping (size of a batch, how many at once) is the one in ``template.yaml``.
"""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from botocore.exceptions import BotoCoreError, ClientError

from dev.local.workers import Failure, Result

type Json = Any  # Messages are free-form.
type Invoke = Callable[[object], Result | Failure]


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueMapping:
    """What an event source mapping says about how messages are handed over."""

    batch_size: int
    side_by_side: int

    @classmethod
    def of(cls, event: Mapping[str, Json]) -> Self:
        """Return the mapping of a function's event of type ``SQS`` in ``template.yaml``."""
        properties = event["Properties"]
        return cls(
            batch_size=properties["BatchSize"],
            side_by_side=properties["ScalingConfig"]["MaximumConcurrency"],
        )


class QueuePoller:
    """Brings the messages of the queue at ``url`` to ``invoke``, from start until stop."""

    def __init__(
        self,
        clients: Callable[[str], Any],
        url: str,
        *,
        mapping: QueueMapping,
        invoke: Invoke,
        print_line: Callable[[str], None],
    ) -> None:
        self._clients = clients
        self._url = url
        self._mapping = mapping
        self._invoke = invoke
        self._print_line = print_line
        self._stopped = threading.Event()

    def start(self) -> None:
        """Begin to hand messages over."""
        for number in range(self._mapping.side_by_side):
            threading.Thread(target=self._run, daemon=True, name=f"queue-{number}").start()

    def stop(self) -> None:
        """Hand over nothing more; an invocation under way is not waited for."""
        self._stopped.set()

    def _run(self) -> None:
        queues = self._clients("sqs")
        while not self._stopped.is_set():
            try:
                self._hand_over(queues)
            except (BotoCoreError, ClientError) as error:
                if not self._stopped.is_set():
                    self._print_line(f"the queue cannot be read: {type(error).__name__}")
                    self._stopped.wait(1)

    def _hand_over(self, queues: Any) -> None:  # noqa: ANN401 - boto3's own typing
        """Wait up to a second for messages, and hand them over."""
        received = queues.receive_message(
            QueueUrl=self._url,
            WaitTimeSeconds=1,
            MaxNumberOfMessages=self._mapping.batch_size,
            AttributeNames=["All"],
        ).get("Messages", [])
        if not received or self._stopped.is_set():
            return
        outcome = self._invoke({"Records": [_as_record(message) for message in received]})
        if not isinstance(outcome, Result):
            return
        failed = {failure["itemIdentifier"] for failure in outcome.value["batchItemFailures"]}
        for message in received:
            if message["MessageId"] not in failed:
                handle = message["ReceiptHandle"]
                queues.delete_message(QueueUrl=self._url, ReceiptHandle=handle)


def _as_record(message: Mapping[str, Json]) -> Json:
    """Return a message as Lambda hands it over, as far as the service uses it."""
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message["Attributes"],
        "messageAttributes": {},
        "eventSource": "aws:sqs",
    }
