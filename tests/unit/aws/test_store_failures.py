"""What the adapters of AWS make of failures that no emulator shows on demand."""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError

from lib.aws.directory_store import DirectoryStore
from lib.aws.invoker import Invoker
from lib.aws.table import Table
from lib.directory import pages
from lib.errors import ConflictError, StoreError, UnavailableError
from tests.fakes import CLIENT, NOW, head_with

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_lambda import LambdaClient


class Client:
    """A client that answers each call with the next of ``answers``; errors it raises."""

    def __init__(self, *answers: Any) -> None:  # noqa: ANN401 - boto3's own answers
        self.answers = list(answers)
        self.asked: list[dict[str, Any]] = []
        self.slept: list[float] = []

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def answer(**parameters: Any) -> Any:  # noqa: ANN401 - boto3's own answers
            self.asked.append({"operation": name} | parameters)
            found = self.answers.pop(0)
            if isinstance(found, Exception):
                raise found
            return found

        return answer

    @property
    def store(self) -> DirectoryStore:
        """A store behind this client."""
        client = cast("DynamoDBClient", self)
        table = Table(client, "table", sleep=self.slept.append)
        return DirectoryStore(table, report=lambda *_: None)


def client_error(code: str) -> ClientError:
    """Return an error that the service answered with."""
    return ClientError({"Error": {"Code": code}}, "Any")


def cancelled(*reasons: str) -> ClientError:
    """Return the error of a transaction whose actions were cancelled for ``reasons``."""
    told: Any = {
        "Error": {"Code": "TransactionCanceledException"},
        "CancellationReasons": [{"Code": reason} for reason in reasons],
    }
    return ClientError(told, "TransactWriteItems")


def move(client: Client) -> None:
    """Move a head of generation 1 to 2."""
    base = head_with(generation=1, lease_token=7)
    client.store.publish(base.lease, base, {"pages_expire_at": 9}, number=2, root=b"")


UNREACHABLE = EndpointConnectionError(endpoint_url="https://dynamodb.example")
SILENT = ReadTimeoutError(endpoint_url="https://dynamodb.example")
PAGES = [pages.cut([b'{"id":%d}' % n])[0] for n in (1, 2)]


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (client_error("ProvisionedThroughputExceededException"), "store-refused"),
        (client_error("ValidationException"), "store-refused"),
        (ClientError({}, "Any"), "store-refused"),
        (cancelled("ValidationError", "None"), "store-refused"),
        (client_error("TransactionCanceledException"), "store-refused"),
        (UNREACHABLE, "store-unreachable"),
        (SILENT, "store-unreachable"),
    ],
)
def test_a_failing_table_is_one_kind_of_error(error: Exception, reason: str) -> None:
    with pytest.raises(StoreError) as caught:
        Client(error).store.head(CLIENT)

    assert type(caught.value) is StoreError
    assert (caught.value.reason, caught.value.__cause__) == (reason, error)


@pytest.mark.parametrize(
    "error",
    [
        client_error("ConditionalCheckFailedException"),
        cancelled("None", "ConditionalCheckFailed"),
        cancelled("TransactionConflict", "ConditionalCheckFailed"),
    ],
)
def test_a_condition_that_did_not_hold_is_told_apart(error: Exception) -> None:
    client = Client(error)

    with pytest.raises(ConflictError):
        move(client)

    assert client.slept == []


@pytest.mark.parametrize(
    "error",
    [
        client_error("TransactionConflictException"),
        cancelled("None", "TransactionConflict"),
        cancelled("ThrottlingError", "None"),
        cancelled("None", "ProvisionedThroughputExceeded"),
    ],
)
def test_what_was_in_the_way_for_a_moment_is_waited_for(error: Exception) -> None:
    client = Client(error, error, {})

    move(client)

    assert len(client.asked) == 3
    assert client.slept == [0.05, 0.1]


def test_what_is_in_the_way_for_long_is_an_error() -> None:
    client = Client(*[client_error("TransactionConflictException")] * 4)

    with pytest.raises(StoreError) as caught:
        client.store.hold_off(CLIENT, "retry_at", NOW)

    assert (type(caught.value), caught.value.reason) == (StoreError, "store-throttled")
    assert (len(client.asked), len(client.slept)) == (4, 3)


def test_attributes_of_a_later_version_are_ignored() -> None:
    known = {"generation": {"N": "3"}, "digest": {"S": "d3"}, "swept_at": {"N": "1.5"}}
    item = {"pk": {"S": "x"}, "invented": {"M": {}}, **known}

    head = Client({"Item": item}).store.head(CLIENT)

    assert head.generation.number == 3


def test_pages_left_out_of_a_batch_are_asked_for_again() -> None:
    items = [
        {"pk": {"S": f"page#{CLIENT}#{page.ref.digest}"}, "data": {"B": pages.encode(page)}}
        for page in PAGES
    ]
    left = {"table": {"Keys": ["second"], "ConsistentRead": True}}
    table = Client(
        {"Responses": {"table": items[:1]}, "UnprocessedKeys": left},
        {"Responses": {"table": items[1:]}, "UnprocessedKeys": {}},
    )

    found = table.store.pages(CLIENT, [page.ref for page in PAGES])

    assert found == PAGES
    assert table.asked[1]["RequestItems"] == left


def test_pages_left_out_of_a_write_are_written_again() -> None:
    left = {"table": ["second"]}
    table = Client({"UnprocessedItems": left}, {"UnprocessedItems": {}})

    table.store.put(CLIENT, PAGES, {}, expires_at=7)

    assert len(table.asked[0]["RequestItems"]["table"]) == 2
    assert table.asked[1]["RequestItems"] == left


def test_a_batch_that_is_never_finished_is_an_error() -> None:
    left = {"UnprocessedItems": {"table": ["second"]}}
    table = Client(left, left, left, left)

    with pytest.raises(StoreError) as caught:
        table.store.put(CLIENT, PAGES, {}, expires_at=7)

    assert caught.value.reason == "store-throttled"
    assert len(table.asked) == 4
    assert table.slept == [0.05, 0.1, 0.2]


def test_an_event_is_queued_as_json() -> None:
    table = Client({})

    Invoker(cast("LambdaClient", table), "refresh").invoke({"action": "refresh"})

    (asked,) = table.asked
    assert (asked["FunctionName"], asked["InvocationType"]) == ("refresh", "Event")
    assert json.loads(asked["Payload"]) == {"action": "refresh"}


@pytest.mark.parametrize("error", [client_error("TooManyRequestsException"), UNREACHABLE, SILENT])
def test_an_event_that_is_not_taken_is_an_error(error: Exception) -> None:
    invoker = Invoker(cast("LambdaClient", Client(error)), "refresh")

    with pytest.raises(UnavailableError) as caught:
        invoker.invoke({})

    assert caught.value.reason == "invoke-failed"
