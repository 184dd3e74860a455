"""Pauses of those who wait: growing, jittered, and never past the end."""

import pytest

from lib.revalidation.pauses import pauses
from tests.fakes import NOW, Clock


def waited(*, seconds: float, jitter: float) -> list[float]:
    """Wait to the end and return the pauses."""
    clock = Clock()
    for _ in pauses(until=NOW + seconds, time=clock.time(lambda: jitter)):
        pass
    return clock.slept


@pytest.mark.parametrize(("jitter", "factor"), [(0.0, 0.5), (0.5, 1.0), (1.0, 1.5)])
def test_pauses_double_up_to_the_longest_and_jitter_spreads_them(
    jitter: float, factor: float
) -> None:
    slept = waited(seconds=5, jitter=jitter)

    expected = [pause * factor for pause in (0.05, 0.1, 0.2, 0.4, 0.4)]
    assert slept[:5] == pytest.approx(expected)


@pytest.mark.parametrize("seconds", [0.01, 0.3, 5])
def test_the_last_pause_ends_at_the_end(seconds: float) -> None:
    assert sum(waited(seconds=seconds, jitter=0.7)) == pytest.approx(seconds)


@pytest.mark.parametrize("seconds", [0, -1])
def test_with_no_time_left_there_is_no_pause(seconds: float) -> None:
    assert waited(seconds=seconds, jitter=0.5) == []
