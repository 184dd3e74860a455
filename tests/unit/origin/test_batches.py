"""Batches of addresses that one URL of the origin can carry."""

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.origin.batches import MAX_URL_BYTES, batches_of


@given(st.lists(st.text(max_size=300), max_size=400), st.integers(1, 250))
def test_every_address_is_in_one_batch_and_each_batch_fits(addresses: list[str], most: int) -> None:
    asked = dict(enumerate(addresses))

    cut = list(batches_of(asked, most=most))

    assert [item for batch in cut for item in batch.items()] == list(asked.items())
    assert all(0 < len(batch) <= most for batch in cut)
    assert all(
        len(batch) == 1 or len(quote(",".join(batch.values()), safe="")) <= MAX_URL_BYTES
        for batch in cut
    )


@pytest.mark.parametrize(
    ("length", "count", "most", "sizes"),
    [
        (5, 250, 250, [250]),
        (5, 251, 250, [250, 1]),
        (5, 251, 100, [100, 100, 51]),
        (5, 3, 1, [1, 1, 1]),
        (57, 101, 250, [100, 1]),
        (57, 101, 1000, [100, 1]),
        (9000, 2, 250, [1, 1]),
        (5, 0, 250, []),
    ],
)
def test_a_batch_ends_with_as_many_rows_as_are_listed_or_when_the_url_is_full(
    length: int, count: int, most: int, sizes: list[int]
) -> None:
    asked = dict.fromkeys(range(count), "x" * length)

    assert [len(batch) for batch in batches_of(asked, most=most)] == sizes
