"""Runs that fail: the old generation stands, and everybody is told how long to keep away."""

from copy import replace

import pytest

from lib.errors import (
    LeaseLostError,
    NotFoundError,
    OriginAuthError,
    OriginBlockedError,
    OriginError,
    OriginServerError,
    OriginTimeoutError,
    Reason,
    SecretError,
    ServiceError,
)
from lib.origin.calls import Origin
from lib.revalidation.outcomes import Claim, Failed, Published
from lib.users.keys import UserKeys
from tests.fakes import NOW, user, users
from tests.world import World

SERVER_ERROR = OriginServerError("the origin failed", reason=Reason.ORIGIN_5XX, received=503)
WRONG_SHAPE = OriginError("a wrong shape", reason=Reason.WRONG_SHAPE, received=200)


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
    assert (world.head.generation.number, world.head.generation.digest) == (
        before.generation.number,
        before.generation.digest,
    )
    assert world.head.generation.swept_at == before.generation.swept_at
    assert (world.head.health.last_error, world.head.health.failures) == ("wrong-shape", 1)
    assert not world.head.lease.held(world.clock.now)


@pytest.mark.parametrize("jitter", [0.0, 0.5, 1.0])
def test_the_pause_doubles_from_5_to_60_seconds_and_jitter_never_passes_60(jitter: float) -> None:
    world = World(jitter=jitter)
    pauses = []

    for _ in range(7):
        world.origin.errors = [WRONG_SHAPE]
        failed(world)
        pauses.append(world.head.health.retry_at - world.clock.now)
        world.clock.now = world.head.health.retry_at

    stretched = [pause * (1 + 0.2 * jitter) for pause in (5, 10, 20, 40)]
    assert pauses == pytest.approx([*stretched, 60, 60, 60], abs=0.001)


def test_a_success_ends_the_row_of_failures() -> None:
    world = World()
    world.origin.errors = [WRONG_SHAPE]
    failed(world)
    world.clock.now = world.head.health.retry_at

    world.revalidate()

    assert (world.head.health.last_error, world.head.health.failures) == ("", 0)


@pytest.mark.parametrize("jitter", [0.0, 1.0])
def test_a_block_holds_for_everybody_until_it_is_surely_over(jitter: float) -> None:
    until = NOW + 31
    world = World(jitter=jitter)
    world.origin.errors = [OriginBlockedError("the origin blocks calls", reset_seconds=30)]

    failed(world)

    assert (world.head.health.blocked_until, world.head.health.retry_at) == (until, 0)
    assert world.head.health.last_error == "origin-blocked"
    assert world.refused("another").until == until


def test_a_block_never_ends_an_earlier_longer_one() -> None:
    world = World()
    claim = world.claim()
    world.store.put_head(blocked_until=NOW + 100)
    world.origin.errors = [OriginBlockedError("the origin blocks calls", reset_seconds=30)]

    world.run(claim)

    assert world.head.health.blocked_until == NOW + 100


def test_a_holder_that_was_overtaken_still_tells_everybody_of_a_block() -> None:
    world = World()
    claim = world.claim("slow")
    world.clock.now += 20
    world.claim("fast")
    world.origin.errors = [OriginBlockedError("the origin blocks calls", reset_seconds=30)]

    world.run(claim)

    assert world.head.health.blocked_until == world.clock.now + 31
    assert (world.head.lease.holder, world.head.health.failures) == ("fast", 1)


def test_a_publication_that_failed_is_noted_like_any_failure() -> None:
    world = World()
    world.store.fail("put")

    error = failed(world)

    assert error.status == 503
    assert (world.head.health.last_error, world.head.health.failures) == ("store-unreachable", 1)
    assert world.head.health.retry_at == NOW + 5
    assert not world.head.lease.held(NOW)


def test_a_fault_of_ours_is_noted_like_any_failure() -> None:
    world = World()
    world.publish(age=200)
    world.origin.errors = [RecursionError("too deep")]

    error = failed(world)

    assert (error.status, str(error.__cause__)) == (500, "too deep")
    assert (world.head.health.last_error, world.head.health.retry_at) == ("unexpected", NOW + 205)
    assert not world.head.lease.held(world.clock.now)


