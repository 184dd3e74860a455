"""The changes function by its events: stream records in any shape, replays, a bus that refuses."""

import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import StringIO
from typing import Any

import pytest

from dev import ROOT
from dev.local.embedded_aws import EmbeddedAws
from handlers import changes
from lib.events.event import PREFIX
from lib.events.overdue import GRACE_SECONDS
from tests.integration.service import Json, Service, running_service
from tests.patience import PATIENCE_SECONDS

CLIENT = "clxdemo0000000000000000001"
OTHER = "clxdemo0000000000000000002"


@dataclass
class Announcer:
    """The changes function, and a queue behind a rule on a bus of its own."""

    service: Service
    bus: str
    queue: str
    heard: list[Json] = field(default_factory=list)

    def publish(self, client_id: str = CLIENT) -> None:
        """Publish a generation with a change."""
        user = self.service.origin.users(client_id)[0]
        self.service.origin.update(client_id, user["id"], name=f"{user['name']}x")
        done = self.service.refresh({"action": "refresh", "clientId": client_id})
        assert done["outcome"] == "published"

    def handle(self, event: Json) -> Json:
        return changes.handler(event, self.service.context())

    def wake(self, *records: Json) -> Json:
        return self.handle({"Records": list(records)})

    def mark(self, client_id: str = CLIENT) -> int:
        return int(self.service.table.head(client_id).get("announced", 0))

    def told(self) -> list[tuple[str, str, int]]:
        """Return client, kind and generation of what came since this was last asked."""
        queues: Any = self.service.aws.client("sqs")
        told = []
        while messages := queues.receive_message(
            QueueUrl=self.queue, MaxNumberOfMessages=10, VisibilityTimeout=600
        ).get("Messages", []):
            events = [json.loads(message["Body"])["detail"] for message in messages]
            self.heard += events
            told += [
                (
                    event["data"]["clientId"],
                    event["type"].split(".")[-2],
                    event["data"]["generation"],
                )
                for event in events
            ]
        return told


def record(client_id: str = CLIENT, *, number: int = 1, pk: str = "") -> Json:
    keys = {"pk": {"S": pk or f"client#{client_id}"}, "sk": {"S": f"gen#{number}"}}
    return {
        "eventName": "INSERT",
        "eventSource": "aws:dynamodb",
        "dynamodb": {"Keys": keys, "SequenceNumber": str(number)},
    }


@pytest.fixture(scope="module")
def listening(aws: EmbeddedAws) -> tuple[str, str]:
    """Return a bus, and the address of a queue that hears all of it."""
    name = f"bus-{uuid.uuid4()}"
    aws.create_bus(name)
    queues: Any = aws.client("sqs")
    queues.create_queue(QueueName=name)
    events: Any = aws.client("events")
    events.put_rule(Name=name, EventBusName=name, EventPattern=json.dumps({"source": [PREFIX]}))
    target = {"Id": name, "Arn": f"arn:aws:sqs:{aws.region}:000000000000:{name}"}
    events.put_targets(Rule=name, EventBusName=name, Targets=[target])
    return name, f"{aws.endpoint}/000000000000/{name}"


@pytest.fixture
def announcer(aws: EmbeddedAws, listening: tuple[str, str]) -> Iterator[Announcer]:
    """Return an announcer of whose two clients the first generation was told."""
    bus, queue = listening
    keys = {CLIENT: "key", OTHER: "other-key"}
    with running_service(aws, clients=keys, EVENT_BUS_NAME=bus) as service:
        announcer = Announcer(service, bus, queue)
        for client_id in keys:
            service.refresh({"action": "refresh", "clientId": client_id})
        announcer.wake(record(CLIENT), record(OTHER, number=2))
        told = announcer.told()
        assert sorted(told) == [(CLIENT, "baseline", 1), (OTHER, "baseline", 1)]
        yield announcer
        # The next test listens to the same queue.
        announcer.told()


DONE: Json = {
    "announce": {"clientId": CLIENT, "outcome": "announced"},
    "generation-published": {"batchItemFailures": []},
    "replay": {"events": 2},
}


@pytest.mark.parametrize("name", DONE)
def test_an_example_event_is_worked_off(announcer: Announcer, name: str) -> None:
    event = json.loads((ROOT / f"events/{name}.json").read_text(encoding="utf-8"))
    announcer.publish()

    result = announcer.handle(event)

    assert result == DONE[name]
    assert announcer.told()[-1] == (CLIENT, "updated", 2)
    assert announcer.mark() == 2


