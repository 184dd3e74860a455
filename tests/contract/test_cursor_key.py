"""The key that cursors are signed with: one a table, whoever asks for it first."""

from collections.abc import Iterator
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import EndpointConnectionError

from dev.local.embedded_aws import EmbeddedAws
from lib.aws.cursor_key import CursorKey
from lib.aws.table import Table
from lib.errors import StoreError
from tests.fakes import Clock

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

ITEM: Any = {"pk": {"S": "cursor-key"}, "sk": {"S": "cursor-key"}}
_numbers = count()


class Kept:
    """A table of its own; ``reads`` counts what was read of it."""

    def __init__(self, aws: EmbeddedAws) -> None:
        self.client: DynamoDBClient = aws.client("dynamodb")
        self.name = f"cursor-keys-{next(_numbers)}"
        self.reads = 0
        aws.create_table(self.name)
        self.client.meta.events.register("before-call.dynamodb.GetItem", self._count)

    def _count(self, **_: object) -> None:
        self.reads += 1

    def key(self, made: bytes = b"made") -> CursorKey:
        """Return the key as a new environment has it."""
        return CursorKey(self.table, new_key=lambda: made)

    @property
    def table(self) -> Table:
        """The table as the service has it."""
        return Table(self.client, self.name, sleep=Clock().sleep)


@pytest.fixture
def table(aws: EmbeddedAws) -> Iterator[Kept]:
    made = Kept(aws)
    yield made
    made.client.close()


def test_the_first_makes_the_key_and_all_have_it(table: Kept) -> None:
    keys = [table.key(made)() for made in (b"first", b"second", b"third")]

    assert keys == [b"first"] * 3


def test_it_is_read_once(table: Kept) -> None:
    table.key()()
    table.reads = 0
    key = table.key()

    assert [key(), key(), key()] == [b"made"] * 3
    assert table.reads == 1


def test_of_two_who_found_none_both_have_that_of_one(table: Kept) -> None:
    other = table.key(b"other")

    def made_meanwhile() -> bytes:
        other()
        return b"mine"

    key = CursorKey(table.table, new_key=made_meanwhile)

    assert key() == other() == b"other"


@pytest.mark.parametrize("kept", [{"S": "text"}, {"N": "7"}, {"NULL": True}, {"BS": [b"one"]}])
def test_what_is_no_key_is_replaced(table: Kept, kept: Any) -> None:  # noqa: ANN401 - an attribute
    table.client.put_item(TableName=table.name, Item=ITEM | {"key": kept})

    assert table.key()() == table.key(b"later")() == b"made"


def test_a_lost_key_is_followed_by_another(table: Kept) -> None:
    table.key(b"first")()
    table.client.delete_item(TableName=table.name, Key=ITEM)

    assert table.key(b"second")() == b"second"


def test_without_the_table_there_is_no_key_and_the_next_one_asks_again(table: Kept) -> None:
    def fail(**_: object) -> None:
        raise EndpointConnectionError(endpoint_url="http://127.0.0.1")

    key = table.key()
    table.client.meta.events.register("before-call.dynamodb.GetItem", fail)
    with pytest.raises(StoreError):
        key()
    table.client.meta.events.unregister("before-call.dynamodb.GetItem", fail)

    assert key() == b"made"
