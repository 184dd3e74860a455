"""The words of the domain as plain data: head, lease, page reference, window.

Instants are epoch seconds (fractions kept), durations seconds. A user is one canonical JSON
document (see ``pages``); nothing here knows its fields but their names.

Pure: no clock, no I/O.
"""

from dataclasses import dataclass

type Value = str | bytes | bool | float | None
"""What an attribute can be; None removes it."""

LEASE_SECONDS = 15
"""How long a claim lasts if its holder is never heard of again."""

FORCED_FLOOR_SECONDS = 10
"""Least time between the starts of two forced sweeps of one client, successes only."""

CLIENT_NOT_CONFIGURED = "client-not-configured"
"""The ``last_error`` of a client that the secret no longer names."""

HEAD_SECONDS = 1
"""How long an environment may use a head it has read before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """Who may revalidate one client until when; ``token`` rises by one per acquisition."""

    client_id: str
    holder: str
    token: int
    expires_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimit:
    """What the origin's ``X-RateLimit-*-Default`` headers said; ``reset_at`` is an instant."""

    limit: int
    remaining: int
    reset_at: float


GENERATION_FIELDS = (
    "generation",
    "digest",
    "users",
    "complete",
    "incomplete_reason",
    "policy",
    "modified_at",
    "swept_at",
    "listing",
    "adopted",
    "adopted_seen_at",
    "unconfirmed_since",
    "window_last_id",
)
"""What a manifest keeps of the head that published it: a manifest is a head that stands still."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The mutable ref of one client; ``generation`` 0 means that nothing was ever published.

    Field names are the attribute names of the table's ``head`` item.
    """

    client_id: str
    generation: int = 0
    digest: str = ""
    users: int = 0
    complete: bool = False
    incomplete_reason: str = ""
    policy: str = ""
    listing: bytes | None = None
    """The packed listing (``lib.directory.manifest``) while it is short."""

    adopted: int = 0
    window_last_id: int = 0
    pages_expire_at: int = 0

    modified_at: int = 0
    swept_at: float = 0
    validated_at: float = 0
    forced_at: float = 0
    window_users: int = -1
    rotation_id: int = 0
    cycle_began_at: float = 0
    adopted_seen_at: float = 0
    unconfirmed_since: float = 0
    """When somebody was last seen who may be gone; 0: nobody may be."""

    last_error: str = ""
    failures: int = 0
    blocked_until: float = 0
    retry_at: float = 0
    quarantine: str = ""
    quarantined_at: float = 0

    lease_holder: str = ""
    lease_token: int = 0
    lease_expires_at: float = 0

    announced: int = 0

    calls: int = 0
    calls_minute: int = 0
    calls_before: int = 0
    lookups: int = 0
    lookups_before: int = 0
    rate_limit: int = 0
    rate_remaining: int = 0
    rate_reset_at: float = 0

    @property
    def published(self) -> bool:
        """Whether there is anything to serve."""
        return self.generation > 0

    @property
    def oldest_observation(self) -> float:
        """The instant since which every known user was seen at the origin."""
        seen = self.swept_at
        if self.adopted:
            seen = min(seen, self.adopted_seen_at)
        return min(seen, self.unconfirmed_since) if self.unconfirmed_since else seen

    def leased(self, now: float) -> bool:
        """Whether somebody may be revalidating at ``now``."""
        return self.lease_expires_at > now
