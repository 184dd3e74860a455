"""Tells callers what is stored of a client, how old it is, and what went wrong last.

Pure: no clock, no I/O.
"""

from typing import Any

from lib.caching.freshness import age_of
from lib.directory.head import Head
from lib.origin import budget
from lib.users.dates import iso_date


def cache_data(head: Head, *, now: float) -> dict[str, Any]:
    """Return what callers may know of a client's cache; ages in seconds, instants ISO 8601."""
    age = age_of(head.swept_at, now=now) if head.published else None
    return {
        "generation": head.generation,
        "digest": head.digest or None,
        "users": head.users,
        "complete": head.complete,
        "incompleteReason": head.incomplete_reason or None,
        "age": age,
        "oldestObservationAge": age_of(head.oldest_observation, now=now)
        if head.published
        else None,
        "validatedAt": _iso(head.validated_at),
        "revalidating": head.leased(now),
        "lastError": head.last_error or None,
        "blockedUntil": _iso(head.blocked_until) if head.blocked_until > now else None,
        "retryAt": _iso(head.retry_at) if head.retry_at > now else None,
        "originBudget": {
            "limit": budget.limit_of(head),
            "remaining": budget.remaining(head, now=now),
        },
    }


def _iso(instant: float) -> str | None:
    """Return an instant in the origin's date format, None for never."""
    return iso_date(instant) if instant else None
