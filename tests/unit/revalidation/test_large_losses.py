"""Large losses: who is missing stays listed, all else goes on, nobody is deleted unasked."""

import json
from copy import replace

import pytest

from lib.directory.snapshot import snapshot_of
from lib.errors import NotAskedError
from lib.revalidation.outcomes import Failed, Outcome, Published, Unchanged
from tests.fakes import NOW, users
from tests.world import World

AGE = 200
"""How old the directory is when users begin to vanish, in seconds."""


def listed(world: World) -> set[int]:
    """Return who is in the newest generation."""
    lines = snapshot_of(world.store, world.head.generation).lines()
    return {json.loads(line)["id"] for line in lines}


def directory(*, of: int = 20) -> World:
    """Return a world with a published directory of the users 1 to ``of``."""
    world = World()
    world.origin.rows = users(range(1, of + 1))
    world.publish(age=AGE)
    return world


def sweep(world: World, *, after: float = 0, believed: bool = False) -> Outcome:
    """Let ``after`` seconds pass and sweep."""
    world.clock.now += after
    world.origin.calls.clear()
    return world.revalidate(believed=believed)


@pytest.mark.parametrize("left", [range(0), range(7, 21), range(15, 21)])
def test_those_who_are_missing_stay_listed_as_unconfirmed(left: range) -> None:
    world = directory()
    world.origin.rows = users(left)

    outcome = sweep(world)

    assert isinstance(outcome, Published)
    generation = world.head.generation
    assert listed(world) == set(range(1, 21))
    assert (generation.complete, generation.incomplete_reason) == (False, "unconfirmed-deletions")
    assert generation.oldest_observation == NOW
    assert (world.head.health.last_error, world.head.health.retry_at) == ("", 0)
    assert world.origin.calls == ["list 0+250 key1"]


def test_a_loss_that_is_small_is_confirmed_at_once() -> None:
    world = directory()
    world.origin.rows = users(range(6, 21))

    sweep(world)

    assert listed(world) == set(range(6, 21))
    assert world.head.generation.complete


def test_sign_ups_and_updates_go_on_during_a_doubt() -> None:
    world = directory()
    world.origin.rows = users(range(13, 21))
    sweep(world)
    world.origin.rows = [users([13])[0] | {"name": "changed"}, *users(range(14, 23))]

    sweep(world, after=10)

    assert listed(world) == set(range(1, 23))
    lines = snapshot_of(world.store, world.head.generation).lines()
    assert b"changed" in lines[12]


def test_users_who_go_on_leaving_do_not_lengthen_a_doubt() -> None:
    world = directory(of=40)
    world.origin.rows = users(range(11, 41))
    sweep(world)

    for gone in (11, 12, 13):
        world.origin.rows = users(range(gone + 1, 41))
        sweep(world, after=20)

    assert listed(world) == set(range(14, 41))
    assert world.head.generation.complete
    assert world.head.health.doubted_since == NOW + AGE


def test_a_doubt_that_has_been_confirmed_ends() -> None:
    world = directory()
    world.origin.rows = users(range(13, 21))
    sweep(world)
    sweep(world, after=60)

    outcome = sweep(world, after=60)

    assert isinstance(outcome, Unchanged)
    assert world.head.health.doubted_since == 0


def test_nobody_who_answers_by_id_is_ever_deleted() -> None:
    world = directory()

    def answer_by_id() -> None:
        listing = world.origin.calls[-1].startswith("list")
        world.origin.rows = users(range(13 if listing else 1, 21))

    world.origin.before_call = answer_by_id

    for _ in range(5):
        sweep(world, after=60)

    assert listed(world) == set(range(1, 21))


def test_a_few_at_a_time_are_confirmed_and_the_others_stay() -> None:
    world = directory(of=60)
    world.origin.rows = users(range(51, 61))
    sweep(world)

    left = []
    for _ in range(3):
        sweep(world, after=60)
        left.append(len(listed(world)))

    assert left == [40, 20, 10]


def test_users_that_come_back_end_a_doubt_and_were_never_gone() -> None:
    world = directory()
    digest = world.head.generation.digest
    world.origin.rows = []
    sweep(world)
    world.origin.rows = users(range(1, 21))

    sweep(world, after=30)

    assert (world.head.generation.digest, world.head.health.doubted_since) == (digest, 0)
    assert world.head.generation.oldest_observation == world.clock.now


def test_an_operator_can_say_that_a_loss_is_true() -> None:
    world = directory()
    world.origin.rows = []

    sweep(world, believed=True)

    assert (listed(world), world.head.generation.complete) == (set(), True)
    assert world.origin.calls == ["list 0+250 key1"]


@pytest.mark.parametrize("lost", ["stored_pages", "manifests"])
def test_an_empty_list_is_no_repair_for_a_directory_that_cannot_be_read(lost: str) -> None:
    world = directory()
    getattr(world.store, lost).clear()
    world.store.put_head(listing=None)
    world.origin.rows = []

    outcome = world.run(world.claim(), repair=True)

    assert isinstance(outcome, Failed)
    assert (world.head.generation.users, world.head.health.last_error) == (20, "loss-doubted")


def test_who_believes_an_empty_list_waits_for_no_pause_but_for_a_block() -> None:
    world = directory()
    world.store.stored_pages.clear()
    world.origin.rows = []
    world.run(world.claim(), repair=True)
    assert world.head.health.retry_at > world.clock.now
    with pytest.raises(NotAskedError):
        world.refresh()
    world.store.put_head(blocked_until=world.clock.now + 3)
    with pytest.raises(NotAskedError):
        world.refresh(believed=True)
    world.clock.now += 3

    assert world.refresh(believed=True).outcome == "published"

    assert (world.head.generation.users, world.head.health.last_error) == (0, "")


def test_a_pause_for_any_other_failure_holds_an_operator_off_too() -> None:
    world = directory()
    world.store.put_head(last_error="origin-5xx", failures=1, retry_at=world.clock.now + 5)

    with pytest.raises(NotAskedError):
        world.refresh(believed=True)

    assert world.origin.calls == []


def test_with_the_budget_used_up_nobody_is_deleted() -> None:
    world = directory()
    world.origin.rows = users(range(13, 21))
    sweep(world)
    world.clock.now += 60
    claim = world.claim()
    claim = replace(claim, reserved=1)
    world.store.put_head(calls=72, calls_minute=int(world.clock.now // 60))

    world.run(claim)

    assert listed(world) == set(range(1, 21))
    assert world.head.generation.incomplete_reason == "unconfirmed-deletions"
