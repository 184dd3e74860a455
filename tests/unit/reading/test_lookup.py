"""Look-ups: what is asked, in how many calls, what is remembered, what failures leave behind."""

import json
from collections.abc import Sequence

import pytest

from lib.errors import NotAskedError, OriginBlockedError, OriginError, OriginTimeoutError, Reason
from lib.origin import budget
from lib.reading.lookup import ASKING_SECONDS, MARGIN_SECONDS, Found
from lib.users.document import canonical
from lib.users.keys import Observation, UserKeys, address_key, id_key, key_hash
from tests.fakes import CLIENT, NOW, FakeOrigin, head_with, user, users
from tests.world import KEEP_FOUND, KEEP_MISSED, World

MINUTE = int(NOW // 60)
SHARE = 24
"""Calls of the look-ups in two minutes, while the origin has not told its limit."""


def world_of(*ids: int) -> World:
    return World(origin=FakeOrigin(rows=users(ids)))


def address(user_id: int) -> str:
    return str(user(user_id)["email"])


def asked(world: World) -> list[str]:
    return [call.rpartition(" ")[0] for call in world.origin.calls]


def ids(found: Found) -> list[int]:
    return [json.loads(line)["id"] for line in found.lines]


def test_addresses_are_asked_for_in_one_call_and_ids_in_one_each() -> None:
    world = world_of(7, 8, 9)

    found = world.look_up(UserKeys(addresses=[address(7), address(1)], ids=[8, 2]))

    assert ids(found) == [7, 8]
    assert asked(world) == ["find 2", "get 8", "get 2"]
    assert (found.calls, found.failure, found.unanswered) == (3, None, frozenset())
    assert found.observed_at == NOW


@pytest.mark.parametrize(
    ("length", "count", "most", "calls"),
    [
        (50, 105, 250, [105]),
        (50, 120, 250, [105, 15]),
        (50, 120, 100, [100, 20]),
        (25, 260, 1000, [187, 73]),
    ],
)
def test_a_call_takes_what_one_url_can_carry_and_the_origin_lists(
    length: int, count: int, most: int, calls: list[int]
) -> None:
    world = world_of()
    world.origin.max_rows = most
    domain = f"+{CLIENT}@example.com"
    local = length - len(domain)

    found = world.look_up(UserKeys(addresses=[f"{n:0{local}}{domain}" for n in range(count)]))

    assert asked(world) == [f"find {number}" for number in calls]
    assert found.calls == len(calls)


def test_an_id_that_no_user_can_have_is_answered_here() -> None:
    world = world_of(7)

    found = world.look_up(UserKeys(ids=[2**31, 7]))

    assert (ids(found), found.calls, found.unanswered) == ([7], 1, frozenset())
    assert asked(world) == ["get 7"]


def test_never_more_is_asked_than_is_missing() -> None:
    world = world_of(7, 8, 9)
    world.look_up(UserKeys(addresses=[address(7), address(1)], ids=[8]))
    world.forget()

    found = world.look_up(UserKeys(addresses=[address(7), address(1), address(9)], ids=[8, 9]))

    assert asked(world) == ["find 1", "get 9"]
    assert sorted(ids(found)) == [7, 8, 9]


def test_who_was_found_by_address_is_known_by_id_too() -> None:
    world = world_of(7)
    world.look_up(UserKeys(addresses=[address(7)]))
    world.forget()

    found = world.look_up(UserKeys(ids=[7]))

    assert (ids(found), asked(world), found.calls) == ([7], [], 0)


def test_an_address_that_the_origin_would_refuse_is_nobodys() -> None:
    world = world_of(7)

    found = world.look_up(UserKeys(addresses=["no address", address(7)]))

    assert asked(world) == ["find 1"]
    assert ids(found) == [7]
    assert found.unanswered == {address_key("no address")}


@pytest.mark.parametrize(("user_id", "lifetime"), [(7, KEEP_FOUND), (1, KEEP_MISSED)])
def test_an_answer_is_remembered_for_its_lifetime(user_id: int, lifetime: int) -> None:
    world = world_of(7)
    first = world.look_up(UserKeys(ids=[user_id]))
    calls = []
    for passed in (lifetime - 1, 1):
        world.clock.now += passed
        world.forget()
        again = world.look_up(UserKeys(ids=[user_id]))
        assert again.lines == first.lines
        calls.append(len(asked(world)))

    assert calls == [0, 1]


def test_what_is_told_is_as_old_as_the_oldest_answer_in_it() -> None:
    world = world_of(7, 8)
    world.look_up(UserKeys(ids=[7]))
    world.clock.now += 30

    assert world.look_up(UserKeys(ids=[7, 8])).observed_at == NOW


def test_who_was_found_waits_to_be_adopted_and_who_was_not_does_not() -> None:
    world = world_of(7)

    world.look_up(UserKeys(addresses=[address(7)], ids=[1]))

    assert world.lookups.ids == {7}


@pytest.mark.parametrize(
    ("wanted", "received"),
    [
        (UserKeys(ids=[7]), 200),
        (UserKeys(ids=[1]), 404),
        (UserKeys(addresses=[address(1)]), 200),
        (UserKeys(ids=[1, 2]), 404),
        (UserKeys(ids=[1, 7]), 200),
        (UserKeys(addresses=[address(1)], ids=[1]), 200),
    ],
)
def test_the_status_received_is_told(wanted: UserKeys, received: int) -> None:
    assert world_of(7).look_up(wanted).received == received


def test_an_equal_look_up_in_flight_is_waited_for() -> None:
    world = world_of(7)
    world.lookups.busy = True

    def finish() -> None:
        if world.clock.now > NOW + 1:
            world.lookups.answers[id_key(7)] = Observation(canonical(user(7)), world.clock.now)

    world.clock.while_asleep = finish

    found = world.look_up(UserKeys(ids=[7]))

    assert (ids(found), asked(world), found.calls) == ([7], [], 0)
    assert NOW + 1 < world.clock.now < NOW + 2


def test_where_the_one_in_flight_failed_another_takes_over() -> None:
    world = world_of(7)
    world.lookups.busy = True
    world.clock.while_asleep = lambda: setattr(world.lookups, "busy", False)

    found = world.look_up(UserKeys(ids=[7]))

    assert (ids(found), asked(world)) == ([7], ["get 7"])
    assert world.clock.now < NOW + 1


@pytest.mark.parametrize(
    ("seconds", "waited"), [(25, ASKING_SECONDS), (5, 5 - MARGIN_SECONDS), (1, 0)]
)
def test_nobody_waits_for_ever_and_time_to_answer_is_left(seconds: float, waited: float) -> None:
    world = world_of(7)
    world.lookups.busy = True

    found = world.look_up(UserKeys(ids=[7]), seconds=seconds)

    assert isinstance(found.failure, NotAskedError)
    assert found.failure.reason == "lookup-in-flight"
    assert found.unanswered == {id_key(7)}
    assert world.clock.now == pytest.approx(NOW + waited)


def test_calls_have_to_end_in_time_to_answer() -> None:
    world = world_of(7)

    world.look_up(UserKeys(ids=[7]), seconds=5)

    assert world.origin.deadlines == [NOW + 5 - MARGIN_SECONDS]


@pytest.mark.parametrize(
    ("error", "blocked_until"),
    [
        (OriginError("shape", reason=Reason.WRONG_SHAPE), 0),
        (OriginTimeoutError("late", reason=Reason.DEADLINE), 0),
        (OriginBlockedError("429", reset_seconds=40), NOW + 41),
    ],
)
def test_a_failure_is_told_and_only_a_block_keeps_everybody_from_asking(
    error: OriginError, blocked_until: float
) -> None:
    world = world_of(7, 8)
    world.origin.errors = [error, error]

    found = world.look_up(UserKeys(addresses=[address(7)], ids=[8]))
    world.forget()
    again = world.look_up(UserKeys(ids=[8]))

    assert found.failure is error
    assert found.lines == ()
    assert found.unanswered == {address_key(address(7)), id_key(8)}
    health = world.head.health
    assert (health.blocked_until, health.retry_at, health.last_error) == (blocked_until, 0, "")
    assert isinstance(again.failure, NotAskedError) is (blocked_until > 0)
    assert asked(world) == ([] if blocked_until else ["get 8"])


def test_a_block_that_cannot_be_noted_is_still_told_and_pauses_that_look_up() -> None:
    world = world_of(7)
    error = OriginBlockedError("429", reset_seconds=40)
    world.origin.errors = [error]
    world.store.fail("hold_off")

    found = world.look_up(UserKeys(ids=[7]))
    again = world.look_up(UserKeys(ids=[7]))

    assert found.failure is error
    assert isinstance(again.failure, NotAskedError)
    assert asked(world) == ["get 7"]


def test_what_was_answered_before_a_failure_is_kept() -> None:
    world = world_of(7, 8)

    def fail_by_id() -> None:
        if len(asked(world)) == 2:
            world.origin.errors = [OriginError("shape", reason=Reason.WRONG_SHAPE)]

    world.origin.before_call = fail_by_id

    found = world.look_up(UserKeys(addresses=[address(7)], ids=[8]))

    assert ids(found) == [7]
    assert found.unanswered == {id_key(8)}
    assert world.lookups.ids == {7}


def test_look_ups_have_a_third_of_the_budget() -> None:
    world = world_of()

    found = world.look_up(UserKeys(ids=range(1, 100)))

    assert budget.limit_of(head_with(CLIENT).counters) // 3 == SHARE
    assert found.calls == SHARE
    assert len(found.unanswered) == 99 - SHARE
    assert isinstance(found.failure, NotAskedError)
    assert found.failure.reason == "origin-budget"
    assert world.claim().reserved == 2


def test_a_look_up_larger_than_the_budget_gets_on_from_time_to_time() -> None:
    world = World(origin=FakeOrigin(rows=users(range(1, 41))))
    first = world.look_up(UserKeys(ids=range(1, 41)))
    world.clock.now += 119

    second = world.look_up(UserKeys(ids=range(1, 41)))

    assert (len(first.lines), len(second.lines)) == (SHARE, SHARE)
    world.clock.now += 1
    assert len(world.look_up(UserKeys(ids=range(25, 41))).lines) == 16


def test_a_look_up_that_takes_too_long_stops_in_time_and_blames_nobody() -> None:
    world = World(origin=FakeOrigin(rows=users(range(1, 21))))

    def take_long() -> None:
        world.clock.now += 1.5

    world.origin.before_call = take_long

    found = world.look_up(UserKeys(ids=range(1, 21)))

    assert ids(found) == [1, 2, 3, 4, 5]
    assert isinstance(found.failure, NotAskedError)
    assert (found.failure.reason, len(found.unanswered)) == ("out-of-time", 15)
    assert (world.head.health.retry_at, world.head.health.blocked_until) == (0, 0)


def test_addresses_come_before_ids_where_the_budget_is_short() -> None:
    world = world_of(7, 8)
    world.store.put_head(calls_minute=MINUTE, calls=SHARE - 1, lookups=SHARE - 1)

    found = world.look_up(UserKeys(ids=[8], addresses=[address(7)]))

    assert ids(found) == [7]


@pytest.mark.parametrize(
    "held_off",
    [{"blocked_until": NOW + 9}, {"retry_at": NOW + 9}],
    ids=lambda value: next(iter(value)),
)
def test_while_nobody_may_ask_what_is_remembered_is_told(held_off: dict[str, float]) -> None:
    world = world_of(7, 8)
    world.look_up(UserKeys(ids=[7]))
    world.forget()
    world.store.put_head(**held_off)

    found = world.look_up(UserKeys(ids=[7, 8]))

    assert (ids(found), asked(world)) == ([7], [])
    assert found.unanswered == {id_key(8)}


def test_nobody_wanted_is_nobody_asked() -> None:
    world = world_of(7)

    assert world.look_up(UserKeys()) == Found(received=200)
    assert asked(world) == []


def keys(*named: str | int) -> Sequence[str]:
    wanted = UserKeys(
        addresses=[name for name in named if isinstance(name, str)],
        ids=[name for name in named if isinstance(name, int)],
    )
    return wanted.keys


def test_each_name_is_one_key() -> None:
    assert keys("a@x.de", 5, "a@x.de", 5) == ["email:a@x.de", "id:5"]


def test_a_key_in_the_table_tells_neither_the_user_nor_that_two_clients_share_one() -> None:
    hashed = key_hash("email:ada@example.com", "client-a")

    assert hashed == key_hash("email:ada@example.com", "client-a")
    assert hashed != key_hash("email:ada@example.com", "client-b")
    assert hashed != key_hash("email:Ada@example.com", "client-a")
    assert len(hashed) == 8
    assert len(key_hash("id:\ud800", "c" * 90)) == 8


def test_where_the_share_is_used_up_strangers_cost_no_write() -> None:
    world = world_of(7)
    world.store.put_head(lookups=24, calls=24, calls_minute=int(NOW // 60))

    found = [world.look_up(UserKeys(ids=[user_id])) for user_id in range(100, 200)]

    assert {str(getattr(each.failure, "reason", "")) for each in found} == {"origin-budget"}
    assert (world.store.writes, world.lookups.writes) == ({}, 0)
    assert world.clock.slept == []


def test_a_look_up_that_failed_pauses_itself_and_nobody_else() -> None:
    world = world_of(7, 8)
    world.origin.errors = [OriginError("shape", reason=Reason.WRONG_SHAPE)]
    world.look_up(UserKeys(ids=[7]))

    again, other = world.look_up(UserKeys(ids=[7])), world.look_up(UserKeys(ids=[8]))

    assert isinstance(again.failure, NotAskedError)
    assert (again.failure.reason, again.failure.until) == ("origin-backoff", NOW + 5)
    assert ids(other) == [8]
    assert world.clock.slept == []
    world.clock.now += 5
    assert ids(world.look_up(UserKeys(ids=[7]))) == [7]
