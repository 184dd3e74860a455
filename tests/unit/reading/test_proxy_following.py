"""Reads that wait for another's revalidation, mend a broken snapshot, or cannot be served."""

from copy import replace

import pytest

from lib.errors import (
    BrokenSnapshotError,
    NotAskedError,
    NotFoundError,
    OnlyIfCachedError,
    OriginError,
    Reason,
    SecretError,
    StoreError,
    UnavailableError,
)
from lib.revalidation.outcomes import Claim
from tests.fakes import CLIENT, NOW, user, users
from tests.world import EXPIRED, POLICY, STALE, VERY_STALE, World, said


def finish(world: World, claim: Claim, *, after: int) -> None:
    """Let the holder of ``claim`` finish while a follower sleeps for the ``after``-th time."""

    def run() -> None:
        if len(world.clock.slept) == after:
            world.run(claim)

    world.clock.while_asleep = run


@pytest.mark.parametrize("age", [None, EXPIRED])
def test_with_nothing_usable_stored_a_follower_waits_for_the_holder(age: int | None) -> None:
    world = World()
    if age is not None:
        world.publish(age=age)
    finish(world, world.claim("holder"), after=3)

    answer = world.read()

    assert said(answer) == ("fwd=uri-miss; collapsed", 0)
    assert len(answer.value) == 20
    assert world.store.calls["acquire"] == 1


def test_a_follower_polls_at_growing_jittered_intervals() -> None:
    world = World(jitter=0.5)
    finish(world, world.claim("holder"), after=6)

    world.read()

    assert world.clock.slept == pytest.approx([0.05, 0.1, 0.2, 0.4, 0.4, 0.4])


@pytest.mark.parametrize(("seconds", "waited"), [(25, 10), (8, 6), (2, 0)])
def test_a_follower_gives_up_after_ten_seconds_or_two_before_its_deadline(
    seconds: float, waited: float
) -> None:
    world = World()
    world.claim("holder")

    with pytest.raises(NotAskedError) as caught:
        world.read(seconds=seconds)

    assert world.clock.now == pytest.approx(NOW + waited)
    assert (caught.value.reason, round(caught.value.until - world.clock.now)) == (
        "lease-held",
        15 - waited,
    )
    assert world.origin.calls == []


def test_a_holder_that_dies_is_followed_after_the_pause_of_any_failure() -> None:
    world = World()
    world.claim("holder that dies")
    world.clock.now += 14

    with pytest.raises(NotAskedError) as caught:
        world.read()
    world.clock.now = caught.value.until
    answer = world.read()

    assert (caught.value.reason, caught.value.until) == ("origin-backoff", NOW + 20)
    assert said(answer) == ("fwd=uri-miss; fwd-status=200; stored", None)
    assert world.head.lease.token == 2


def test_readers_of_what_is_stored_do_not_wait_for_a_holder_that_died() -> None:
    world = World()
    world.publish(age=VERY_STALE)
    world.claim("holder that dies")
    world.clock.now += 15

    answer = world.read()

    assert said(answer) == ("hit; ttl=-615; detail=origin-backoff", VERY_STALE + 15)
    assert world.clock.slept == []


def test_a_follower_of_a_failing_holder_does_not_ask_the_origin_again() -> None:
    world = World()
    world.origin.errors = [OriginError("a wrong shape", reason=Reason.WRONG_SHAPE, received=200)]
    finish(world, world.claim("holder"), after=2)

    with pytest.raises(NotAskedError) as caught:
        world.read()

    assert (caught.value.reason, len(world.origin.calls)) == ("origin-backoff", 1)


def test_a_demanded_sweep_that_began_before_the_request_does_not_serve_it() -> None:
    world = World()
    world.publish(age=20)
    claim = world.claim("holder")
    world.run(claim)
    world.clock.now += 1
    world.forget()

    answer = world.read("no-cache")

    assert said(answer) == ("fwd=request; fwd-status=200; stored", None)


def test_a_demanded_sweep_that_began_after_the_request_serves_it() -> None:
    world = World()
    world.publish(age=20)
    claim = world.claim("holder")
    finish(world, claim, after=1)

    answer = world.read("no-cache")

    assert said(answer) == ("fwd=request; collapsed", 0)
    assert len(world.origin.calls) == 1


def test_a_demanded_sweep_that_another_is_too_slow_for_is_answered_from_what_is_stored() -> None:
    world = World()
    world.publish(age=20)
    world.claim("holder")

    answer = world.read("no-cache", seconds=5)

    assert said(answer) == ("hit; ttl=97; detail=lease-held", 23)


