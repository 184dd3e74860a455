"""Waits for a generation that a caller has been told of and this environment has not seen yet.

Pure but for the clock and the sleep it is given.
"""

from collections.abc import Callable

from lib.caching.headers import retry_after
from lib.directory.head import Head
from lib.errors import InvalidRequestError, NotAskedError
from lib.revalidation.pauses import pauses

WAIT_SECONDS = 2.0
"""Longest wait for a generation that is not published yet."""


def await_generation(
    read: Callable[[], Head],
    number: int,
    *,
    deadline: float,
    clock: Callable[[], float],
    sleep: Callable[[float], None],
    random: Callable[[], float],
) -> Head:
    """Return a head of generation ``number`` or later, waiting a moment for the very next one.

    Raises:
        InvalidRequestError: nobody can have been told of it yet.
        NotAskedError: it has not been published in time.
    """
    head = read()
    if number > head.generation + 1:
        raise InvalidRequestError(
            f"Parameter 'min_generation' is above the newest generation, {head.generation}, "
            "and the next."
        )
    if head.generation >= number:
        return head
    until = min(deadline, clock() + WAIT_SECONDS)
    for _ in pauses(until=until, clock=clock, sleep=sleep, random=random):
        head = read()
        if head.generation >= number:
            return head
    raise NotAskedError(
        "This generation is not published yet.",
        reason="generation-awaited",
        retry_after=retry_after(1, jitter=random()),
    )
