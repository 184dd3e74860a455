"""The index: every address and username leads to its users, and to few others."""

import random
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.directory import index
from lib.directory.index import Question, folded_key
from lib.errors import BrokenSnapshotError
from lib.users.document import canonical
from lib.users.keys import username_key
from tests.fakes import CLIENT, user

NAMES = st.sampled_from(["ann", "Ann", "ANN", "straße", "STRASSE", "bob", "\ud800"])
DIRECTORIES = st.lists(st.tuples(NAMES, NAMES | st.none()), max_size=12)


def documents(named: Sequence[tuple[str, str | None]]) -> list[bytes]:
    """Return users 1, 2, 3 and so on with these local parts and usernames."""
    return [
        canonical(user(n, email=f"{local}@example.com", username=username))
        for n, (local, username) in enumerate(named, 1)
    ]


def asked(shards: Sequence[bytes], *keys: str, client_id: str = CLIENT) -> set[int]:
    """Return to whom ``keys`` lead."""
    question = Question(keys, client_id, len(shards))
    return question.find([shards[position] for position in question.shards])


@given(DIRECTORIES, NAMES)
def test_an_address_in_any_case_leads_to_all_that_have_it(
    named: list[tuple[str, str | None]], wanted: str
) -> None:
    shards = index.build(documents(named), CLIENT)

    assert asked(shards, folded_key(f"{wanted}@Example.com")) == {
        n for n, (local, _) in enumerate(named, 1) if local.casefold() == wanted.casefold()
    }
    assert asked(shards, username_key(wanted)) == {
        n for n, (_, username) in enumerate(named, 1) if username == wanted
    }


def test_of_many_users_each_is_found_in_one_of_many_shards() -> None:
    shards = index.build([canonical(user(n)) for n in range(1, 3001)], CLIENT)

    assert len(shards) == 16
    assert max(map(len, shards)) < 2 * min(map(len, shards))
    assert asked(shards, *(username_key(f"u{n}") for n in range(1, 3001))) == set(range(1, 3001))
    assert asked(shards, username_key("u3001")) == set()


@given(DIRECTORIES, st.randoms(use_true_random=False))
def test_an_index_does_not_depend_on_the_order_of_users(
    named: list[tuple[str, str | None]], order: random.Random
) -> None:
    lines = documents(named)

    assert index.build(sorted(lines, key=lambda _: order.random()), CLIENT) == index.build(
        lines, CLIENT
    )


def test_one_changed_address_changes_two_shards() -> None:
    before = [canonical(user(n)) for n in range(1, 3001)]
    after = [*before[:-1], canonical(user(3000, email="new@example.com"))]

    changed = set(index.build(before, CLIENT)) - set(index.build(after, CLIENT))

    assert len(changed) <= 2


def test_a_user_without_a_username_is_not_found_by_none() -> None:
    shards = index.build([canonical(user(1, username=None))], CLIENT)

    assert asked(shards, username_key("None")) == set()


def test_equal_users_of_two_clients_have_different_indexes() -> None:
    lines = documents([("ann", "ann")])

    assert index.build(lines, "one") != index.build(lines, "two")


def test_a_folded_address_folds_to_itself() -> None:
    letters = "".join(map(chr, range(0x110000)))

    assert letters.casefold().casefold() == letters.casefold()


def test_a_directory_has_a_power_of_two_of_shards() -> None:
    counts = [index.shard_count(users) for users in (0, 255, 256, 511, 512, 2500)]

    assert counts == [1, 1, 2, 2, 4, 16]


def test_a_shard_that_is_not_what_its_digest_says_is_broken() -> None:
    (shard,) = index.build(documents([("ann", None)]), CLIENT)

    assert index.checked(shard, index.digest_of(shard)) == shard
    with pytest.raises(BrokenSnapshotError):
        index.checked(shard[:-1], index.digest_of(shard))
