"""Decides what the end of a revalidation changes in the head, as attributes to set or remove.

Pure: no clock, no I/O. Instants are epoch seconds; ``None`` removes an attribute.
"""

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from lib.directory.head import CLIENT_NOT_CONFIGURED, Head, RateLimit, Value
from lib.directory.pages import Draft
from lib.errors import OriginBlockedError, QuarantinedError, ServiceError, UnavailableError
from lib.origin import budget
from lib.revalidation import quarantine
from lib.revalidation.reconcile import Census
from lib.revalidation.window import Sweep

KEEP_SECONDS = 30 * 24 * 3600
"""How long what a head names is kept before it must be renewed."""

type Changes = dict[str, Value]

_DEFAULTS = {field.name: field.default for field in fields(Head)}


def released(told: RateLimit | None) -> Changes:
    """Return the changes of any end: the lease is free, the origin's limit as last told."""
    changes: Changes = {"lease_holder": None, "lease_expires_at": None}
    if told is not None:
        changes["rate_limit"] = told.limit
        changes["rate_remaining"] = told.remaining
        changes["rate_reset_at"] = told.reset_at
    return changes


def validated(*, started: float, now: float, found: Sweep, forced: bool) -> Changes:
    """Return the changes of a success that began at ``started``: young, and no failure since."""
    changes: Changes = {
        "swept_at": started,
        "validated_at": now,
        "window_users": len(found.users),
        "last_error": None,
        "failures": None,
        "quarantine": None,
        "quarantined_at": None,
    }
    if forced:
        changes["forced_at"] = started
    return changes


def counted(census: Census, found: Sweep) -> Changes:
    """Return the changes that tell of users whom the sweep has not seen."""
    return {
        "adopted": census.adopted or None,
        "window_last_id": None if found.complete else found.last_id,
        "rotation_id": census.rotation.next_id or None,
        "cycle_began_at": census.rotation.began_at or None,
        "adopted_seen_at": census.rotation.seen_at or None,
        "unconfirmed_since": census.unconfirmed_since or None,
    }


def moved(head: Head, draft: Draft, *, started: float, kept_until: int) -> Changes:
    """Return the changes of a new generation, beside those of its validation."""
    return {
        "digest": draft.digest,
        "users": draft.users,
        "complete": draft.complete,
        "incomplete_reason": draft.reason or None,
        "policy": draft.policy,
        "pages_expire_at": kept_until,
        # It must rise: dates have whole seconds, and two generations may share one.
        "modified_at": max(int(started), head.modified_at + 1),
    }


def failed(head: Head, error: ServiceError) -> Changes:
    """Return the changes of a failure that the origin or the secret is to blame for."""
    reason = error.reason if isinstance(error, UnavailableError) else CLIENT_NOT_CONFIGURED
    changes: Changes = {"last_error": reason, "failures": head.failures + 1}
    if isinstance(error, QuarantinedError):
        changes |= {"quarantine": error.loss, "quarantined_at": error.since}
    return changes


def hold_off(head: Head, error: ServiceError, *, now: float, jitter: float) -> tuple[str, float]:
    """Return which attribute keeps everybody from asking, and until when; ``jitter`` in 0..1."""
    if isinstance(error, OriginBlockedError):
        until = budget.block_until(reset_seconds=error.reset_seconds, now=now, jitter=jitter)
        return "blocked_until", until
    until = budget.backoff_until(failures=head.failures + 1, now=now, jitter=jitter)
    if isinstance(error, QuarantinedError) and error.since + quarantine.WAIT_SECONDS > now:
        # What was a fault heals after a pause as any other; a loss is believed once it may be.
        until = min(until, error.since + quarantine.WAIT_SECONDS)
    return "retry_at", until


def apply(head: Head, changes: Mapping[str, Value]) -> Head:
    """Return the head as it is after ``changes``."""
    values: dict[str, Any] = {
        name: _DEFAULTS[name] if value is None else value for name, value in changes.items()
    }
    return replace(head, **values)
