"""Listings: what was packed comes back, and every user is looked for in the one right page."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.directory import manifest
from lib.directory.manifest import Manifest, PageRef
from lib.errors import BrokenSnapshotError

DIGESTS = st.binary(min_size=20, max_size=20).map(bytes.hex)
SIZES = st.lists(st.integers(1, 5), max_size=8)


def pages(sizes: list[int]) -> tuple[PageRef, ...]:
    """Return pages of users 10, 20, 30 and so on."""
    starts = [sum(sizes[:position]) for position in range(len(sizes))]
    return tuple(
        PageRef(f"{position:040x}", 10 * (start + 1), size)
        for position, (start, size) in enumerate(zip(starts, sizes, strict=True))
    )


@given(SIZES, st.lists(DIGESTS, max_size=5))
def test_a_listing_comes_back_as_it_was_packed(sizes: list[int], shards: list[str]) -> None:
    packed = Manifest(pages(sizes), tuple(shards)).pack()

    assert manifest.unpack(packed) == Manifest(pages(sizes), tuple(shards))
    assert len(packed) == 2 + 30 * len(sizes) + 20 * len(shards)


@given(SIZES, st.integers(0, 45), st.integers(1, 45))
def test_a_run_is_the_pages_that_it_touches(sizes: list[int], offset: int, limit: int) -> None:
    refs = pages(sizes)
    owners = [ref for ref in refs for _ in range(ref.count)]

    run, skipped = Manifest(refs).run(offset, limit)

    assert list(run) == list(dict.fromkeys(owners[offset : offset + limit]))
    if run:
        assert owners.index(run[0]) + skipped == offset


@given(SIZES, st.integers(0, 450))
def test_a_user_is_in_the_last_page_that_does_not_begin_after_it(
    sizes: list[int], user_id: int
) -> None:
    refs = pages(sizes)

    expected = [ref for ref in refs if ref.first_id <= user_id]

    assert Manifest(refs).page_of(user_id) == (expected[-1] if expected else None)


@pytest.mark.parametrize(
    "data",
    [b"", b"\0", b"\0\1", b"\0\1" + b"x" * 29, b"\0\0" + b"x" * 19, b"\0\1" + b"x" * 49],
)
def test_bytes_of_another_length_are_no_listing(data: bytes) -> None:
    with pytest.raises(BrokenSnapshotError):
        manifest.unpack(data)


@pytest.mark.parametrize("first_ids", [(2, 1), (1, 1)])
def test_a_listing_that_does_not_rise_is_broken(first_ids: tuple[int, int]) -> None:
    packed = Manifest(tuple(PageRef("00" * 20, first_id, 1) for first_id in first_ids)).pack()

    with pytest.raises(BrokenSnapshotError):
        manifest.unpack(packed)
