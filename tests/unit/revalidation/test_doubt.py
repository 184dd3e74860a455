"""Which losses are believed at once, and how long the others are doubted."""

import pytest

from lib.revalidation.doubt import WAIT_SECONDS, doubted_since, ripe
from tests.fakes import NOW, head_with


@pytest.mark.parametrize(
    ("users", "lost", "doubted"),
    [
        (0, 0, False),
        (1, 1, True),
        (6, 5, False),
        (6, 6, True),
        (20, 5, False),
        (20, 6, True),
        (59, 6, True),
        (60, 6, False),
        (60, 7, True),
        (500, 50, False),
        (500, 51, True),
        (500, 500, True),
    ],
)
def test_more_than_five_and_a_tenth_or_everybody_is_doubted(
    users: int, lost: int, *, doubted: bool
) -> None:
    since = doubted_since(head_with(users=users), lost=lost, left=users - lost, now=NOW)

    assert since == (NOW if doubted else 0)


def test_users_past_the_window_do_not_make_a_loss_smaller() -> None:
    head = head_with(users=1000, adopted=940)

    assert doubted_since(head, lost=7, left=53, now=NOW) == NOW


@pytest.mark.parametrize("lost", [8, 9, 20])
def test_the_clock_runs_as_long_as_every_sweep_loses_too_many(lost: int) -> None:
    head = head_with(users=20, doubted_since=NOW - 30)

    assert doubted_since(head, lost=lost, left=20 - lost, now=NOW) == NOW - 30


def test_a_sweep_that_is_believed_stops_the_clock() -> None:
    head = head_with(users=20, doubted_since=NOW - 30)

    assert doubted_since(head, lost=5, left=15, now=NOW) == 0


@pytest.mark.parametrize(("seconds", "old_enough"), [(0, False), (59.9, False), (60, True)])
def test_after_a_minute_those_who_are_missing_may_be_asked_for(
    seconds: float, *, old_enough: bool
) -> None:
    assert WAIT_SECONDS == 60
    assert ripe(NOW - seconds, now=NOW) is old_enough
