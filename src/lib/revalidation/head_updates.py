"""Decides what the end of a revalidation changes in the head.

Pure: no clock, no I/O. Instants are epoch seconds; ``None`` removes an attribute.
"""

from lib.directory.head import (
    HEAD_SECONDS,
    LONGEST_PAUSE_SECONDS,
    Head,
    Health,
    Lease,
    Value,
    attributes_of,
)
from lib.directory.pages import Draft
from lib.origin.rate_limit import RateLimit
from lib.revalidation.reconcile import Reconciled
from lib.revalidation.window import Sweep

KEPT_SECONDS = 30 * 24 * 3600
"""How long a generation may be asked for after it was the newest."""

KEEP_SECONDS = KEPT_SECONDS + 24 * 3600
"""How long what a head names is kept; it is renewed before ``KEPT_SECONDS`` are left."""

type Update = dict[str, Value]


def taken(lease: Lease, counters: Update, noted: Health) -> Update:
    """Return the update of an acquisition, which also notes what is known of the origin."""
    return {**attributes_of(lease), **counters, **_noted(noted)}


def released(told: RateLimit | None) -> Update:
    """Return the update of any end: the lease is free, the origin's limit as last told."""
    update: Update = {"lease_holder": None, "lease_expires_at": None}
    if told is not None:
        update["rate_limit"] = told.limit
        update["rate_remaining"] = told.remaining
        update["rate_reset_at"] = told.reset_at
    return update


def failed(noted: Health) -> Update:
    """Return the update of a failure, but for pauses, which rise by a write of their own."""
    return _noted(noted)


def disbelieved(health: Health, *, now: float) -> Update:
    """Return the update that forgets pauses which only a wrong clock can have written.

    Nobody believes them, but the time would come when somebody did.
    """
    latest = now + LONGEST_PAUSE_SECONDS
    return {name: None for name in ("blocked_until", "retry_at") if getattr(health, name) > latest}


def validated(*, started: float, now: float, sweep: Sweep, noted: Health, forced: bool) -> Update:
    """Return the update of a success that began at ``started``: young, and no failure since."""
    update: Update = {
        "swept_at": started,
        "validated_at": now,
        "window_users": len(sweep.users),
        **_noted(noted),
    }
    if forced:
        update["forced_at"] = started
    return update


def counted(reconciled: Reconciled, sweep: Sweep) -> Update:
    """Return the update that tells of users whom the sweep has not seen."""
    return {
        "adopted": reconciled.adopted or None,
        "window_last_id": None if sweep.complete else sweep.last_id,
        "rotation_id": reconciled.rotation.next_id or None,
        "cycle_began_at": reconciled.rotation.began_at or None,
        "adopted_seen_at": reconciled.rotation.seen_at or None,
        "unconfirmed_since": reconciled.unconfirmed_since or None,
    }


def moved(head: Head, draft: Draft, *, now: float, kept_until: int) -> Update:
    """Return the update of a new generation, beside that of its validation.

    Environments may answer from the head they remember for ``HEAD_SECONDS`` more, so only after
    that nobody can be given the old content any longer: ``modified_at`` is then.
    """
    return {
        "digest": draft.digest,
        "users": draft.users,
        "complete": draft.complete,
        "incomplete_reason": draft.reason or None,
        "policy": draft.hiding_digest,
        "pages_expire_at": kept_until,
        # It must rise: dates have whole seconds, and two generations may share one.
        "modified_at": max(int(now) + HEAD_SECONDS + 1, head.generation.modified_at + 1),
    }


def _noted(health: Health) -> Update:
    """Return the attributes of ``health`` that only a lease's holder writes."""
    noted = attributes_of(health)
    return {name: noted[name] for name in ("last_error", "failures", "doubted_since")}
