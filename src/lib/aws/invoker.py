"""Starts a function asynchronously: what a reader or a run must not wait for happens there.

An invocation that has answered is frozen, so work after the answer needs another invocation.
"""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from lib.errors import Reason, UnavailableError

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient


class Invoker:
    """The function named ``function_name``, behind the Lambda ``client``."""

    def __init__(self, client: "LambdaClient", function_name: str) -> None:
        self._client = client
        self._function_name = function_name

    def invoke(self, event: Mapping[str, Any]) -> None:
        """Queue ``event`` for the function.

        Raises:
            UnavailableError: Lambda did not take the event.
        """
        try:
            self._client.invoke(
                FunctionName=self._function_name,
                InvocationType="Event",
                Payload=json.dumps(event).encode(),
            )
        except (ClientError, BotoCoreError) as error:
            raise UnavailableError("Lambda took no event", reason=Reason.INVOKE_FAILED) from error