def test_a_remembered_head_is_read_again_before_the_origin_is_asked() -> None:
    world = World()
    world.publish(age=VERY_STALE)
    world.memory.remember(world.head, since=world.clock.now)
    world.revalidate()
    world.forget()

    answer = world.read()

    assert said(answer) == ("hit; ttl=120", 0)
    assert world.origin.calls == []


def test_what_was_published_here_is_served_by_the_next_read_here() -> None:
    world = World()
    world.publish(age=VERY_STALE)
    world.origin.rows = users(range(1, 20))
    world.read()

    answer = world.read()

    assert said(answer) == ("hit; ttl=120", 0)
    assert len(answer.value) == 19


@pytest.mark.parametrize("lost", ["stored_pages", "manifests"])
def test_a_broken_snapshot_is_published_anew_and_never_served_around(lost: str) -> None:
    world = World()
    world.publish(age=5)
    world.store.put_head(listing=None)
    getattr(world.store, lost).clear()

    answer = world.read()

    assert said(answer) == ("fwd=uri-miss; fwd-status=200; stored", None)
    assert (len(answer.value), answer.generation) == (20, 2)


def test_a_broken_page_is_no_matter_once_a_newer_generation_is_there() -> None:
    world = World()
    world.publish()
    world.memory.remember(world.head, since=world.clock.now)
    world.origin.rows[0] = user(1, name="Renamed")
    world.revalidate()
    kept = newest_listing(world)
    for key in [key for key in world.store.stored_pages if key[1] not in kept]:
        del world.store.stored_pages[key]
    world.forget()

    answer = world.read()

    assert answer.generation == 2
    assert b"Renamed" in answer.value[0]
    assert world.origin.calls == []


def newest_listing(world: World) -> set[str]:
    """Return the digests of what the newest generation is made of."""
    listing = world.store.manifest(world.head.generation)
    return {*listing.shards, *(ref.digest for ref in listing.pages)}


def test_a_broken_snapshot_and_a_failing_origin_are_the_readers_error() -> None:
    world = World()
    world.publish(age=5)
    world.store.stored_pages.clear()
    world.origin.errors = [OriginError("a wrong shape", reason=Reason.WRONG_SHAPE, received=200)]

    with pytest.raises(OriginError):
        world.read()


def test_a_broken_snapshot_is_not_mended_with_an_empty_list() -> None:
    world = World()
    world.publish(age=5)
    world.store.stored_pages.clear()
    world.origin.rows = []

    with pytest.raises(OriginError) as caught:
        world.read()

    assert caught.value.reason == "loss-doubted"

    assert (world.head.generation.number, world.head.generation.users) == (1, 20)


def test_a_mended_snapshot_that_breaks_again_is_the_readers_error() -> None:
    world = World()
    world.publish(age=5)
    world.store.stored_pages.clear()

    def lose_pages(method: str) -> None:
        if method == "pages":
            world.store.stored_pages.clear()

    world.store.before = lose_pages

    with pytest.raises(BrokenSnapshotError):
        world.read()


def test_a_follower_of_a_repair_waits_for_the_next_generation() -> None:
    world = World()
    world.publish(age=5)
    world.store.stored_pages.clear()
    claim = world.claim("mender")

    def mend() -> None:
        world.clock.while_asleep = None
        world.run(claim, repair=True)

    world.clock.while_asleep = mend

    answer = world.read()

    assert str(answer.status) == "fwd=uri-miss; collapsed"
    assert answer.generation == 2


@pytest.mark.parametrize(
    ("directives", "told"),
    [
        ("max-age=3", "fwd=uri-miss; collapsed"),
        ("max-age=1", "fwd=uri-miss; fwd-status=200; stored"),
    ],
)
def test_a_repair_that_began_before_the_reader_came_must_be_as_new_as_he_wants_it(
    directives: str, told: str
) -> None:
    world = World()
    world.publish(age=0)
    world.store.stored_pages.clear()
    claim = world.claim("mender")

    def mend() -> None:
        world.clock.while_asleep = None
        world.run(claim, repair=True)
        world.store.put_head(swept_at=NOW - 2)

    world.clock.while_asleep = mend

    answer = world.read(directives)

    assert str(answer.status) == told
    assert answer.generation == 2


def test_a_repair_that_cannot_be_published_has_put_the_pages_all_the_same() -> None:
    world = World()
    world.publish(age=5)
    world.store.stored_pages.clear()
    world.store.fail("publish", times=5)

    answer = world.read()

    assert str(answer.status).startswith("hit; ")
    assert (answer.generation, len(answer.value)) == (1, 20)


def test_who_was_stopped_for_long_is_served_what_others_have_stored() -> None:
    world = World()

    def stop(name: str) -> None:
        if name == "acquire":
            world.store.before = None
            world.run(world.claim("another"))
            world.clock.now += 20

    world.store.before = stop

    answer = world.read()

    assert str(answer.status) == "hit; ttl=100; detail=lease-held"
    assert answer.generation == 1


