"""How much of the origin's limit may be used, and who must keep away until when."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.directory.head import Head, updated
from lib.errors import Reason
from lib.origin import backoff, budget
from lib.origin.budget import Refusal
from tests.fakes import CLIENT, NOW, head_with

MINUTE = int(NOW // 60)


@pytest.mark.parametrize(
    ("told", "allowed"), [(0, 72), (120, 72), (500, 300), (10, 6), (9, 72), (1, 72)]
)
def test_sixty_percent_of_the_origins_limit_may_be_used(told: int, allowed: int) -> None:
    assert budget.limit_of(head_with(CLIENT, rate_limit=told).counters) == allowed


@pytest.mark.parametrize(
    ("minute", "counted"),
    [
        (MINUTE + 1, (7, 3)),
        (MINUTE, (7, 3)),
        (MINUTE - 1, (0, 7)),
        (MINUTE - 2, (0, 0)),
        (0, (0, 0)),
    ],
)
def test_the_running_minute_and_the_one_before_it_count(
    minute: int, counted: tuple[int, int]
) -> None:
    head = head_with(CLIENT, calls=7, calls_before=3, calls_minute=minute)

    had = budget.counted(head.counters, now=NOW)

    assert (had.calls, had.calls_before) == counted
    assert budget.remaining(head.counters, now=NOW) == 72 - sum(counted)


@pytest.mark.parametrize(
    ("calls", "before", "asked", "wait"),
    [(0, 0, 72, 0), (40, 31, 1, 0), (40, 32, 1, 60), (72, 0, 1, 120), (99, 0, 1, 120)],
)
def test_calls_beyond_the_share_are_refused_until_enough_minutes_are_forgotten(
    calls: int, before: int, asked: int, wait: int
) -> None:
    head = head_with(CLIENT, calls=calls, calls_before=before, calls_minute=MINUTE)

    refused = budget.refusal(head.counters, calls=asked, now=NOW + 20)

    assert refused == (Refusal(Reason.ORIGIN_BUDGET, NOW + wait) if wait else None)


@pytest.mark.parametrize(
    ("remaining", "until", "refused"),
    [(199, NOW + 5, True), (200, NOW + 5, False), (199, NOW, False), (0, NOW + 5, True)],
)
def test_under_forty_percent_left_nobody_asks_before_the_origins_next_window(
    remaining: int, until: float, *, refused: bool
) -> None:
    head = head_with(CLIENT, rate_limit=500, rate_remaining=remaining, rate_reset_at=until)

    found = budget.refusal(head.counters, calls=1, now=NOW)

    assert found == (Refusal(Reason.ORIGIN_BUDGET, until) if refused else None)


@pytest.mark.parametrize(
    ("head", "reason"),
    [
        (head_with(CLIENT, blocked_until=NOW + 1, retry_at=NOW + 9), "origin-blocked"),
        (head_with(CLIENT, retry_at=NOW + 1, last_error="origin-5xx"), "origin-backoff"),
        (head_with(CLIENT, retry_at=NOW + 300), "origin-backoff"),
        (head_with(CLIENT, blocked_until=NOW + 301, retry_at=NOW + 900), None),
        (head_with(CLIENT, blocked_until=NOW, retry_at=NOW), None),
    ],
)
def test_a_block_goes_before_a_pause_and_both_end_at_their_instant(
    head: Head, reason: str | None
) -> None:
    refused = budget.pause(head.health, now=NOW)

    assert (refused.reason if refused else None) == reason


def test_counting_in_a_new_minute_moves_the_old_count_back() -> None:
    head = head_with(CLIENT, calls=7, calls_before=3, calls_minute=MINUTE - 1)

    assert budget.reserved(head.counters, calls=2, now=NOW) == {
        "calls": 2,
        "calls_before": 7,
        "lookups": 0,
        "lookups_before": 0,
        "calls_minute": MINUTE,
    }


def test_a_clock_behind_the_counters_does_not_set_them_back() -> None:
    head = head_with(CLIENT, calls=7, calls_before=3, calls_minute=MINUTE + 1)

    counters = budget.reserved(head.counters, calls=2, now=NOW)

    assert (counters["calls"], counters["calls_minute"]) == (9, MINUTE + 1)


@given(st.lists(st.tuples(st.floats(0, 45), st.integers(1, 20)), max_size=60))
def test_no_sixty_seconds_see_more_calls_than_the_share(
    arrivals: list[tuple[float, int]],
) -> None:
    head, now = head_with(CLIENT), NOW
    made: list[tuple[float, int]] = []

    for pause, calls in arrivals:
        now += pause
        if budget.refusal(head.counters, calls=calls, now=now) is None:
            made.append((now, calls))
            head = updated(head, budget.reserved(head.counters, calls=calls, now=now))

    for begin, _ in made:
        assert sum(calls for at, calls in made if begin <= at < begin + 60) <= 72


@pytest.mark.parametrize(
    ("failures", "jitter", "pause"),
    [
        *((1, 0, 5), (2, 0, 10), (3, 0, 20), (4, 0, 40), (5, 0, 60), (99, 0, 60)),
        *((1, 1, 6), (4, 1, 48), (5, 1, 60), (5, 0.5, 60)),
    ],
)
def test_pauses_double_up_to_a_minute_jitter_included(
    failures: int, jitter: float, pause: float
) -> None:
    assert backoff.pause_after(failures, jitter=jitter) == pause


def test_a_block_is_kept_a_second_longer_than_the_origin_asks() -> None:
    assert backoff.block_until(reset_seconds=30, now=NOW) == NOW + 31


def test_a_count_that_is_minutes_ahead_is_a_wrong_clocks_and_does_not_last() -> None:
    head = head_with(CLIENT, calls=72, calls_minute=MINUTE + 15)

    counters = budget.reserved(head.counters, calls=2, now=NOW)

    assert budget.refusal(head.counters, calls=2, now=NOW) is None
    assert (counters["calls"], counters["calls_minute"]) == (2, MINUTE)


@pytest.mark.parametrize(
    ("lookups", "before", "asked", "allowed"),
    [(0, 0, 24, True), (0, 0, 25, False), (20, 3, 1, True), (20, 4, 1, False)],
)
def test_look_ups_may_use_a_third_of_the_share(
    lookups: int, before: int, asked: int, *, allowed: bool
) -> None:
    head = head_with(CLIENT, lookups=lookups, lookups_before=before, calls=24, calls_minute=MINUTE)

    refused = budget.refusal(head.counters, calls=asked, now=NOW, lookup=True)

    assert refused == (None if allowed else Refusal(Reason.ORIGIN_BUDGET, NOW + 60))
    assert budget.refusal(head.counters, calls=25, now=NOW) is None


def test_look_ups_may_not_pass_the_whole_share_either() -> None:
    head = head_with(CLIENT, calls=71, calls_minute=MINUTE)

    assert budget.remaining(head.counters, now=NOW, lookup=True) == 1


def test_counting_look_ups_counts_them_as_calls_too_and_moves_them_back_in_time() -> None:
    first = updated(
        head_with(CLIENT),
        budget.reserved(head_with(CLIENT).counters, calls=3, now=NOW, lookup=True),
    )

    counters = budget.reserved(first.counters, calls=2, now=NOW + 60)

    assert (first.counters.calls, first.counters.lookups) == (3, 3)
    assert (counters["calls"], counters["calls_before"]) == (2, 3)
    assert (counters["lookups"], counters["lookups_before"]) == (0, 3)
