"""Change events of the local stack: real stream, real bus, and a real receiver of webhooks."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from dev.local.settings import BUS_NAME, REFRESH_HANDLER, LocalSettings, LocalSettingsError
from dev.local.stack import LocalStack
from dev.local.webhook import Webhook
from dev.local.workers import Result
from lib.directory.head import FORCED_FLOOR_SECONDS
from lib.events.event import PREFIX
from tests.integration.receiver import Json, Receiver, receiving
from tests.integration.stack import Caller
from tests.patience import wait_until

KEY = "key-of-the-receiver"
CLIENTS = {f"clxchanges0000000000000{number}": f"key-{number}" for number in range(5)}


@contextmanager
def running_stack(receiver: Receiver | None, **settings: Any) -> Iterator[LocalStack]:  # noqa: ANN401
    webhook = Webhook(url=f"{receiver.url}/hook?token=t0ken", key=KEY) if receiver else None
    chosen = LocalSettings(
        port=0,
        workers=1,
        users=5,
        clients=CLIENTS,
        schedule_seconds=3600,
        webhook=webhook,
        **settings,
    )
    with LocalStack(chosen) as stack:
        yield stack


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with receiving() as running:
        yield running


@pytest.fixture(scope="module")
def stack(receiver: Receiver) -> Iterator[LocalStack]:
    with running_stack(receiver) as running:
        yield running


@pytest.fixture(scope="module")
def unused_clients() -> Iterator[str]:
    return iter(CLIENTS)


@dataclass
class Directory:
    """One client's directory, its origin, and the receiver of its events."""

    caller: Caller
    receiver: Receiver
    seen: set[str] = field(default_factory=set)

    def publish(self) -> int:
        """Have the origin asked now, and return the generation."""
        self.caller.let_pass(FORCED_FLOOR_SECONDS)
        answer = self.caller.send("POST", "/cache/refresh?wait=true")
        assert answer.json()["data"]["outcome"] == "published"
        generation: int = answer.json()["data"]["generation"]
        return generation

    def changes_since(self, generation: int) -> Json:
        answer = self.caller.get(f"/cache/changes?since={generation}")
        assert answer.status_code == 200
        return answer.json()["data"]

    def next_event(self) -> Json:
        return self.receiver.next_event(self.seen)


@pytest.fixture
def directory(
    stack: LocalStack, receiver: Receiver, unused_clients: Iterator[str]
) -> Iterator[Directory]:
    """Return a client's directory whose first generation was announced."""
    directory = Directory(Caller(stack, next(unused_clients)), receiver)
    directory.publish()
    assert directory.next_event()["type"] == f"{PREFIX}.managed-users.baseline.v1"
    yield directory
    assert receiver.statuses.empty()


def test_a_receiver_gets_exactly_what_changed_and_the_change_log_says_the_same(
    directory: Directory,
) -> None:
    origin, client = directory.caller.origin, directory.caller.client_id
    renamed, deleted, *_ = origin.users(client)
    origin.update(client, renamed["id"], name="Ada Lovelace")
    origin.delete(client, deleted["id"])
    created = origin.create(client)
    generation = directory.publish()
    told = directory.changes_since(generation - 1)
    origin.delete(client, created["id"])
    directory.publish()

    events = [directory.next_event() for _ in range(4)]

    assert [(event["type"], event["subject"], event["data"]["fields"]) for event in events] == [
        (f"{PREFIX}.managed-user.updated.v1", str(renamed["id"]), ["name"]),
        (f"{PREFIX}.managed-user.deleted.v1", str(deleted["id"]), []),
        (f"{PREFIX}.managed-user.created.v1", str(created["id"]), []),
        # Nothing came between the changes of one generation and those of the next.
        (f"{PREFIX}.managed-user.deleted.v1", str(created["id"]), []),
    ]
    assert told == {
        "since": generation - 1,
        "generation": generation,
        "created": [created["id"]],
        "discovered": [],
        "updated": [{"id": renamed["id"], "fields": ["name"]}],
        "deleted": [deleted["id"]],
    }


