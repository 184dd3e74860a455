"""Change events in the deployed shape: real stream, real bus, a queue as target, IAM enforced."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from dev.deploy.deployment import Deployment
from dev.origin import OriginDouble
from lib.events.event import PREFIX
from tests.e2e.calls import Json, eventually, send
from tests.integration.relay import Relay

pytestmark = pytest.mark.e2e
CLIENTS = {f"clxchanges0000000000000{number}": f"key-{number}" for number in range(12)}
QUEUE = "heard"

type Told = tuple[str, str | None]


@pytest.fixture(scope="module")
def origin() -> Iterator[OriginDouble]:
    with OriginDouble(CLIENTS, users=5) as double:
        yield double


@pytest.fixture(scope="module")
def deployment(built: Path, origin: OriginDouble) -> Iterator[Deployment]:
    """Return a stack of its own, in which nothing is published but what a test publishes."""
    with Deployment(
        sam=os.environ["SAM"],
        built=built,
        clients=CLIENTS,
        CalApiUrl=origin.url,
        # SAM CLI splits at blanks outside quotes.
        ScheduleExpression='"rate(60 minutes)"',
    ) as deployed:
        yield deployed


@dataclass
class Bus:
    """Everything that a queue behind a rule on the stack's bus has been sent."""

    deployment: Deployment
    heard: list[Json] = field(default_factory=list)
    queues: Any = field(init=False)

    def __post_init__(self) -> None:
        aws, name = self.deployment.aws, self.deployment.outputs["EventBusName"]
        self.queues = aws.client("sqs")
        self.queues.create_queue(QueueName=QUEUE)
        events: Any = aws.client("events")
        pattern = json.dumps({"source": [PREFIX]})
        events.put_rule(Name=QUEUE, EventBusName=name, EventPattern=pattern)
        target = {"Id": QUEUE, "Arn": f"arn:aws:sqs:{aws.region}:000000000000:{QUEUE}"}
        events.put_targets(Rule=QUEUE, EventBusName=name, Targets=[target])

    def events(self, client_id: str) -> list[Json]:
        """Return the envelopes of what was said of a client so far, in the order it came."""
        queue = f"{self.deployment.aws.endpoint}/000000000000/{QUEUE}"
        while received := self.queues.receive_message(
            QueueUrl=queue, MaxNumberOfMessages=10, VisibilityTimeout=600
        ).get("Messages", []):
            self.heard += [json.loads(message["Body"]) for message in received]
        return [event for event in self.heard if event["detail"]["data"]["clientId"] == client_id]


@dataclass
class Directory:
    """One client's directory and what the bus said of it."""

    deployment: Deployment
    origin: OriginDouble
    bus: Bus
    client_id: str

    def publish(self) -> int:
        """Have the origin asked now, and return the generation."""
        result = invoke(
            self.deployment, "RefreshFunction", action="refresh", clientId=self.client_id
        )
        assert result["outcome"] == "published", result
        return int(result["generation"])

    def publish_change(self) -> Told:
        """Publish a generation with one rename, and return how it has to be told."""
        user = self.origin.users(self.client_id)[-1]
        self.origin.update(self.client_id, user["id"], name=f"{user['name']}x")
        self.publish()
        return "updated", str(user["id"])

    def hear(self, count: int) -> list[Json]:
        """Return the first ``count`` events, waiting until there are as many."""
        heard = eventually(
            lambda: self.bus.events(self.client_id),
            lambda events: len(events) >= count,
        )
        assert len(heard) >= count, heard
        return heard[:count]

    def told(self, count: int) -> list[Told]:
        """Return kind and subject of the first ``count`` events."""
        return [
            (event["detail"]["type"].split(".")[-2], event["detail"].get("subject"))
            for event in self.hear(count)
        ]

    def wait_announced(self, generation: int) -> None:
        """Wait until the mark is at ``generation``; the events are sent before it moves."""
        reached = eventually(self.mark, lambda mark: mark >= generation)
        assert reached == generation

    def mark(self) -> int:
        item = self.deployment.aws.client("dynamodb").get_item(
            TableName=self.deployment.outputs["TableName"],
            Key={"pk": {"S": f"client#{self.client_id}"}, "sk": {"S": "head"}},
            ConsistentRead=True,
        )["Item"]
        return int(item["announced"]["N"]) if "announced" in item else 0

    def record(self, generation: int) -> Json:
        """Return the stream's record of a generation, as it comes when it comes again."""
        keys = {"pk": {"S": f"client#{self.client_id}"}, "sk": {"S": f"gen#{generation}"}}
        return {
            "eventName": "INSERT",
            "eventSource": "aws:dynamodb",
            "dynamodb": {"Keys": keys, "SequenceNumber": f"{generation:021d}"},
        }

    def delete_manifest(self, generation: int) -> None:
        self.deployment.aws.client("dynamodb").delete_item(
            TableName=self.deployment.outputs["TableName"],
            Key={"pk": {"S": f"client#{self.client_id}"}, "sk": {"S": f"gen#{generation}"}},
        )


