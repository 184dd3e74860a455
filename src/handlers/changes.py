"""Announces changes when the table's stream tells of a new generation.

The stream carries keys only and is filtered to manifests. What a record says is just that a client
has something to announce; what that is, is read from the table, so a record that is lost, repeated
or late does no harm.

Events:
    {"Records": […]}                                            a batch of the stream
    {"action": "announce", "clientId": …}                       the schedule: it is overdue
    {"action": "replay", "clientId": …, "from": <generation>}   an operator, who has everything
                                                after that generation announced again
"""

from collections.abc import Mapping, Sequence
from typing import Any

from handlers import observing, orders
from handlers.invocation import Context
from handlers.observing import logger
from handlers.wiring import wiring
from lib.errors import ConflictError, Reason, ServiceError


def handler(event: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """Return which stream records failed, in the form that Lambda retries them from.

    Raises:
        ValueError: the event is none of those above; or a record of it is malformed, and everything
            else was announced. Lambda halves a batch that raises until the record is alone, and
            gives it up after some tries.
        ServiceError: a replay failed.
    """
    del context
    try:
        action = orders.members(event).get("action")
        if action == "replay":
            return {"events": _replay(event)}
        if action == "announce":
            return _announce_overdue(event)
        if "Records" not in event:
            raise ValueError("an event needs Records, or action announce or replay and a clientId")
        failed = _announce(orders.records(event))
        return {"batchItemFailures": [{"itemIdentifier": number} for number in failed]}
    finally:
        observing.flush()


def _announce_overdue(event: Mapping[str, Any]) -> dict[str, Any]:
    client_id = orders.client_id(event)
    # Not raised: the schedule asks again, and knows when.
    outcome = "announced" if _caught_up(client_id) else "failed"
    return {"clientId": client_id, "outcome": outcome}


def _replay(event: Mapping[str, Any]) -> int:
    client_id, start = orders.client_id(event), orders.generation(event, "from")
    head = wiring().store.head(client_id)
    if not head.generation.published:
        raise ValueError("clientId must be of a client of whom something is stored")
    # Above the mark, the generations in between would never be announced.
    if not 0 <= start <= head.announced:
        raise ValueError(f"from must be a generation that was announced: 0 to {head.announced}")
    if not wiring().store.mark_announced(client_id, start, seen=head.announced):
        raise ConflictError("changes were announced meanwhile: try again", reason=Reason.CONFLICT)
    return wiring().announcing.catch_up(client_id)


def _announce(records: Sequence[Mapping[str, Any]]) -> list[str]:
    """Announce each client once; return the first record of every client that failed."""
    first_record: dict[str, str] = {}
    malformed = 0
    for record in records:
        try:
            client_id, number = _told(record)
        except (KeyError, TypeError, AttributeError, ValueError):
            malformed += 1
        else:
            first_record.setdefault(client_id, number)
    failed = [number for client_id, number in first_record.items() if not _caught_up(client_id)]
    if malformed:
        observing.count(MalformedRecords=malformed)
        raise ValueError(f"{malformed} of {len(records)} stream records are malformed")
    return failed


def _told(record: Mapping[str, Any]) -> tuple[str, str]:
    """Return the client that a record tells of, and the record's number."""
    change = record["dynamodb"]
    kind, separator, client_id = change["Keys"]["pk"]["S"].partition("#")
    if (kind, separator) != ("client", "#") or not client_id:
        raise ValueError("the record is not about a client")
    return client_id, str(change["SequenceNumber"])


def _caught_up(client_id: str) -> bool:
    try:
        sent = wiring().announcing.catch_up(client_id)
    except ServiceError as error:
        observing.count(AnnouncementFailed=1)
        said = {"client_id": client_id, **observing.describe_error(error)}
        logger.error("announcement failed", extra=said)
        return False
    observing.count(Changes=sent)
    logger.info("announcement", extra={"client_id": client_id, "events": sent})
    return True
