"""Runs that fail: the old generation stands, and everybody is told how long to keep away."""

import pytest

from lib.directory.head import CLIENT_NOT_CONFIGURED
from lib.errors import (
    NotAskedError,
    NotFoundError,
    OriginAuthError,
    OriginBlockedError,
    OriginError,
    OriginServerError,
    OriginTimeoutError,
    SecretError,
    ServiceError,
)
from lib.revalidation.outcomes import Failed, Published, Unchanged
from tests.fakes import NOW, user, users
from tests.world import World

SERVER_ERROR = OriginServerError("the origin failed", reason="origin-5xx", received=503)
WRONG_SHAPE = OriginError("a wrong shape", reason="wrong-shape", received=200)


def failed(world: World) -> ServiceError:
    """Run once and return the error it must fail with."""
    outcome = world.revalidate()
    assert isinstance(outcome, Failed)
    return outcome.error


def test_a_failed_run_leaves_the_old_generation_and_frees_the_lease() -> None:
    world = World()
    world.publish(age=200)
    before = world.head
    world.origin.errors = [WRONG_SHAPE]

    error = failed(world)

    assert error is WRONG_SHAPE
    assert (world.head.generation, world.head.digest) == (before.generation, before.digest)
    assert world.head.swept_at == before.swept_at
    assert (world.head.last_error, world.head.failures) == ("wrong-shape", 1)
    assert not world.head.leased(world.clock.now)


@pytest.mark.parametrize("jitter", [0.0, 0.5, 1.0])
def test_the_pause_doubles_from_5_to_60_seconds_and_jitter_never_passes_60(jitter: float) -> None:
    world = World(jitter=jitter)
    pauses = []

    for _ in range(7):
        world.origin.errors = [WRONG_SHAPE]
        failed(world)
        pauses.append(world.head.retry_at - world.clock.now)
        world.clock.now = world.head.retry_at

    stretched = [pause * (1 + 0.2 * jitter) for pause in (5, 10, 20, 40)]
    assert pauses == pytest.approx([*stretched, 60, 60, 60], abs=0.001)


def test_a_success_ends_the_row_of_failures() -> None:
    world = World()
    world.origin.errors = [WRONG_SHAPE]
    failed(world)
    world.clock.now = world.head.retry_at

    world.revalidate()

    assert (world.head.last_error, world.head.failures) == ("", 0)


@pytest.mark.parametrize(("jitter", "until"), [(0.0, NOW + 30), (1.0, NOW + 36)])
def test_a_block_holds_for_everybody_until_it_is_surely_over(jitter: float, until: float) -> None:
    world = World(jitter=jitter)
    world.origin.errors = [OriginBlockedError("the origin blocks calls", reset_seconds=30)]

    failed(world)

    assert (world.head.blocked_until, world.head.retry_at) == (until, 0)
    assert world.head.last_error == "origin-blocked"
    assert world.refused("another").until == until


def test_a_block_never_ends_an_earlier_longer_one() -> None:
    world = World()
    claim = world.claim()
    world.store.put_head(blocked_until=NOW + 100)
    world.origin.errors = [OriginBlockedError("the origin blocks calls", reset_seconds=30)]

    world.run(claim)

    assert world.head.blocked_until == NOW + 100


def test_a_holder_that_was_overtaken_still_tells_everybody_of_a_block() -> None:
    world = World()
    claim = world.claim("slow")
    world.clock.now += 15
    world.claim("fast")
    world.origin.errors = [OriginBlockedError("the origin blocks calls", reset_seconds=30)]

    world.run(claim)

    assert world.head.blocked_until == world.clock.now + 30
    assert (world.head.lease_holder, world.head.failures) == ("fast", 0)


def test_a_failing_table_is_not_the_origins_failure() -> None:
    world = World()
    world.store.fail("put")

    error = failed(world)

    assert error.status == 503
    assert (world.head.last_error, world.head.retry_at) == ("", 0)
    assert not world.head.leased(NOW)


def test_a_failure_that_cannot_be_noted_is_returned_all_the_same() -> None:
    world = World()
    world.origin.errors = [WRONG_SHAPE]
    world.store.fail("hold_off")

    error = failed(world)

    assert error is WRONG_SHAPE
    assert world.head.leased(NOW)


def test_a_client_that_the_secret_no_longer_names_is_marked() -> None:
    world = World()
    world.publish(age=200)
    world.secrets.keys.clear()

    error = failed(world)

    assert isinstance(error, NotFoundError)
    assert world.head.last_error == CLIENT_NOT_CONFIGURED
    assert world.origin.calls == []


def test_without_a_secret_nothing_is_asked_and_everybody_pauses() -> None:
    world = World()
    world.secrets.down = True

    error = failed(world)

    assert isinstance(error, SecretError)
    assert world.origin.calls == []
    assert world.head.retry_at == NOW + 5


@pytest.mark.parametrize(
    ("gone", "quarantined"),
    [
        (range(1, 6), False),
        (range(1, 7), True),
        (range(1, 21), True),
    ],
)
def test_of_20_users_losing_more_than_5_is_not_believed(gone: range, *, quarantined: bool) -> None:
    world = World()
    world.publish(age=200)
    world.origin.rows = users(set(range(1, 21)) - set(gone))

    outcome = world.revalidate()

    assert isinstance(outcome, Failed if quarantined else Published)
    assert (world.head.last_error == "quarantined") is quarantined


