"""Announces changes when the table's stream tells of a new generation.

The stream carries keys only and is filtered to manifests. What a record says is just that a client
has something to announce; what that is, is read from the table, so a record that is lost, repeated
or late does no harm.

Events: DynamoDB stream batches; or {"action": "replay", "clientId": …, "from": <generation>}, by
which an operator has everything after that generation announced again.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from handlers import observing
from handlers.observing import logger
from handlers.wiring import Context, wiring
from lib.errors import ServiceError


def handler(event: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """Return which stream records failed, in the form that Lambda retries them from.

    Raises:
        ValueError: the event is neither a stream batch nor a replay.
        ServiceError: a replay failed.
    """
    del context
    try:
        if event.get("action") == "replay":
            return {"events": _replay(event)}
        if "Records" not in event:
            raise ValueError("an event needs Records, or action replay and a clientId")
        failed = list(_failed_records(event["Records"]))
        return {"batchItemFailures": [{"itemIdentifier": number} for number in failed]}
    finally:
        observing.flush()


def _replay(event: Mapping[str, Any]) -> int:
    client_id, start = str(event["clientId"]), int(event["from"])
    head = wiring().store.head(client_id)
    wiring().store.mark_announced(client_id, start, seen=head.announced)
    return wiring().announcing.catch_up(client_id)


def _failed_records(records: list[Mapping[str, Any]]) -> Iterator[str]:
    """Announce each client once; yield the first record of every client that failed."""
    first_record: dict[str, str] = {}
    for record in records:
        change = record["dynamodb"]
        client_id = change["Keys"]["pk"]["S"].removeprefix("client#")
        first_record.setdefault(client_id, change["SequenceNumber"])
    for client_id, number in first_record.items():
        try:
            sent = wiring().announcing.catch_up(client_id)
        except ServiceError as error:
            observing.count(AnnouncementFailed=1)
            said = {"client_id": client_id, **observing.describe_error(error)}
            logger.error("announcement failed", extra=said)
            yield number
        else:
            observing.count(Changes=sent)
            logger.info("announcement", extra={"client_id": client_id, "events": sent})
