"""What is known of organizations' lists: the fake and the table do the same."""

from collections.abc import Callable
from itertools import count
from typing import Any

import pytest

from dev.local.embedded_aws import EmbeddedAws
from lib.aws import items
from lib.aws.listing_store import ListingStore
from lib.aws.table import Table
from lib.directory.listing import MAX_IDS, Listing, Progress
from tests.fake_lookups import FakeListings
from tests.fakes import CLIENT, NOW, Clock

KEY = {"pk": f"client#{CLIENT}", "sk": "listing"}
ALL = Listing(
    organization_id=7,
    refused="organization-anchor",
    retry_at=NOW + 0.5,
    take=500,
    undecided=3,
    progress=Progress(skip=1_000, below=1_234, began_at=NOW, unconfirmed_since=NOW - 60),
    others=frozenset({1, 5, 2**31 - 1}),
    strays=frozenset({9}),
)

type Store = FakeListings | ListingStore


@pytest.fixture(scope="session")
def tables(aws: EmbeddedAws) -> Callable[[], tuple[ListingStore, Any]]:
    numbers, client = count(), aws.client("dynamodb")

    def table() -> tuple[ListingStore, Any]:
        name = f"listings-{next(numbers)}"
        aws.create_table(name)
        store = ListingStore(Table(client, name, sleep=Clock().sleep))

        def put(**values: Any) -> None:  # noqa: ANN401 - whatever a hand may write
            item = items.encode(KEY) | values
            client.put_item(TableName=name, Item=item)

        return store, put

    return table


@pytest.fixture(params=["fake", "table"])
def store(request: pytest.FixtureRequest) -> Store:
    if request.param == "fake":
        return FakeListings()
    made: ListingStore = request.getfixturevalue("tables")()[0]
    return made


def test_at_first_nothing_is_known(store: Store) -> None:
    assert store.listing(CLIENT) == Listing()


def test_what_was_kept_is_known(store: Store) -> None:
    store.put_listing(CLIENT, ALL)

    assert store.listing(CLIENT) == ALL


def test_what_is_kept_replaces_what_was(store: Store) -> None:
    store.put_listing(CLIENT, ALL)
    store.put_listing(CLIENT, Listing(organization_id=7))

    assert store.listing(CLIENT) == Listing(organization_id=7)


def test_no_more_ids_are_kept_than_an_item_holds(
    tables: Callable[[], tuple[ListingStore, Any]],
) -> None:
    store, _ = tables()

    store.put_listing(CLIENT, Listing(others=frozenset(range(1, 10 * MAX_IDS, 7))))

    assert len(store.listing(CLIENT).others) == MAX_IDS


@pytest.mark.parametrize(
    "values",
    [
        {"others": {"B": b"no ids"}, "strays": {"S": "no bytes"}},
        {"skip": {"S": "far"}, "began_at": {"N": "5"}},
        {"skip": {"N": "5"}, "began_at": {"M": {}}},
        {"organization_id": {"S": "7"}, "retry_at": {"N": "-5"}, "take": {"BOOL": True}},
    ],
    ids=["ids", "skip", "began", "numbers"],
)
def test_what_cannot_be_read_is_not_known(
    tables: Callable[[], tuple[ListingStore, Any]], values: dict[str, Any]
) -> None:
    store, put = tables()

    put(**values)

    assert store.listing(CLIENT) == Listing()
