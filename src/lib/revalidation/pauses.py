"""Paces those who wait for another holder's revalidation, so that they do not poll in step.

Pure but for the clock and the sleep it is given.
"""

from collections.abc import Callable, Iterator

FIRST_SECONDS = 0.05
LONGEST_SECONDS = 0.4


def pauses(
    *,
    until: float,
    clock: Callable[[], float],
    sleep: Callable[[float], None],
    random: Callable[[], float],
) -> Iterator[None]:
    """Yield after each pause, pauses growing and jittered, until the instant ``until``."""
    pause = FIRST_SECONDS
    while clock() < until:
        sleep(min(pause * (0.5 + random()), max(0.0, until - clock())))
        yield
        pause = min(pause * 2, LONGEST_SECONDS)