def test_a_snapshot_that_was_mended_while_this_reader_looked_is_not_mended_again() -> None:
    world = World()
    world.publish(age=5)
    world.store.stored_pages.clear()
    reads = iter(["remembered", "to mend it", "to claim that"])

    def mend(name: str) -> None:
        if name == "head" and next(reads) == "to claim that":
            world.store.before = None
            world.run(world.claim("mender"), repair=True)

    world.store.before = mend
    world.forget()

    answer = world.read()

    assert str(answer.status).startswith("hit; ")
    assert len(world.origin.calls) == 1


def test_only_if_cached_a_broken_snapshot_is_mended_for_nobody() -> None:
    world = World()
    world.publish(age=5)
    world.store.stored_pages.clear()

    with pytest.raises(OnlyIfCachedError):
        world.read("only-if-cached")

    assert (world.origin.calls, world.store.writes) == ([], {})


@pytest.mark.parametrize("age", [None, EXPIRED])
@pytest.mark.parametrize("directive", ["no-cache", "min-fresh=121"])
def test_with_nothing_usable_stored_a_sweep_that_began_since_serves_every_follower(
    age: int | None, directive: str
) -> None:
    world = World()
    if age is not None:
        world.publish(age=age)
    claim = world.claim("holder")

    def finish() -> None:
        world.clock.while_asleep = None
        world.run(claim)
        world.origin.calls.clear()

    world.clock.while_asleep = finish

    answer = world.read(directive)

    assert answer.status == "fwd=uri-miss; collapsed"
    assert world.origin.calls == []


def test_a_client_that_is_not_configured_is_not_found() -> None:
    world = World()
    world.secrets.keys.clear()

    with pytest.raises(NotFoundError) as caught:
        world.read()

    assert caught.value.message == f"OAuth client with ID {CLIENT} not found."
    assert world.store.writes == {}


def test_a_hit_needs_no_secret() -> None:
    world = World()
    world.publish()
    world.secrets.down = True

    answer = world.read()

    assert len(answer.value) == 20
    assert world.secrets.fetched == []


def test_an_unknown_client_and_no_secret_to_tell_is_the_readers_error() -> None:
    world = World()
    world.secrets.down = True

    with pytest.raises(SecretError):
        world.read()


def test_a_client_removed_from_the_secret_is_not_found_once_a_sweep_has_seen_it() -> None:
    world = World()
    world.publish(age=STALE)
    world.secrets.keys.clear()
    world.read()
    handed_over = world.handed_over[0]
    claim = world.revalidation.resume(handed_over.lease, holder="another")
    assert claim is not None
    world.run(claim)
    world.clock.now += 1

    with pytest.raises(NotFoundError):
        world.read()

    assert world.head.health.last_error == Reason.CLIENT_NOT_CONFIGURED


def test_a_reader_that_finds_the_client_removed_is_not_served_what_is_stored() -> None:
    world = World()
    world.publish(age=VERY_STALE)
    world.secrets.keys.clear()

    with pytest.raises(NotFoundError):
        world.read()


def test_a_client_put_back_into_the_secret_is_served_after_the_next_sweep() -> None:
    world = World()
    world.publish()
    world.store.put_head(last_error=Reason.CLIENT_NOT_CONFIGURED, failures=1)
    world.revalidate()

    answer = world.read()

    assert len(answer.value) == 20


@pytest.mark.parametrize("age", [0, EXPIRED, 10 * EXPIRED])
@pytest.mark.parametrize("cache_control", [None, "no-cache", "max-age=0, only-if-cached"])
def test_frozen_the_last_snapshot_is_served_for_ever_with_its_age(
    age: int, cache_control: str | None
) -> None:
    thawed = World()
    thawed.publish(age=age)
    frozen = World(store=thawed.store, clock=thawed.clock, policy=replace(POLICY, frozen=True))

    answer = frozen.read(cache_control)

    detail = "" if age == 0 else "; detail=frozen"
    assert said(answer) == (f"hit; ttl={120 - age}{detail}", age)
    assert frozen.origin.calls == []
    assert frozen.store.writes == {}


def test_frozen_before_anything_was_stored_there_is_nothing_to_serve() -> None:
    world = World(policy=replace(POLICY, frozen=True))

    with pytest.raises(NotAskedError) as caught:
        world.read()

    assert (caught.value.reason, world.origin.calls) == ("frozen", [])


def test_a_table_that_is_down_before_any_head_was_read_is_the_readers_error() -> None:
    world = World()
    world.store.fail("head")

    with pytest.raises(UnavailableError) as caught:
        world.read()

    assert isinstance(caught.value, StoreError)
