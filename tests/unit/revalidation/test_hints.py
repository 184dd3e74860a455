"""Hints of webhooks: who is hinted at is known within seconds, and a flood costs no more."""

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil
from typing import override

import pytest

from lib.caching.freshness import FreshnessPolicy
from lib.directory.head import LEASE_SECONDS
from lib.errors import (
    NotAskedError,
    OriginBlockedError,
    OriginServerError,
    Reason,
    StoreError,
)
from lib.origin import budget
from lib.origin.budget import Refusal
from lib.revalidation.hints import (
    BATCH,
    BEGUN_SECONDS,
    GATHER_SECONDS,
    MAX_FAILURES,
    PAUSE_SECONDS,
    WORK_SECONDS,
    Worked,
)
from lib.revalidation.outcomes import Claim
from lib.revalidation.purpose import Purpose
from lib.revalidation.window import Window
from lib.users.keys import UserKeys
from tests.fake_lookups import FakeLookups
from tests.fakes import CLIENT, NOW, FakeOrigin, user, users
from tests.world import SCHEDULE, World


@dataclass(slots=True)
class SlowToEnd(FakeLookups):
    """Look-ups whose end takes a moment, in which others do something."""

    meanwhile: Callable[[], object] = lambda: None

    @override
    def end(self, client_id: str, key: str, *, paused_until: float | None = None) -> None:
        self.meanwhile()
        super(SlowToEnd, self).end(client_id, key, paused_until=paused_until)


def failure() -> OriginServerError:
    return OriginServerError("the origin failed", reason=Reason.ORIGIN_5XX, received=500)


def known(*ids: int, window: Window | None = None, lookups: FakeLookups | None = None) -> World:
    """Return a world that knows the users ``ids`` and whose origin has one more, 99."""
    world = World(
        origin=FakeOrigin(rows=users(ids)),
        window=window or Window(),
        lookups=lookups or FakeLookups(),
    )
    world.publish(age=30)
    world.origin.rows.append(user(99))
    return world


def asked(world: World) -> list[str]:
    """Return what the origin was asked, without the key."""
    return [call.rpartition(" ")[0] for call in world.origin.calls]


def listed(world: World) -> list[str]:
    return [line.decode().partition(",")[0] for line in world.read("only-if-cached").value]


def test_who_is_not_known_is_asked_for_and_listed_at_once() -> None:
    world = known(1, 2)

    assert world.hint_at("id:99")
    worked = world.work()

    assert worked == Worked(asked=1)
    assert asked(world) == ["get 99"]
    assert listed(world) == ['{"id":1', '{"id":2', '{"id":99']
    assert world.head.generation.number == 2


def test_who_is_known_is_refreshed_with_others_in_one_call() -> None:
    world = known(1, 2, 3)
    world.origin.rows[0]["name"] = "Renamed"

    world.hint_at("id:1", "id:2", f"email:user99+{CLIENT}@example.com")
    world.work()

    assert asked(world) == ["find 3"]
    (renamed, *_) = world.read("only-if-cached").value
    assert b"Renamed" in renamed
    assert len(listed(world)) == 4


def test_who_is_past_the_window_is_adopted() -> None:
    world = known(*range(1, 5), window=Window(max_limit=2, max_offset=2))

    world.hint_at("id:99")
    world.work()

    assert listed(world)[-1] == '{"id":99'
    assert world.head.generation.adopted == 1


def test_whose_address_no_question_finds_is_asked_for_by_id() -> None:
    world = known(1)
    world.origin.rows[0]["email"] = "own@example.com"
    world.clock.now += 60
    world.publish()

    world.hint_at("id:1")
    world.work()

    assert asked(world) == ["get 1"]


def test_nobody_by_that_name_changes_nothing() -> None:
    world = known(1)

    world.hint_at("id:5", f"email:nobody+{CLIENT}@example.com")
    worked = world.work()

    assert worked == Worked(asked=2)
    assert world.head.generation.number == 1
    assert world.hinted.waiting([CLIENT]) == set()


