"""The read table: what a reader gets at each age, who asks the origin, and what the answer says."""

from copy import replace

import pytest

from lib.errors import (
    NotAskedError,
    OnlyIfCachedError,
    OriginAuthError,
    OriginBlockedError,
    OriginError,
    OriginServerError,
    OriginTimeoutError,
    Reason,
    UnavailableError,
)
from lib.revalidation.outcomes import Claim
from tests.fakes import CLIENT, NOW, users
from tests.world import EXPIRED, FRESH, STALE, VERY_STALE, World, said

UNUSABLE = OriginError("a wrong shape", reason=Reason.WRONG_SHAPE, received=200)
SERVER_ERROR = OriginServerError("the origin failed", reason=Reason.ORIGIN_5XX, received=503)
TIMEOUT = OriginTimeoutError("no answer in time", reason=Reason.ORIGIN_TIMEOUT)
REFUSED = OriginAuthError("refused", reason=Reason.ORIGIN_AUTH, received=401)
BLOCKED = OriginBlockedError("the origin blocks calls", reset_seconds=30)


@pytest.mark.parametrize(
    ("age", "status"),
    [
        (0, "hit; ttl=120"),
        (FRESH, "hit; ttl=1"),
        (FRESH + 0.9, "hit; ttl=1"),
    ],
)
def test_a_fresh_snapshot_is_served_and_nobody_asks(age: float, status: str) -> None:
    world = World()
    world.publish(age=age)

    answer = world.read()

    assert said(answer) == (status, int(age))
    assert len(answer.value) == 20
    assert (world.origin.calls, world.handed_over) == ([], [])
    assert world.store.writes == {}


@pytest.mark.parametrize("age", [STALE, VERY_STALE - 1])
def test_in_the_first_stale_window_it_is_served_and_one_revalidation_handed_over(age: int) -> None:
    world = World()
    world.publish(age=age)

    answer = world.read()

    assert said(answer) == (f"hit; ttl={120 - age}; detail=stale-while-revalidate", age)
    assert [claim.lease.token for claim in world.handed_over] == [2]
    assert world.origin.calls == []


def test_many_stale_readers_hand_over_one_revalidation() -> None:
    world = World()
    world.publish(age=STALE)

    answers = [world.read() for _ in range(5)]

    assert {len(answer.value) for answer in answers} == {20}
    assert len(world.handed_over) == 1
    assert world.store.writes == {"acquire": 1}


def test_a_stale_reader_gets_its_answer_although_no_lease_can_be_written() -> None:
    world = World()
    world.publish(age=STALE)
    world.store.fail("acquire")

    answer = world.read()

    assert len(answer.value) == 20
    assert world.handed_over == []


def test_a_reader_whose_revalidation_nobody_can_be_handed_is_answered_and_the_claim_given_up() -> (
    None
):
    world = World()
    world.publish(age=STALE)

    def nobody(_claim: Claim) -> None:
        raise UnavailableError("the function cannot be invoked", reason=Reason.INVOKE_FAILED)

    world.asking = replace(world.asking, hand_over=nobody)

    answer = world.read()

    assert said(answer) == ("hit; ttl=0; detail=stale-while-revalidate", STALE)
    assert not world.head.lease.held(world.clock.now)
    health = world.head.health
    assert (health.last_error, health.failures) == (Reason.INVOKE_FAILED, 1)
    assert health.retry_at == world.clock.now + 5


@pytest.mark.parametrize("directive", [None, "no-cache"])
def test_while_the_table_is_down_what_is_remembered_is_served_however_stale(
    directive: str | None,
) -> None:
    world = World()
    world.publish(age=VERY_STALE)
    world.memory.recent_head(CLIENT)
    world.store.fail("head", times=9)

    answer = world.read(directive)

    assert said(answer) == ("hit; ttl=-600; detail=store-error", VERY_STALE)
    assert len(answer.value) == 20
    assert world.origin.calls == []


@pytest.mark.parametrize("age", [VERY_STALE, EXPIRED - 1])
def test_past_that_window_the_reader_asks_and_serves_what_is_new(age: int) -> None:
    world = World()
    world.publish(age=age)
    world.origin.rows = users(range(1, 22))

    answer = world.read()

    assert said(answer) == ("fwd=stale; fwd-status=200; stored", None)
    assert len(answer.value) == 21
    assert (len(world.origin.calls), world.handed_over) == (1, [])