def invoke(deployment: Deployment, function: str, **event: object) -> Json:
    """Return the result of a function, which must not fail."""
    functions: Any = deployment.aws.client("lambda")
    answer = functions.invoke(
        FunctionName=deployment.outputs[f"{function}Name"], Payload=json.dumps(event)
    )
    result = json.loads(answer["Payload"].read())
    assert "FunctionError" not in answer, result
    return result


@pytest.fixture(scope="module")
def bus(deployment: Deployment) -> Bus:
    return Bus(deployment)


@pytest.fixture(scope="module")
def unused_clients() -> Iterator[str]:
    return iter(CLIENTS)


@pytest.fixture
def directory(
    deployment: Deployment, origin: OriginDouble, bus: Bus, unused_clients: Iterator[str]
) -> Directory:
    """Return a directory whose first generation was announced."""
    return known_directory(deployment, origin, bus, unused_clients)


def known_directory(
    deployment: Deployment, origin: OriginDouble, bus: Bus, unused_clients: Iterator[str]
) -> Directory:
    directory = Directory(deployment, origin, bus, next(unused_clients))
    directory.publish()
    directory.wait_announced(1)
    return directory


def test_a_rename_a_creation_and_a_deletion_are_told_after_one_baseline(
    directory: Directory,
) -> None:
    origin, client = directory.origin, directory.client_id
    renamed, deleted, *_ = origin.users(client)
    origin.update(client, renamed["id"], name="Ada Lovelace")
    origin.delete(client, deleted["id"])
    created = origin.create(client)
    directory.publish()
    changes = send(
        directory.deployment, "GET", f"/v2/oauth-clients/{client}/cache/changes?since=1"
    ).json()["data"]
    last = directory.publish_change()

    assert directory.told(5) == [
        ("baseline", None),
        ("updated", str(renamed["id"])),
        ("deleted", str(deleted["id"])),
        ("created", str(created["id"])),
        last,
    ]
    assert isinstance(changes.pop("usersDigest"), str)
    assert changes == {
        "since": 1,
        "generation": 2,
        "created": [created["id"]],
        "discovered": [],
        "updated": [{"id": renamed["id"], "fields": ["name"]}],
        "deleted": [deleted["id"]],
    }


def test_an_envelope_says_what_a_rule_can_choose_by(directory: Directory) -> None:
    (baseline,) = directory.hear(1)

    assert baseline["source"] == PREFIX
    assert baseline["detail-type"] == baseline["detail"]["type"]
    assert baseline["detail"]["data"] == {
        "clientId": directory.client_id,
        "generation": 1,
        "users": 5,
        "complete": True,
        "incompleteReason": None,
    }


def test_a_record_that_comes_twice_announces_nothing_new(directory: Directory) -> None:
    first = directory.publish_change()
    directory.wait_announced(2)

    result = invoke(directory.deployment, "ChangesFunction", Records=[directory.record(2)] * 2)
    second = directory.publish_change()

    assert result == {"batchItemFailures": []}
    assert directory.told(3) == [("baseline", None), first, second]


