"""A process that is killed, or paused, at any step of a revalidation: nothing is lost or mixed.

The revalidation runs in a process of its own, which is stopped at a step by holding its call to
DynamoDB. Another environment, this process, goes on after it.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from dev import ROOT
from dev.local.embedded_aws import EmbeddedAws
from dev.origin import Fault
from handlers import changes
from lib.directory.head import LEASE_SECONDS
from lib.origin.backoff import PAUSE_SECONDS
from tests.integration.relay import Relay
from tests.integration.service import CLIENT, Json, Service, running_service
from tests.patience import PATIENCE_SECONDS, wait_until

_REVALIDATE = f"""
import sys
from handlers.refresh import handler
from handlers.wiring import wiring
wiring().time = wiring().time._replace(now=lambda: float(sys.argv[1]))
class Context:
    aws_request_id = "killed"
    def get_remaining_time_in_millis(self): return 29_000
print(handler({{"action": "refresh", "clientId": "{CLIENT}"}}, Context()))
"""
STEPS = [
    ("after the lease", "UpdateItem", "after"),
    ("after the sweep, before the pages", "BatchWriteItem", "before"),
    ("after the pages", "BatchWriteItem", "after"),
    ("before the head moves", "TransactWriteItems", "before"),
    ("after the head moved", "TransactWriteItems", "after"),
]


@pytest.fixture
def relay(aws: EmbeddedAws) -> Iterator[Relay]:
    with Relay(aws.endpoint) as running:
        yield running


@pytest.fixture
def service(aws: EmbeddedAws, relay: Relay) -> Iterator[Service]:
    """Return a service whose first generation was announced, and whose origin changed since."""
    aws.create_bus("kills")
    with running_service(
        aws,
        users=300,
        EVENT_BUS_NAME="kills",
        AWS_ENDPOINT_URL_DYNAMODB=relay.url,
        AWS_ENDPOINT_URL_EVENTBRIDGE=relay.url,
    ) as running:
        running.get()
        announce(running, 1)
        relay.calls.clear()
        first, second, third = running.origin.users(CLIENT)[:3]
        running.origin.update(CLIENT, first["id"], name="Renamed")
        running.origin.update(CLIENT, second["id"], email=f"new+{CLIENT}@example.com")
        running.origin.delete(CLIENT, third["id"])
        yield running


def announce(service: Service, generation: int) -> None:
    keys = {"pk": {"S": f"client#{CLIENT}"}, "sk": {"S": f"gen#{generation}"}}
    record = {"dynamodb": {"Keys": keys, "SequenceNumber": str(generation)}}
    assert changes.handler({"Records": [record]}, service.context()) == {"batchItemFailures": []}


@contextmanager
def revalidating(service: Service) -> Iterator[subprocess.Popen[str]]:
    """Revalidate in a process of its own, in this environment and at this instant."""
    process = subprocess.Popen(  # noqa: S603 - this interpreter.
        [sys.executable, "-c", _REVALIDATE, str(service.clock.now)],
        env=os.environ | {"PYTHONPATH": str(ROOT / "src")},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def served(service: Service) -> tuple[int, list[Json]]:
    """Return the generation and all users, as a new environment serves them."""
    service.forget()
    first = service.get("/users?limit=250")
    rest = service.get("/users?limit=250&offset=250")
    generation = service.get("/cache").body["data"]["generation"]
    return generation, [*first.body["data"], *rest.body["data"]]


def told(relay: Relay) -> set[tuple[str, str]]:
    """Return kind and subject of every event that was sent."""
    events = [
        json.loads(entry["Detail"])
        for operation, asked in relay.calls
        if operation == "PutEvents"
        for entry in asked["Entries"]
    ]
    return {(event["type"].split(".")[-2], event["subject"]) for event in events}


@pytest.mark.parametrize(
    ("operation", "when"), [each[1:] for each in STEPS], ids=[s[0] for s in STEPS]
)
def test_a_kill_leaves_the_old_generation_or_the_new_one_and_loses_no_change(
    service: Service, relay: Relay, operation: str, when: str
) -> None:
    before = served(service)
    held = relay.hold(operation, when)
    with revalidating(service) as process:
        assert held.reached.wait(PATIENCE_SECONDS)
        process.send_signal(signal.SIGKILL)
        process.wait(PATIENCE_SECONDS)
    held.drop()
    new = service.origin.users(CLIENT)
    moved = (operation, when) == ("TransactWriteItems", "after")

    assert served(service) == ((2, new) if moved else before)

    # The lease of the dead lapses, and the next one goes on.
    service.let_pass(LEASE_SECONDS + PAUSE_SECONDS[0])
    service.refresh()
    assert served(service) == (2, new)
    announce(service, 2)
    changed = [str(user["id"]) for user in before[1][:3]]
    assert told(relay) == {
        ("updated", changed[0]),
        ("updated", changed[1]),
        ("deleted", changed[2]),
    }


def test_a_kill_in_the_middle_of_a_sweep_changes_nothing(service: Service) -> None:
    before = served(service)
    service.origin.clear_calls()
    service.origin.faults = [Fault("hang", match="offset=0")]
    with revalidating(service) as process:
        wait_until(lambda: len(service.origin.list_calls(CLIENT)) == 2)
        process.send_signal(signal.SIGKILL)
    service.origin.faults = []

    assert served(service) == before


@pytest.mark.parametrize("undone", [False, True])
def test_a_holder_that_wakes_up_too_late_publishes_nothing(
    service: Service,
    relay: Relay,
    undone: bool,  # noqa: FBT001 - a case
) -> None:
    unchanged = served(service)
    held = relay.hold("BatchWriteItem", "before")
    with revalidating(service) as process:
        assert held.reached.wait(PATIENCE_SECONDS)
        process.send_signal(signal.SIGSTOP)
        held.released.set()
        service.let_pass(LEASE_SECONDS + PAUSE_SECONDS[0])
        if undone:
            # Then the next holder finds nothing new, and only the token tells that it was there.
            service.origin.replace(CLIENT, unchanged[1])
        else:
            service.origin.update(CLIENT, service.origin.users(CLIENT)[-1]["id"], name="Later")
        service.refresh()
        newest = served(service)
        token = service.head()["lease_token"]
        process.send_signal(signal.SIGCONT)
        output, _ = process.communicate(timeout=PATIENCE_SECONDS)

    assert "lease-lost" in output
    assert served(service) == newest
    assert newest == (unchanged if undone else (2, service.origin.users(CLIENT)))
    assert service.head()["lease_token"] == token
