"""Decides how long to let the origin be after it failed or blocked.

Pure: no clock, no I/O. Instants are epoch seconds, ``jitter`` is in 0..1.
"""

PAUSE_SECONDS = (5, 10, 20, 40, 60)
"""Pause after the first, second … consecutive failure."""

JITTER = 0.2
"""Largest part by which a pause is lengthened, so that failures do not march in step."""

BLOCK_MARGIN_SECONDS = 1
"""What a block is waited out longer: the origin tells whole seconds."""


def pause_after(failures: int, *, jitter: float = 0.0) -> float:
    """Return the seconds to wait after the ``failures``-th failure in a row.

    The longest pause includes its jitter, so that a recovered origin is seen within a minute.
    """
    pause = PAUSE_SECONDS[min(failures, len(PAUSE_SECONDS)) - 1]
    return min(PAUSE_SECONDS[-1], pause * (1 + JITTER * jitter))


def block_until(*, reset_seconds: float, now: float) -> float:
    """Return when a block that the origin says lasts ``reset_seconds`` is surely over.

    Without jitter: each caller who is told of it gets a ``Retry-After`` of his own.
    """
    return now + reset_seconds + BLOCK_MARGIN_SECONDS