def test_one_failed_write_does_not_lose_a_block() -> None:
    world = World()
    world.origin.errors = [OriginBlockedError("the origin blocks calls", reset_seconds=30)]
    world.store.fail("hold_off")

    failed(world)

    assert world.head.health.blocked_until == NOW + 31
    assert not world.head.lease.held(NOW)


def test_what_some_users_met_concerns_nobody_else() -> None:
    world = World()
    world.publish(age=200)
    world.origin.errors = [WRONG_SHAPE]
    wanted = UserKeys(ids=[7])
    claim = world.revalidation.claim(world.head, holder="me", wanted=wanted)
    assert isinstance(claim, Claim)

    outcome = world.run(claim, wanted=wanted)

    assert isinstance(outcome, Failed)
    assert (world.head.health.last_error, world.head.health.retry_at) == ("", 0)
    assert not world.head.lease.held(world.clock.now)


def test_a_holder_that_was_overtaken_notes_no_failure_of_his_own() -> None:
    world = World()
    world.publish(age=200)
    claim = world.claim("slow")
    world.clock.now += 20
    world.claim("fast")
    world.origin.rows = users(range(1, 22))

    outcome = world.run(claim)

    assert isinstance(outcome, Failed)
    assert isinstance(outcome.error, LeaseLostError)
    assert world.head.health.last_error == "lease-lapsed"


def test_a_failure_that_cannot_be_noted_is_returned_all_the_same() -> None:
    world = World()
    world.origin.errors = [WRONG_SHAPE]
    world.store.fail("update_held")

    error = failed(world)

    assert error is WRONG_SHAPE
    assert world.head.lease.held(NOW)
    assert world.head.health.retry_at == NOW + 5


def test_a_client_that_the_secret_no_longer_names_is_marked() -> None:
    world = World()
    world.publish(age=200)
    world.secrets.keys.clear()

    error = failed(world)

    assert isinstance(error, NotFoundError)
    assert world.head.health.last_error == Reason.CLIENT_NOT_CONFIGURED
    assert world.origin.calls == []


def test_without_a_secret_nothing_is_asked_and_everybody_pauses() -> None:
    world = World()
    world.secrets.down = True

    error = failed(world)

    assert isinstance(error, SecretError)
    assert world.origin.calls == []
    assert world.head.health.retry_at == NOW + 5


def test_an_empty_list_is_believed_where_nothing_ever_was() -> None:
    world = World()
    world.origin.rows = []

    outcome = world.revalidate()

    assert isinstance(outcome, Published)
    assert (outcome.head.generation.users, outcome.head.generation.complete) == (0, True)
    assert world.store.manifest(outcome.head.generation).pages == ()


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
        (OriginTimeoutError("no answer in time", reason=Reason.ORIGIN_TIMEOUT), 2),
        (WRONG_SHAPE, 1),
        (OriginAuthError("refused", reason=Reason.ORIGIN_AUTH, received=401), 1),
        (OriginBlockedError("the origin blocks calls", reset_seconds=30), 1),
    ],
)
def test_only_a_failing_origin_or_connection_is_asked_twice(error: OriginError, tries: int) -> None:
    world = World()
    world.origin.errors = [error, error, error]

    failed(world)

    assert len(world.origin.calls) == tries
    assert world.head.health.last_error == error.reason


@pytest.mark.parametrize(("told", "pause"), [(None, 5), (0, 5), (3, 5), (90, 90)])
def test_a_failing_origin_that_says_when_to_come_back_is_believed(
    told: int | None, pause: int
) -> None:
    world = World()
    error = OriginServerError(
        "the origin failed", reason=Reason.ORIGIN_5XX, received=503, retry_after_seconds=told
    )
    world.origin.errors = [error, error]

    failed(world)

    assert world.head.health.retry_at == pytest.approx(world.clock.now + pause)


def test_a_fault_before_anything_was_asked_keeps_no_lease_either() -> None:
    world = World()

    def no_origin() -> Origin:
        raise RuntimeError("a part that cannot be made")

    world.revalidation = replace(world.revalidation, origin=no_origin)

    error = failed(world)

    assert (error.status, world.head.health.last_error) == (500, "unexpected")
    assert not world.head.lease.held(NOW)
