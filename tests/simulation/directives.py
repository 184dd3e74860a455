"""Judges whether an answer is as new as its reader asked for, or else says why not."""

from collections.abc import Iterator

from lib.caching.freshness import FreshnessPolicy
from lib.caching.headers import RequestDirectives
from tests.simulation.api import Exchange

_EXCUSES = frozenset(
    {
        "lease-held",
        "look-up",
        "origin-backoff",
        "origin-blocked",
        "origin-budget",
        "origin-error",
        "refresh-floor",
        "stale-if-error",
        "store-error",
    }
)
"""Details that say why an answer is older than it was asked to be."""


def judge_directives(seen: Exchange, policy: FreshnessPolicy, *, slack: float) -> Iterator[str]:
    """Yield what is wrong with the age of an answer; ``slack`` is how far apart clocks may be."""
    directives, generation = RequestDirectives.parse(seen.asked.directives), seen.generation
    assert generation is not None
    if directives.only_if_cached:
        if seen.invocation.origin_calls:
            yield "only-if-cached, and the origin was asked"
        return
    swept_age = seen.arrived - generation.swept_at - slack
    if swept_age >= policy.max_age + policy.stale_if_error:
        yield f"it is served although it expired ({swept_age:.1f} s old)"
    excused = seen.cache_status.get("detail") in _EXCUSES
    if not excused and generation.swept_at < seen.arrived - slack:
        yield from _judge_asked(seen, directives, policy, slack=slack)
        yield from _judge_unasked(seen, directives, policy, swept_age=swept_age)


def _judge_asked(
    seen: Exchange, directives: RequestDirectives, policy: FreshnessPolicy, *, slack: float
) -> Iterator[str]:
    """What is older than the reader wants."""
    # What it was, at least, when it was decided on; whole seconds are rounded down.
    took = int(seen.answered - seen.arrived + slack) + 1
    age = max(0, (seen.age or 0) - took)
    if directives.no_cache and age > 0:
        yield f"no-cache, and it is {seen.age} s old without a reason"
    if directives.max_age is not None and age > directives.max_age:
        yield f"max-age={directives.max_age}, and it is {seen.age} s old without a reason"
    least = directives.min_fresh
    if least is not None and "fwd" not in seen.cache_status and policy.max_age - age < least:
        yield f"min-fresh={least}, and it is {seen.age} s old without a reason"


def _judge_unasked(
    seen: Exchange, directives: RequestDirectives, policy: FreshnessPolicy, *, swept_age: float
) -> Iterator[str]:
    """What is older than the deployment wants."""
    told = seen.cache_status
    if directives.max_stale is not None or seen.age is None:
        return
    # Who waited for a sweep that took long is given what it saw, while that may be given at once.
    waited = policy.stale_while_revalidate if "collapsed" in told else 0
    if "detail" not in told and swept_age >= policy.max_age + waited + 1:
        yield f"it is {seen.age} s old, and nothing says why"
    if "fwd" not in told and swept_age >= policy.max_age + policy.stale_while_revalidate:
        yield f"it is {swept_age:.1f} s old, and nobody was waited for"
