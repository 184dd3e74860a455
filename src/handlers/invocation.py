"""What Lambda tells of an invocation."""

from typing import Protocol

MARGIN_SECONDS = 1.5
"""What an invocation keeps of its time to answer in."""


class Context(Protocol):
    """What is used of Lambda's context object."""

    @property
    def aws_request_id(self) -> str:
        """Unique to the invocation."""

    def get_remaining_time_in_millis(self) -> int:
        """Return the time until the invocation is killed."""


def deadline(context: Context, *, now: float) -> float:
    """Return the instant by which an invocation must be ready to answer; epoch seconds."""
    return now + context.get_remaining_time_in_millis() / 1000 - MARGIN_SECONDS
