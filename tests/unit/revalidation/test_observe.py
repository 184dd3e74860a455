"""Surveys: what is asked for the whole directory or for some users, and what waits no longer."""

from lib.directory.snapshot import snapshot_of
from lib.errors import OriginError, Reason
from lib.revalidation.outcomes import Claim, Failed, Outcome, Published, Unchanged
from lib.revalidation.wanted import least_calls
from lib.revalidation.window import Window
from lib.users.document import canonical
from lib.users.keys import Observation, UserKeys, id_key
from tests.fakes import NOW, FakeOrigin, user, users
from tests.world import World

SMALL = Window(max_limit=5, max_offset=5)


def world_of(size: int, *, max_adopted: int = 2_000) -> World:
    """Return a world whose window of ten was swept when its origin had ``size`` users."""
    origin = FakeOrigin(rows=users(range(1, size + 1)))
    world = World(window=SMALL, origin=origin, max_adopted=max_adopted)
    world.publish(age=200)
    return world


def asked(world: World) -> list[str]:
    return [call.rpartition(" ")[0] for call in world.origin.calls]


def known(world: World) -> list[int]:
    snapshot = snapshot_of(world.store, world.head.generation)
    return [user_id for user_id in range(200) if snapshot.find(user_id)]


def adopt(world: World, *ids: int) -> None:
    world.look_up(UserKeys(ids=ids))
    world.publish(age=200)


def named(world: World, wanted: UserKeys) -> Outcome:
    world.forget()
    claim = world.revalidation.claim(world.head, holder="me", wanted=wanted)
    assert isinstance(claim, Claim), claim
    return world.run(claim, wanted=wanted)


def test_who_was_looked_up_is_adopted_and_waits_no_longer() -> None:
    world = world_of(13)
    world.look_up(UserKeys(ids=[11, 13]))

    outcome = world.revalidate()

    assert isinstance(outcome, Published)
    assert known(world) == [*range(1, 12), 13]
    assert (world.head.generation.adopted, world.head.generation.window_last_id) == (2, 10)
    assert world.lookups.ids == set()


def test_adopted_users_of_whom_nothing_changed_publish_nothing() -> None:
    world = world_of(13)
    adopt(world, 11, 13)

    outcome = world.revalidate()

    assert isinstance(outcome, Unchanged)
    assert asked(world) == ["list 5+5", "list 0+5", "find 2"]
    assert world.head.generation.adopted_seen_at == world.head.generation.swept_at


def test_users_whose_look_up_is_forgotten_wait_no_longer_either() -> None:
    world = world_of(10)
    world.lookups.ids = {11, 12}

    assert isinstance(world.revalidate(), Unchanged)
    assert world.lookups.ids == set()


def test_a_failed_survey_keeps_them_waiting() -> None:
    world = world_of(13)
    world.look_up(UserKeys(ids=[11]))
    world.origin.errors = [OriginError("shape", reason=Reason.WRONG_SHAPE)]

    assert isinstance(world.revalidate(), Failed)
    assert world.lookups.ids == {11}


def test_an_old_look_up_makes_the_directory_as_old_as_it() -> None:
    world = world_of(13)
    world.lookups.ids = {12}
    world.lookups.answers[id_key(12)] = Observation(canonical(user(12)), NOW - 900)

    world.revalidate()

    assert world.head.generation.oldest_observation == NOW - 900


def test_a_directory_that_shrank_into_the_window_is_complete_again() -> None:
    world = world_of(13)
    adopt(world, 11, 13)
    world.origin.rows = [row for row in world.origin.rows if row["id"] not in {1, 2, 3, 4}]

    world.revalidate()

    assert known(world) == [5, 6, 7, 8, 9, 10, 11, 12, 13]
    assert world.head.generation.complete
    assert (
        world.head.generation.adopted,
        world.head.generation.adopted_seen_at,
        world.head.generation.window_last_id,
    ) == (0, 0, 0)


def test_an_unchanged_window_without_adopted_users_reads_no_page() -> None:
    for max_adopted in (0, 2_000):
        world = world_of(13, max_adopted=max_adopted)

        assert isinstance(world.revalidate(), Unchanged)
        assert world.store.calls["pages"] == 0