def test_an_unchanged_directory_is_an_answer_of_the_origin_as_well() -> None:
    world = World()
    world.publish(age=VERY_STALE)

    answer = world.read()

    assert said(answer) == ("fwd=stale; fwd-status=200; stored", None)
    assert answer.generation == 1


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (UNUSABLE, "fwd=stale; fwd-status=200; ttl=-600; detail=stale-if-error"),
        (SERVER_ERROR, "fwd=stale; fwd-status=503; ttl=-600; detail=stale-if-error"),
        (TIMEOUT, "fwd=stale; ttl=-600; detail=stale-if-error"),
        (REFUSED, "fwd=stale; fwd-status=401; ttl=-600; detail=stale-if-error"),
        (BLOCKED, "fwd=stale; fwd-status=429; ttl=-600; detail=stale-if-error"),
    ],
)
def test_past_that_window_a_failing_origin_takes_no_snapshot_away(
    error: OriginError, status: str
) -> None:
    world = World()
    world.publish(age=VERY_STALE)
    world.origin.errors = [error, error]

    answer = world.read()

    pause = int(sum(world.clock.slept))
    assert said(answer) == (status, VERY_STALE + pause)
    assert len(answer.value) == 20


@pytest.mark.parametrize(
    ("failure", "detail"),
    [
        ({"last_error": "origin-5xx", "retry_at": NOW + VERY_STALE + 5}, "origin-backoff"),
        ({"last_error": "origin-5xx", "retry_at": NOW}, "origin-backoff"),
        ({"last_error": "origin-blocked", "blocked_until": NOW + 999}, "origin-blocked"),
        ({"lease_holder": "dead", "lease_expires_at": NOW + 719}, "origin-backoff"),
    ],
)
def test_after_a_failure_no_reader_waits_for_the_origin(
    failure: dict[str, float | str], detail: str
) -> None:
    world = World()
    world.publish(age=VERY_STALE)
    world.store.put_head(**failure)

    answer = world.read()

    assert said(answer) == (f"hit; ttl=-600; detail={detail}", VERY_STALE)
    assert world.origin.calls == []


@pytest.mark.parametrize(("retry_in", "probes"), [(1, 0), (0, 1), (-1, 1)])
def test_after_a_failure_readers_start_one_probe_once_the_pause_is_over(
    retry_in: int, probes: int
) -> None:
    world = World()
    world.publish(age=VERY_STALE)
    world.store.put_head(last_error="origin-5xx", retry_at=NOW + VERY_STALE + retry_in)

    world.read()
    world.read()

    assert len(world.handed_over) == probes


def test_in_the_first_stale_window_a_failure_is_not_worth_mentioning() -> None:
    world = World()
    world.publish(age=STALE)
    world.store.put_head(last_error="origin-5xx", retry_at=NOW + STALE + 99)

    answer = world.read()

    assert said(answer) == ("hit; ttl=0; detail=stale-while-revalidate", STALE)
    assert world.handed_over == []


@pytest.mark.parametrize("age", [None, EXPIRED])
def test_with_nothing_usable_stored_the_reader_asks(age: int | None) -> None:
    world = World()
    if age is not None:
        world.publish(age=age)

    answer = world.read()

    assert said(answer) == ("fwd=uri-miss; fwd-status=200; stored", None)
    assert len(answer.value) == 20
    assert len(world.origin.calls) == (2 if age is None else 1)


@pytest.mark.parametrize("age", [None, EXPIRED])
@pytest.mark.parametrize(
    ("error", "status"),
    [(UNUSABLE, 502), (SERVER_ERROR, 502), (REFUSED, 502), (TIMEOUT, 504), (BLOCKED, 503)],
)
def test_with_nothing_usable_stored_the_origins_failure_is_the_readers(
    age: int | None, error: OriginError, status: int
) -> None:
    world = World()
    if age is not None:
        world.publish(age=age)
    world.origin.errors = [error, error]

    with pytest.raises(OriginError) as caught:
        world.read()

    assert caught.value is error
    assert caught.value.status == status


