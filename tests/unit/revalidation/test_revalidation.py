"""One run under a lease: what it asks, what it writes, and what it leaves alone."""

import pytest

from lib.directory import pages
from lib.directory.manifest import MOST_LISTED
from lib.errors import ConflictError, LeaseLostError, StoreError
from lib.origin.rate_limit import RateLimit
from lib.revalidation.head_updates import HISTORY_SECONDS, KEEP_SECONDS
from lib.revalidation.outcomes import Failed, Published, Unchanged
from lib.revalidation.publish import PAUSE_SECONDS
from lib.revalidation.window import Window
from tests.fakes import CLIENT, NOW, user, users
from tests.world import World


def test_the_first_run_publishes_generation_one() -> None:
    world = World()

    outcome = world.revalidate()

    assert isinstance(outcome, Published)
    assert outcome.head == world.head
    assert (outcome.head.generation.number, outcome.head.generation.users, outcome.calls) == (
        1,
        20,
        2,
    )
    assert (outcome.head.generation.swept_at, outcome.head.generation.modified_at) == (NOW, NOW + 2)
    assert outcome.head.generation.complete


def test_a_run_that_finds_nothing_new_writes_twice_in_all() -> None:
    world = World()
    world.publish(age=200)

    outcome = world.revalidate()

    assert isinstance(outcome, Unchanged)
    assert world.store.writes == {"acquire": 1, "update_held": 1}
    assert (outcome.head.generation.number, outcome.calls) == (1, 1)


def test_a_run_that_finds_nothing_new_makes_the_head_young_and_frees_the_lease() -> None:
    world = World()
    world.publish(age=200)

    outcome = world.revalidate()

    assert isinstance(outcome, Unchanged)
    assert outcome.head == world.head
    assert (world.head.generation.swept_at, world.head.validated_at) == (NOW + 200, NOW + 200)
    assert (world.head.lease.holder, world.head.lease.held(world.clock.now)) == ("", False)


def test_the_age_counts_from_before_the_first_call() -> None:
    world = World()

    def take_long() -> None:
        world.clock.now += 3

    world.origin.before_call = take_long

    world.revalidate()

    assert (world.head.generation.swept_at, world.head.validated_at) == (NOW, NOW + 6)


def test_only_changed_pages_are_put() -> None:
    world = World()
    world.origin.rows = users(range(1, 401))
    world.publish(age=200)
    before = {ref.digest for ref in world.store.manifest(world.head.generation).pages}
    world.origin.rows[30] = user(31, name="Renamed")
    world.forget()

    world.revalidate()

    after = {ref.digest for ref in world.store.manifest(world.head.generation).pages}
    assert len(before) > 2
    assert world.store.pages_put == len(after - before) == 1


def test_a_generation_with_kept_pages_lives_no_longer_than_those() -> None:
    world = World()
    world.origin.rows = users(range(1, 401))
    world.publish(age=200)
    world.origin.rows[30] = user(31, name="Renamed")

    world.revalidate()

    assert world.head.pages_expire_at == NOW + KEEP_SECONDS


def test_a_generation_of_new_pages_alone_lives_its_full_time() -> None:
    world = World()
    world.publish(age=200)
    world.origin.rows[0] = user(1, name="Renamed", username="renamed")

    world.revalidate()

    assert world.head.pages_expire_at == NOW + 200 + KEEP_SECONDS


def test_each_generation_is_modified_later_than_the_one_before() -> None:
    world = World()
    world.publish()
    world.origin.rows[0] = user(1, name="Renamed")

    world.revalidate()

    assert world.head.generation.modified_at == NOW + 3


def test_a_full_window_is_told_to_be_incomplete() -> None:
    world = World(window=Window(max_limit=10, max_offset=10))

    world.revalidate()

    assert (world.head.generation.users, world.head.generation.complete) == (20, False)
    assert world.head.generation.incomplete_reason == "window-full"


def test_a_window_that_becomes_complete_is_told_so_again() -> None:
    world = World(window=Window(max_limit=10, max_offset=10))
    world.publish(age=200)
    world.origin.rows.pop()

    world.revalidate()

    assert (world.head.generation.users, world.head.generation.complete) == (19, True)
    assert world.head.generation.incomplete_reason == ""


@pytest.mark.parametrize(("pages_kept", "in_head"), [(6, True), (7, False)])
def test_the_head_carries_a_short_listing_only(pages_kept: int, *, in_head: bool) -> None:
    boundaries = [
        n for n in range(1, 9000) if len(pages.cut([b'{"id":%d}' % n, b'{"id":9999}'])) > 1
    ]
    world = World()
    world.origin.rows = users(boundaries[:pages_kept])

    world.revalidate()

    assert (world.head.generation.packed is not None) is in_head
    assert len(world.store.manifest(world.head.generation).pages) == pages_kept


def test_a_change_in_a_large_directory_writes_a_page_and_a_branch() -> None:
    # Each of them ends a page.
    ids = [n for n in range(1, 60_000) if len(pages.cut([b'{"id":%d}' % n, b'{"id":60001}'])) > 1]
    world = World()
    world.origin.rows = users(ids[: MOST_LISTED + 20])
    world.revalidate()
    pages_put, others_put = world.store.pages_put, world.store.shards_put
    world.clock.now += 200
    world.origin.rows[150] |= {"name": "Another"}

    world.revalidate()

    assert world.head.generation.number == 2
    assert (world.store.pages_put - pages_put, world.store.shards_put - others_put) == (1, 1)
    assert len(world.store.manifest(world.head.generation).pages) == MOST_LISTED + 20


