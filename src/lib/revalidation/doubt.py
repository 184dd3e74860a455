"""Decides whether a sweep that lost users is believed.

Users do vanish, but rarely many at once: an empty or much shorter list is more often a fault of
the origin than a fact. Such a loss is doubted. Those who are missing stay listed as unconfirmed,
while everything else that the sweep saw is published. After a minute of sweeps that all lost too
many, whoever answers 404 to his own id is gone; nobody else ever is.

Pure: no clock, no I/O. Instants are epoch seconds.
"""

from lib.directory.head import Head

WAIT_SECONDS = 60
"""How long a loss is doubted before those who are missing are asked for."""

BELIEVED_LOSS = 5
BELIEVED_SHARE = 0.1


def doubted_since(head: Head, *, lost: int, left: int, now: float) -> float:
    """Return since when a loss of ``lost`` users that left ``left`` is doubted; 0: it is believed.

    The clock runs as long as every sweep lost too many, whoever they were: users who go on leaving
    do not keep those from going who left first.
    """
    users = head.generation.users - head.generation.adopted
    if lost <= (handful(users) if left else 0):
        return 0
    # A clock that was wrong may have written that it began in the future.
    return min(head.health.doubted_since or now, now)


def handful(users: int) -> int:
    """Return how many of ``users`` are believed to have gone or changed at once."""
    return max(BELIEVED_LOSS, int(BELIEVED_SHARE * users))


def ripe(since: float, *, now: float) -> bool:
    """Return whether those who are missing may be asked for, one by one."""
    return now - since >= WAIT_SECONDS
