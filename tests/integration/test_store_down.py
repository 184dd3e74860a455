"""What is stored is broken, or DynamoDB is down: nothing wrong is served, what is known is."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from dev.local.embedded_aws import EmbeddedAws
from lib.directory.head import HEAD_SECONDS
from tests.integration.asking import link
from tests.integration.relay import Relay
from tests.integration.service import (
    CLIENT,
    REVALIDATE_AGE,
    Service,
    about_memory,
    running_service,
)


@pytest.fixture
def dynamodb(aws: EmbeddedAws) -> Iterator[Relay]:
    with Relay(aws.endpoint) as relay:
        yield relay


@pytest.fixture
def service(aws: EmbeddedAws, dynamodb: Relay) -> Iterator[Service]:
    with running_service(aws, users=40, AWS_ENDPOINT_URL_DYNAMODB=dynamodb.url) as running:
        running.get()
        yield running


def page_of(service: Service) -> dict[str, Any]:
    return next(dict(item) for item in service.items() if item["sk"]["S"] == "page")


def remove_a_page(service: Service) -> None:
    page = page_of(service)
    key = {name: page[name] for name in ("pk", "sk")}
    service.table.client.delete_item(TableName=service.table.name, Key=key)
    service.forget()


def alter_a_page(service: Service) -> None:
    page = page_of(service) | {"data": {"B": b"not what its digest says"}}
    service.table.client.put_item(TableName=service.table.name, Item=page)
    service.forget()


@pytest.mark.parametrize("damage", [remove_a_page, alter_a_page])
def test_a_broken_page_is_fetched_again_and_never_served_around(
    service: Service, damage: Callable[[Service], None]
) -> None:
    damage(service)

    mended = service.get()
    service.forget()
    later = service.get()

    assert mended.cache_status == "managed-users; fwd=uri-miss; fwd-status=200; stored"
    assert mended.body["data"] == later.body["data"] == service.origin.users(CLIENT)
    assert "; hit; " in later.cache_status


def test_a_broken_page_is_an_error_while_the_origin_is_down(service: Service) -> None:
    remove_a_page(service)
    service.origin.stop()

    answer = service.get()

    assert answer.status == 502


def cancelled(*codes: str) -> dict[str, Any]:
    """Return the members of the error of a transaction that was cancelled for these reasons."""
    return {"CancellationReasons": [{"Code": code} for code in codes]}


@pytest.mark.parametrize("times", [1, 2, 3])
def test_a_cold_client_is_served_although_a_transaction_is_at_its_head(
    service: Service, dynamodb: Relay, times: int
) -> None:
    service.delete_head()
    dynamodb.refuse("UpdateItem", "TransactionConflictException", times=times)

    answer = service.get()

    assert len(answer.ids) == 40
    assert answer.cache_status == "managed-users; fwd=uri-miss; fwd-status=200; stored"


@pytest.mark.parametrize(
    ("codes", "times"),
    [
        (("None", "TransactionConflict"), 1),
        (("TransactionConflict", "None"), 2),
        # Longer than the table's own patience: the publication tries once more after a pause.
        (("None", "TransactionConflict"), 6),
        (("None", "ThrottlingError"), 3),
        (("None", "ValidationError"), 1),
    ],
)
def test_a_publication_that_is_cancelled_for_a_moment_loses_nothing(
    service: Service, dynamodb: Relay, codes: tuple[str, str], times: int
) -> None:
    service.let_pass(REVALIDATE_AGE)
    created = service.origin.create(CLIENT)
    dynamodb.calls.clear()
    dynamodb.refuse(
        "TransactWriteItems", "TransactionCanceledException", times=times, **cancelled(*codes)
    )

    service.refresh()

    assert service.get("/users?limit=250").ids[-1] == created["id"]
    assert service.head()["generation"] == 2
    assert "last_error" not in service.head()
    moves = [call for call in dynamodb.calls if call[0] == "TransactWriteItems"]
    assert len(moves) == times + 1


def test_a_publication_that_is_cancelled_for_good_is_told_and_held_off(
    service: Service, dynamodb: Relay
) -> None:
    service.let_pass(REVALIDATE_AGE)
    service.origin.create(CLIENT)
    refused = cancelled("None", "ValidationError")
    dynamodb.refuse("TransactWriteItems", "TransactionCanceledException", times=2, **refused)

    service.refresh()
    told = service.get("/cache").body["data"]
    answer = service.get("/users?limit=250")

    assert (told["generation"], told["lastError"]) == (1, "store-refused")
    assert told["retryAt"] is not None
    assert len(answer.ids) == 40


def test_a_new_environment_is_503_while_dynamodb_is_down(service: Service, dynamodb: Relay) -> None:
    dynamodb.stop()
    service.forget()

    answer = service.get()

    assert (answer.status, answer.error["code"]) == (503, "ServiceUnavailableException")
    assert int(answer.headers["Retry-After"]) >= 1


@about_memory
def test_an_environment_goes_on_with_what_it_knows_while_dynamodb_is_down(
    service: Service, dynamodb: Relay
) -> None:
    dynamodb.hangs_up = True
    dynamodb.calls.clear()

    soon = service.get()
    tried_soon = list(dynamodb.calls)
    service.let_pass(HEAD_SECONDS, same_environment=True)
    later = service.get()

    # Within a second of the last read it does not even try.
    assert (tried_soon, bool(dynamodb.calls)) == ([], True)
    assert (len(soon.ids), len(later.ids)) == (40, 40)


@about_memory
def test_while_the_key_of_cursors_cannot_be_read_links_count_by_offset(
    service: Service, dynamodb: Relay
) -> None:
    dynamodb.hangs_up = True
    down = service.get("/users?limit=10")
    dynamodb.hangs_up = False
    up = service.get("/users?limit=10")

    assert (down.status, link(down, "next")) == (200, "/users?limit=10&offset=10")
    assert service.get(link(down, "next") or "").ids == service.get(link(up, "next") or "").ids
    assert "cursor=" in (link(up, "next") or "")