@pytest.mark.parametrize(
    ("head", "reason", "retry_after"),
    [
        ({"blocked_until": NOW + 29.5}, "origin-blocked", 30),
        ({"retry_at": NOW + 5, "last_error": "origin-5xx"}, "origin-backoff", 5),
        ({"calls": 72, "calls_minute": int(NOW // 60)}, "origin-budget", 120),
    ],
)
def test_with_nothing_usable_stored_and_nobody_to_ask_the_reader_may_come_back(
    head: dict[str, float | str], reason: str, retry_after: int
) -> None:
    world = World()
    world.store.put_head(**head)

    with pytest.raises(NotAskedError) as caught:
        world.read()

    error = caught.value
    assert (error.status, error.reason) == (503, reason)
    headers = error.headers(now=world.clock.now, jitter=0)
    assert headers == {"Retry-After": str(retry_after)}
    assert world.origin.calls == []


def test_a_refused_reader_is_told_to_come_back_at_a_jittered_moment() -> None:
    world = World(jitter=1.0)
    world.store.put_head(blocked_until=NOW + 30)

    with pytest.raises(NotAskedError) as caught:
        world.read()

    headers = caught.value.headers(now=world.clock.now, jitter=world.jitter)
    assert headers == {"Retry-After": "36"}


def test_very_stale_and_held_by_somebody_else_the_snapshot_is_served_at_once() -> None:
    world = World()
    world.publish(age=VERY_STALE)
    world.claim("somebody else")

    answer = world.read()

    assert said(answer) == ("hit; ttl=-600; detail=lease-held", VERY_STALE)
    assert (world.origin.calls, world.clock.slept) == ([], [])


@pytest.mark.parametrize(
    ("age", "cache_control", "status"),
    [
        (FRESH, "max-age=119", "hit; ttl=1"),
        (10, "min-fresh=110", "hit; ttl=110"),
        (10, "max-stale", "hit; ttl=110"),
        (STALE, "only-if-cached", "hit; ttl=0; detail=stale-while-revalidate"),
        (VERY_STALE, "max-stale=600", "hit; ttl=-600; detail=stale-while-revalidate"),
        (VERY_STALE, "max-stale", "hit; ttl=-600; detail=stale-while-revalidate"),
        (130, "max-age=130, max-stale=10", "hit; ttl=-10; detail=stale-while-revalidate"),
    ],
)
def test_a_directive_that_accepts_what_is_stored_is_served_from_it(
    age: int, cache_control: str, status: str
) -> None:
    world = World()
    world.publish(age=age)

    answer = world.read(cache_control)

    assert said(answer) == (status, age)
    assert world.origin.calls == []
    served_stale = age >= STALE and "only-if-cached" not in cache_control
    assert len(world.handed_over) == int(served_stale)


@pytest.mark.parametrize(
    ("age", "cache_control", "fwd"),
    [
        (20, "no-cache", "request"),
        (20, "max-age=0", "request"),
        (20, "max-age=19", "request"),
        (20, "min-fresh=101", "request"),
        (20, "min-fresh=9999", "request"),
        (STALE, "max-age=9999", "request"),
        (STALE, "no-cache", "request"),
        (VERY_STALE, "max-stale=599", "stale"),
        (EXPIRED, "max-stale", "uri-miss"),
    ],
)
def test_a_directive_that_wants_better_makes_the_reader_ask(
    age: int, cache_control: str, fwd: str
) -> None:
    world = World()
    world.publish(age=age)

    answer = world.read(cache_control)

    assert said(answer) == (f"fwd={fwd}; fwd-status=200; stored", None)
    assert len(world.origin.calls) == 1
    assert world.head.forced_at == (NOW + age if fwd == "request" else 0)


@pytest.mark.parametrize(
    ("age", "cache_control"),
    [
        (None, "only-if-cached"),
        (EXPIRED, "only-if-cached"),
        (VERY_STALE, "only-if-cached"),
        (20, "only-if-cached, no-cache"),
        (20, "only-if-cached, max-age=19"),
        (EXPIRED, "only-if-cached, max-stale"),
    ],
)
def test_only_if_cached_never_asks(age: int | None, cache_control: str) -> None:
    world = World()
    if age is not None:
        world.publish(age=age)

    with pytest.raises(OnlyIfCachedError) as caught:
        world.read(cache_control)

    assert caught.value.status == 504
    assert (world.origin.calls, world.handed_over) == ([], [])


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (UNUSABLE, "fwd=request; fwd-status=200; ttl=100; detail=origin-error"),
        (TIMEOUT, "fwd=request; ttl=100; detail=origin-error"),
    ],
)
def test_a_fresh_snapshot_outlives_the_failure_of_a_demanded_sweep(
    error: OriginError, status: str
) -> None:
    world = World()
    world.publish(age=20)
    world.origin.errors = [error, error]

    answer = world.read("no-cache")

    assert said(answer) == (status, 20)


@pytest.mark.parametrize(
    ("head", "detail"),
    [
        ({"blocked_until": NOW + 99}, "origin-blocked"),
        ({"retry_at": NOW + 99, "last_error": "origin-5xx"}, "origin-backoff"),
    ],
)
def test_a_demanded_sweep_is_answered_at_once_while_nobody_may_ask(
    head: dict[str, float | str], detail: str
) -> None:
    world = World()
    world.publish(age=20)
    world.store.put_head(**head)

    answer = world.read("no-cache")

    assert said(answer) == (f"hit; ttl=100; detail={detail}", 20)
    assert (world.origin.calls, world.clock.slept) == ([], [])


@pytest.mark.parametrize(("after", "asks"), [(9.9, False), (10, True)])
def test_demanded_sweeps_start_ten_seconds_apart(after: float, *, asks: bool) -> None:
    world = World()
    world.revalidate(forced=True)
    world.clock.now += after
    world.forget()

    answer = world.read("no-cache")

    assert bool(world.origin.calls) is asks
    expected = (
        "fwd=request; fwd-status=200; stored" if asks else "hit; ttl=111; detail=refresh-floor"
    )
    assert said(answer)[0] == expected


def test_a_sweep_that_nobody_demanded_does_not_arm_the_floor() -> None:
    world = World()
    world.publish(age=1)

    answer = world.read("no-cache")

    assert said(answer) == ("fwd=request; fwd-status=200; stored", None)
