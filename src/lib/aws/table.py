"""Speaks to one DynamoDB table: by full key, in batches, and with its errors translated.

Reads are consistent: what is read decides what is written next. What DynamoDB puts off (an item
that a transaction is about to change, the rest of a batch) is asked for again after a pause. The
SDK does that for failing connections, 5xx and throttling, but not for these.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import batched
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from lib.aws import items
from lib.aws.items import Item
from lib.directory.head import Value
from lib.errors import ConflictError, Reason, StoreError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

PAUSES = (0.05, 0.1, 0.2)
"""Seconds between the tries of what was put off; a transaction takes a few hundredths."""

_BATCH_GET = 100
_BATCH_WRITE = 25
_CONDITION = "ConditionalCheckFailed"
_MOMENTARY = {"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"}
"""Why a transaction may be cancelled that would go through a moment later."""


class Table:
    """The table named ``name``, behind DynamoDB's low-level ``client``; ``sleep`` waits seconds.

    Every method raises ConflictError when a condition does not hold, and StoreError when DynamoDB
    does not do what it was asked.
    """

    def __init__(
        self, client: "DynamoDBClient", name: str, *, sleep: Callable[[float], None]
    ) -> None:
        self._client = client
        self._name = name
        self._sleep = sleep

    def get(self, key: Item) -> Mapping[str, Any]:
        """Return the item at ``key``, empty if there is none."""
        answer = self._ask(
            lambda: self._client.get_item(TableName=self._name, Key=key, ConsistentRead=True)
        )
        return answer.get("Item", {})

    def get_all(self, keys: Sequence[Item]) -> Iterator[Mapping[str, Any]]:
        """Yield the items there are at ``keys``, in any order."""
        for batch in batched(keys, _BATCH_GET, strict=False):
            yield from self._get_batch(batch)

    def put_all(self, items: Sequence[Item]) -> None:
        """Write ``items``."""
        for batch in batched(items, _BATCH_WRITE, strict=False):
            self._put_batch([{"PutRequest": {"Item": item}} for item in batch])

    def delete_all(self, keys: Sequence[Item]) -> None:
        """Delete the items at ``keys``, if they are there."""
        for batch in batched(keys, _BATCH_WRITE, strict=False):
            self._put_batch([{"DeleteRequest": {"Key": key}} for key in batch])

    def update(
        self,
        key: Item,
        changes: Mapping[str, Value],
        *,
        condition: str = "",
        values: Mapping[str, Value] | None = None,
        typed: Item | None = None,
    ) -> None:
        """Set or remove attributes of the item at ``key`` if ``condition`` holds."""
        parameters = items.update(changes, condition=condition, values=values, typed=typed)
        self._ask(lambda: self._client.update_item(TableName=self._name, Key=key, **parameters))

    def change_numbers(self, key: Item, verb: str, name: str, numbers: Sequence[int]) -> None:
        """ADD ``numbers`` to, or DELETE them from, the number set ``name`` of an item.

        Anything else under that name is a conflict.
        """
        self.change_set(
            key,
            f"{verb} #{name} :members",
            condition=f"attribute_not_exists(#{name}) OR attribute_type(#{name}, :set)",
            values={":members": items.number_set(numbers), ":set": {"S": "NS"}},
        )

    def change_set(self, key: Item, expression: str, *, values: Item, condition: str = "") -> None:
        """Change an item by an update ``expression`` that ADDs to sets or DELETEs from them.

        It and ``condition`` write names as ``#name``; ``values`` are attributes by ``:name``.
        """
        parameters: Item = {
            "UpdateExpression": expression,
            "ExpressionAttributeNames": items.placeholders(f"{expression} {condition}"),
            "ExpressionAttributeValues": values,
            **({"ConditionExpression": condition} if condition else {}),
        }
        self._ask(lambda: self._client.update_item(TableName=self._name, Key=key, **parameters))

    def put_and_update(self, item: Item, key: Item, update: Item) -> None:
        """Write ``item``, which must be new, and update the item at ``key``, both or neither."""
        new = "attribute_not_exists(pk)"
        actions: Any = [
            {"Put": {"TableName": self._name, "Item": item, "ConditionExpression": new}},
            {"Update": {"TableName": self._name, "Key": key, **update}},
        ]
        self._ask(lambda: self._client.transact_write_items(TransactItems=actions))

    def _get_batch(self, keys: Sequence[Item]) -> Iterator[Mapping[str, Any]]:
        asked: Any = {self._name: {"Keys": keys, "ConsistentRead": True}}
        for _ in self._tries():
            answer = self._ask(partial(self._client.batch_get_item, RequestItems=asked))
            yield from answer["Responses"].get(self._name, [])
            asked = answer.get("UnprocessedKeys")
            if not asked:
                return
        raise _put_off_too_often()

    def _put_batch(self, requests: Sequence[Item]) -> None:
        asked: Any = {self._name: requests}
        for _ in self._tries():
            answer = self._ask(partial(self._client.batch_write_item, RequestItems=asked))
            asked = answer.get("UnprocessedItems")
            if not asked:
                return
        raise _put_off_too_often()

    def _ask[T](self, call: Callable[[], T]) -> T:
        """Return what ``call`` returns, which is made again if a transaction was in its way."""
        for _ in self._tries():
            try:
                return call()
            except ClientError as error:
                if not _put_off(error):
                    raise _translated(error) from error
            except BotoCoreError as error:
                raise StoreError(
                    "DynamoDB did not answer", reason=Reason.STORE_UNREACHABLE
                ) from error
        raise _put_off_too_often()

    def _tries(self) -> Iterator[None]:
        """Yield before each try, pausing in between."""
        yield
        for pause in PAUSES:
            self._sleep(pause)
            yield


def _put_off(error: ClientError) -> bool:
    """Return whether nothing was wrong with a request but its moment."""
    if _code(error) == "TransactionConflictException":
        return True
    why = _cancellations(error)
    return not why.isdisjoint(_MOMENTARY) and _CONDITION not in why


def _translated(error: ClientError) -> StoreError:
    if _code(error) == f"{_CONDITION}Exception" or _CONDITION in _cancellations(error):
        return ConflictError("a condition did not hold", reason=Reason.CONFLICT)
    return StoreError("DynamoDB refused a request", reason=Reason.STORE_REFUSED)


def _code(error: ClientError) -> str:
    return error.response.get("Error", {}).get("Code", "unknown")


def _cancellations(error: ClientError) -> set[str]:
    """Return why the actions of a transaction were cancelled; the code for no reason is "None"."""
    reasons: Any = error.response.get("CancellationReasons", ())
    return {reason.get("Code", "None") for reason in reasons}


def _put_off_too_often() -> StoreError:
    return StoreError("DynamoDB put a request off too often", reason=Reason.STORE_THROTTLED)
