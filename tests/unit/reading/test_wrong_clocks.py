"""An environment whose clock is a quarter of an hour ahead has written to the head."""

import pytest

from lib.directory.head import SKEW_SECONDS, Value
from lib.errors import OriginError, Reason
from lib.revalidation.outcomes import Claim
from tests.caller import Caller
from tests.fakes import NOW
from tests.world import EXPIRED, FRESH, World, said

AHEAD = 900


def spoiled(**attributes: Value) -> World:
    """Return a world of a fresh directory, with some attributes as a wrong clock wrote them."""
    world = World()
    world.publish(age=1)
    world.store.put_head(**attributes)
    world.memory.head("clientid1")
    return world


@pytest.mark.parametrize(
    "attributes",
    [
        {"blocked_until": NOW + AHEAD},
        {"retry_at": NOW + AHEAD},
        {"rate_limit": 120, "rate_remaining": 1, "rate_reset_at": NOW + AHEAD},
        {"calls": 72, "calls_minute": int((NOW + AHEAD) // 60)},
        {"lease_holder": "ahead", "lease_expires_at": NOW + AHEAD},
    ],
    ids=lambda attributes: next(iter(attributes)),
)
def test_nobody_is_kept_from_asking(attributes: dict[str, Value]) -> None:
    world = spoiled(**attributes)

    assert isinstance(world.revalidation.claim(world.head, holder="me"), Claim)


@pytest.mark.parametrize("name", ["blocked_until", "retry_at"])
def test_a_pause_of_its_is_not_believed_later_either(name: str) -> None:
    world = spoiled(**{name: NOW + AHEAD})
    world.revalidate()
    world.clock.now = NOW + AHEAD - 1

    assert isinstance(world.revalidation.claim(world.head, holder="me"), Claim)


def test_a_doubt_of_its_begins_when_it_is_read() -> None:
    world = spoiled(doubted_since=NOW + AHEAD)
    world.origin.rows = world.origin.rows[:5]

    world.revalidate()

    assert world.head.health.doubted_since == world.clock.now


def test_no_floor_keeps_a_caller_waiting() -> None:
    world = spoiled(forced_at=NOW + AHEAD)

    assert world.refresh().outcome == "unchanged"
    assert said(world.read("no-cache"))[0].startswith("hit; ")


def test_no_sweep_of_it_is_taken_for_one_that_a_caller_asked_for() -> None:
    world = spoiled(swept_at=NOW + AHEAD)

    refreshed = world.refresh()
    world.store.put_head(swept_at=NOW + AHEAD, forced_at=0)
    answer = world.read("no-cache")

    assert refreshed.outcome == "unchanged"
    assert answer.status == "fwd=request; fwd-status=200; stored"


@pytest.mark.parametrize(("ahead", "status"), [(SKEW_SECONDS, 404), (AHEAD, 502)])
def test_what_it_swept_is_not_complete_for_longer(ahead: int, status: int) -> None:
    world = spoiled(swept_at=NOW + 1 + ahead)
    world.origin.errors = [OriginError("shape", reason=Reason.WRONG_SHAPE, received=200)]

    assert Caller(world).user(999).status == status


def test_what_it_swept_is_not_fresh_for_longer() -> None:
    world = spoiled(swept_at=NOW + AHEAD)

    answer = world.read()

    assert answer.status.endswith("; detail=stale-while-revalidate")
    assert len(world.handed_over) == 1


def test_clocks_that_differ_by_seconds_are_believed() -> None:
    world = spoiled(swept_at=NOW + SKEW_SECONDS)

    assert said(world.read()) == ("hit; ttl=120", 0)
    assert world.handed_over == []


def test_what_expires_while_a_reader_waits_is_not_served_any_more() -> None:
    world = World()
    world.publish(age=EXPIRED - 5)
    world.claim("holder")

    with pytest.raises(Exception, match="Nothing usable is stored"):
        world.read("max-age=1")

    assert world.clock.now > NOW + EXPIRED > NOW + FRESH