def test_a_delivery_has_the_documented_headers_and_is_a_cloudevent(directory: Directory) -> None:
    origin, client = directory.caller.origin, directory.caller.client_id
    renamed = origin.users(client)[2]
    origin.update(client, renamed["id"], name="Grace Hopper", timeZone="Europe/Paris")
    generation = directory.publish()

    delivery = directory.receiver.next()

    assert (delivery.method, delivery.target) == ("POST", "/hook?token=t0ken")
    assert delivery.headers["Content-Type"] == "application/cloudevents+json"
    assert delivery.headers["X-Webhook-Key"] == KEY
    event = delivery.event
    assert len(event.pop("id")) == 32
    assert event.pop("time").endswith("Z")
    assert event == {
        "specversion": "1.0",
        "source": f"/v2/oauth-clients/{client}",
        "type": f"{PREFIX}.managed-user.updated.v1",
        "subject": str(renamed["id"]),
        "datacontenttype": "application/json",
        "data": {
            "clientId": client,
            "userId": renamed["id"],
            "generation": generation,
            "previousGeneration": generation - 1,
            "fields": ["name", "timeZone"],
        },
    }


def test_what_a_receiver_cannot_take_now_comes_again_as_it_was(directory: Directory) -> None:
    origin, client = directory.caller.origin, directory.caller.client_id
    for status in (503, 429):
        directory.receiver.statuses.put(status)
    origin.update(client, origin.users(client)[0]["id"], name="Ada Lovelace")
    directory.publish()

    deliveries = [directory.receiver.next() for _ in range(3)]

    assert [delivery.status for delivery in deliveries] == [503, 429, 204]
    assert len({delivery.body for delivery in deliveries}) == 1


def test_what_a_receiver_refuses_for_good_does_not_come_again(directory: Directory) -> None:
    origin, client = directory.caller.origin, directory.caller.client_id
    refused, delayed, *_ = origin.users(client)
    for status in (410, 503):
        directory.receiver.statuses.put(status)
    origin.update(client, refused["id"], name="Ada Lovelace")
    origin.update(client, delayed["id"], name="Grace Hopper")
    directory.publish()

    deliveries = [directory.receiver.next() for _ in range(3)]

    # The second try of the later event comes after any second try of the earlier one would have.
    assert [(delivery.event["subject"], delivery.status) for delivery in deliveries] == [
        (str(refused["id"]), 410),
        (str(delayed["id"]), 503),
        (str(delayed["id"]), 204),
    ]


def test_what_the_stream_gave_up_is_announced_when_the_schedule_has_seen_it(
    directory: Directory,
) -> None:
    caller = directory.caller
    seen = set(directory.seen)
    # As it is when the stream has told of the first generation in vain, long ago.
    caller.table.change_head(caller.client_id, announced=0, modified_at=1)

    swept = caller.stack.pools[REFRESH_HANDLER].invoke({"action": "refresh-all"})

    assert isinstance(swept, Result)
    assert {directory.receiver.next().event["id"]} == seen
    wait_until(lambda: caller.table.head(caller.client_id)["announced"] == 1)


def test_the_journal_has_a_line_for_each_announcement_and_each_delivery(
    stack: LocalStack,
) -> None:
    wait_until(lambda: any("webhook managed-user.updated" in line for line in stack.log_lines))

    lines = [line.partition(" ")[2] for line in stack.log_lines]

    assert any(line.startswith("announce clxchanges") and "generation=1" in line for line in lines)
    assert "webhook managed-users.baseline 204" in lines
    assert [line for line in lines if "t0ken" in line or KEY in line or "@" in line] == []


def test_without_a_url_nothing_of_the_webhook_exists(tmp_path: Path) -> None:
    with receiving() as receiver, running_stack(receiver, state_directory=tmp_path):
        pass
    with running_stack(None, state_directory=tmp_path) as stack:
        events: Any = stack.aws.client("events")
        queues: Any = stack.aws.client("sqs")

        assert events.describe_event_bus(Name=BUS_NAME)["Name"] == BUS_NAME
        assert events.list_rules(EventBusName=BUS_NAME)["Rules"] == []
        assert queues.list_queues().get("QueueUrls", []) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("WEBHOOK_URL", "hooks.example.org"),
        ("WEBHOOK_URL", "ftp://hooks.example.org"),
        ("WEBHOOK_URL", "http://127.0.0.1:port"),
        ("WEBHOOK_KEY", "two words"),
    ],
)
def test_a_webhook_that_cannot_work_is_refused_at_the_start(name: str, value: str) -> None:
    given = {"WEBHOOK_URL": "http://127.0.0.1:9000", name: value}

    with pytest.raises(LocalSettingsError, match=name):
        LocalSettings.from_env(given)
