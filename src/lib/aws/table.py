"""Speaks to one DynamoDB table: by full key, in batches, and with its errors translated.

Reads are consistent: what is read decides what is written next.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import batched
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from lib.aws import items
from lib.aws.items import Item
from lib.directory.head import Value
from lib.errors import ConflictError, Reason, StoreError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_BATCH_GET = 100
_BATCH_WRITE = 25
_CONFLICTS = {"ConditionalCheckFailedException", "TransactionCanceledException"}


class Table:
    """The table named ``name``, behind DynamoDB's low-level ``client``.

    Every method raises ConflictError when a condition does not hold, and StoreError when DynamoDB
    does not do what it was asked.
    """

    def __init__(self, client: "DynamoDBClient", name: str) -> None:
        self._client = client
        self._name = name

    def get(self, key: Item) -> Mapping[str, Any]:
        """Return the item at ``key``, empty if there is none."""
        with _translated():
            answer = self._client.get_item(TableName=self._name, Key=key, ConsistentRead=True)
        return answer.get("Item", {})

    def get_all(self, keys: Sequence[Item]) -> Iterator[Mapping[str, Any]]:
        """Yield the items there are at ``keys``, in any order."""
        for batch in batched(keys, _BATCH_GET, strict=False):
            yield from self._get_batch(batch)

    def put_all(self, items: Sequence[Item]) -> None:
        """Write ``items``."""
        for batch in batched(items, _BATCH_WRITE, strict=False):
            self._put_batch([{"PutRequest": {"Item": item}} for item in batch])

    def update(
        self,
        key: Item,
        changes: Mapping[str, Value],
        *,
        condition: str = "",
        values: Mapping[str, Value] | None = None,
    ) -> None:
        """Set or remove attributes of the item at ``key`` if ``condition`` holds."""
        parameters = items.update(changes, condition=condition, values=values)
        with _translated():
            self._client.update_item(TableName=self._name, Key=key, **parameters)

    def change_numbers(self, key: Item, verb: str, name: str, numbers: Sequence[int]) -> None:
        """ADD ``numbers`` to, or DELETE them from, the number set ``name`` of an item."""
        with _translated():
            self._client.update_item(
                TableName=self._name,
                Key=key,
                UpdateExpression=f"{verb} #name :numbers",
                ExpressionAttributeNames={"#name": name},
                ExpressionAttributeValues={":numbers": {"NS": [str(n) for n in numbers]}},
            )

    def put_and_update(self, item: Item, key: Item, update: Item) -> None:
        """Write ``item``, which must be new, and update the item at ``key``, both or neither."""
        new = "attribute_not_exists(pk)"
        actions: Any = [
            {"Put": {"TableName": self._name, "Item": item, "ConditionExpression": new}},
            {"Update": {"TableName": self._name, "Key": key, **update}},
        ]
        with _translated():
            self._client.transact_write_items(TransactItems=actions)

    def _get_batch(self, keys: Sequence[Item]) -> Iterator[Mapping[str, Any]]:
        asked: Any = {self._name: {"Keys": keys, "ConsistentRead": True}}
        for _ in _attempts():
            with _translated():
                answer = self._client.batch_get_item(RequestItems=asked)
            yield from answer["Responses"].get(self._name, [])
            asked = answer.get("UnprocessedKeys")
            if not asked:
                return

    def _put_batch(self, requests: Sequence[Item]) -> None:
        asked: Any = {self._name: requests}
        for _ in _attempts():
            with _translated():
                asked = self._client.batch_write_item(RequestItems=asked).get("UnprocessedItems")
            if not asked:
                return


def _attempts() -> Iterator[None]:
    """Yield before each try of a batch that DynamoDB may answer in part, pausing in between.

    Raises:
        StoreError: after the last try.
    """
    for pause in (0.05, 0.1, 0.2, 0.4):
        yield
        time.sleep(pause)
    raise StoreError("DynamoDB left a batch unfinished", reason=Reason.STORE_THROTTLED)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "unknown")
        if code in _CONFLICTS:
            raise ConflictError("a condition did not hold", reason=Reason.CONFLICT) from error
        raise StoreError("DynamoDB refused a request", reason=Reason.STORE_REFUSED) from error
    except BotoCoreError as error:
        raise StoreError("DynamoDB did not answer", reason=Reason.STORE_UNREACHABLE) from error
