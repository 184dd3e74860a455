"""Decides whether the origin may be asked now, and when next if not.

Blocks and backoff hold for every caller of a client, since the origin counts and blocks per
client. Of the origin's limit (documented: 120 to 500 calls a minute, headers say which) only a
share is ever used. Counting the whole last minute beside the running one keeps *any* sixty
seconds within the share, wherever the origin's own window begins.

Pure: no clock, no I/O. Instants are epoch seconds.
"""

from typing import NamedTuple

from lib.directory.head import LONGEST_PAUSE_SECONDS, CallCounters, Health, Value
from lib.errors import Reason

UNKNOWN_LIMIT = 120
"""Calls a minute assumed until the origin has told its limit: the smallest documented one."""

SHARE = 0.6
"""Part of the origin's limit that may be used."""

RESERVE = 0.4
"""Part of the origin's limit under which only the next window's probe is allowed."""

LEAST_LIMIT = 10
"""A smaller limit than this is no limit that the origin has; it counts as unknown."""

LOOKUP_SHARE = 1 / 3
"""Part of what may be used that look-ups may take, so that no caller can starve sweeps."""


class Counted(NamedTuple):
    """Calls reserved in the running minute and in the one before, in all and for look-ups."""

    calls: int
    calls_before: int
    lookups: int
    lookups_before: int


class Refusal(NamedTuple):
    """Why the origin is not asked, and the instant from which it may be."""

    reason: Reason
    until: float


def limit_of(told: CallCounters) -> int:
    """Return the calls a minute that may be used."""
    limit = told.rate_limit if told.rate_limit >= LEAST_LIMIT else UNKNOWN_LIMIT
    return int(SHARE * limit)


def counted(told: CallCounters, *, now: float) -> Counted:
    """Return what was reserved in the running minute and in the one before it."""
    minutes_ago = minute_of(now) - told.calls_minute
    # Clocks differ by seconds; a count from further ahead is a wrong clock's, and would last.
    if -1 <= minutes_ago <= 0:
        return Counted(told.calls, told.calls_before, told.lookups, told.lookups_before)
    if minutes_ago == 1:
        return Counted(0, told.calls, 0, told.lookups)
    return Counted(0, 0, 0, 0)


def remaining(told: CallCounters, *, now: float, lookup: bool = False) -> int:
    """Return how many calls may still be reserved in this minute, for a ``lookup`` or in all."""
    had = counted(told, now=now)
    left = max(0, limit_of(told) - had.calls - had.calls_before)
    if not lookup:
        return left
    share = int(LOOKUP_SHARE * limit_of(told))
    return min(left, max(0, share - had.lookups - had.lookups_before))


def remaining_for_hints(told: CallCounters, *, now: float) -> int:
    """Return how many calls may still be reserved in this minute for whom webhooks hint at.

    They are look-ups, and end when half of the look-ups' share is used up, by whomever: a flood of
    webhooks leaves callers the other half.
    """
    had, share = counted(told, now=now), int(LOOKUP_SHARE * limit_of(told))
    left = max(1, share // 2) - had.lookups - had.lookups_before
    return min(remaining(told, now=now, lookup=True), max(0, left))


def minute_of(instant: float) -> int:
    """Return the number of the minute that holds ``instant``."""
    return int(instant // 60)


def pause(health: Health, *, now: float) -> Refusal | None:
    """Return why nobody may ask at ``now``, or None if somebody may."""
    latest = now + LONGEST_PAUSE_SECONDS
    if now < health.blocked_until <= latest:
        return Refusal(Reason.ORIGIN_BLOCKED, health.blocked_until)
    if now < health.retry_at <= latest:
        return Refusal(Reason.ORIGIN_BACKOFF, health.retry_at)
    return None


def refusal(told: CallCounters, *, calls: int, now: float, lookup: bool = False) -> Refusal | None:
    """Return why the budget does not allow ``calls`` calls at ``now``, or None if it does."""
    nearly_used_up = told.rate_remaining < RESERVE * told.rate_limit
    if nearly_used_up and now < told.rate_reset_at <= now + LONGEST_PAUSE_SECONDS:
        return Refusal(Reason.ORIGIN_BUDGET, told.rate_reset_at)
    if calls > remaining(told, now=now, lookup=lookup):
        # What was reserved in this minute counts for the whole of the next one.
        had = counted(told, now=now)
        minutes = 1 if calls <= limit_of(told) - had.calls else 2
        return Refusal(Reason.ORIGIN_BUDGET, (minute_of(now) + minutes) * 60.0)
    return None


def reserved(
    told: CallCounters, *, calls: int, now: float, lookup: bool = False
) -> dict[str, Value]:
    """Return the counters' attributes with ``calls`` more of them reserved at ``now``."""
    had, ahead = counted(told, now=now), told.calls_minute - minute_of(now)
    return {
        "calls": had.calls + calls,
        "calls_before": had.calls_before,
        "lookups": had.lookups + (calls if lookup else 0),
        "lookups_before": had.lookups_before,
        "calls_minute": told.calls_minute if ahead == 1 else minute_of(now),
    }
