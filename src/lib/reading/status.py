"""Tells callers what is stored of a client, how old it is, and what went wrong last.

Pure: no clock, no I/O.
"""

from typing import Any

from lib.caching.freshness import age_of
from lib.directory.head import REFUSED, Head
from lib.directory.listing import Listing
from lib.origin import budget
from lib.revalidation import health
from lib.revalidation.schedule import Schedule
from lib.users.dates import iso_date


def cache_data(
    head: Head,
    schedule: Schedule,
    *,
    now: float,
    version: str,
    hiding_digest: str,
    listing: Listing | None = None,
) -> dict[str, Any]:
    """Return what callers may know of a client's cache; ages in seconds, instants ISO 8601.

    ``listing`` is None where no organization was to be asked. ``version`` is that of whoever
    answers, and ``hiding_digest`` names what is hidden there.
    """
    generation, counters, known = head.generation, head.counters, health.as_seen(head, now=now)

    def age(instant: float) -> int | None:
        return age_of(instant, now=now) if generation.published else None

    return {
        "generation": generation.number,
        "digest": generation.digest or None,
        "usersDigest": generation.users_digest(hiding_digest),
        "users": generation.users,
        "complete": generation.complete,
        "incompleteReason": generation.incomplete_reason or None,
        "age": age(generation.swept_at),
        "oldestObservationAge": age(generation.oldest_observation),
        "validatedAt": _iso(head.validated_at),
        "revalidating": head.lease.held(now),
        "revalidationInterval": schedule.interval(head, now=now),
        "lastReadAt": _iso(head.read_at),
        "lastError": known.last_error or None,
        "blockedUntil": _iso(known.blocked_until) if known.blocked_until > now else None,
        "retryAt": _iso(known.retry_at) if known.retry_at > now else None,
        "originBudget": {
            "limit": budget.limit_of(counters),
            "remaining": budget.remaining(counters, now=now),
        },
        "organization": _organization(head, listing, now=now),
        "version": version,
    }


def _organization(head: Head, listing: Listing | None, *, now: float) -> dict[str, Any] | None:
    """Return whether an organization's list is used, and why not."""
    if listing is None:
        return None
    refused = head.source == REFUSED
    return {
        "inUse": not refused,
        "reason": (listing.refused or None) if refused else None,
        "retryAt": _iso(listing.retry_at) if refused and listing.retry_at > now else None,
        "undecided": listing.undecided,
    }


def _iso(instant: float) -> str | None:
    """Return an instant in the origin's date format, None for never."""
    return iso_date(instant) if instant else None
