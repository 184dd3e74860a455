"""Tells when the table's stream has had its time, and the schedule has to see to an announcement.

A stream gives a record up after some tries. What the record told of is still in the table: a
generation above the mark of what was announced. Whoever looks at the head sees that, and asks for
the announcement, less and less often while it goes on failing.

Pure: no clock, no I/O.
"""

from dataclasses import dataclass

from lib.directory.head import SKEW_SECONDS, Head

GRACE_SECONDS = 5 * 60
"""How long the newest generation is left to the stream; also the first pause between two asks."""

MOST_BEHIND = 5
"""With more generations than this to announce, their age is not waited for.

A directory that changes at every sweep has no old generation to wait for.
"""

LONGEST_PAUSE_SECONDS = 60 * 60
"""The longest pause between two asks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """That an announcement was asked for at the instant ``at``, when the mark was ``announced``.

    Nobody asks again within ``pause`` seconds unless the mark has moved.
    """

    announced: int
    at: float
    pause: float = GRACE_SECONDS


def overdue(head: Head, *, now: float) -> bool:
    """Return whether the stream has not had ``head``'s newest generation announced in its time."""
    behind = head.generation.number - head.announced
    # An instant further ahead is the word of a wrong clock, and would have to be waited for.
    young = -SKEW_SECONDS <= now - head.generation.modified_at < GRACE_SECONDS
    return behind > MOST_BEHIND or (behind > 0 and not young)


def due(head: Head, last: Ask | None, *, now: float) -> Ask | None:
    """Return the ask to be made at ``now``, when ``last`` was the one before; None if none is."""
    if not overdue(head, now=now):
        return None
    if last is None or last.announced != head.announced:
        return Ask(announced=head.announced, at=now)
    if 0 <= now - last.at < last.pause:
        return None
    return Ask(announced=head.announced, at=now, pause=min(2 * last.pause, LONGEST_PAUSE_SECONDS))
