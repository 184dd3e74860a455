"""Puts events on an EventBridge bus, resending only what was not accepted.

PutEvents takes ten entries and 256 KB at a time, and answers 200 even when entries failed.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from lib.errors import Reason, UnavailableError
from lib.events.event import PREFIX, Event

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient

MAX_ENTRIES = 10
MAX_BYTES = 240_000
"""Of PutEvents' 256 KB, what entries may fill; names and times take the rest."""

_PAUSES_SECONDS = (0.1, 0.4, 1.6)


class EventBus:
    """The bus named ``name``, behind the EventBridge ``client``."""

    def __init__(
        self, client: "EventBridgeClient", name: str, *, sleep: Callable[[float], object]
    ) -> None:
        self._client = client
        self._name = name
        self._sleep = sleep

    def send(self, events: Sequence[Event]) -> None:
        """Put ``events`` on the bus.

        Raises:
            UnavailableError: some were not accepted, after several tries.
        """
        entries = [
            {
                "EventBusName": self._name,
                "Source": PREFIX,
                "DetailType": event["type"],
                "Resources": [],
                "Detail": _detail(event),
            }
            for event in events
        ]
        for batch in _batches(entries):
            self._put(batch)

    def _put(self, batch: list[Any]) -> None:
        for pause in (*_PAUSES_SECONDS, None):
            batch = self._refused(batch)
            if not batch:
                return
            if pause is not None:
                self._sleep(pause)
        raise UnavailableError("the bus refused events", reason=Reason.EVENTS_REFUSED)

    def _refused(self, batch: list[Any]) -> list[Any]:
        """Return the entries that the bus did not accept."""
        try:
            results = self._client.put_events(Entries=batch)["Entries"]
        except (ClientError, BotoCoreError):
            return batch
        return [
            entry for entry, result in zip(batch, results, strict=True) if "ErrorCode" in result
        ]


def _detail(event: Event) -> str:
    # Escapes would make three times as much of what values may fill. A lone surrogate, which JSON
    # can carry and UTF-8 cannot, stays the escape it was.
    text = json.dumps(event, ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8", "backslashreplace").decode()


def _batches(entries: Sequence[Any]) -> Iterator[list[Any]]:
    batch: list[Any] = []
    size = 0
    for entry in entries:
        bytes_needed = len(entry["Detail"].encode())
        if batch and (len(batch) == MAX_ENTRIES or size + bytes_needed > MAX_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(entry)
        size += bytes_needed
    if batch:
        yield batch
