"""The digest of users is kept up to date by every publication, and by a look at what changed."""

import pytest

from lib.directory import pages
from lib.directory.snapshot import snapshot_of
from lib.directory.users_digest import total_of
from lib.revalidation.publish import Publication
from lib.users.document import canonical
from lib.users.hiding import HidingPolicy
from tests.fakes import CLIENT, NOW, user, users
from tests.world import World


def kept(world: World) -> int | None:
    return world.head.generation.users_total


def true(world: World) -> int:
    """Return the digest of the newest generation's users, computed anew."""
    return total_of(snapshot_of(world.store, world.head.generation).lines())


def a_large_directory() -> World:
    world = World()
    world.origin.rows = users(range(1, 401))
    world.revalidate()
    return world


def test_it_is_published_with_the_head_and_the_manifest() -> None:
    world = a_large_directory()

    stored = world.store.generation(CLIENT, 1)

    assert kept(world) == true(world)
    assert stored is not None
    assert stored.users_total == kept(world)


@pytest.mark.parametrize("change", ["renamed", "deleted", "created", "all"])
def test_what_changed_is_added_and_taken_away(change: str) -> None:
    world, rows = a_large_directory(), users(range(1, 401))
    world.clock.now += 200
    world.origin.rows = {
        "renamed": [*rows[:30], user(31, name="Renamed"), *rows[31:]],
        "deleted": rows[:-1],
        "created": [*rows, user(401)],
        "all": [user(row["id"], bio="other") for row in rows],
    }[change]

    world.revalidate()

    assert world.head.generation.number == 2
    assert kept(world) == true(world)


def test_only_pages_that_differ_are_looked_at() -> None:
    world = a_large_directory()
    rows = [user(31, name="Renamed") if row["id"] == 31 else row for row in users(range(1, 401))]
    draft = pages.draft([canonical(row) for row in rows], complete=True)
    stored = world.store.manifest(world.head.generation)

    publication = Publication(world.store, world.store, world.time)
    head = publication.publish(world.claim(), draft, {"swept_at": NOW}, stored=stored)

    # What was looked at is remembered there.
    looked_at = [page for page in draft.pages if "total" in vars(page)]
    assert 0 < len(looked_at) < 3 < len(draft.pages)
    assert head.generation.users_total == true(world)


def test_where_the_last_generation_s_pages_are_lost_it_is_made_of_all() -> None:
    world = a_large_directory()
    world.clock.now += 200
    world.origin.rows[30] = user(31, name="Renamed")
    world.store.stored_pages.clear()

    world.revalidate()

    assert kept(world) == total_of([canonical(row) for row in world.origin.rows])


def test_what_a_version_that_knows_nothing_of_it_has_published_is_made_up_for() -> None:
    world = a_large_directory()
    known, seen = world.head.generation.users_sum, world.head.seen
    world.clock.now += 200
    world.origin.rows[30] = user(31, name="Renamed")
    world.revalidate()
    # It leaves in the head what it finds there.
    world.store.put_head(users_sum=known, seen=seen)
    before = kept(world)

    world.clock.now += 200
    world.revalidate()

    assert before is None
    assert world.head.generation.number == 2
    assert kept(world) == true(world)


def test_it_is_of_what_is_shown() -> None:
    world = World(hiding=HidingPolicy(fields=frozenset({"bio"})))
    world.revalidate()
    before = kept(world)
    world.clock.now += 200
    world.origin.rows = [row | {"bio": "other"} for row in world.origin.rows]

    world.revalidate()

    assert world.head.generation.number == 1
    assert kept(world) == before == true(world)


def test_nobody_has_the_digest_zero() -> None:
    world = World()
    world.origin.rows = []

    world.revalidate()

    assert kept(world) == 0
