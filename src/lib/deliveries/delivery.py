"""Delivers events to the webhook's receiver: one signed attempt, and what follows from it.

Pure but for what it is given.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Protocol

from lib.clock import Time
from lib.deliveries.attempts import (
    Answered,
    Attempt,
    GivenUp,
    Outcome,
    Undelivered,
    event_id_of,
    outcome_of,
    postponed,
)
from lib.deliveries.signing import SigningKey, signed_headers
from lib.errors import SecretError

CONTENT_TYPE = "application/cloudevents+json"


class Receiver(Protocol):
    """The webhook's receiver."""

    def post(self, body: bytes, headers: Mapping[str, str]) -> Attempt:
        """Return how the receiver answered to ``body``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """An event (``body``, a CloudEvent in JSON) that was taken out of the queue ``tries`` times."""

    body: str = field(repr=False)
    tries: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What was done for a message; ``status`` is the receiver's answer, if there was one."""

    outcome: Outcome
    event_id: str | None = None
    status: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Deliveries:
    """Deliveries to one receiver, signed with what ``keys`` returns at each attempt."""

    receiver: Receiver
    keys: Callable[[], Sequence[SigningKey]]
    time: Time

    def deliver(self, message: Message) -> Delivery:
        """Try to deliver ``message``."""
        event_id = event_id_of(_parsed(message.body))
        if event_id is None:
            return Delivery(outcome=GivenUp(Undelivered.NO_EVENT))
        try:
            keys = self.keys()
        except SecretError as error:
            later = postponed(error.reason, tries=message.tries, jitter=self.time.random())
            return Delivery(outcome=later, event_id=event_id)
        body = message.body.encode()
        signed = signed_headers(keys, event_id=event_id, body=body, now=self.time.now())
        attempt = self.receiver.post(body, {"Content-Type": CONTENT_TYPE, **signed})
        outcome = outcome_of(attempt, tries=message.tries, jitter=self.time.random())
        status = attempt.status if isinstance(attempt, Answered) else None
        return Delivery(outcome=outcome, event_id=event_id, status=status)


def _parsed(body: str) -> Any:  # noqa: ANN401 - events are free-form
    with suppress(ValueError, RecursionError):
        return json.loads(body)
    return None