def test_the_origins_limit_is_noted() -> None:
    world = World()
    world.origin.rate_limit = RateLimit(limit=500, remaining=498, reset_at=NOW + 60)

    world.revalidate()

    assert (world.head.counters.rate_limit, world.head.counters.rate_remaining) == (500, 498)
    assert world.head.counters.rate_reset_at == NOW + 60


@pytest.mark.parametrize(("forced", "forced_at"), [(True, NOW), (False, 0)])
def test_only_a_forced_run_arms_the_floor(*, forced: bool, forced_at: float) -> None:
    world = World()

    world.revalidate(forced=forced)

    assert world.head.forced_at == forced_at


def test_a_repair_publishes_anew_although_nothing_changed() -> None:
    world = World()
    world.publish(age=5)
    digest = world.head.generation.digest
    world.store.stored_pages.clear()

    outcome = world.revalidate(repair=True)

    assert isinstance(outcome, Published)
    assert (outcome.head.generation.number, outcome.head.generation.digest) == (2, digest)
    assert world.store.pages(CLIENT, world.store.manifest(world.head.generation).pages)


def test_a_repair_puts_every_page_even_those_that_look_stored() -> None:
    world = World()
    world.origin.rows = users(range(1, 401))
    world.publish(age=5)
    listed = world.store.manifest(world.head.generation).pages

    world.revalidate(repair=True)

    assert world.store.pages_put == len(listed)


def test_a_lost_manifest_makes_the_next_change_put_every_page() -> None:
    world = World()
    world.origin.rows = users(range(1, 401))
    world.publish(age=5)
    listed = world.store.manifest(world.head.generation).pages
    world.store.manifests.clear()
    world.store.put_head(listing=None)
    world.origin.rows.pop()

    outcome = world.revalidate()

    assert isinstance(outcome, Published)
    assert world.store.pages_put == len(listed)


def test_a_publication_that_was_done_but_not_confirmed_is_found_by_reading() -> None:
    world = World()
    world.store.fail("publish", when="after")

    outcome = world.revalidate()

    assert isinstance(outcome, Published)
    assert outcome.head == world.head
    assert (world.head.generation.number, world.store.calls["publish"]) == (1, 1)


def test_a_publication_that_was_not_done_is_tried_once_more_after_a_pause() -> None:
    world = World()
    world.store.fail("publish", when="before")

    outcome = world.revalidate()

    assert isinstance(outcome, Published)
    assert (world.head.generation.number, world.store.calls["publish"]) == (1, 2)
    assert world.clock.slept == [PAUSE_SECONDS / 2]


def test_a_publication_that_fails_twice_leaves_the_old_generation_and_frees_the_lease() -> None:
    world = World()
    world.publish(age=200)
    world.origin.rows.pop()
    world.store.fail("publish", when="before", times=2)

    outcome = world.revalidate()

    assert isinstance(outcome, Failed)
    assert type(outcome.error) is StoreError
    assert (world.head.generation.number, world.head.generation.users) == (1, 20)
    assert not world.head.lease.held(world.clock.now)


def test_a_publication_that_always_conflicts_under_the_own_token_fails_as_a_conflict() -> None:
    world = World()
    world.publish(age=200)
    world.origin.rows.pop()
    claim = world.claim()
    world.store.put_head(generation=7)

    outcome = world.run(claim)

    assert isinstance(outcome, Failed)
    assert isinstance(outcome.error, ConflictError)
    assert (world.head.generation.number, world.store.calls["publish"]) == (7, 2)


def test_a_holder_that_was_overtaken_before_publishing_changes_nothing() -> None:
    world = World()
    world.publish(age=200)
    world.origin.rows.append(user(99))
    claim = world.claim("slow")
    world.clock.now += 20
    world.claim("fast")
    before = world.head

    outcome = world.run(claim)

    assert isinstance(outcome, Failed)
    assert isinstance(outcome.error, LeaseLostError)
    assert world.head == before


def test_a_holder_that_was_overtaken_before_touching_changes_nothing() -> None:
    world = World()
    world.publish(age=200)
    claim = world.claim("slow")
    world.clock.now += 20
    world.claim("fast")
    before = world.head

    outcome = world.run(claim)

    assert isinstance(outcome, Failed)
    assert isinstance(outcome.error, LeaseLostError)
    assert world.head == before


@pytest.mark.parametrize(("left", "deadline"), [(60, NOW + 14), (4, NOW + 4)])
def test_a_run_stops_asking_when_its_caller_does_or_a_second_before_its_lease_ends(
    left: float, deadline: float
) -> None:
    world = World()

    world.revalidation.run(world.claim(), deadline=NOW + left)

    assert world.origin.deadlines == [deadline, deadline]


@pytest.mark.parametrize(
    ("left", "renewed"), [(HISTORY_SECONDS + 1, False), (HISTORY_SECONDS, True), (0, True)]
)
def test_what_the_head_names_is_renewed_before_its_last_month(left: int, *, renewed: bool) -> None:
    world = World()
    world.publish(age=KEEP_SECONDS - left)

    done = world.revalidation.renew(world.head)

    assert done is renewed
    assert world.head.pages_expire_at == NOW + KEEP_SECONDS + (
        KEEP_SECONDS - left if renewed else 0
    )


def test_a_renewal_reaches_every_page_and_the_manifest() -> None:
    world = World()
    world.publish(age=HISTORY_SECONDS)

    world.revalidation.renew(world.head)

    until = int(world.clock.now) + KEEP_SECONDS
    assert {expires_at for _, expires_at in world.store.stored_pages.values()} == {until}
    assert [each["expires_at"] for each in world.store.manifests.values()] == [until]


def test_nothing_is_renewed_before_anything_was_published() -> None:
    world = World()

    done = world.revalidation.renew(world.head)

    assert not done
    assert world.store.calls.total() == 0
