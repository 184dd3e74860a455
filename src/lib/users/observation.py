"""What the origin once said about somebody, kept for a while.

Pure data.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Remembered:
    """The origin's answer at ``observed_at``: a user's canonical document, or None for nobody."""

    line: bytes | None
    observed_at: float
