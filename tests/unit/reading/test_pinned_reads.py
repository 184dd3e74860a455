"""Reads of exactly one generation, and of one that is not older than what a caller knows."""

import json

import pytest

from lib.caching import provenance
from lib.caching.headers import RequestDirectives
from lib.errors import (
    GoneError,
    InvalidRequestError,
    NotAskedError,
    NotFoundError,
    Reason,
    StoreError,
)
from lib.reading.proxy import AWAIT_SECONDS
from lib.reading.request import Read, ReadRequest
from tests.fakes import CLIENT, NOW, users
from tests.world import EXPIRED, World


def publish(world: World, *ids: int) -> None:
    """Publish a generation with the users ``ids``."""
    world.origin.rows = users(ids)
    world.publish()


@pytest.fixture
def world() -> World:
    """Return a world with two generations: users 1 to 3, then 1 to 4."""
    world = World()
    publish(world, 1, 2, 3)
    publish(world, 1, 2, 3, 4)
    return world


def pinned(world: World, generation: int) -> Read[list[int]]:
    return world.proxy.read_pinned(
        CLIENT, generation, lambda snapshot: [json.loads(line)["id"] for line in snapshot.lines()]
    )


def read(world: World, min_generation: int, *, seconds: float = 25) -> Read[list[int]]:
    request = ReadRequest(
        client_id=CLIENT,
        directives=RequestDirectives.parse(None),
        holder="reader",
        arrived_at=world.clock.now,
        deadline=world.clock.now + seconds,
        min_generation=min_generation,
    )
    return world.proxy.read(
        request, lambda snapshot: [json.loads(line)["id"] for line in snapshot.lines()]
    )


def published_by_another(world: World) -> None:
    """Publish another generation as another environment would: this one's memory is not told."""
    remembered = world.memory.recent_head(CLIENT)
    publish(world, 1, 2, 3, 4, 5)
    world.memory.remember(remembered, since=world.clock.now)


@pytest.mark.parametrize(("generation", "ids"), [(1, [1, 2, 3]), (2, [1, 2, 3, 4])])
def test_a_pinned_read_shows_its_generation(world: World, generation: int, ids: list[int]) -> None:
    answer = pinned(world, generation)

    assert answer.value == ids
    assert answer.generation.number == generation


def test_a_pinned_read_says_how_old_its_generation_is(world: World) -> None:
    world.clock.now += 60

    came_by = pinned(world, 1).came_by

    status = provenance.cache_status(came_by, world.policy, now=world.clock.now)
    assert str(status) == "managed-users; hit; ttl=60; detail=pinned"
    assert provenance.age(came_by, now=world.clock.now) == 60


def test_a_pinned_read_never_asks_the_origin_however_old_it_is(world: World) -> None:
    world.clock.now += EXPIRED + 1

    answer = pinned(world, 1)

    assert answer.value == [1, 2, 3]
    assert (world.origin.calls, world.handed_over, world.store.writes) == ([], [], {})


@pytest.mark.parametrize("generation", [0, 3, 2**53 - 1])
def test_a_generation_that_is_not_kept_is_gone(world: World, generation: int) -> None:
    with pytest.raises(GoneError, match="no longer kept"):
        pinned(world, generation)


def test_a_pinned_generation_with_a_page_missing_is_gone_and_nobody_mends_it(world: World) -> None:
    first = world.store.generation(CLIENT, 1)
    assert first is not None
    for ref in world.store.manifest(first).pages:
        del world.store.stored_pages[CLIENT, ref.digest]

    with pytest.raises(GoneError):
        pinned(world, 1)

    assert world.origin.calls == []


def test_a_client_that_is_not_configured_has_no_generations() -> None:
    world = World()
    world.secrets.keys.clear()

    with pytest.raises(NotFoundError):
        pinned(world, 1)


def test_a_table_that_is_down_does_not_make_a_generation_gone(world: World) -> None:
    world.store.fail("generation")

    with pytest.raises(StoreError):
        pinned(world, 1)


@pytest.mark.parametrize("generation", [0, 1, 2])
def test_a_generation_that_is_remembered_already_costs_no_read(
    world: World, generation: int
) -> None:
    world.memory.recent_head(CLIENT)
    world.forget()

    assert read(world, generation).value == [1, 2, 3, 4]
    assert world.store.calls["head"] == 0


def test_a_newer_generation_than_the_remembered_one_is_read_from_the_table(world: World) -> None:
    published_by_another(world)

    before = read(world, 2)
    after = read(world, 3)

    assert (before.value, after.value) == ([1, 2, 3, 4], [1, 2, 3, 4, 5])
    assert world.clock.slept == []
    assert read(world, 0).value == [1, 2, 3, 4, 5]


def test_the_next_generation_is_awaited(world: World) -> None:
    def publish_in_time() -> None:
        if world.clock.now > NOW + 1 and world.head.generation.number == 2:
            world.clock.while_asleep = None
            publish(world, 9)

    world.clock.while_asleep = publish_in_time

    answer = read(world, 3)

    assert answer.value == [9]
    assert answer.generation.number == 3
    assert 1 < world.clock.now - NOW < AWAIT_SECONDS


def test_the_next_generation_is_awaited_for_two_seconds_at_most(world: World) -> None:
    with pytest.raises(NotAskedError) as caught:
        read(world, 3)

    assert (caught.value.status, caught.value.reason) == (503, "generation-awaited")
    assert caught.value.headers(now=world.clock.now, jitter=0.5) == {"Retry-After": "1"}
    assert world.clock.now - NOW == AWAIT_SECONDS == 2
    assert world.origin.calls == []


def test_nobody_waits_longer_than_there_is_time_to_answer(world: World) -> None:
    with pytest.raises(NotAskedError):
        read(world, 3, seconds=0.5)

    assert world.clock.now - NOW == 0.5


@pytest.mark.parametrize("generation", [4, 5, 10**12])
def test_a_generation_nobody_can_have_been_told_of_is_the_callers_mistake(
    world: World, generation: int
) -> None:
    with pytest.raises(InvalidRequestError, match=r"'min_generation' is above the newest .* 2,"):
        read(world, generation)

    assert world.clock.slept == []


def test_a_generation_that_is_new_enough_may_still_be_too_old(world: World) -> None:
    world.clock.now += EXPIRED + 1

    answer = read(world, 2)

    assert answer.value == [1, 2, 3, 4]
    assert len(world.origin.calls) == 1


def test_a_cold_client_is_swept_for_its_first_generation() -> None:
    world = World()

    answer = read(world, 1)

    assert answer.generation.number == 1
    assert len(world.origin.calls) == 2


def test_of_a_cold_client_only_the_first_generation_and_the_next_may_be_asked_for() -> None:
    with pytest.raises(NotAskedError) as awaited:
        read(World(), 2)
    with pytest.raises(InvalidRequestError, match="above the newest generation, 1, and the next"):
        read(World(), 3)

    assert awaited.value.reason is Reason.GENERATION_AWAITED


def test_what_was_remembered_before_the_first_generation_makes_the_second_no_mistake() -> None:
    world = World()
    world.memory.recent_head(CLIENT)
    world.run(world.claim("another environment"))

    with pytest.raises(NotAskedError, match="not published yet"):
        read(world, 2)
