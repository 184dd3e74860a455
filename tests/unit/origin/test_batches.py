"""Batches of addresses that one URL of the origin can carry."""

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.origin.batches import MAX_ROWS, MAX_URL_BYTES, batches_of


@given(st.lists(st.text(max_size=300), max_size=400))
def test_every_address_is_in_one_batch_and_each_batch_fits(addresses: list[str]) -> None:
    asked = dict(enumerate(addresses))

    cut = list(batches_of(asked))

    assert [item for batch in cut for item in batch.items()] == list(asked.items())
    assert all(0 < len(batch) <= MAX_ROWS for batch in cut)
    assert all(
        len(batch) == 1 or len(quote(",".join(batch.values()), safe="")) <= MAX_URL_BYTES
        for batch in cut
    )


@pytest.mark.parametrize(
    ("length", "count", "sizes"),
    [
        (5, 250, [250]),
        (5, 251, [250, 1]),
        (57, 101, [100, 1]),
        (9000, 2, [1, 1]),
        (5, 0, []),
    ],
)
def test_a_batch_ends_at_250_rows_or_when_the_url_is_full(
    length: int, count: int, sizes: list[int]
) -> None:
    asked = dict.fromkeys(range(count), "x" * length)

    assert [len(batch) for batch in batches_of(asked)] == sizes
