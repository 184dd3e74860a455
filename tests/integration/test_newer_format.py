"""What a newer version of this service has written: a 503 that says so, and nothing is written."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from dev.local.embedded_aws import EmbeddedAws
from handlers import changes
from handlers.wiring import wiring
from lib.directory.head import Head, Lease
from lib.directory.manifest import Manifest
from lib.errors import ServiceError
from tests.integration.asking import link, post
from tests.integration.service import (
    CLIENT,
    REVALIDATE_AGE,
    Answer,
    Json,
    Service,
    about_memory,
    running_service,
)

NEWER = [{"N": "2"}, {"N": "1.5"}, {"S": "2"}, {"M": {}}]
HEAD: Json = {"pk": {"S": f"client#{CLIENT}"}, "sk": {"S": "head"}}


@pytest.fixture
def service(aws: EmbeddedAws) -> Iterator[Service]:
    aws.create_bus("newer")
    with running_service(aws, EVENT_BUS_NAME="newer") as running:
        running.refresh()
        yield running


def upgrade(service: Service, form: Json, key: Json = HEAD) -> list[Any]:
    """Let a newer version write an item; return all items as they are then."""
    client, table = service.table.client, service.table.name
    stored = client.get_item(TableName=table, Key=key, ConsistentRead=True).get("Item", key)
    client.put_item(TableName=table, Item={**stored, "format": form})
    return in_order(service)


def in_order(service: Service) -> list[Any]:
    return sorted(service.items(), key=lambda item: (item["pk"]["S"], item["sk"]["S"]))


def says_so(answer: Answer) -> bool:
    return (answer.status, answer.cache_status) == (
        503,
        "managed-users; detail=newer-format",
    ) and int(answer.headers["Retry-After"]) >= 1


def announced(service: Service) -> Json:
    record = {"dynamodb": {"Keys": {"pk": HEAD["pk"]}, "SequenceNumber": "7"}}
    return changes.handler({"Records": [record]}, service.context())


@pytest.mark.parametrize("form", NEWER, ids=str)
def test_a_newer_head_is_a_503_to_everybody_and_stays_as_it_is(
    service: Service, form: Json
) -> None:
    user = service.origin.users(CLIENT)[0]
    cursor = link(service.get("/users?limit=1"), "next")
    service.forget()
    stored = upgrade(service, form)

    answers = [
        service.get(),
        service.get("/users", {"Cache-Control": "no-cache"}),
        service.get("/users", {"Cache-Control": "only-if-cached"}),
        service.get(f"/users/{user['id']}"),
        service.get(str(cursor)),
        post(service, "/users/lookup", {"ids": [user["id"]]}),
        service.get("/cache"),
        service.get("/cache/changes?since=1"),
        service.get("/events"),
        service.send("POST", "/cache/refresh"),
        service.send("POST", "/cache/refresh?wait=true"),
    ]
    refreshed = [
        service.refresh(),
        service.refresh(
            {"action": "refresh", "clientId": CLIENT, "requestedAt": service.clock.now}
        ),
    ]

    assert [says_so(answer) for answer in answers] == [True] * len(answers)
    assert "newer-format" in str(refreshed[0])
    assert "newer-format" in str(refreshed[1])
    assert announced(service) == {"batchItemFailures": [{"itemIdentifier": "7"}]}
    assert in_order(service) == stored


@about_memory
def test_what_an_environment_remembers_is_served_on_and_nothing_is_written(
    service: Service,
) -> None:
    service.let_pass(REVALIDATE_AGE)
    service.get()
    service.next_invocation()
    stored = upgrade(service, {"N": "2"})

    answer = service.get()

    assert len(answer.ids) == 3
    assert in_order(service) == stored


def test_a_sweep_that_was_under_way_stores_nothing(service: Service) -> None:
    service.let_pass(REVALIDATE_AGE)
    service.origin.create(CLIENT)
    heads: list[Json] = []

    def overtake(_request: object) -> None:
        upgrade(service, {"N": "2"})
        heads.append(service.head())

    service.origin.before_call = overtake
    result = service.refresh()

    assert result["results"][0]["outcome"] == "failed"
    assert service.head() == heads[-1]


LEASE = Lease(client_id=CLIENT, holder="me", token=1, expires_at=9e9)
WRITES: Sequence[Callable[[Head], object]] = (
    lambda head: wiring().store.acquire(head, lease=LEASE, now=9e9, update={"lease_token": 2}),
    lambda head: wiring().store.reserve(head, {"calls": 7}),
    lambda head: wiring().store.update_held(head.lease, {"failures": 7}),
    lambda _head: wiring().store.hold_off(CLIENT, "retry_at", 9e9),
    lambda head: wiring().store.publish(
        head.lease, head, {"pages_expire_at": 9}, number=2, root=Manifest().root
    ),
    lambda head: wiring().store.mark_announced(CLIENT, 1, seen=head.announced),
    lambda head: wiring().store.renew(head.generation, Manifest(), expires_at=9),
)


@pytest.mark.parametrize("write", WRITES)
def test_no_write_of_who_read_the_head_before_changes_it(
    service: Service, write: Callable[[Head], object]
) -> None:
    head = wiring().store.head(CLIENT)
    upgrade(service, {"N": "2"})
    before = service.head()

    try:
        done = write(head)
    except ServiceError:
        done = False

    assert not done
    assert service.head() == before


def test_a_newer_manifest_is_a_503_to_who_asks_for_it_and_stays_as_it_is(
    service: Service,
) -> None:
    first, second = ({**HEAD, "sk": {"S": f"gen#{number}"}} for number in (1, 2))
    cursor = link(service.get("/users?limit=1"), "next")
    upgrade(service, {"N": "2"}, first)
    upgrade(service, {"N": "2"}, second)
    created = service.origin.create(CLIENT)
    service.let_pass(REVALIDATE_AGE)

    service.refresh()

    client, table = service.table.client, service.table.name
    assert client.get_item(TableName=table, Key=second)["Item"] == {**second, "format": {"N": "2"}}
    assert says_so(service.get(str(cursor)))
    assert says_so(service.get("/cache/changes?since=1"))
    assert service.get().ids[-1] == created["id"]
