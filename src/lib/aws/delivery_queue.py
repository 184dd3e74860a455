"""The queue that deliveries come from, as far as a delivery that failed needs it (SQS).

What was delivered Lambda deletes by itself. SQS moves what was received too often to the dead
letters by itself, too.
"""

from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from lib.deliveries.attempts import Undelivered
from lib.errors import Reason, UnavailableError

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


class DeliveryQueue:
    """The queue at ``url`` and the dead letters at ``dead_letters_url``, behind ``client``."""

    def __init__(self, client: "SQSClient", url: str, *, dead_letters_url: str) -> None:
        self._client = client
        self._url = url
        self._dead_letters_url = dead_letters_url

    def postpone(self, receipt_handle: str, *, seconds: int) -> None:
        """Keep a received message from being received again for ``seconds`` from now.

        Raises:
            UnavailableError: SQS refused; it comes back by the queue's own visibility timeout.
        """
        try:
            self._client.change_message_visibility(
                QueueUrl=self._url, ReceiptHandle=receipt_handle, VisibilityTimeout=seconds
            )
        except (ClientError, BotoCoreError) as error:
            raise _refused() from error

    def give_up(self, body: str, *, reason: Undelivered) -> None:
        """Put ``body`` among the dead letters, with the ``reason`` as the attribute ``REASON``.

        Raises:
            UnavailableError: SQS refused.
        """
        try:
            self._client.send_message(
                QueueUrl=self._dead_letters_url,
                MessageBody=body,
                MessageAttributes={"REASON": {"DataType": "String", "StringValue": reason}},
            )
        except (ClientError, BotoCoreError) as error:
            raise _refused() from error


def _refused() -> UnavailableError:
    return UnavailableError("SQS did not take a message", reason=Reason.QUEUE_REFUSED)
