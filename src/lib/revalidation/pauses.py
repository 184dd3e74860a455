"""Waits for what somebody else is about to do, without polling in step with others who wait.

Pure but for the time it is given.
"""

from collections.abc import Callable, Iterator

from lib.clock import Time

FIRST_SECONDS = 0.05
LONGEST_SECONDS = 0.4


def pauses(*, until: float, time: Time) -> Iterator[None]:
    """Yield after each pause, pauses growing and jittered, until the instant ``until``."""
    pause = FIRST_SECONDS
    while time.now() < until:
        time.sleep(min(pause * (0.5 + time.random()), max(0.0, until - time.now())))
        yield
        pause = min(pause * 2, LONGEST_SECONDS)


def follow[T](read: Callable[[], T], *, until: float, time: Time) -> Iterator[T]:
    """Yield what ``read`` returns now and after each pause, until the instant ``until``.

    This is every single flight of this service: look whether the need is met, else try to take
    the work, else wait and look again.
    """
    yield read()
    for _ in pauses(until=until, time=time):
        yield read()
