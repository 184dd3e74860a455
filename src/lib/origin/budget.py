"""Decides whether the origin may be asked now, and when next if not.

Blocks and backoff hold for every caller of a client, since the origin counts and blocks per
client. Of the origin's limit (documented: 120 to 500 calls a minute, headers say which) only a
share is ever used. Counting the whole last minute beside the running one keeps *any* sixty
seconds within the share, wherever the origin's own window begins.

Pure: no clock, no I/O. Instants are epoch seconds.
"""

from dataclasses import dataclass

from lib.directory.head import Head

UNKNOWN_LIMIT = 120
"""Calls a minute assumed until the origin has told its limit: the smallest documented one."""

SHARE = 0.6
"""Part of the origin's limit that may be used."""

RESERVE = 0.4
"""Part of the origin's limit under which only the next window's probe is allowed."""

BACKOFF_SECONDS = (5, 10, 20, 40, 60)
"""Pause after the first, second … consecutive failure."""

JITTER = 0.2
"""Largest part by which a pause is lengthened, so that failures do not march in step."""


LOOKUP_SHARE = 1 / 3
"""Part of what may be used that look-ups may take, so that no caller can starve sweeps."""


@dataclass(frozen=True, slots=True)
class Counted:
    """Calls reserved in the running minute and in the one before, in all and for look-ups."""

    calls: int
    calls_before: int
    lookups: int
    lookups_before: int


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why the origin is not asked, and the instant from which it may be."""

    reason: str
    until: float


def limit_of(head: Head) -> int:
    """Return the calls a minute that may be used."""
    return int(SHARE * (head.rate_limit or UNKNOWN_LIMIT))


def counted(head: Head, *, now: float) -> Counted:
    """Return what was reserved in the running minute and in the one before it."""
    minutes_ago = minute_of(now) - head.calls_minute
    if minutes_ago <= 0:
        return Counted(head.calls, head.calls_before, head.lookups, head.lookups_before)
    if minutes_ago == 1:
        return Counted(0, head.calls, 0, head.lookups)
    return Counted(0, 0, 0, 0)


def remaining(head: Head, *, now: float, lookup: bool = False) -> int:
    """Return how many calls may still be reserved in this minute, for a ``lookup`` or in all."""
    had = counted(head, now=now)
    left = max(0, limit_of(head) - had.calls - had.calls_before)
    if not lookup:
        return left
    share = int(LOOKUP_SHARE * limit_of(head))
    return min(left, max(0, share - had.lookups - had.lookups_before))


def minute_of(instant: float) -> int:
    """Return the number of the minute that holds ``instant``."""
    return int(instant // 60)


def refusal(head: Head, *, calls: int, now: float, lookup: bool = False) -> Refusal | None:
    """Return why ``calls`` calls may not be made at ``now``, or None if they may."""
    if head.blocked_until > now:
        return Refusal("origin-blocked", head.blocked_until)
    if head.retry_at > now:
        reason = "quarantined" if head.last_error == "quarantined" else "origin-backoff"
        return Refusal(reason, head.retry_at)
    if head.rate_remaining < RESERVE * head.rate_limit and now < head.rate_reset_at:
        return Refusal("origin-budget", head.rate_reset_at)
    if calls > remaining(head, now=now, lookup=lookup):
        # What was reserved in this minute counts for the whole of the next one.
        had = counted(head, now=now)
        minutes = 1 if calls <= limit_of(head) - had.calls else 2
        return Refusal("origin-budget", (minute_of(now) + minutes) * 60.0)
    return None


def block_until(*, reset_seconds: int, now: float, jitter: float) -> float:
    """Return when a block of ``reset_seconds`` is surely over; ``jitter`` is in 0..1."""
    return now + reset_seconds * (1 + JITTER * jitter)


def backoff_until(*, failures: int, now: float, jitter: float) -> float:
    """Return when to try again after the ``failures``-th failure in a row.

    The longest pause includes its jitter, so that a recovered origin is seen within a minute.
    """
    pause = BACKOFF_SECONDS[min(failures, len(BACKOFF_SECONDS)) - 1]
    return now + min(BACKOFF_SECONDS[-1], pause * (1 + JITTER * jitter))


def counters(head: Head, *, calls: int, now: float, lookup: bool = False) -> dict[str, int]:
    """Return the head's call counters with ``calls`` more of them reserved at ``now``."""
    had = counted(head, now=now)
    return {
        "calls": had.calls + calls,
        "calls_before": had.calls_before,
        "lookups": had.lookups + (calls if lookup else 0),
        "lookups_before": had.lookups_before,
        "calls_minute": max(minute_of(now), head.calls_minute),
    }
