"""Erasing one person: what is deleted, who cannot be erased, and how far one run goes."""

import pytest

from lib.directory.snapshot import snapshot_of
from lib.errors import (
    InvalidRequestError,
    OriginServerError,
    Reason,
    StoreError,
    UnavailableError,
)
from lib.reading.erasure import BATCH, MOST_EMPTY_BATCHES, Erased, Erasure
from lib.users.document import canonical
from lib.users.keys import Observation, address_key, id_key
from tests.caller import Caller
from tests.fakes import CLIENT, FakeOrigin, user, users
from tests.world import World

GONE = 2
"""Who is to be erased."""

HOUR = 3600


def world_of(size: int = 400) -> World:
    """Return a world of four generations, of which the first two hold whom nobody else knows."""
    world = World(origin=FakeOrigin(rows=users(range(1, size + 1))))
    world.publish(age=HOUR)
    change(world, 1)
    delete(world, GONE)
    change(world, 1)
    return world


def change(world: World, user_id: int) -> None:
    """Rename a user, and publish that."""
    name = f"Renamed at {world.clock.now}"
    world.origin.rows = [
        row | {"name": name} if row["id"] == user_id else row for row in world.origin.rows
    ]
    world.publish(age=HOUR)


def delete(world: World, user_id: int) -> None:
    world.origin.rows = [row for row in world.origin.rows if row["id"] != user_id]
    world.publish(age=HOUR)


def erase(
    world: World,
    user_id: int = GONE,
    *,
    start: int = 0,
    seconds: float = 60,
    frozen: bool = False,
) -> Erased:
    erasure = Erasure(
        store=world.store,
        lookups=world.lookups,
        lookup=lambda: world.lookup,
        time=world.time,
        frozen=frozen,
    )
    deadline = world.clock.now + seconds
    return erasure.run(CLIENT, user_id, start=start, deadline=deadline)


def kept(world: World) -> list[int]:
    """Return the generations that can be read."""
    numbers = [number for _, number in world.store.manifests]
    return [number for number in numbers if world.store.generation(CLIENT, number)]


def names(world: World, name: str) -> bool:
    """Return whether any page or look-up that is kept names ``name``."""
    texts = [canonical(user(GONE)).replace(b"N2", name.encode())]
    found = []
    for number in kept(world):
        generation = world.store.generation(CLIENT, number)
        assert generation
        found += snapshot_of(world.store, generation).lines()
    found += [seen.line for seen in world.lookups.answers.values() if seen.line]
    return any(text in found for text in texts)


def test_who_is_gone_is_in_nothing_that_is_kept_and_who_is_not_stays() -> None:
    world = world_of()
    before = dict(world.store.stored_pages)
    assert names(world, "N2")

    done = erase(world)

    assert done == Erased(generations=2, pages=2, next=0)
    assert kept(world) == [3, 4]
    assert not names(world, "N2")
    # His pages, and two shards of the index each in the form that they had.
    assert len(before) - len(world.store.stored_pages) == 4
    assert len(Caller(world).users("asOf=3&limit=250").ids) == 250
    assert world.head.generation.users == 399


def test_no_shard_that_is_kept_leads_to_him() -> None:
    world = world_of()
    erase(world)

    entry = GONE.to_bytes(8)

    shards = [data for data, _ in world.store.stored_pages.values() if len(data) % 16 == 0]
    assert any(entry[:-1] + b"\x01" in shard for shard in shards)
    assert not any(
        shard[at + 8 : at + 16] == entry for shard in shards for at in range(0, len(shard), 16)
    )


def test_what_he_was_in_is_gone_for_whoever_remembers_it_within_a_minute() -> None:
    world = world_of()
    caller = Caller(world)
    cursor = caller.users("asOf=2&limit=250").links["next"]
    assert caller.user(GONE, as_of="2").status == 200

    erase(world)
    world.clock.now += 60

    assert caller.user(GONE, as_of="2").status == 410
    assert caller.users(cursor).status == 410
    assert caller.users("asOf=1").status == 410
    assert caller.user(GONE, as_of="3").status == 404


def test_nobody_else_is_erased_with_him_but_what_stood_on_his_pages() -> None:
    world = world_of()
    delete(world, 399)

    done = erase(world, 399)

    assert done.generations == 4
    assert kept(world) == [5]
    assert Caller(world).users("limit=250").status == 200


