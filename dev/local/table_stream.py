"""What Lambda's poller is to the deployed service: it brings a table's changes to a function.

Records of the table's stream that pass the mapping's filter go to the function in order, in
batches. What fails is tried again, with growing pauses and before anything later, until its tries
are used up. The mapping (filter, batch size, tries) is the one in ``template.yaml``.

Unlike Lambda's, this poller does not halve a batch that raised, and keeps nothing of one that it
gave up: it says so.
"""

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from botocore.exceptions import BotoCoreError, ClientError

from dev.local.workers import Failure, Result

type Json = Any  # Records and patterns are free-form.
type Invoke = Callable[[object], Result | Failure]

_POLL_SECONDS = 0.2
_LONGEST_PAUSE_SECONDS = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceMapping:
    """What an event source mapping says about which records are handed over, and how."""

    pattern: Json
    batch_size: int
    tries: int

    @classmethod
    def of(cls, event: Mapping[str, Json]) -> Self:
        """Return the mapping of a function's event of type ``DynamoDB`` in ``template.yaml``."""
        properties = event["Properties"]
        (wanted,) = properties["FilterCriteria"]["Filters"]
        return cls(
            pattern=json.loads(wanted["Pattern"]),
            batch_size=properties["BatchSize"],
            tries=1 + properties["MaximumRetryAttempts"],
        )


class TableStream:
    """Brings the stream of ``table`` to ``invoke`` from :meth:`start` until :meth:`stop`."""

    def __init__(
        self,
        clients: Callable[[str], Any],
        table: str,
        *,
        mapping: SourceMapping,
        invoke: Invoke,
        print_line: Callable[[str], None],
    ) -> None:
        self._clients = clients
        self._table = table
        self._mapping = mapping
        self._invoke = invoke
        self._print_line = print_line
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True, name="table-stream")

    def start(self) -> None:
        """Begin with the oldest record that the stream still holds."""
        self._thread.start()

    def stop(self) -> None:
        """Hand over nothing more; an invocation under way is not waited for."""
        self._stopped.set()

    def _run(self) -> None:
        streams = self._clients("dynamodbstreams")
        while not self._stopped.is_set():
            try:
                self._follow(streams)
            except (BotoCoreError, ClientError) as error:
                if self._stopped.is_set():
                    return
                # Beginning again repeats what was handed over, which does no harm.
                self._print_line(f"the table's stream cannot be read: {type(error).__name__}")
                self._stopped.wait(1)

    def _follow(self, streams: Any) -> None:  # noqa: ANN401 - boto3's own typing
        arn = self._clients("dynamodb").describe_table(TableName=self._table)["Table"][
            "LatestStreamArn"
        ]
        # The embedded AWS has one shard a stream.
        (shard,) = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
        iterator = streams.get_shard_iterator(
            StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        while not self._stopped.is_set():
            answer = streams.get_records(
                ShardIterator=iterator, Limit=min(1000, self._mapping.batch_size)
            )
            iterator = answer["NextShardIterator"]
            self._hand_over([_as_event(record, arn) for record in answer["Records"]])
            if not answer["Records"]:
                self._stopped.wait(_POLL_SECONDS)

    def _hand_over(self, records: Sequence[Json]) -> None:
        waiting = [record for record in records if passes(self._mapping.pattern, record)]
        for attempt in range(self._mapping.tries):
            if not waiting or self._stopped.is_set():
                return
            waiting = _left(waiting, self._invoke({"Records": waiting}))
            if waiting:
                self._stopped.wait(min(_LONGEST_PAUSE_SECONDS, _POLL_SECONDS * 2**attempt))
        if waiting:
            self._print_line(f"gave up {len(waiting)} records of the table's stream")


def passes(pattern: Json, value: Json) -> bool:
    """Tell whether a filter lets ``value`` pass; it knows equal values and prefixes only.

    >>> passes({"sk": {"S": [{"prefix": "gen#"}]}}, {"sk": {"S": "gen#7"}})
    True
    """
    if isinstance(pattern, dict):
        return all(name in value and passes(inner, value[name]) for name, inner in pattern.items())
    return any(
        value.startswith(allowed["prefix"]) if isinstance(allowed, dict) else value == allowed
        for allowed in pattern
    )


def _as_event(record: Mapping[str, Json], arn: str) -> Json:
    """Return a record as Lambda hands it over: with the stream's name, and instants as numbers."""
    change = dict(record["dynamodb"])
    change["ApproximateCreationDateTime"] = change["ApproximateCreationDateTime"].timestamp()
    return {**record, "dynamodb": change, "eventSourceARN": arn}


def _left(records: list[Json], outcome: Result | Failure) -> list[Json]:
    """Return what has to be handed over again: everything from the first record that failed."""
    if not isinstance(outcome, Result):
        return [] if outcome is Failure.STOPPED else records
    failed = {failure["itemIdentifier"] for failure in outcome.value["batchItemFailures"]}
    numbers = [record["dynamodb"]["SequenceNumber"] for record in records]
    first = next((at for at, number in enumerate(numbers) if number in failed), len(records))
    return records[first:]
