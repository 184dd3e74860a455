"""When the schedule sees to an announcement: late enough, and less and less often."""

import pytest

from lib.directory.head import Head
from lib.events.overdue import GRACE_SECONDS, LONGEST_PAUSE_SECONDS, MOST_BEHIND, Ask, due, overdue
from tests.fakes import NOW, head_with

MINUTE = 60


def head(*, generation: int = 8, announced: int = 7, age: float = GRACE_SECONDS) -> Head:
    """Return a head whose newest generation was published ``age`` seconds ago."""
    return head_with(generation=generation, announced=announced, modified_at=int(NOW - age))


@pytest.mark.parametrize("age", [-25, 0, GRACE_SECONDS - 1])
def test_a_new_generation_is_left_to_the_stream(age: float) -> None:
    assert not overdue(head(age=age), now=NOW)


@pytest.mark.parametrize("age", [GRACE_SECONDS, 10**6])
def test_a_generation_that_the_stream_had_its_time_for_is_overdue(age: float) -> None:
    assert overdue(head(age=age), now=NOW)


@pytest.mark.parametrize("generation", [0, 7])
def test_what_was_announced_is_never_overdue(generation: int) -> None:
    assert not overdue(head(generation=generation, announced=generation), now=NOW)


def test_a_mark_above_the_generation_is_nothing_to_announce() -> None:
    assert not overdue(head(generation=1, announced=99), now=NOW)


def test_the_head_of_a_deployment_that_announced_nothing_is_overdue() -> None:
    assert overdue(head_with(generation=3), now=NOW)


def test_the_instant_of_a_wrong_clock_is_not_waited_for() -> None:
    assert overdue(head(age=-3600), now=NOW)


@pytest.mark.parametrize(("behind", "is_overdue"), [(MOST_BEHIND, False), (MOST_BEHIND + 1, True)])
def test_a_directory_that_changes_all_the_time_is_overdue_by_how_much_there_is(
    behind: int, *, is_overdue: bool
) -> None:
    assert overdue(head(generation=behind, announced=0, age=1), now=NOW) is is_overdue


def test_nothing_is_asked_for_that_is_not_overdue() -> None:
    assert due(head(age=0), None, now=NOW) is None


def test_the_first_ask_is_made_at_once() -> None:
    assert due(head(), None, now=NOW) == Ask(announced=7, at=NOW, pause=GRACE_SECONDS)


def test_the_pause_doubles_with_every_ask_up_to_an_hour() -> None:
    asked: list[float] = []
    last = None
    for minute in range(8 * 60):
        ask = due(head(), last, now=NOW + minute * MINUTE)
        if ask:
            last = ask
            asked.append(minute)

    assert asked == [0, 5, 15, 35, 75, 135, 195, 255, 315, 375, 435]
    assert last
    assert last.pause == LONGEST_PAUSE_SECONDS


def test_a_mark_that_moved_is_asked_on_for_at_once() -> None:
    last = Ask(announced=6, at=NOW, pause=LONGEST_PAUSE_SECONDS)

    assert due(head(announced=7), last, now=NOW + 1) == Ask(announced=7, at=NOW + 1)


def test_a_clock_that_was_set_back_pauses_nobody_for_long() -> None:
    last = Ask(announced=7, at=NOW + 10**6)

    assert due(head(), last, now=NOW) is not None


@pytest.mark.parametrize("broken", [0, 1, 4, 7, 20, 61, 600, 3000])
def test_after_an_outage_of_the_bus_nobody_waits_much_longer_than_it_was_nor_an_hour(
    broken: int,
) -> None:
    last: Ask | None = None
    minute = 0
    while True:
        ask = due(head(), last, now=NOW + minute * MINUTE)
        last = ask or last
        if ask and minute >= broken:
            break
        minute += 1

    assert minute - broken <= min(broken + GRACE_SECONDS // MINUTE, 60)
