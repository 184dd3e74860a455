"""What a revalidation writes, counted on the wire between the service and DynamoDB.

Write units are computed from the sizes of the items written (one per begun KB, twice that in a
transaction), because the embedded DynamoDB's own figures are approximate.
"""

from collections.abc import Iterator, Mapping

import pytest

from dev.local.embedded_aws import EmbeddedAws
from tests.integration.relay import Relay
from tests.integration.service import (
    CLIENT,
    REVALIDATE_AGE,
    Json,
    Service,
    about_memory,
    running_service,
)

USERS = 500
UNIT_BYTES = 1024


@pytest.fixture
def dynamodb(aws: EmbeddedAws) -> Iterator[Relay]:
    with Relay(aws.endpoint) as relay:
        yield relay


@pytest.fixture
def service(aws: EmbeddedAws, dynamodb: Relay) -> Iterator[Service]:
    with running_service(aws, users=USERS, AWS_ENDPOINT_URL_DYNAMODB=dynamodb.url) as running:
        running.get()
        running.let_pass(REVALIDATE_AGE)
        dynamodb.calls.clear()
        yield running


def item_bytes(item: Mapping[str, Mapping[str, Json]]) -> int:
    """Return the size that DynamoDB counts: names, and values by type."""
    return sum(
        len(name) + _value_bytes(kind, value)
        for name, typed in item.items()
        for kind, value in typed.items()
    )


def _value_bytes(kind: str, value: Json) -> int:
    match kind:
        case "BOOL":
            return 1
        case "N":
            # One byte for two digits, and one more.
            return len(value) // 2 + 2
        case _:
            return len(value)


def head_bytes(service: Service) -> int:
    (head,) = (item for item in service.items() if item["sk"]["S"] == "head")
    return item_bytes(head)


def test_an_unchanged_revalidation_that_was_handed_over_costs_three_write_units(
    service: Service, dynamodb: Relay
) -> None:
    service.get()
    claimed = head_bytes(service)

    result = service.refresh(service.next_invocation())

    assert result["outcome"] == "unchanged"
    assert [operation for operation, _ in dynamodb.writes] == ["UpdateItem"] * 3
    assert max(claimed, head_bytes(service)) <= UNIT_BYTES


def test_an_unchanged_scheduled_revalidation_costs_two_write_units(
    service: Service, dynamodb: Relay
) -> None:
    service.refresh()

    assert [operation for operation, _ in dynamodb.writes] == ["UpdateItem", "UpdateItem"]


@pytest.mark.parametrize("position", [0, 250, 499])
def test_one_deleted_user_rewrites_one_page(
    service: Service, dynamodb: Relay, position: int
) -> None:
    service.origin.delete(CLIENT, service.origin.users(CLIENT)[position]["id"])

    result = service.refresh()["results"][0]

    assert (result["outcome"], result["users"]) == ("published", USERS - 1)
    assert pages_put(dynamodb) == 1
    assert dynamodb.writes[-1][0] == "TransactWriteItems"


@pytest.mark.parametrize(
    ("change", "shards"), [({"name": "Renamed"}, 0), ({"username": "renamed"}, 2)]
)
def test_the_index_is_written_only_where_an_address_or_username_changed(
    service: Service, dynamodb: Relay, change: dict[str, str], shards: int
) -> None:
    service.origin.update(CLIENT, service.origin.users(CLIENT)[100]["id"], **change)

    service.refresh()

    assert pages_put(dynamodb) == 1
    assert puts_of(dynamodb, "index") <= shards
    assert bool(puts_of(dynamodb, "index")) is bool(shards)


@about_memory
def test_a_look_up_by_address_reads_the_head_a_shard_and_a_page(
    service: Service, dynamodb: Relay
) -> None:
    service.refresh()
    service.forget()
    dynamodb.calls.clear()

    answer = service.get(
        f"/users?emails={service.origin.users(CLIENT)[400]['email'].replace('+', '%2B')}"
    )

    read = [
        sorted(key["sk"]["S"] for asked in sent["RequestItems"].values() for key in asked["Keys"])
        for operation, sent in dynamodb.calls
        if operation == "BatchGetItem"
    ]
    assert len(answer.ids) == 1
    assert read == [["index"], ["page"]]


def pages_put(dynamodb: Relay) -> int:
    return puts_of(dynamodb, "page")


def puts_of(dynamodb: Relay, kind: str) -> int:
    """Return how many items of a kind were put."""
    batches = [sent for operation, sent in dynamodb.writes if operation == "BatchWriteItem"]
    puts = [put for batch in batches for table in batch["RequestItems"].values() for put in table]
    return sum(put["PutRequest"]["Item"]["sk"]["S"] == kind for put in puts)


@about_memory
def test_hits_read_the_head_once_a_second_and_write_nothing(
    service: Service, dynamodb: Relay
) -> None:
    service.refresh()
    service.get()
    dynamodb.calls.clear()

    for offset in range(0, 400, 50):
        service.get(f"/users?offset={offset}")

    operations = [operation for operation, _ in dynamodb.calls]
    assert dynamodb.writes == []
    assert operations.count("GetItem") <= 2


def test_a_304_for_a_list_touches_no_page(service: Service, dynamodb: Relay) -> None:
    service.refresh()
    tag = service.get("/users?limit=1").headers["ETag"]
    service.forget()
    dynamodb.calls.clear()

    answer = service.get("/users?limit=1", {"If-None-Match": tag})

    assert answer.status == 304
    # The head, and once an environment the key that its links are signed with.
    assert [operation for operation, _ in dynamodb.calls] == ["GetItem"] * 2


def test_a_failed_revalidation_leaves_what_is_stored_and_says_so_in_two_updates_more(
    service: Service, dynamodb: Relay
) -> None:
    service.origin.stop()

    service.refresh()

    assert [operation for operation, _ in dynamodb.writes] == ["UpdateItem"] * 3
