"""Forced sweeps: any number of requests cost one sweep, and a later read sees what it saw."""

import pytest

from lib.caching.freshness import FreshnessPolicy
from lib.directory.head import HEAD_SECONDS
from lib.errors import NotAskedError, NotFoundError, OriginBlockedError, OriginError, Reason
from lib.revalidation.forced import WAITING, Refreshed
from tests.fakes import CLIENT, NOW, user
from tests.world import World


def test_a_change_is_published_and_every_remembered_head_outlived() -> None:
    world = World()

    done = world.refresh()

    assert done == Refreshed("published", 1, 2)
    assert world.clock.slept == [1]
    assert world.head.forced_at == NOW


def test_that_nothing_is_new_is_seen_everywhere_too() -> None:
    world = World()
    world.publish(age=5)

    done = world.refresh()

    assert done == Refreshed("unchanged", 1, 1)
    assert world.clock.slept == [HEAD_SECONDS]


def test_it_is_seen_everywhere_a_head_lifetime_after_the_write_was_answered() -> None:
    world = World()
    answered = []

    def take_long(method: str) -> None:
        if method == "publish":
            world.clock.now += 0.75
            answered.append(world.clock.now)

    world.store.before = take_long

    world.refresh()

    assert world.clock.now == answered[0] + HEAD_SECONDS


@pytest.mark.parametrize(("after", "waited"), [(0, 10), (9.5, 0.5), (10, 0)])
def test_within_the_floor_a_request_waits_for_its_end_and_then_sweeps(
    after: float, waited: float
) -> None:
    world = World()
    world.revalidate(forced=True)
    world.clock.now += after + 0.001
    world.forget()

    done = world.refresh()

    assert done.outcome == "unchanged"
    assert sum(world.clock.slept) == pytest.approx(waited + HEAD_SECONDS, abs=0.1)
    assert world.head.forced_at >= NOW + 10


def test_a_floor_that_outlasts_the_request_refuses_it() -> None:
    world = World()
    world.revalidate(forced=True)
    world.clock.now += 1
    world.forget()

    with pytest.raises(NotAskedError) as caught:
        world.refresh(seconds=9)

    assert (caught.value.reason, round(caught.value.until - world.clock.now)) == (
        "refresh-floor",
        9,
    )
    assert (world.origin.calls, world.clock.slept) == ([], [])


def test_a_sweep_that_nobody_forced_arms_no_floor() -> None:
    world = World()
    world.publish(age=1)

    done = world.refresh()

    assert done.outcome == "unchanged"
    assert world.clock.slept == [HEAD_SECONDS]


def test_a_failed_sweep_arms_no_floor() -> None:
    world = World()
    world.origin.errors = [OriginError("a wrong shape", reason=Reason.WRONG_SHAPE, received=200)]

    with pytest.raises(OriginError):
        world.refresh()

    assert world.head.forced_at == 0


def test_somebody_elses_sweep_that_began_since_is_joined() -> None:
    world = World()
    world.publish(age=5)
    world.origin.rows.append(user(21))
    claim = world.claim("holder")

    def finish() -> None:
        world.clock.while_asleep = None
        world.run(claim)

    world.clock.while_asleep = finish

    done = world.refresh()

    assert done == Refreshed("joined", 2, 0)
    assert world.clock.now >= world.head.validated_at + 1
    assert len(world.origin.calls) == 1


def test_somebody_elses_sweep_that_began_before_is_followed_by_another() -> None:
    world = World()
    world.publish(age=5)
    claim = world.claim("holder")

    def finish() -> None:
        world.clock.while_asleep = None
        world.store.update_held(
            claim.lease, {"lease_holder": None, "lease_expires_at": None, "swept_at": NOW + 4}
        )

    world.clock.while_asleep = finish

    done = world.refresh()

    assert done.outcome == "unchanged"
    assert world.head.lease.token == 3


def test_a_holder_that_outlasts_the_request_refuses_it() -> None:
    world = World()
    world.publish(age=5)
    world.claim("holder")

    with pytest.raises(NotAskedError) as caught:
        world.refresh(seconds=3)

    assert (caught.value.reason, round(caught.value.until - world.clock.now)) == ("lease-held", 12)
    assert world.clock.now == pytest.approx(NOW + 8)


@pytest.mark.parametrize(
    ("head", "reason"),
    [
        ({"blocked_until": NOW + 30}, "origin-blocked"),
        ({"retry_at": NOW + 30, "last_error": "origin-5xx"}, "origin-backoff"),
        ({"calls": 72, "calls_minute": int(NOW // 60)}, "origin-budget"),
        ({"blocked_until": NOW + 30, "forced_at": NOW - 1}, "origin-blocked"),
    ],
)
def test_while_nobody_may_ask_a_request_is_refused_at_once(
    head: dict[str, float | str], reason: str
) -> None:
    world = World()
    world.store.put_head(**head)

    with pytest.raises(NotAskedError) as caught:
        world.refresh()

    assert caught.value.reason == reason
    assert (world.origin.calls, world.clock.slept) == ([], [])


@pytest.mark.parametrize("head", [{"blocked_until": NOW + 30}, {"calls": 72}])
def test_a_sweep_made_since_serves_the_request_whatever_holds_now(head: dict[str, float]) -> None:
    world = World()
    world.publish()
    world.store.put_head(calls_minute=int(NOW // 60), **head)

    done = world.refresh()

    assert done == Refreshed("joined", 1, 0)


def test_a_failed_sweep_is_the_requests_error() -> None:
    world = World()
    blocked = OriginBlockedError("the origin blocks calls", reset_seconds=30)
    world.origin.errors = [blocked]

    with pytest.raises(OriginBlockedError) as caught:
        world.refresh()

    assert caught.value is blocked


def test_a_client_that_the_secret_does_not_name_is_not_found() -> None:
    world = World()
    world.secrets.keys.clear()

    with pytest.raises(NotFoundError):
        world.refresh()


def test_frozen_no_sweep_can_be_forced() -> None:
    frozen = FreshnessPolicy(max_age=1, stale_while_revalidate=1, stale_if_error=1, frozen=True)
    world = World(policy=frozen)

    with pytest.raises(NotAskedError) as caught:
        world.refresh()

    assert caught.value.reason == "frozen"


def test_a_request_that_nobody_waits_for_is_refused_only_if_it_is_hopeless() -> None:
    world = World()
    world.store.put_head(blocked_until=NOW + 30)

    with pytest.raises(NotAskedError):
        world.forced_refresh.refuse_if_hopeless(world.store.head(CLIENT))
    world.clock.now += 30
    world.forced_refresh.refuse_if_hopeless(world.store.head(CLIENT))

    assert world.origin.calls == []


def test_two_callers_may_wait_and_the_others_are_answered_at_once() -> None:
    world = World()
    world.revalidate(forced=True)
    world.clock.now += 1
    world.forget()
    for number in range(WAITING):
        world.lookups.begin(CLIENT, f"refresh {number}", now=NOW, until=NOW + 26)

    with pytest.raises(NotAskedError) as caught:
        world.refresh()

    assert (caught.value.reason, caught.value.until) == ("refresh-floor", NOW + 10)
    assert world.clock.slept == []


def test_a_place_is_left_to_the_next_one_whatever_happened() -> None:
    world = World()
    world.revalidate(forced=True)
    world.clock.now += 1

    for _ in range(3):
        world.origin.errors = [OriginError("shape", reason=Reason.WRONG_SHAPE)]
        with pytest.raises(OriginError):
            world.refresh()
        world.store.put_head(retry_at=None, forced_at=world.clock.now)

    assert set(world.lookups.asking.values()) == {0}