def test_hints_make_a_client_no_less_idle() -> None:
    world = known(1)
    world.clock.now += 8 * 3600
    before = SCHEDULE.interval(world.head, now=world.clock.now)

    world.hint_at("id:1")
    world.work()

    assert SCHEDULE.interval(world.head, now=world.clock.now) == before > SCHEDULE.every


def test_a_hundred_webhooks_start_one_worker_who_asks_for_all_together() -> None:
    world = known(*range(1, 101))

    begun = [world.hint_at(f"id:{1 + number % 40}") for number in range(100)]
    worked = world.work()

    assert begun == [True] + [False] * 99
    assert worked == Worked(asked=40)
    assert asked(world) == ["find 40"]


def test_hints_that_come_meanwhile_are_gathered_and_asked_for_by_the_same_worker() -> None:
    world = known(*range(1, 11))
    flood = iter(range(2, 5))
    world.clock.while_asleep = lambda: world.hinted.note(
        CLIENT, [f"id:{next(flood, 4)}"], now=world.clock.now
    )

    world.hint_at("id:1")
    worked = world.work()

    runs = ceil(WORK_SECONDS / GATHER_SECONDS)
    assert worked == Worked(asked=runs)
    assert world.clock.slept == [GATHER_SECONDS] * (runs - 1)
    assert world.hint_at("id:1")


def test_more_than_one_run_asks_for_are_asked_for_by_the_next() -> None:
    world = known(*range(1, 2 * BATCH))

    world.hint_at(*(f"id:{number}" for number in range(1, BATCH + 11)))
    worked = world.work()

    assert worked == Worked(asked=BATCH + 10)
    assert asked(world) == [f"find {BATCH}", "find 10"]


def test_a_hint_that_came_too_late_for_the_worker_and_too_early_to_begin_is_seen_to() -> None:
    lookups = SlowToEnd()
    world, late = known(1, lookups=lookups), iter([True])
    world.hint_at("id:99")

    lookups.meanwhile = lambda: next(late, False) and world.hint_at("id:1")
    worked = world.work()

    assert worked == Worked(asked=2)
    assert world.hinted.waiting([CLIENT]) == set()


def test_a_worker_who_is_never_heard_of_again_is_followed_by_another() -> None:
    world = known(1)
    assert world.hint_at("id:99")

    world.clock.now += BEGUN_SECONDS - 1
    early = world.hint_at("id:1")
    world.clock.now += 1

    assert (early, world.hint_at("id:1")) == (False, True)
    assert world.work() == Worked(asked=2)


def test_a_worker_who_could_not_be_started_lets_others_begin() -> None:
    world = known(1)
    world.hint_at("id:99")

    world.hints.give_up(CLIENT)

    assert world.hint_at("id:99")


def test_hints_take_half_of_the_look_ups_share_and_no_more() -> None:
    world = known(1)
    share = int(budget.LOOKUP_SHARE * budget.limit_of(world.head.counters))

    world.hint_at(*(f"id:{number}" for number in range(1_000, 1_040)))
    worked = world.work()

    left = budget.remaining(world.head.counters, now=world.clock.now, lookup=True)
    assert len(world.origin.calls) == share // 2 == share - left
    assert worked.refused == Refusal(Reason.ORIGIN_BUDGET, NOW + 60)
    assert world.hinted.waiting([CLIENT]) == {CLIENT}


def test_over_budget_nobody_begins_before_the_minute_ends() -> None:
    world = known(1)
    world.hint_at(*(f"id:{number}" for number in range(1_000, 1_040)))
    refused = world.work().refused
    assert refused

    begun = [world.hint_at("id:1")]
    world.clock.now = refused.until
    begun.append(world.hint_at("id:1"))

    assert begun == [False, True]


@pytest.mark.parametrize(
    ("name", "reason"),
    [("blocked_until", Reason.ORIGIN_BLOCKED), ("retry_at", Reason.ORIGIN_BACKOFF)],
)
def test_hints_outlast_a_pause_that_the_origin_has_asked_for(name: str, reason: Reason) -> None:
    world = known(1)
    world.store.put_head(CLIENT, **{name: world.clock.now + 100})

    world.hint_at("id:99")
    worked = world.work()
    begun = [world.hint_at("id:1")]
    world.clock.now += 100
    begun.append(world.hint_at("id:1"))

    assert worked == Worked(refused=Refusal(reason, world.clock.now))
    assert begun == [False, True]
    assert world.work() == Worked(asked=2)


