"""The index: every text leads to its users, and to few others."""

import random

from hypothesis import given
from hypothesis import strategies as st

from lib import index
from tests.fakes import CLIENT, user

HASHES = st.binary(min_size=8, max_size=8) | st.sampled_from([b"\0" * 8, b"\xff" * 8])
ENTRIES = st.lists(st.tuples(HASHES, st.integers(0, 2**53)), max_size=60)


@given(ENTRIES, st.integers(0, 3).map(lambda power: 1 << power), HASHES)
def test_a_hash_leads_to_all_its_users_and_no_others(
    entries: list[tuple[bytes, int]], shards: int, unknown: bytes
) -> None:
    built = index.build(entries, shards)

    assert len(built) == shards
    for hashed in {hashed for hashed, _ in entries} | {unknown}:
        shard = built[index.shard_of(hashed, shards)]
        expected = sorted(user_id for each, user_id in entries if each == hashed)
        assert sorted(index.find(shard, hashed)) == expected


@given(ENTRIES, st.randoms(use_true_random=False))
def test_an_index_does_not_depend_on_the_order_of_users(
    entries: list[tuple[bytes, int]], order: random.Random
) -> None:
    shuffled = sorted(entries, key=lambda _: order.random())

    assert index.build(shuffled, 4) == index.build(entries, 4)


def test_a_user_is_found_by_address_and_username() -> None:
    row = user(1, email=f"Ann+{CLIENT}@Example.com", username="ann")

    assert set(index.keys_of(row, CLIENT)) == {
        f"email:Ann+{CLIENT}@Example.com",
        f"folded:ann+{CLIENT}@example.com",
        "email:Ann@Example.com",
        "folded:ann@example.com",
        "username:ann",
    }


def test_a_user_without_a_username_is_not_found_by_none() -> None:
    keys = set(index.keys_of(user(1, username=None), CLIENT))

    assert not [key for key in keys if key.startswith("username:")]


def test_equal_texts_of_two_clients_have_different_hashes() -> None:
    assert index.key_hash("email:a@b.co", "one") != index.key_hash("email:a@b.co", "two")
    assert len(index.key_hash("email:\ud800", "one")) == 8


def test_a_directory_has_a_power_of_two_of_shards() -> None:
    counts = [index.shard_count(users) for users in (0, 255, 256, 511, 512, 2500)]

    assert counts == [1, 1, 2, 2, 4, 16]
