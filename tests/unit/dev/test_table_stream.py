"""The local poller of the table's stream: filter, order, tries."""

import json
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from queue import SimpleQueue
from typing import Any, Self

import pytest
from botocore.exceptions import EndpointConnectionError

from dev.local.table_stream import SourceMapping, TableStream, passes
from dev.local.workers import Failure, Result
from tests.patience import PATIENCE_SECONDS

type Json = Any  # Records are free-form.

PATTERN = {"eventName": ["INSERT"], "dynamodb": {"Keys": {"sk": {"S": [{"prefix": "gen#"}]}}}}
MAPPING = SourceMapping(pattern=PATTERN, batch_size=100, tries=3)
WRITTEN_AT = datetime(2026, 1, 1, tzinfo=UTC)


def record(number: int, *, sort_key: str = "gen#1", name: str = "INSERT") -> Json:
    return {
        "eventName": name,
        "dynamodb": {
            "Keys": {"pk": {"S": f"client#{number}"}, "sk": {"S": sort_key}},
            "SequenceNumber": str(number),
            "ApproximateCreationDateTime": WRITTEN_AT,
        },
    }


@dataclass(slots=True)
class FakeTable:
    """A table's stream, behind the clients of DynamoDB and of its streams."""

    answers: deque[Sequence[Json] | Exception]
    begun: int = 0

    def __call__(self, _service: str) -> "FakeTable":
        return self

    def describe_table(self, **_: str) -> Json:
        return {"Table": {"LatestStreamArn": "arn:stream"}}

    def describe_stream(self, **_: str) -> Json:
        return {"StreamDescription": {"Shards": [{"ShardId": "shard"}]}}

    def get_shard_iterator(self, **asked: str) -> Json:
        assert asked["ShardIteratorType"] == "TRIM_HORIZON"
        self.begun += 1
        return {"ShardIterator": "first"}

    def get_records(self, **_: object) -> Json:
        answer = self.answers.popleft() if self.answers else []
        if isinstance(answer, Exception):
            raise answer
        return {"Records": answer, "NextShardIterator": "next"}


@dataclass(slots=True)
class FakeFunction:
    """A function that answers with ``outcomes`` in order, then that all went well."""

    outcomes: deque[Result | Failure] = field(default_factory=deque)
    invocations: SimpleQueue[Json] = field(default_factory=SimpleQueue)

    def __call__(self, event: object) -> Result | Failure:
        self.invocations.put(event)
        return self.outcomes.popleft() if self.outcomes else Result({"batchItemFailures": []})

    def next_numbers(self) -> list[str]:
        """Wait for the next invocation and return its records' numbers."""
        event = self.invocations.get(timeout=PATIENCE_SECONDS)
        return [told["dynamodb"]["SequenceNumber"] for told in event["Records"]]


@dataclass
class Poller:
    """A poller over fakes, stopped by ``with``."""

    answers: Sequence[Sequence[Json] | Exception]
    outcomes: Sequence[Result | Failure] = ()
    lines: SimpleQueue[str] = field(default_factory=SimpleQueue)

    def __enter__(self) -> Self:
        self.table = FakeTable(deque(self.answers))
        self.function = FakeFunction(deque(self.outcomes))
        self.stream = TableStream(
            self.table,
            "table",
            mapping=MAPPING,
            invoke=self.function,
            print_line=self.lines.put,
        )
        self.stream.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stream.stop()


def failed(*numbers: int) -> Result:
    return Result({"batchItemFailures": [{"itemIdentifier": str(n)} for n in numbers]})


def test_records_that_pass_the_filter_are_handed_over_in_order() -> None:
    page = [
        record(1),
        record(2, sort_key="head"),
        record(3, name="MODIFY"),
        record(4, sort_key="gen#12"),
    ]

    with Poller([page, [record(5)]]) as poller:
        assert poller.function.next_numbers() == ["1", "4"]
        assert poller.function.next_numbers() == ["5"]


def test_a_record_looks_as_lambda_would_send_it() -> None:
    with Poller([[record(1)]]) as poller:
        event = poller.function.invocations.get(timeout=PATIENCE_SECONDS)

    (told,) = json.loads(json.dumps(event))["Records"]
    assert told["eventSourceARN"] == "arn:stream"
    assert told["dynamodb"]["ApproximateCreationDateTime"] == WRITTEN_AT.timestamp()


def test_what_failed_comes_again_with_all_that_follows_it() -> None:
    page = [record(1), record(2), record(3)]

    with Poller([page, [record(4)]], [failed(3, 2)]) as poller:
        handed_over = [poller.function.next_numbers() for _ in range(3)]

    assert handed_over == [["1", "2", "3"], ["2", "3"], ["4"]]


@pytest.mark.parametrize("outcome", [Failure.HANDLER_ERROR, Failure.DIED, Failure.TIMED_OUT])
def test_a_batch_without_an_answer_comes_again_whole(outcome: Failure) -> None:
    with Poller([[record(1), record(2)]], [outcome]) as poller:
        assert [poller.function.next_numbers() for _ in range(2)] == [["1", "2"]] * 2


def test_a_batch_that_fails_too_often_is_given_up_and_the_next_is_handed_over() -> None:
    with Poller([[record(1)], [record(2)]], [Failure.HANDLER_ERROR] * MAPPING.tries) as poller:
        handed_over = [poller.function.next_numbers() for _ in range(MAPPING.tries + 1)]

        assert handed_over == [["1"]] * MAPPING.tries + [["2"]]
        line = poller.lines.get(timeout=PATIENCE_SECONDS)
        assert line == "gave up 1 records of the table's stream"


def test_a_stream_that_cannot_be_read_is_read_again_from_its_beginning() -> None:
    unreachable = EndpointConnectionError(endpoint_url="http://127.0.0.1:1")

    with Poller([unreachable, [record(1)]]) as poller:
        assert poller.function.next_numbers() == ["1"]
        assert poller.table.begun == 2
        assert "cannot be read" in poller.lines.get(timeout=PATIENCE_SECONDS)


def test_the_mapping_is_what_the_template_says() -> None:
    event = {
        "Type": "DynamoDB",
        "Properties": {
            "BatchSize": 50,
            "MaximumRetryAttempts": 4,
            "FilterCriteria": {"Filters": [{"Pattern": json.dumps(PATTERN)}]},
        },
    }

    assert SourceMapping.of(event) == SourceMapping(pattern=PATTERN, batch_size=50, tries=5)


@pytest.mark.parametrize(
    ("value", "passed"),
    [
        ({"kind": "a", "name": {"first": "ada"}}, True),
        ({"kind": "b", "name": {"first": "ada"}}, True),
        ({"kind": "c", "name": {"first": "ada"}}, False),
        ({"kind": "a", "name": {"first": "grace"}}, False),
        ({"kind": "a", "name": {}}, False),
        ({"kind": "a"}, False),
    ],
)
def test_a_filter_knows_equal_values_and_prefixes(
    value: Mapping[str, Json], *, passed: bool
) -> None:
    pattern = {"kind": ["a", "b"], "name": {"first": [{"prefix": "ad"}]}}

    assert passes(pattern, value) is passed
