"""Decides whether a call is still within the origin's rate limit.

A bucket counts calls in windows that open with their first call. The call above the limit blocks
the bucket. Calls made while it is blocked are refused and count in the window that is open by then,
so a caller that never pauses finds that window full when its block ends, and is blocked again.

Pure but for its counters: the instant of each call is an argument. Durations are seconds.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Calls a bucket may make in one window, and how long a window and a block last."""

    client: int = 500
    ip: int = 120
    window_seconds: float = 60
    block_seconds: float = 60


@dataclass(frozen=True, slots=True)
class Bucket:
    """Whose calls are counted together, and how many of them a window allows."""

    key: str
    limit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the rate limit says of one call."""

    limit: int
    remaining: int
    reset_seconds: int
    blocked: bool

    @property
    def headers(self) -> dict[str, str]:
        """Return the three headers that go with every counted answer."""
        return {
            "X-RateLimit-Limit-Default": str(self.limit),
            "X-RateLimit-Remaining-Default": str(self.remaining),
            "X-RateLimit-Reset-Default": str(self.reset_seconds),
        }


@dataclass(slots=True)
class _Window:
    hits: int = 0
    ends_at: float = 0
    blocked_until: float = 0


def bucket_of(headers: Mapping[str, str], ip: str, limits: Limits) -> Bucket:
    """Return the bucket of a request: credentials first, then the named client, then the address.

    Neither the secret nor the path is looked at: without a client id header everybody behind one
    address shares the small bucket.
    """
    if authorization := headers.get("authorization"):
        return Bucket(f"authorization {authorization}", limits.ip)
    if client := headers.get("x-cal-client-id"):
        return Bucket(f"client {client}", limits.client)
    return Bucket(f"ip {ip}", limits.ip)


class Throttle:
    """The counters of all buckets."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._windows: dict[str, _Window] = {}

    def hit(self, bucket: Bucket, *, now: float) -> Verdict:
        """Count one call and say whether it may pass."""
        window = self._windows.setdefault(bucket.key, _Window())
        if now >= window.ends_at:
            window.hits = 0
            window.ends_at = now + self.limits.window_seconds
        window.hits += 1
        if now >= window.blocked_until and window.hits > bucket.limit:
            window.blocked_until = now + self.limits.block_seconds
        blocked = now < window.blocked_until
        return Verdict(
            limit=bucket.limit,
            remaining=0 if blocked else bucket.limit - window.hits,
            reset_seconds=ceil((window.blocked_until if blocked else window.ends_at) - now),
            blocked=blocked,
        )

    def block(self, bucket: Bucket, *, now: float) -> None:
        """Block a bucket as if it had gone over its limit just now."""
        window = self._windows.setdefault(bucket.key, _Window())
        window.blocked_until = now + self.limits.block_seconds