def test_a_replay_says_the_same_again_under_the_same_ids(directory: Directory) -> None:
    for _ in range(2):
        directory.publish_change()
    directory.wait_announced(3)

    replayed = {"action": "replay", "clientId": directory.client_id, "from": 1}
    result = invoke(directory.deployment, "ChangesFunction", **replayed)

    assert result == {"events": 2}
    events = [event["detail"] for event in directory.hear(5)]
    assert events[3:] == events[1:3]
    assert len({event["id"] for event in events}) == 3


def test_events_that_the_bus_refuses_are_sent_again_and_no_others(directory: Directory) -> None:
    deployment = directory.deployment
    taken, refused = directory.origin.users(directory.client_id)[:2]
    for user in (taken, refused):
        directory.origin.update(directory.client_id, user["id"], name="Renamed")
    with Relay(deployment.aws.endpoint) as relay, _bus_behind(relay, deployment):
        times = iter(range(2))

        def refuse(entry: Json) -> bool:
            subject = json.loads(entry["Detail"]).get("subject")
            return subject == str(refused["id"]) and next(times, None) is not None

        relay.refuse_events(refuse, put=deployment.aws.client("events").put_events)
        generation = directory.publish()
        directory.wait_announced(generation)
        sent = [
            [json.loads(entry["Detail"]) for entry in asked["Entries"]]
            for operation, asked in relay.calls
            if operation == "PutEvents"
        ]

    first, *again = ([event["subject"] for event in call] for call in sent)
    assert first == [str(taken["id"]), str(refused["id"])]
    assert again == [[str(refused["id"])]] * 2
    assert len({event["id"] for call in sent for event in call}) == 2
    last = directory.publish_change()
    assert directory.told(4) == [
        ("baseline", None),
        ("updated", str(taken["id"])),
        ("updated", str(refused["id"])),
        last,
    ]


def test_a_generation_whose_record_was_lost_is_told_with_the_next(
    deployment: Deployment, origin: OriginDouble, bus: Bus, unused_clients: Iterator[str]
) -> None:
    directory = known_directory(deployment, origin, bus, unused_clients)
    other = known_directory(deployment, origin, bus, unused_clients)

    with_lost_record = _lose(directory, other)
    last = directory.publish_change()

    assert directory.told(3) == [("baseline", None), with_lost_record, last]


def test_a_generation_that_is_gone_is_one_baseline_of_the_newest(
    deployment: Deployment, origin: OriginDouble, bus: Bus, unused_clients: Iterator[str]
) -> None:
    directory = known_directory(deployment, origin, bus, unused_clients)
    other = known_directory(deployment, origin, bus, unused_clients)
    _lose(directory, other)
    directory.delete_manifest(2)
    directory.publish_change()
    directory.wait_announced(3)
    directory.delete_manifest(3)
    directory.publish_change()
    last = directory.publish_change()

    baseline = ("baseline", None)
    assert directory.told(4) == [baseline, baseline, baseline, last]
    generations = [event["detail"]["data"]["generation"] for event in directory.hear(4)]
    assert generations == [1, 3, 4, 5]


def test_a_poisonous_record_ends_in_the_dead_letters_and_delays_nobody(
    directory: Directory,
) -> None:
    deployment = directory.deployment
    # The embedded AWS gives up by age and not by the number of tries.
    _replace_mapping(deployment, MaximumRecordAgeInSeconds=5)
    deployment.aws.client("dynamodb").put_item(
        TableName=deployment.outputs["TableName"],
        Item={"pk": {"S": "poison"}, "sk": {"S": "gen#1"}},
    )
    before = directory.publish_change()
    told_meanwhile = directory.told(2)

    letter = json.loads(_dead_letter(deployment)["Body"])
    after = directory.publish_change()

    assert told_meanwhile == [("baseline", None), before]
    changes = deployment.outputs["ChangesFunctionName"]
    assert letter["requestContext"]["functionArn"].endswith(f":{changes}")
    assert "/stream/" in letter["DDBStreamBatchInfo"]["streamArn"]
    # While the record was tried again, what was announced before was not said again.
    assert directory.told(3) == [("baseline", None), before, after]


