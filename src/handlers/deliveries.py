"""Delivers change events to the webhook, from the queue that the bus puts them into.

Event:
    {"Records": […]}   a batch of the queue; each body is one CloudEvent

A message that was delivered is deleted by Lambda. One that was not is hidden in the queue until its
next attempt, by this function, and reported as failed, so that Lambda leaves it there. SQS moves
what was received too often to the dead letters.
"""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, assert_never

from handlers import observing, orders
from handlers.delivering import SIDE_BY_SIDE, delivering
from handlers.invocation import Context
from handlers.observing import logger
from lib.deliveries.attempts import Delivered, GivenUp, Postponed
from lib.deliveries.delivery import Delivery, Message
from lib.errors import UnavailableError


@dataclass(frozen=True, slots=True)
class _Record:
    """One record of a batch, and what it carries."""

    message_id: str
    receipt_handle: str = field(repr=False)
    message: Message


def handler(event: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """Return which messages were not delivered, in the form by which Lambda leaves them.

    Raises:
        ValueError: the event is no batch of a queue.
    """
    del context
    try:
        records = [_record(each) for each in orders.records(orders.members(event))]
        with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
            settled = list(pool.map(_settled, records))
        failed = [
            record.message_id for record, done in zip(records, settled, strict=True) if not done
        ]
        return {"batchItemFailures": [{"itemIdentifier": each} for each in failed]}
    finally:
        observing.flush()


def _record(told: Mapping[str, Any]) -> _Record:
    try:
        return _Record(
            message_id=str(told["messageId"]),
            receipt_handle=str(told["receiptHandle"]),
            message=Message(
                body=str(told["body"]),
                tries=int(told["attributes"]["ApproximateReceiveCount"]),
            ),
        )
    except (KeyError, TypeError, ValueError):
        # Without the cause, which would quote what is in the event.
        raise ValueError("Records must be those of an SQS queue") from None


def _settled(record: _Record) -> bool:
    """Try to deliver a message; return whether it may be deleted from the queue."""
    now = delivering().time.now
    started = now()
    delivery = delivering().deliveries.deliver(record.message)
    _report(delivery, tries=record.message.tries, took=now() - started)
    try:
        return _settle(record, delivery)
    except UnavailableError as error:
        # It comes back by the queue's own visibility timeout.
        said = {"event_id": delivery.event_id, **observing.describe_error(error)}
        logger.error("delivery not settled", extra=said)
        return False


def _settle(record: _Record, delivery: Delivery) -> bool:
    queue, outcome = delivering().queue, delivery.outcome
    match outcome:
        case Delivered():
            return True
        case Postponed(seconds=seconds):
            queue.postpone(record.receipt_handle, seconds=seconds)
            return False
        case GivenUp(reason=reason):
            queue.give_up(record.message.body, reason=reason)
            return True
        case _:
            assert_never(outcome)


@observing.alone
def _report(delivery: Delivery, *, tries: int, took: float) -> None:
    """Say what came of the ``tries``-th attempt to deliver an event, in ``took`` seconds."""
    line = {
        "event_id": delivery.event_id,
        "tries": tries,
        "duration_ms": round(took * 1000),
        "status": delivery.status,
    }
    outcome = delivery.outcome
    match outcome:
        case Delivered():
            observing.count(Delivered=1)
            logger.info("delivery", extra=line)
        case Postponed(seconds=pause, reason=reason):
            observing.count(DeliveryFailed=1)
            logger.warning("delivery", extra={**line, "reason": reason, "again_in": pause})
        case GivenUp(reason=reason):
            observing.count(DeliveryGivenUp=1)
            logger.error("delivery", extra={**line, "reason": reason})
        case _:
            assert_never(outcome)
