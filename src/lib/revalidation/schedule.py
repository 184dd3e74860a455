"""Decides whom the schedule revalidates: who is read at every run, who is not less and less often.

Pure: no clock, no I/O. Instants are epoch seconds.
"""

from collections.abc import Sequence
from itertools import batched
from typing import NamedTuple

from lib.directory.head import PART, SKEW_SECONDS, Head

IDLE_AFTER_SECONDS = 3600
"""Whoever was read within this time is revalidated at every run."""

SLOWDOWN = 10
"""Then a client waits a tenth as long as it has been idle."""

NOTED_SECONDS = 600
"""How exactly it is known when a client was read last: that costs a write."""

SIDE_BY_SIDE = 8
"""How many clients one invocation revalidates at a time: most of a sweep is waiting."""

BATCH = 40
"""How many clients one invocation takes on."""

MISSED_SECONDS = 10
"""A run of the schedule takes less than this to begin with whoever is due."""

LARGE_USERS = 2_000
"""A directory with more users has an invocation, and its memory, to itself."""


class Schedule(NamedTuple):
    """A deployment's schedule, in seconds: a run ``every`` so many, idle clients after ``idle``.

    With ``idle`` not above ``every`` nobody is idle. A client is *late* when it is ``tolerance``
    seconds older than it should be.
    """

    every: int
    idle: int
    tolerance: int

    def interval(self, head: Head, *, now: float) -> int:
        """Return after how many seconds a client is due again."""
        if not head.generation.published or head.read_at > now:
            return self.every
        waits = (now - head.read_at - IDLE_AFTER_SECONDS) / SLOWDOWN
        return int(max(self.every, min(self.idle, waits)))

    def due(self, head: Head, *, now: float) -> bool:
        """Return whether this run is to revalidate a client.

        Whoever is doubted or fails is due at every run, whether read or not; so is whose list has
        been swept in part.
        """
        interval = self.interval(head, now=now)
        unsettled = head.health.last_error or head.health.doubted_since
        if interval == self.every or unsettled or head.source == PART:
            return True
        # Runs are not exactly ``every`` seconds apart.
        return _age(head, now=now) >= interval - self.every / 2

    def late(self, head: Head, *, now: float) -> bool:
        """Return whether a client should have been revalidated long ago.

        One that nothing was ever stored of is late once it has failed.
        """
        if not head.generation.published:
            return head.health.failures > 0
        return _age(head, now=now) > self.interval(head, now=now) + self.tolerance

    def missed(self, head: Head, *, now: float) -> bool:
        """Return whether the schedule must have passed over a client who was due.

        So it does where somebody else has the lease at that moment.
        """
        return _age(head, now=now) >= self.interval(head, now=now) + MISSED_SECONDS

    def unnoted(self, head: Head, *, now: float) -> bool:
        """Return whether a read at ``now`` is to be noted in the head."""
        return now - head.read_at >= NOTED_SECONDS and self.idle > self.every

    def batches(self, heads: Sequence[Head], *, now: float) -> list[tuple[str, ...]]:
        """Return who of ``heads`` is due, as the clients of one invocation each; oldest first."""
        due = [head for head in heads if self.due(head, now=now)]
        due.sort(key=lambda head: head.generation.swept_at)
        large = [head.client_id for head in due if head.generation.users > LARGE_USERS]
        small = [head.client_id for head in due if head.generation.users <= LARGE_USERS]
        return [*batched(small, BATCH, strict=False), *((client_id,) for client_id in large)]


def oldest(heads: Sequence[Head], schedule: Schedule, *, now: float) -> float:
    """Return the age in seconds of the oldest snapshot of a client that is not idle; 0 for none."""
    kept_fresh = [
        head
        for head in heads
        if head.generation.published and schedule.interval(head, now=now) == schedule.every
    ]
    return max((_age(head, now=now) for head in kept_fresh), default=0.0)


def _age(head: Head, *, now: float) -> float:
    """Return a snapshot's age in seconds; a wrong clock's word of it makes nothing young."""
    swept_at = head.generation.swept_at
    return now - swept_at if swept_at <= now + SKEW_SECONDS else now