def test_a_429_blocks_everybody_and_keeps_the_hint() -> None:
    world = known(1)
    world.origin.errors = [OriginBlockedError("blocked", reset_seconds=90)]

    world.hint_at("id:99")
    worked = world.work()

    assert worked.refused
    assert worked.refused.reason == Reason.ORIGIN_BLOCKED
    assert world.head.health.blocked_until >= world.clock.now + 90
    assert world.hinted.waiting([CLIENT]) == {CLIENT}


def test_before_anything_is_stored_hints_wait_for_the_first_sweep() -> None:
    world = World()

    world.hint_at("id:1")
    worked = world.work()

    assert worked.refused == Refusal(Reason.GENERATION_AWAITED, NOW + PAUSE_SECONDS)
    assert world.origin.calls == []


def test_a_worker_waits_for_a_sweep_to_end() -> None:
    world = known(1)
    claim = world.claim("sweeper")
    ends = world.clock.now + 1

    def sweep() -> None:
        if world.clock.now >= ends and world.head.lease.held(world.clock.now):
            world.clock.while_asleep = None
            world.revalidation.run(claim, deadline=world.clock.now + 20, purpose=Purpose())

    world.clock.while_asleep = sweep
    world.hint_at("id:99")
    worked = world.work()

    assert worked == Worked(asked=1)
    assert asked(world)[-1].startswith(("find", "get"))


@pytest.mark.parametrize(
    ("age", "calls"),
    [(69, ["get 99"]), (70, ["list 0+250", "get 98"]), (80, ["list 0+250", "get 98"])],
)
def test_a_sweep_that_the_schedule_missed_comes_before_all_hints(
    age: float, calls: list[str]
) -> None:
    world = known(1)
    world.read()
    world.clock.now = world.head.generation.swept_at + age
    user_id = int(calls[-1].removeprefix("get "))

    world.hint_at(f"id:{user_id}")
    worked = world.work()

    assert worked == Worked(asked=1)
    assert asked(world) == calls
    assert world.head.generation.swept_at == (NOW if age < 70 else NOW + age)


def test_a_missed_sweep_that_fails_keeps_the_hint_and_counts_for_all() -> None:
    world = known(1)
    world.clock.now += 3_600
    world.origin.errors = [failure(), failure()]

    world.hint_at("id:99")
    worked = world.work()

    assert worked.refused
    assert worked.refused.reason == Reason.ORIGIN_BACKOFF
    assert world.head.health.last_error == Reason.ORIGIN_5XX
    assert world.hinted.waiting([CLIENT]) == {CLIENT}


def test_a_worker_waits_for_no_lease_that_is_not_given_back() -> None:
    world = known(1)
    world.clock.while_asleep = lambda: world.store.put_head(
        CLIENT,
        lease_holder="other",
        lease_token=world.head.lease.token + 1,
        lease_expires_at=world.clock.now + LEASE_SECONDS,
    )
    world.claim("sweeper")

    world.hint_at("id:99")
    worked = world.work()

    assert worked.refused
    assert worked.refused.reason == Reason.LEASE_HELD
    assert world.origin.calls == []


def test_a_frozen_deployment_asks_for_nobody() -> None:
    world = known(1)
    frozen = World(
        store=world.store,
        clock=world.clock,
        origin=world.origin,
        policy=FreshnessPolicy(
            max_age=120, stale_while_revalidate=600, stale_if_error=604_800, frozen=True
        ),
    )

    frozen.hint_at("id:99")
    worked = frozen.work()

    assert worked.refused
    assert worked.refused.reason == Reason.FROZEN
    assert frozen.origin.calls == []


