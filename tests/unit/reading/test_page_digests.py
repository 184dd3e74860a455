"""Digests page by page, as users are shown."""

import pytest

from lib.directory.snapshot import snapshot_of
from lib.directory.users_digest import total_of
from lib.errors import BrokenSnapshotError
from lib.reading.page_digests import PageDigests
from lib.users.hiding import NOTHING_HIDDEN, HidingPolicy
from tests.fakes import CLIENT, users
from tests.world import World


def published(hiding: HidingPolicy = NOTHING_HIDDEN) -> World:
    world = World(hiding=hiding)
    world.origin.rows = users(range(1, 401))
    world.publish()
    return world


def test_each_page_is_told_and_all_together() -> None:
    world = published()
    generation = world.head.generation

    told = PageDigests(contents=world.store, hiding=NOTHING_HIDDEN).of(generation)

    lines = snapshot_of(world.store, generation).lines()
    assert (told["generation"], told["users"]) == (1, 400)
    assert told["usersDigest"] == f"{total_of(lines):064x}"
    assert [page["users"] for page in told["pages"]] == [
        ref.users for ref in world.store.manifest(generation).pages
    ]
    first = told["pages"][0]
    assert (first["firstId"], first["lastId"]) == (1, first["users"])
    assert first["usersDigest"] == f"{total_of(lines[: first['users']]):064x}"


def test_they_are_of_what_is_shown() -> None:
    plain, hidden = published(), published(HidingPolicy(fields=frozenset({"name"})))

    digests = PageDigests(contents=plain.store, hiding=hidden.hiding)

    told = digests.of(plain.head.generation)["usersDigest"]
    assert told == hidden.head.generation.users_digest(hidden.hiding.digest)


def test_a_page_that_is_lost_is_not_passed_over() -> None:
    world = published()
    lost = world.store.manifest(world.head.generation).pages[1]
    del world.store.stored_pages[CLIENT, lost.digest]
    digests = PageDigests(contents=world.store, hiding=NOTHING_HIDDEN)

    with pytest.raises(BrokenSnapshotError):
        digests.of(world.head.generation)
