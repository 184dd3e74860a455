"""Decides what becomes of a delivery after an attempt: done, tried again later, or given up.

By the Standard Webhooks specification: 2xx alone is success, 410 is the receiver's last word, and
all else is tried again for days, later and later, and as late as ``Retry-After`` asks.

Pure: no clock, no I/O. Durations are seconds, ``jitter`` is in 0..1.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from typing import assert_never

from lib.errors import Reason

FIRST_DELAY_SECONDS = 5
GROWTH = 3
LONGEST_DELAY_SECONDS = 60 * 60
"""The longest pause between two attempts, before its jitter; also the most of ``Retry-After``."""

JITTER = 0.2
"""Largest part by which a pause is lengthened, so that a backlog does not come back at once."""

_SUCCESS = range(200, 300)


class Undelivered(StrEnum):
    """Why an event was not delivered, as logs and dead letters say it."""

    NO_EVENT = "no-event"
    RECEIVER_ADDRESS = "receiver-address"
    RECEIVER_CONNECTION = "receiver-connection"
    RECEIVER_GONE = "receiver-gone"
    RECEIVER_STATUS = "receiver-status"
    RECEIVER_TIMEOUT = "receiver-timeout"


@dataclass(frozen=True, slots=True)
class Answered:
    """The receiver's answer; ``retry_after`` is that header field, if there was one."""

    status: int
    retry_after: str | None = None


@dataclass(frozen=True, slots=True)
class Unanswered:
    """No answer, for a ``reason``."""

    reason: Undelivered


type Attempt = Answered | Unanswered


@dataclass(frozen=True, slots=True)
class Delivered:
    """The receiver has the event."""


@dataclass(frozen=True, slots=True)
class Postponed:
    """It is tried again after ``seconds``."""

    seconds: int
    reason: Undelivered | Reason


@dataclass(frozen=True, slots=True)
class GivenUp:
    """It is not tried again: the receiver wants no more, or there is nothing to be delivered."""

    reason: Undelivered


type Outcome = Delivered | Postponed | GivenUp


def outcome_of(attempt: Attempt, *, tries: int, jitter: float) -> Outcome:
    """Return what follows from the ``tries``-th attempt to deliver an event."""
    match attempt:
        case Answered(status=status) if status in _SUCCESS:
            return Delivered()
        case Answered(status=HTTPStatus.GONE):
            return GivenUp(Undelivered.RECEIVER_GONE)
        case Answered(retry_after=asked):
            return postponed(Undelivered.RECEIVER_STATUS, tries=tries, jitter=jitter, asked=asked)
        case Unanswered(reason=reason):
            return postponed(reason, tries=tries, jitter=jitter)
        case _:
            assert_never(attempt)


def postponed(
    reason: Undelivered | Reason, *, tries: int, jitter: float, asked: str | None = None
) -> Postponed:
    """Return that the ``tries``-th attempt is followed by another, ``asked`` being Retry-After.

    >>> why = Undelivered.RECEIVER_STATUS
    >>> [postponed(why, tries=number, jitter=0).seconds for number in (1, 2, 3, 7, 80)]
    [5, 15, 45, 3600, 3600]
    """
    # Not beyond what is as long as the longest: a power of a large number takes its time.
    grown = FIRST_DELAY_SECONDS * GROWTH ** min(max(tries, 1) - 1, 10)
    delay = min(max(grown, _seconds(asked)), LONGEST_DELAY_SECONDS)
    return Postponed(round(delay * (1 + JITTER * jitter)), reason)


def _seconds(asked: str | None) -> int:
    """Return the delay-seconds of Retry-After (RFC 9110 section 10.2.3), 0 if it has none.

    A date is not read: it would be compared with a clock that may be another.
    """
    text = (asked or "").strip()
    # As many digits as the bound has, and some: int() refuses thousands of them.
    return int(text[:9]) if text.isascii() and text.isdigit() else 0


def event_id_of(event: object) -> str | None:
    """Return the id of a CloudEvent, None if it has none that a delivery can carry."""
    found = event.get("id") if isinstance(event, Mapping) else None
    # Of the letters that event.py uses, and no full stop: see signing.py.
    return found if isinstance(found, str) and found.isascii() and found.isalnum() else None