def test_who_was_never_there_costs_no_generation() -> None:
    world = world_of()

    assert erase(world, 4_000) == Erased(0, 0, 0)
    assert kept(world) == [1, 2, 3, 4]


def test_whom_look_ups_found_is_forgotten_there_too() -> None:
    world = world_of()
    line, other = canonical(user(GONE)), canonical(user(GONE, email="new@example.com"))
    keys = [
        *(id_key(GONE), address_key("new@example.com")),
        address_key(f"user{GONE}+{CLIENT}@example.com"),
    ]
    for key in keys:
        world.lookups.answers[key] = Observation(line if key == keys[2] else other, 0)
    world.lookups.answers[id_key(3)] = Observation(canonical(user(3)), 0)
    world.lookups.ids = {GONE, 3}

    erase(world, frozen=True)

    assert world.lookups.answers.keys() == {id_key(3)}
    assert world.lookups.ids == {3}


# ---- who cannot be erased ----


def test_who_is_in_the_newest_generation_is_not_erased() -> None:
    world = world_of()

    with pytest.raises(InvalidRequestError, match="he is in the newest generation, 4"):
        erase(world, 3)

    assert kept(world) == [1, 2, 3, 4]


def test_whom_the_origin_has_still_is_not_erased() -> None:
    world = world_of()
    world.origin.rows.append(user(GONE))

    with pytest.raises(InvalidRequestError, match="the origin has him still"):
        erase(world)

    assert kept(world) == [1, 2, 3, 4]


def test_nobody_is_erased_of_whom_the_origin_tells_nothing() -> None:
    world = world_of()
    world.origin.errors = [OriginServerError("down", reason=Reason.ORIGIN_5XX)] * 9

    with pytest.raises(UnavailableError):
        erase(world)

    assert kept(world) == [1, 2, 3, 4]


def test_nobody_is_erased_while_somebody_else_asks_the_origin_for_him() -> None:
    world = world_of()
    world.lookups.busy = True

    with pytest.raises(UnavailableError):
        erase(world, seconds=30)

    assert kept(world) == [1, 2, 3, 4]


def test_an_origin_that_is_never_asked_again_is_not_asked() -> None:
    world = world_of()
    world.origin.rows.append(user(GONE))

    assert erase(world, frozen=True).generations == 2
    assert world.origin.calls == []


def test_of_a_client_of_whom_nothing_is_stored_nothing_is_erased() -> None:
    with pytest.raises(InvalidRequestError, match="of whom something is stored"):
        erase(World(), 4_000)


# ---- how far a run goes ----


def test_a_run_that_has_no_more_time_says_where_to_go_on() -> None:
    world = world_of()
    for _ in range(BATCH):
        change(world, 1)
    total = len(kept(world))

    first = erase(world, seconds=4)
    second = erase(world, start=first.next, seconds=4)

    assert first == Erased(0, 0, total - 1 - BATCH)
    assert (second.generations, second.next) == (2, 0)
    assert kept(world) == list(range(3, total + 1))


def test_a_run_that_broke_down_is_ended_by_another() -> None:
    world = world_of()
    world.store.fail("bury", when="before")
    with pytest.raises(StoreError):
        erase(world)

    done = erase(world)

    assert done.generations == 2
    assert kept(world) == [3, 4]
    assert erase(world) == Erased(0, 0, 0)


def test_numbers_that_began_anew_lead_back_to_those_before() -> None:
    world = world_of()
    anew = 1_800_000_000_000
    world.store.manifests[CLIENT, anew] = {**world.store.manifests[CLIENT, 4], "previous": 2}
    world.store.put_head(generation=anew + 1)

    assert erase(world).generations == 2


def test_where_nothing_is_kept_for_long_nothing_older_is_looked_for() -> None:
    world = world_of()
    world.store.put_head(generation=10_000_000)
    world.store.calls.clear()

    assert erase(world) == Erased(0, 0, 0)
    assert world.store.calls["history"] == MOST_EMPTY_BATCHES


def test_generations_without_an_index_lose_their_page() -> None:
    world = world_of()
    for number in (1, 2):
        generation = world.store.generation(CLIENT, number)
        assert generation
        manifest = world.store.manifest(generation)
        packed = type(manifest)(manifest.pages).pack()
        world.store.manifests[CLIENT, number]["listing"] = packed

    assert erase(world).pages == 2
