"""Decides how an outcome changes the origin's health, as it is told to everybody.

The only place where a failure, a backoff, a block, a doubt and 'client not configured' begin and
end:

| state | begins with | ends with |
|---|---|---|
| ``last_error`` and ``failures`` | any failed run; a lease that lapsed unreleased | a sweep |
| backoff (``retry_at``) | the same, but for a 429; as long as a 5xx asks for | time alone |
| block (``blocked_until``) | a 429, of a sweep or a look-up | time alone |
| doubt (``doubted_since``) | a sweep that lost more users than is believed | one that did not |

Pure: no clock, no I/O. Instants are epoch seconds, ``jitter`` is in 0..1.
"""

from copy import replace

from lib.directory.head import Head, Health
from lib.errors import OriginBlockedError, OriginServerError, Reason, ServiceError, UnavailableError
from lib.origin import backoff


def as_seen(head: Head, *, now: float) -> Health:
    """Return the health at ``now``; a holder who was never heard of again has failed.

    That needs no write of his: whoever reads the head sees it, and the next holder notes it.
    """
    lease, health = head.lease, head.health
    if not lease.holder or lease.held(now):
        return health
    failures = health.failures + 1
    # A lease that ends in the far future is a wrong clock's, and no pause is to last as long.
    until = lease.expires_at + backoff.pause_after(failures) if lease.expires_at <= now else 0
    return replace(
        health,
        last_error=Reason.LEASE_LAPSED,
        failures=failures,
        retry_at=max(health.retry_at, until),
    )


def failed(health: Health, error: ServiceError, *, now: float, jitter: float) -> Health:
    """Return the health after a run that failed with ``error``."""
    reason = error.reason if isinstance(error, UnavailableError) else Reason.CLIENT_NOT_CONFIGURED
    failures = health.failures + 1
    noted = replace(health, last_error=reason, failures=failures)
    if isinstance(error, OriginBlockedError):
        until = backoff.block_until(reset_seconds=error.reset_seconds, now=now)
        return replace(noted, blocked_until=max(health.blocked_until, until))
    told = error.retry_after_seconds if isinstance(error, OriginServerError) else None
    until = now + max(backoff.pause_after(failures, jitter=jitter), told or 0)
    return replace(noted, retry_at=max(health.retry_at, until))


def believed(health: Health) -> Health:
    """Return the health as it is to an operator who knows that a doubted loss is true."""
    return replace(health, retry_at=0) if health.last_error == Reason.LOSS_DOUBTED else health


def succeeded(health: Health, *, doubted_since: float) -> Health:
    """Return the health after a sweep that succeeded; pauses end by themselves."""
    return replace(health, last_error="", failures=0, doubted_since=doubted_since)