def test_named_users_are_merged_and_the_sweep_is_as_old_as_before() -> None:
    world = world_of(13)
    before = world.head
    world.origin.rows[4] = user(5, name="renamed")
    world.origin.rows[5] = user(6, name="renamed too")

    outcome = named(world, UserKeys(addresses=[str(user(5)["email"])], ids=[12]))

    assert isinstance(outcome, Published)
    assert asked(world) == ["find 1", "get 12"]
    assert known(world) == [*range(1, 11), 12]
    snapshot = snapshot_of(world.store, world.head.generation)
    assert snapshot.find(5) == canonical(world.origin.rows[4])
    assert snapshot.find(6) == canonical(user(6))
    assert world.head.generation.swept_at == before.generation.swept_at
    assert (world.head.generation.adopted, world.head.generation.oldest_observation) == (
        1,
        before.generation.swept_at,
    )


def test_who_lost_the_named_address_is_asked_for_by_id() -> None:
    world = world_of(8)
    world.origin.rows[2] = user(3, email="new@example.com")

    named(world, UserKeys(addresses=[str(user(3)["email"])]))

    assert asked(world) == ["find 1", "get 3"]
    assert snapshot_of(world.store, world.head.generation).find(3) == canonical(
        world.origin.rows[2]
    )


def test_a_named_address_that_is_none_to_the_origin_is_not_sent() -> None:
    world = world_of(8)

    assert isinstance(named(world, UserKeys(addresses=["none"])), Unchanged)
    assert asked(world) == []


def test_named_users_are_adopted_up_to_the_limit_only() -> None:
    world = world_of(14, max_adopted=2)

    named(world, UserKeys(ids=[11, 12, 13]))

    assert known(world) == list(range(1, 13))
    assert (world.head.generation.adopted, world.head.generation.incomplete_reason) == (
        2,
        "adoption-limit",
    )


def test_named_users_are_paid_for_out_of_the_look_ups_share() -> None:
    world = world_of(8)
    before = world.head.counters.lookups

    named(world, UserKeys(ids=[1, 2, 99]))

    assert world.head.counters.lookups - before == 3
    assert world.head.counters.calls == 3


def test_running_out_of_the_share_is_nobodys_failure() -> None:
    world = world_of(8)
    wanted = UserKeys(addresses=["gone@example.com", str(user(1)["email"])])
    world.origin.rows[0] = user(1, email="new@example.com")
    world.store.put_head(
        calls_minute=int(world.clock.now // 60), calls=23, calls_before=0, lookups=23
    )

    outcome = named(world, wanted)

    assert isinstance(outcome, Failed)
    assert (
        world.head.health.last_error,
        world.head.health.retry_at,
        world.head.health.failures,
    ) == ("", 0, 0)
    assert not world.head.lease.held(world.clock.now)


def test_named_users_who_take_too_long_are_nobodys_failure() -> None:
    world = world_of(8)

    def take_long() -> None:
        world.clock.now += 4

    world.origin.before_call = take_long

    outcome = named(world, UserKeys(ids=range(1, 9)))

    assert isinstance(outcome, Failed)
    assert len(asked(world)) == 3
    assert (world.head.health.last_error, world.head.health.retry_at) == ("", 0)


def test_named_users_cost_a_call_per_batch_and_per_id() -> None:
    one = Window(max_limit=1, max_offset=0)

    assert least_calls(UserKeys(addresses=["a@example.com", "b@example.com"]), SMALL) == 1
    assert least_calls(UserKeys(addresses=["a@example.com", "b@example.com"]), one) == 2
    assert least_calls(UserKeys(addresses=["a@example.com"], ids=[1, 2, 2]), SMALL) == 3
    assert least_calls(UserKeys(addresses=["none"]), SMALL) == 1


def test_a_broken_page_costs_only_the_adopted_users_in_it() -> None:
    world = world_of(500)
    adopted = range(11, 500)
    for user_id in adopted:
        line = canonical(user(user_id))
        world.lookups.answers[id_key(user_id)] = Observation(line, world.clock.now)
        world.lookups.ids.add(user_id)
    world.publish(age=200)
    *_, broken = refs = snapshot_of(world.store, world.head.generation).manifest().pages
    del world.store.stored_pages[world.head.client_id, broken.digest]

    world.revalidate(repair=True)

    kept = list(snapshot_of(world.store, world.head.generation).lines())
    assert len(refs) > 2
    assert len(kept) == 499 - broken.users


def test_a_window_that_shows_the_unconfirmed_again_confirms_them() -> None:
    world = world_of(10, max_adopted=0)
    world.revalidate()
    # An earlier version told of the limit rather than of those who may be gone.
    world.store.put_head(unconfirmed_since=NOW)
    world.clock.now += 120

    assert isinstance(world.revalidate(), Unchanged)

    assert world.head.generation.unconfirmed_since == 0
    assert world.head.generation.oldest_observation == world.head.generation.swept_at