def test_a_bus_that_takes_nothing_for_a_day_is_told_all_of_it_afterwards(
    announcer: Announcer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_EVENTBRIDGE", "http://127.0.0.1:1")
    announcer.service.forget()
    for number in range(2, 26):
        announcer.service.clock.now += 3600
        announcer.publish()
        # The stream tries for a while and gives the record up; so does the schedule, for this hour.
        assert announcer.wake(record(number=number))["batchItemFailures"]
        announcer.service.refresh()
        while not announcer.service.announcements.empty():
            announcer.handle(announcer.service.announcements.get_nowait())
    assert announcer.told() == []

    monkeypatch.delenv("AWS_ENDPOINT_URL_EVENTBRIDGE")
    announcer.service.let_pass(3600)
    announcer.service.refresh()
    announcer.handle(announcer.service.announcements.get(timeout=PATIENCE_SECONDS))

    assert announcer.told() == [(CLIENT, "updated", number) for number in range(2, 26)]
    assert announcer.mark() == 25


def test_several_records_of_a_client_announce_each_generation_once(announcer: Announcer) -> None:
    announcer.publish()
    announcer.publish()

    result = announcer.wake(*(record(number=number) for number in (2, 3, 3, 2)))

    assert result == {"batchItemFailures": []}
    assert announcer.told() == [(CLIENT, "updated", 2), (CLIENT, "updated", 3)]


def test_a_record_of_a_client_without_a_directory_is_nothing_to_announce(
    announcer: Announcer,
) -> None:
    assert announcer.wake(record("clxnobody")) == {"batchItemFailures": []}
    assert announcer.told() == []


MALFORMED = {
    "another item": record(pk="page#abc"),
    "no client": record(pk="client#"),
    "no kind": record(pk=CLIENT),
    "no keys": {"dynamodb": {"SequenceNumber": "1"}},
    "keys of another type": {"dynamodb": {"Keys": {"pk": {"N": "1"}}, "SequenceNumber": "1"}},
    "keys out of shape": {"dynamodb": {"Keys": "gen#1", "SequenceNumber": "1"}},
    "no number": {"dynamodb": {"Keys": record()["dynamodb"]["Keys"]}},
    "no change": {},
    "no record": None,
    "text": "record",
}


@pytest.mark.parametrize("kind", MALFORMED)
def test_a_malformed_record_fails_the_batch_after_everything_else_was_announced(
    announcer: Announcer, kind: str
) -> None:
    announcer.publish(CLIENT)
    announcer.publish(OTHER)

    with pytest.raises(ValueError, match="1 of 3 stream records are malformed"):
        announcer.wake(record(CLIENT), MALFORMED[kind], record(OTHER, number=2))

    assert announcer.told() == [(CLIENT, "updated", 2), (OTHER, "updated", 2)]
    assert (announcer.mark(CLIENT), announcer.mark(OTHER)) == (2, 2)


def test_what_the_bus_does_not_take_is_reported_by_record_and_announced_later(
    announcer: Announcer, monkeypatch: pytest.MonkeyPatch
) -> None:
    announcer.publish(CLIENT)
    announcer.publish(OTHER)
    monkeypatch.setenv("AWS_ENDPOINT_URL_EVENTBRIDGE", "http://127.0.0.1:1")
    announcer.service.forget()

    failed = announcer.wake(record(CLIENT, number=7), record(OTHER, number=8), record(number=9))
    monkeypatch.delenv("AWS_ENDPOINT_URL_EVENTBRIDGE")
    announcer.service.forget()
    healed = announcer.wake(record(OTHER, number=8), record(CLIENT, number=7))

    reported = [{"itemIdentifier": "7"}, {"itemIdentifier": "8"}]
    assert failed == {"batchItemFailures": reported}
    assert healed == {"batchItemFailures": []}
    assert announcer.told() == [(OTHER, "updated", 2), (CLIENT, "updated", 2)]


@pytest.mark.parametrize("start", [-1, 3, "x", None])
def test_a_replay_from_where_nothing_was_announced_is_refused_and_changes_nothing(
    announcer: Announcer, start: object
) -> None:
    announcer.publish()
    announcer.wake(record())

    with pytest.raises((ValueError, TypeError)):
        announcer.handle({"action": "replay", "clientId": CLIENT, "from": start})

    assert announcer.mark() == 2


@pytest.mark.parametrize(
    ("start", "told"),
    [
        (0, [(CLIENT, "baseline", 1), (CLIENT, "updated", 2)]),
        (1, [(CLIENT, "updated", 2)]),
        (2, []),
    ],
)
def test_a_replay_tells_again_all_that_follows_under_the_same_ids(
    announcer: Announcer, start: int, told: list[tuple[str, str, int]]
) -> None:
    announcer.publish()
    announcer.wake(record())
    announcer.told()
    ids = {event["id"] for event in announcer.heard}

    result = announcer.handle({"action": "replay", "clientId": CLIENT, "from": start})

    assert result == {"events": len(told)}
    assert announcer.told() == told
    assert {event["id"] for event in announcer.heard} == ids


def fail_for_good(announcer: Announcer) -> None:
    """Let time pass without any wake-up, as after a record that the stream gave up."""
    announcer.publish(CLIENT)
    announcer.service.let_pass(GRACE_SECONDS + 60)


def test_what_the_stream_gave_up_is_announced_by_the_schedule(announcer: Announcer) -> None:
    fail_for_good(announcer)

    announcer.service.refresh()
    asked = announcer.service.announcements.get_nowait()
    done = announcer.handle(asked)

    assert asked == {"action": "announce", "clientId": CLIENT}
    assert done == {"clientId": CLIENT, "outcome": "announced"}
    assert announcer.told() == [(CLIENT, "updated", 2)]
    assert announcer.mark() == 2


def test_what_is_asked_for_twice_is_announced_once(announcer: Announcer) -> None:
    fail_for_good(announcer)
    asked = {"action": "announce", "clientId": CLIENT}

    results = [announcer.handle(asked) for _ in range(2)]

    assert results == [{"clientId": CLIENT, "outcome": "announced"}] * 2
    assert announcer.told() == [(CLIENT, "updated", 2)]


def test_a_new_generation_is_left_to_the_stream(announcer: Announcer) -> None:
    announcer.publish()
    announcer.service.let_pass(GRACE_SECONDS / 2)

    announcer.service.refresh()

    assert announcer.service.announcements.empty()


def test_one_environment_asks_less_and_less_often_until_the_bus_takes_it(
    announcer: Announcer, monkeypatch: pytest.MonkeyPatch, log: StringIO
) -> None:
    fail_for_good(announcer)
    service, minutes = announcer.service, []
    monkeypatch.setenv("AWS_ENDPOINT_URL_EVENTBRIDGE", "http://127.0.0.1:1")
    for minute in range(20):
        service.refresh()
        while not service.announcements.empty():
            minutes.append(minute)
            assert announcer.handle(service.announcements.get_nowait())["outcome"] == "failed"
        service.let_pass(60, same_environment=True)
    monkeypatch.delenv("AWS_ENDPOINT_URL_EVENTBRIDGE")
    service.forget()
    service.refresh()
    announcer.handle(service.announcements.get_nowait())
    service.let_pass(3600)
    service.refresh()

    assert minutes == [0, 5, 15]
    assert service.announcements.empty()
    assert announcer.told() == [(CLIENT, "updated", 2)]
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    asked = [line for line in lines if line["message"] == "announcement overdue"]
    told = [(line["announced"], line["generation"], line["next_in_seconds"]) for line in asked]
    assert told == [(1, 2, 300), (1, 2, 600), (1, 2, 1200), (1, 2, 300)]


def test_a_client_that_is_skipped_is_looked_after_all_the_same(
    announcer: Announcer, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail_for_good(announcer)
    monkeypatch.setenv("FROZEN_MODE", "true")
    announcer.service.forget()

    done = announcer.service.refresh()

    assert {each["reason"] for each in done["results"]} == {"frozen"}
    assert announcer.service.announcements.get_nowait()["clientId"] == CLIENT


def test_a_refresh_goes_on_when_nobody_can_be_asked(
    announcer: Announcer, monkeypatch: pytest.MonkeyPatch, log: StringIO
) -> None:
    fail_for_good(announcer)
    monkeypatch.setenv("AWS_ENDPOINT_URL_LAMBDA", "http://127.0.0.1:1")
    announcer.service.forget()

    done = announcer.service.refresh()

    assert (done["clients"], done["failed"]) == (2, [])
    assert '"message":"announcement failed"' in log.getvalue()


def test_who_was_never_announced_begins_with_a_baseline(announcer: Announcer) -> None:
    client, table = announcer.service.table.client, announcer.service.table.name
    key = {"pk": {"S": f"client#{CLIENT}"}, "sk": {"S": "head"}}
    client.update_item(TableName=table, Key=key, UpdateExpression="REMOVE announced, modified_at")
    announcer.service.forget()

    announcer.service.refresh()
    announcer.handle(announcer.service.announcements.get_nowait())

    assert announcer.told() == [(CLIENT, "baseline", 1)]


@pytest.mark.parametrize("event", [{}, {"action": "other"}, {"clientId": CLIENT}])
def test_an_event_that_makes_no_sense_fails(announcer: Announcer, event: Json) -> None:
    with pytest.raises(ValueError, match="an event needs Records"):
        announcer.handle(event)
