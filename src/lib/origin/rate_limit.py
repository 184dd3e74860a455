"""What the origin's ``X-RateLimit-*-Default`` headers said.

Pure data.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimit:
    """Calls a minute, how many of them are left, and the instant at which all are again."""

    limit: int
    remaining: int
    reset_at: float
