"""Change events of the local stack: real stream, real bus, and a real receiver of webhooks."""

import json
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from dev.local.settings import (
    BUS_NAME,
    DEMO_SIGNING_SECRET,
    REFRESH_HANDLER,
    LocalSettings,
    LocalSettingsError,
)
from dev.local.stack import LocalStack
from dev.local.webhook import Webhook
from dev.local.workers import Result
from lib.directory.head import FORCED_FLOOR_SECONDS
from lib.events.event import PREFIX
from tests.integration.receiver import Json, Receiver, receiving
from tests.integration.stack import Caller
from tests.patience import wait_until

SECRET = DEMO_SIGNING_SECRET
NEWER = f"whsec_{b64encode(b'n' * 32).decode()}"
CLIENTS = {f"clxchanges0000000000000{number}": f"key-{number}" for number in range(5)}


@contextmanager
def running_stack(
    receiver: Receiver | None, *, secret: str = SECRET, state_directory: Path | None = None
) -> Iterator[LocalStack]:
    webhook = Webhook(url=f"{receiver.url}/hook?token=t0ken", secret=secret) if receiver else None
    chosen = LocalSettings(
        port=0,
        workers=1,
        users=5,
        clients=CLIENTS,
        schedule_seconds=3600,
        webhook=webhook,
        state_directory=state_directory,
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

    # In any order, as they are delivered side by side.
    assert {
        (
            event["data"]["generation"] - generation,
            event["type"].split(".")[2],
            event["subject"],
            *event["data"]["fields"],
        )
        for event in events
    } == {
        (0, "updated", str(renamed["id"]), "name"),
        (0, "deleted", str(deleted["id"])),
        (0, "created", str(created["id"])),
        (1, "deleted", str(created["id"])),
    }
    assert isinstance(told.pop("usersDigest"), str)
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
    event = delivery.verified(SECRET)
    assert delivery.headers["webhook-id"] == event["id"]
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


@pytest.mark.real_seconds
def test_what_a_receiver_does_not_take_comes_again_as_it_was_and_signed_anew(
    directory: Directory,
) -> None:
    origin, client = directory.caller.origin, directory.caller.client_id
    directory.receiver.statuses.put(403)
    origin.update(client, origin.users(client)[0]["id"], name="Ada Lovelace")
    directory.publish()

    first, second = (directory.receiver.next() for _ in range(2))

    assert (first.status, second.status) == (403, 204)
    assert first.body == second.body
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.headers["webhook-timestamp"] < second.headers["webhook-timestamp"]
    assert first.verified(SECRET) == second.verified(SECRET)


def test_what_a_receiver_wants_no_more_is_among_the_dead_letters(directory: Directory) -> None:
    origin, client = directory.caller.origin, directory.caller.client_id
    refused = origin.users(client)[0]
    directory.receiver.statuses.put(410)
    origin.update(client, refused["id"], name="Ada Lovelace")
    directory.publish()
    delivery = directory.receiver.next()

    letter = _dead_letter(directory.caller.stack)

    assert delivery.event["subject"] == str(refused["id"])
    assert json.loads(letter["Body"]) == delivery.event
    assert letter["MessageAttributes"]["REASON"]["StringValue"] == "receiver-gone"


def _dead_letter(stack: LocalStack) -> Json:
    """Wait for a dead letter, and return it."""
    assert stack.settings.webhook
    queues: Any = stack.aws.client("sqs")
    url = stack.settings.webhook.environment(stack.aws)["DEAD_LETTERS_URL"]
    found: list[Json] = []

    def is_there() -> bool:
        told = queues.receive_message(QueueUrl=url, MessageAttributeNames=["All"])
        found.extend(told.get("Messages", []))
        return bool(found)

    wait_until(is_there)
    (letter,) = found
    return letter


def test_in_a_rotation_both_the_old_and_the_new_secret_verify() -> None:
    with receiving() as receiver, running_stack(receiver, secret=f"{NEWER} {SECRET}") as stack:
        Directory(Caller(stack, next(iter(CLIENTS))), receiver).publish()

        delivery = receiver.next()

    assert len(delivery.headers["webhook-signature"].split(" ")) == 2
    assert delivery.verified(SECRET) == delivery.verified(NEWER)


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
    assert any(line.startswith("webhook managed-users.baseline done ") for line in lines)
    secret = SECRET.removeprefix("whsec_")
    assert [line for line in lines if "t0ken" in line or secret in line or "@" in line] == []


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
        ("WEBHOOK_URL", "http://hooks.example.org"),
        ("WEBHOOK_URL", "http://127.0.0.1:port"),
        ("WEBHOOK_SECRET", "whsec_short"),
    ],
)
def test_a_webhook_that_cannot_work_is_refused_at_the_start(name: str, value: str) -> None:
    given = {"WEBHOOK_URL": "http://127.0.0.1:9000", name: value}

    with pytest.raises(LocalSettingsError, match=name):
        LocalSettings.from_env(given)
