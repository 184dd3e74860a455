"""Decides how a stored snapshot may be used, from its age and the caller's directives.

Implements RFC 9111 section 4.2 (freshness) and 5.2.1 (request directives) and RFC 5861 sections
3 and 4 (the two stale windows). Both stale windows open when the snapshot becomes stale, not when
it was stored.

Pure: no clock, no I/O. All durations and ages are whole seconds.
"""

from dataclasses import dataclass
from enum import Enum

from lib.caching.headers import RequestDirectives
from lib.directory.head import Health
from lib.errors import Reason


class Freshness(Enum):
    """The best use that a policy allows at some age."""

    FRESH = "fresh"
    STALE_WHILE_REVALIDATE = "stale-while-revalidate"
    STALE_IF_ERROR = "stale-if-error"
    EXPIRED = "expired"


class Plan(Enum):
    """What a read does with what is stored."""

    SERVE = "serve"
    SERVE_AND_REVALIDATE = "serve and revalidate in another invocation"
    REVALIDATE = "revalidate, then serve the newest there is"
    FETCH = "nothing usable is stored: revalidate or fail"
    REFUSE = "only-if-cached cannot be met"


@dataclass(frozen=True, slots=True, kw_only=True)
class FreshnessPolicy:
    """Freshness lifetime and stale windows; ``frozen`` serves the last snapshot for ever.

    Raises:
        ValueError: stale-if-error is shorter than stale-while-revalidate.
    """

    max_age: int
    stale_while_revalidate: int
    stale_if_error: int
    frozen: bool = False

    def __post_init__(self) -> None:
        if self.stale_if_error < self.stale_while_revalidate:
            raise ValueError("STALE_IF_ERROR_SECONDS must be >= STALE_WHILE_REVALIDATE_SECONDS")


def age_of(swept_at: float, *, now: float) -> int:
    """Return the age in whole seconds; clock skew never makes it negative.

    Counted from the start of the sweep's first origin call (RFC 9111 section 4.2.3).
    """
    return max(0, int(now - swept_at))


def assess(policy: FreshnessPolicy, *, age: int) -> Freshness:
    """Return the best use that ``policy`` allows at ``age`` seconds.

    A response is fresh while its lifetime is *greater* than its age (RFC 9111 section 4.2),
    so at ``age == max_age`` it is already stale.

    >>> policy = FreshnessPolicy(max_age=60, stale_while_revalidate=30, stale_if_error=600)
    >>> assess(policy, age=59), assess(policy, age=60)
    (<Freshness.FRESH: 'fresh'>, <Freshness.STALE_WHILE_REVALIDATE: 'stale-while-revalidate'>)
    """
    if age < policy.max_age:
        return Freshness.FRESH
    if age < policy.max_age + policy.stale_while_revalidate:
        return Freshness.STALE_WHILE_REVALIDATE
    if age < policy.max_age + policy.stale_if_error:
        return Freshness.STALE_IF_ERROR
    return Freshness.EXPIRED


def plan(
    policy: FreshnessPolicy,
    directives: RequestDirectives,
    *,
    age: int | None,
    answer_age: int | None = None,
    failing: bool,
) -> Plan:
    """Return what a read does; ``age`` is that of the last sweep, None if nothing is stored.

    The caller's directives judge ``answer_age``, the ``Age`` that the answer will have: some of the
    users in it may have been seen last before the last sweep (default: none).
    ``failing`` tells that no sweep succeeded since the last one failed: then no reader waits for
    the origin (RFC 5861 section 4).
    """
    if age is None or (not policy.frozen and assess(policy, age=age) is Freshness.EXPIRED):
        return Plan.REFUSE if directives.only_if_cached else Plan.FETCH
    if policy.frozen:
        return Plan.SERVE
    told = age if answer_age is None else answer_age
    if not acceptable(policy, directives, age=told):
        return Plan.REFUSE if directives.only_if_cached else Plan.REVALIDATE
    if assess(policy, age=age) is Freshness.FRESH:
        return Plan.SERVE
    if failing or _may_be_stale(policy, directives, age=age, told=told):
        return Plan.SERVE if directives.only_if_cached else Plan.SERVE_AND_REVALIDATE
    return Plan.REFUSE if directives.only_if_cached else Plan.REVALIDATE


def acceptable(policy: FreshnessPolicy, directives: RequestDirectives, *, age: int) -> bool:
    """Return whether the caller's own directives accept an answer of ``age`` seconds."""
    if directives.no_cache:
        return False
    if directives.max_age is not None:
        fresh_enough = age < policy.max_age or _within_max_stale(policy, directives, age=age)
        if age > directives.max_age or not fresh_enough:
            return False
    return directives.min_fresh is None or policy.max_age - age >= directives.min_fresh


def _within_max_stale(policy: FreshnessPolicy, directives: RequestDirectives, *, age: int) -> bool:
    return directives.max_stale is not None and age <= policy.max_age + directives.max_stale


def _may_be_stale(
    policy: FreshnessPolicy, directives: RequestDirectives, *, age: int, told: int
) -> bool:
    in_window = assess(policy, age=age) is Freshness.STALE_WHILE_REVALIDATE
    return in_window or _within_max_stale(policy, directives, age=told)


def stale_detail(policy: FreshnessPolicy, health: Health, *, age: int, now: float) -> str | None:
    """Return why a stale snapshot is served at once, for Cache-Status; None for a fresh one."""
    state = assess(policy, age=age)
    if state is Freshness.FRESH:
        return None
    if policy.frozen:
        return Reason.FROZEN
    if state is Freshness.STALE_WHILE_REVALIDATE or not health.last_error:
        return "stale-while-revalidate"
    return Reason.ORIGIN_BLOCKED if health.blocked_until > now else Reason.ORIGIN_BACKOFF
