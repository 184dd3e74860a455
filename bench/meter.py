"""Counts the capacity units that pass on the wire between a function and DynamoDB.

Units are computed from the sizes of the items, because the embedded DynamoDB's own figures are
approximate: reading takes one for each begun 4 KB (all reads of the service are consistent),
writing one for each begun KB of the larger of the item before and after, twice that in a
transaction, and one at least. Sizes are those of DynamoDB: names, and values by type.
"""

from collections.abc import Callable, Iterator, Mapping
from math import ceil
from typing import TYPE_CHECKING, Any, override

from dev.local.embedded_aws import EmbeddedAws
from dev.local.relay import Answer, Json, Relay

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

WRITE_BYTES, READ_BYTES = 1024, 4096
_NESTED_BYTES = 3


class Meter(Relay):
    """A relay in front of DynamoDB that counts calls, and units ``read`` and ``written``."""

    def __init__(self, aws: EmbeddedAws) -> None:
        super().__init__(aws.endpoint)
        self.client = aws.client("dynamodb")
        self.reset()

    def reset(self) -> None:
        """Count from zero."""
        self.read = self.written = self.calls = 0

    @override
    def answer(self, operation: str, asked: Json, pass_on: Callable[[], Answer]) -> Answer:
        self.calls += 1
        keys = list(_keys(operation, asked))
        before = [_stored_bytes(self.client, *key) for key in keys]
        answer = pass_on()
        if operation in {"GetItem", "BatchGetItem"}:
            self.read += sum(max(1, ceil(size / READ_BYTES)) for size in before)
        else:
            after = [_stored_bytes(self.client, *key) for key in keys]
            sizes = map(max, before, after)
            units = sum(max(1, ceil(size / WRITE_BYTES)) for size in sizes)
            self.written += units * (2 if operation == "TransactWriteItems" else 1)
        return answer


def _keys(operation: str, asked: Json) -> Iterator[tuple[str, Json]]:
    """Yield table and key of every item that an operation reads or writes.

    Raises:
        ValueError: it is an operation whose price is not known here.
    """
    match operation:
        case "GetItem" | "UpdateItem" | "DeleteItem":
            yield asked["TableName"], asked["Key"]
        case "PutItem":
            yield asked["TableName"], _key_of(asked["Item"])
        case "BatchGetItem":
            for table, wanted in asked["RequestItems"].items():
                yield from ((table, key) for key in wanted["Keys"])
        case "BatchWriteItem":
            for table, requests in asked["RequestItems"].items():
                yield from ((table, _key_of(each["PutRequest"]["Item"])) for each in requests)
        case "TransactWriteItems":
            for action in asked["TransactItems"]:
                ((kind, part),) = action.items()
                yield part["TableName"], _key_of(part["Item"]) if kind == "Put" else part["Key"]
        case _:
            raise ValueError(f"no units are known for {operation}")


def _key_of(item: Json) -> Json:
    return {"pk": item["pk"], "sk": item["sk"]}


def _stored_bytes(client: "DynamoDBClient", table: str, key: Json) -> int:
    found = client.get_item(TableName=table, Key=key, ConsistentRead=True)
    return item_bytes(found.get("Item", {}))


def item_bytes(item: Mapping[str, Mapping[str, Any]]) -> int:
    """Return the size of an item as DynamoDB counts it."""
    return sum(
        len(name.encode()) + _value_bytes(kind, value)
        for name, typed in item.items()
        for kind, value in typed.items()
    )


def _value_bytes(kind: str, value: Any) -> int:  # noqa: ANN401 - what the type says.
    match kind:
        case "BOOL" | "NULL":
            size = 1
        case "N":
            # One byte for two digits, and one more.
            size = len(value) // 2 + 2
        case "S":
            size = len(value.encode())
        case "NS":
            size = sum(_value_bytes("N", each) for each in value)
        case "L":
            size = _NESTED_BYTES + sum(1 + item_bytes({"": each}) for each in value)
        case "M":
            size = _NESTED_BYTES + len(value) + item_bytes(value)
        case _:
            size = len(value)
    return size