def test_one_for_whom_the_origin_fails_is_given_up_and_keeps_no_other_from_being_known() -> None:
    world = known(1)
    world.origin.before_call = lambda: (
        world.origin.errors.append(failure()) if "get 50" in world.origin.calls[-1] else None
    )

    world.hint_at("id:50", "id:99")
    worked = world.work()

    assert worked == Worked(asked=1, dropped=1)
    assert '{"id":99' in listed(world)
    assert world.hinted.waiting([CLIENT]) == set()


def test_an_origin_that_fails_for_everybody_costs_few_hints() -> None:
    world = known(1)
    world.origin.before_call = lambda: world.origin.errors.append(failure())

    world.hint_at(*(f"id:{number}" for number in range(90, 94)))
    worked = world.work()

    assert worked.dropped == MAX_FAILURES - 1
    assert worked.refused == Refusal(Reason.ORIGIN_5XX, world.clock.now + PAUSE_SECONDS)
    assert len(world.hinted.take(CLIENT, most=100)) == 4 - worked.dropped
    assert world.head.health.last_error == ""


def test_a_client_that_the_secret_no_longer_names_keeps_its_hints_for_later() -> None:
    world = known(1)
    world.secrets.keys.clear()

    world.hint_at("id:99")
    worked = world.work()

    reason = Reason.CLIENT_NOT_CONFIGURED
    assert worked == Worked(refused=Refusal(reason, world.clock.now + PAUSE_SECONDS))


def test_without_a_secret_hints_are_kept_for_later() -> None:
    world = known(1)
    world.secrets.down = True

    world.hint_at("id:99")

    assert world.work().refused == Refusal(Reason.SECRET_MISSING, world.clock.now + PAUSE_SECONDS)


def test_pages_that_cannot_be_read_fail_no_worker() -> None:
    world = known(1)
    world.store.stored_pages.clear()

    world.hint_at("id:1")
    worked = world.work()

    assert worked.refused
    assert worked.refused.reason == Reason.MISSING_PAGE


def test_a_table_that_fails_keeps_what_waits() -> None:
    world = known(1)
    world.hint_at("id:99")
    world.store.fail("head")

    with pytest.raises(StoreError):
        world.work()

    assert world.hinted.waiting([CLIENT]) == {CLIENT}


def test_a_worker_with_little_time_left_begins_one_run_only() -> None:
    world = known(1)
    world.hint_at("id:99")
    world.clock.while_asleep = lambda: world.hinted.note(CLIENT, ["id:1"], now=world.clock.now)

    assert world.work(seconds=GATHER_SECONDS) == Worked(asked=1)


def test_addresses_too_long_for_the_calls_that_are_left_are_asked_for_a_few_at_a_time() -> None:
    world = known(1)
    domain = ".".join(["x" * 60] * 3)
    world.store.put_head(CLIENT, rate_limit=10, rate_remaining=10)

    world.hint_at(*(f"email:u{n}+{CLIENT}@{domain}.example.com" for n in range(BATCH)))
    worked = world.work()

    assert 0 < worked.asked < BATCH
    assert worked.refused
    assert len(world.origin.calls) == 1


@pytest.mark.parametrize("lookups", [0, 5, 11, 12, 13, 24])
def test_callers_look_ups_come_before_hints(lookups: int) -> None:
    world = known(1)
    minute = int(world.clock.now // 60)
    world.store.put_head(CLIENT, calls=lookups, lookups=lookups, calls_minute=minute)

    left = budget.remaining_for_hints(world.head.counters, now=world.clock.now)

    assert left == max(0, 12 - lookups)


def test_a_claim_of_others_for_named_users_is_waited_for_as_any_other() -> None:
    world = known(1)
    claim = world.revalidation.claim(world.head, holder="reader", wanted=UserKeys(ids=(99,)))
    assert isinstance(claim, Claim)
    world.clock.while_asleep = lambda: (
        world.run(claim, wanted=UserKeys(ids=(99,)))
        if world.head.lease.is_of(claim.lease)
        else None
    )

    world.hint_at("id:99")

    assert world.work() == Worked(asked=1)
    assert not isinstance(claim, NotAskedError)
