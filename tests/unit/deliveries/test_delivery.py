"""One attempt to deliver an event."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pytest

from lib.clock import Time
from lib.deliveries.attempts import (
    Answered,
    Attempt,
    Delivered,
    GivenUp,
    Postponed,
    Unanswered,
    Undelivered,
)
from lib.deliveries.delivery import Deliveries, Delivery, Message
from lib.deliveries.signing import SigningKey, keys_of, signed_headers
from lib.errors import Reason, SecretError
from tests.fakes import NOW, Clock

KEYS = keys_of(b64encode(b"k" * 32).decode())
BODY = '{"id":"0f1e2d","data":{"name":"Zoë"}}'


@dataclass
class FakeReceiver:
    """Gives one answer, and keeps what it is sent."""

    answer: Attempt
    posted: list[tuple[bytes, Mapping[str, str]]] = field(default_factory=list)

    def post(self, body: bytes, headers: Mapping[str, str]) -> Attempt:
        self.posted.append((body, headers))
        return self.answer


def deliver(receiver: FakeReceiver, body: str = BODY, *, tries: int = 1) -> Delivery:
    """Try once to deliver ``body``."""
    time = Time(Clock(), lambda _: None, lambda: 0.0)
    deliveries = Deliveries(receiver=receiver, keys=lambda: KEYS, time=time)
    return deliveries.deliver(Message(body=body, tries=tries))


def test_an_event_is_posted_as_it_is_with_its_id_and_signature() -> None:
    receiver = FakeReceiver(Answered(204))

    delivery = deliver(receiver)

    assert delivery == Delivery(outcome=Delivered(), event_id="0f1e2d", status=204)
    ((body, headers),) = receiver.posted
    assert body == BODY.encode()
    assert headers == {
        "Content-Type": "application/cloudevents+json",
        **signed_headers(KEYS, event_id="0f1e2d", body=body, now=NOW),
    }


def test_what_is_not_taken_comes_again_after_a_pause_that_grows_with_the_tries() -> None:
    outcomes = [deliver(FakeReceiver(Answered(500)), tries=tries).outcome for tries in (1, 2, 3)]

    assert outcomes == [Postponed(pause, Undelivered.RECEIVER_STATUS) for pause in (5, 15, 45)]


def test_where_nobody_answers_there_is_no_status() -> None:
    delivery = deliver(FakeReceiver(Unanswered(Undelivered.RECEIVER_CONNECTION)))

    assert delivery.status is None
    assert delivery.outcome == Postponed(5, Undelivered.RECEIVER_CONNECTION)


@pytest.mark.parametrize(
    "body", ["", "null", "[]", "{}", '{"id": "a.b"}', "{" * 10**5, '{"id": 1}']
)
def test_what_is_no_event_is_posted_to_nobody(body: str) -> None:
    receiver = FakeReceiver(Answered(204))

    assert deliver(receiver, body) == Delivery(outcome=GivenUp(Undelivered.NO_EVENT))
    assert receiver.posted == []


def test_without_a_secret_nothing_is_posted_and_all_comes_again() -> None:
    def keys() -> Sequence[SigningKey]:
        raise SecretError("none", reason=Reason.SECRET_MISSING)

    receiver = FakeReceiver(Answered(204))
    time = Time(Clock(), lambda _: None, lambda: 0.0)
    deliveries = Deliveries(receiver=receiver, keys=keys, time=time)

    delivery = deliveries.deliver(Message(body=BODY, tries=2))

    assert delivery.outcome == Postponed(15, Reason.SECRET_MISSING)
    assert receiver.posted == []


def test_what_an_event_says_is_in_no_message_s_description() -> None:
    assert "Zoë" not in repr(Message(body=BODY, tries=1))