def test_an_empty_list_after_one_user_is_not_believed() -> None:
    world = World()
    world.origin.rows = users([1])
    world.publish(age=200)
    world.origin.rows = []

    error = failed(world)

    assert error.status == 502
    assert (world.head.users, world.head.last_error) == (1, "quarantined")
    assert world.head.retry_at == NOW + 200 + 5


def test_a_quarantined_loss_is_asked_for_after_each_pause_and_when_it_may_be_believed() -> None:
    world = World()
    world.publish(age=200)
    began = world.clock.now
    world.origin.rows = []
    asked_after = []

    while world.clock.now < began + 60:
        failed(world)
        asked_after.append(world.clock.now - began)
        world.clock.now = world.head.retry_at
    outcome = world.revalidate()

    assert asked_after == [0, 5, 15, 35]
    assert world.clock.now == began + 60
    assert isinstance(outcome, Published)


def test_an_empty_list_is_believed_where_nothing_ever_was() -> None:
    world = World()
    world.origin.rows = []

    outcome = world.revalidate()

    assert isinstance(outcome, Published)
    assert (outcome.head.users, outcome.head.complete) == (0, True)
    assert world.store.listing(outcome.head).pages == ()


def test_the_same_loss_a_minute_later_is_believed_once_a_sample_is_gone() -> None:
    world = World()
    world.publish(age=200)
    world.origin.rows = users(range(13, 21))
    failed(world)
    world.clock.now += 60
    world.origin.calls.clear()

    outcome = world.revalidate()

    assert isinstance(outcome, Published)
    assert [call.split()[1] for call in world.origin.calls[1:]] == ["1", "3", "5", "7", "9", "11"]
    assert (outcome.head.users, outcome.head.quarantine) == (8, "")
    assert outcome.calls == 7


def test_a_loss_is_not_believed_while_a_lost_user_still_answers() -> None:
    world = World()
    world.publish(age=200)
    world.origin.rows = users(range(13, 21))
    failed(world)
    world.clock.now += 60

    def answer_by_id() -> None:
        found_by_id = world.origin.calls[-1].startswith("get")
        world.origin.rows = users(range(1 if found_by_id else 13, 21))

    world.origin.before_call = answer_by_id

    error = failed(world)

    assert error.status == 502
    assert world.head.users == 20
    assert world.head.retry_at > world.clock.now


def test_another_loss_a_minute_later_begins_a_new_quarantine() -> None:
    world = World()
    world.publish(age=200)
    world.origin.rows = users(range(13, 21))
    failed(world)
    first = world.head.quarantine
    world.clock.now += 60
    world.origin.rows = users(range(14, 21))

    failed(world)

    assert world.head.quarantine != first
    assert world.head.quarantined_at == world.clock.now


def test_users_that_come_back_end_a_quarantine() -> None:
    world = World()
    world.publish(age=200)
    world.origin.rows = []
    failed(world)
    world.clock.now += 60
    world.origin.rows = users(range(1, 21))

    outcome = world.revalidate()

    assert isinstance(outcome, Unchanged)
    assert (world.head.quarantine, world.head.quarantined_at) == ("", 0)


def test_the_sample_is_counted_before_it_is_asked_for() -> None:
    world = World()
    world.publish(age=200)
    world.origin.rows = users(range(13, 21))
    failed(world)
    world.clock.now += 60
    world.store.put_head(calls=71, calls_minute=int(world.clock.now // 60) - 1)

    error = failed(world)

    assert isinstance(error, NotAskedError)
    assert error.reason == "origin-budget"
    assert not [call for call in world.origin.calls if call.startswith("get")]


@pytest.mark.parametrize("lost", ["stored_pages", "manifests"])
def test_where_old_pages_cannot_be_read_the_number_of_users_is_still_doubted(lost: str) -> None:
    world = World()
    world.publish(age=200)
    getattr(world.store, lost).clear()
    world.store.put_head(pages=None)
    world.origin.rows = []

    outcome = world.revalidation.run(world.claim(), deadline=NOW + 900, repair=True)

    assert isinstance(outcome, Failed)
    assert (world.head.users, world.head.last_error) == (20, "quarantined")


def test_a_created_and_a_deleted_user_are_no_loss_to_doubt() -> None:
    world = World()
    world.publish(age=200)
    world.origin.rows = [*users(range(2, 21)), user(99)]

    outcome = world.revalidate()

    assert isinstance(outcome, Published)
    assert world.origin.calls == ["list 0+250 key1", "find 1 key1", "get 1 key1"]


@pytest.mark.parametrize(
    ("error", "tries"),
    [
        (SERVER_ERROR, 2),
        (OriginTimeoutError("no answer in time", reason="origin-timeout"), 2),
        (WRONG_SHAPE, 1),
        (OriginAuthError("refused", reason="origin-auth", received=401), 1),
        (OriginBlockedError("the origin blocks calls", reset_seconds=30), 1),
    ],
)
def test_only_a_failing_origin_or_connection_is_asked_twice(error: OriginError, tries: int) -> None:
    world = World()
    world.origin.errors = [error, error, error]

    failed(world)

    assert len(world.origin.calls) == tries
    assert world.head.last_error == error.reason
