"""Listings: what was packed comes back, and every user is looked for in the one right page."""

from zlib import crc32

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


def long(count: int, shards: int = 0) -> Manifest:
    """Return a manifest of ``count`` pages, of which each has one user."""
    return Manifest(pages([1] * count), tuple(f"{n:040x}" for n in range(shards)))


@pytest.mark.parametrize(("count", "shards"), [(301, 0), (0, 301), (700, 256), (5_000, 512)])
def test_a_long_manifest_comes_back_from_its_root_and_branches(count: int, shards: int) -> None:
    whole = long(count, shards)

    read = manifest.read(whole.root, lambda digests: [whole.branches[each] for each in digests])

    assert read == whole
    assert len(whole.root) == 2 + 20 * len(whole.branches) < len(whole.pack()) / 20
    assert max(map(len, whole.branches.values())) <= 2 + 30 * manifest.MAX_BRANCH
    assert manifest.well_formed(whole.root)


def test_a_short_manifest_is_its_own_root() -> None:
    whole = long(200, 100)

    assert (whole.root, dict(whole.branches)) == (whole.pack(), {})


@given(st.integers(0, 2_999), st.sampled_from(["changed", "gone", "new"]))
def test_one_page_more_or_less_or_other_changes_a_branch_or_two(place: int, what: str) -> None:
    before = long(3_000, 256)
    listed = list(before.pages)
    new = PageRef("ff" * 20, listed[place].first_id + (what == "new"), 1)
    listed[place : place + (what != "new")] = [] if what == "gone" else [new]
    if what == "new":
        listed.sort(key=lambda page: page.first_id)

    after = Manifest(tuple(listed), before.shards)

    assert len(after.branches.keys() - before.branches.keys()) <= 2


def test_a_branch_of_pages_that_none_ends_by_itself_is_cut_all_the_same() -> None:
    ends = [n for n in range(1, 40_000) if crc32(b"%d" % n) % manifest.BRANCH]
    whole = Manifest(tuple(PageRef("00" * 20, n, 1) for n in ends[:1_000]))

    assert len(whole.branches) == -(-1_000 // manifest.MAX_BRANCH)


@pytest.mark.parametrize(
    ("root", "branches"),
    [
        (b"\xff\xff" + b"x" * 19, []),
        (b"\xff\xff" + b"x" * 20, [b"\0"]),
        (b"\xff\xff" + b"x" * 40, [long(2).pack(), long(2).pack()]),
    ],
)
def test_what_is_no_tree_is_broken(root: bytes, branches: list[bytes]) -> None:
    with pytest.raises(BrokenSnapshotError):
        manifest.read(root, lambda _: branches)


def test_what_cannot_be_a_root_is_told_without_its_branches() -> None:
    assert not manifest.well_formed(b"\xff\xff" + b"x" * 19)
    assert not manifest.well_formed(b"\0\1")


@given(SIZES, st.integers(0, 45), st.integers(1, 45))
def test_a_run_is_the_pages_that_it_touches(sizes: list[int], offset: int, limit: int) -> None:
    refs = pages(sizes)
    owners = [ref for ref in refs for _ in range(ref.users)]

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