def test_logs_hold_metrics_but_no_address(deployment: Deployment, bus: Bus) -> None:
    logs: Any = deployment.aws.client("logs")
    pages = logs.get_paginator("filter_log_events").paginate(
        logGroupName="/aws/lambda/managed-users-changes"
    )

    lines = [
        line.strip()
        for page in pages
        for event in page["events"]
        for line in event["message"].splitlines()
    ]

    metrics = [json.loads(line) for line in lines if line.startswith("{") and '"_aws"' in line]
    assert {"Changes", "MalformedRecords"} <= {name for metric in metrics for name in metric}
    assert [line for line in lines if "@" in line] == []
    assert "@" not in json.dumps(bus.heard)


@contextmanager
def _bus_behind(relay: Relay, deployment: Deployment) -> Iterator[None]:
    """Let the changes function reach the bus through ``relay`` alone."""
    functions: Any = deployment.aws.client("lambda")
    name = deployment.outputs["ChangesFunctionName"]
    before = functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    through = before | {"AWS_ENDPOINT_URL_EVENTBRIDGE": relay.url}
    functions.update_function_configuration(FunctionName=name, Environment={"Variables": through})
    try:
        yield
    finally:
        functions.update_function_configuration(
            FunctionName=name, Environment={"Variables": before}
        )


def _lose(directory: Directory, other: Directory) -> Told:
    """Publish a change of which no record arrives; return how it has to be told later."""
    deployment = directory.deployment
    mappings: Any = deployment.aws.client("lambda")
    mapping = _mapping(deployment)
    mappings.delete_event_source_mapping(UUID=mapping["UUID"])
    lost = directory.publish_change()
    _create_mapping(deployment, mapping, StartingPosition="LATEST")

    def announced_to_other() -> bool:
        # The new poller begins where the stream ends when it first looks, which it does not say.
        other.publish_change()
        return eventually(other.mark, lambda mark: mark > 1, seconds=2) > 1

    assert eventually(announced_to_other, bool)
    assert directory.mark() == 1
    return lost


def _mapping(deployment: Deployment) -> Json:
    functions: Any = deployment.aws.client("lambda")
    (mapping,) = functions.list_event_source_mappings(
        FunctionName=deployment.outputs["ChangesFunctionName"]
    )["EventSourceMappings"]
    return mapping


def _replace_mapping(deployment: Deployment, **changes: object) -> None:
    functions: Any = deployment.aws.client("lambda")
    functions.update_event_source_mapping(UUID=_mapping(deployment)["UUID"], **changes)


def _create_mapping(deployment: Deployment, like: Json, **changes: object) -> None:
    functions: Any = deployment.aws.client("lambda")
    kept = (
        *("EventSourceArn", "BatchSize", "FilterCriteria", "FunctionResponseTypes"),
        *("MaximumRetryAttempts", "MaximumRecordAgeInSeconds", "DestinationConfig"),
    )
    functions.create_event_source_mapping(
        FunctionName=deployment.outputs["ChangesFunctionName"],
        **{name: like[name] for name in kept if name in like},
        **changes,
    )


def _dead_letter(deployment: Deployment) -> Json:
    queues: Any = deployment.aws.client("sqs")
    url = deployment.dead_letters_url
    received = eventually(
        lambda: queues.receive_message(QueueUrl=url, WaitTimeSeconds=5).get("Messages", []),
        bool,
    )
    return received[0]


def test_what_the_stream_gave_up_is_asked_for_by_the_refresh_function(
    directory: Directory,
) -> None:
    directory.wait_announced(1)
    # As it is when the stream has told of the generation in vain, long ago.
    directory.deployment.aws.client("dynamodb").update_item(
        TableName=directory.deployment.outputs["TableName"],
        Key={"pk": {"S": f"client#{directory.client_id}"}, "sk": {"S": "head"}},
        UpdateExpression="REMOVE announced SET modified_at = :long_ago",
        ExpressionAttributeValues={":long_ago": {"N": "1"}},
    )

    # It sweeps every client, so this comes after what counts generations.
    invoke(directory.deployment, "RefreshFunction", action="refresh-all")

    directory.wait_announced(1)
    assert directory.told(2) == [("baseline", None), ("baseline", None)]
