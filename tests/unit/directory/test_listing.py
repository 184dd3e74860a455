"""What is known of an organization's list: ids in few bytes."""

import pytest

from lib.directory.listing import MAX_IDS, pack, unpack


@pytest.mark.parametrize("ids", [set(), {1}, {7, 8, 2**31 - 1}, set(range(1, 9_000, 3))])
def test_ids_come_out_as_they_went_in(ids: set[int]) -> None:
    assert unpack(pack(ids)) == ids


def test_ids_of_colleagues_take_few_bytes() -> None:
    assert len(pack(range(1_000_000, 1_040_000, 2))) < 1_000


def test_no_more_than_an_item_can_hold_are_kept() -> None:
    assert unpack(pack(range(MAX_IDS + 5))) == set(range(MAX_IDS))


@pytest.mark.parametrize("data", [b"", b"no ids", pack({1, 2})[:-3]])
def test_what_is_no_ids_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="these are no ids"):
        unpack(data)
