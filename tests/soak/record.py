"""Writes down all that happens at the origin, and what is broken when, in the order it happens.

The record is a file of JSON lines that grows while readers in other processes follow it
(``tests.soak.history``). An entry is a list: its kind, its instant (epoch seconds), the rest.
"""

import json
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Any, override
from urllib.parse import parse_qs

from dev.origin import OriginDouble, Request, User, demo_users
from dev.origin.origin import Outcome
from dev.origin.rules import suffixed

# With these faults, what the origin tells still is right; what any other spoils, nobody believes.
_HARMLESS = frozenset({"delay", "drip_headers"})
_HARMLESS_FOR_NAMED = _HARMLESS | {"slow_drip", "unordered_ids"}
_SHORTER = frozenset({"empty_list", "lose_third"})
"""Faults of lists: whoever is in one is there, and whoever is not may be."""
_HARMLESS_FOR_ONE = _HARMLESS_FOR_NAMED | _SHORTER | {"duplicate_ids"}


class Record:
    """The record, safe to write to from several threads."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("w", encoding="utf-8", buffering=1)
        self._lock = threading.Lock()

    def write(self, kind: str, *rest: Any) -> None:  # noqa: ANN401 - entries are free-form.
        """Add an entry with the present instant."""
        with self._lock:
            self._file.write(json.dumps([kind, time.time(), *rest]) + "\n")

    def close(self) -> None:
        """End the record."""
        self._file.close()


class RecordedOrigin(OriginDouble):
    """An origin double that writes down every change and every answer, as they happen.

    Under the directory's own lock: the record has them in the order in which callers saw them.
    ``met`` counts calls by the kinds of the faults that they met.
    """

    def __init__(self, clients: dict[str, str], record: Record) -> None:
        super().__init__(clients, users=0)
        self.met: Counter[str] = Counter()
        self._record = record

    def fill(self, client_id: str, count: int) -> None:
        """Give a client ``count`` demo users, who have been there for ever."""
        with self._lock:
            rows = demo_users(client_id, count)
            self.replace(client_id, rows)
            self._record.write("fill", client_id, rows)

    @override
    def create(self, client_id: str, **fields: object) -> User:
        with self._lock:
            row = super().create(client_id, **fields)
            self._record.write("put", client_id, row)
            return row

    @override
    def update(self, client_id: str, user_id: int, **fields: object) -> User:
        with self._lock:
            row = super().update(client_id, user_id, **fields)
            self._record.write("put", client_id, row)
            return row

    @override
    def delete(self, client_id: str, user_id: int) -> None:
        with self._lock:
            super().delete(client_id, user_id)
            self._record.write("gone", client_id, user_id)

    @override
    def answer(self, request: Request) -> Outcome:
        with self._lock:
            outcome = super().answer(request)
            self.met.update(fault.kind for fault in outcome.faults)
            if request.client_id and outcome.answer.status in {200, 404}:
                self._write_down(request.client_id, request, outcome)
            return outcome

    def purge(self, client_id: str, ids: Sequence[int]) -> None:
        """Delete many users at once."""
        self._record.write("doubtful", client_id)
        for user_id in ids:
            self.delete(client_id, user_id)

    def _write_down(self, client_id: str, request: Request, outcome: Outcome) -> None:
        query, kinds = parse_qs(request.query), {fault.kind for fault in outcome.faults}
        harmless = _harmless(request, outcome)
        if not kinds <= harmless:
            if kinds <= harmless | _SHORTER:
                rows = json.loads(outcome.answer.body)["data"]
                shown = [row["id"] for row in rows]
                self._record.write("shorter", client_id, shown, *_place(query))
        elif request.user_id is not None:
            self._record.write("user", client_id, int(request.user_id))
        elif "emails" in query:
            asked = query["emails"][0].split(",")
            kept = [suffixed(address, client_id) for address in asked]
            self._record.write("emails", client_id, kept)
        else:
            self._record.write("list", client_id, *_place(query))


def _place(query: Mapping[str, Sequence[str]]) -> tuple[int, int]:
    return int(query["offset"][0]), int(query["limit"][0])


def _harmless(request: Request, outcome: Outcome) -> AbstractSet[str]:
    if request.user_id is not None:
        return _HARMLESS_FOR_ONE
    if "emails=" not in request.query:
        return _HARMLESS
    if {fault.kind for fault in outcome.faults} != {"duplicate_ids"}:
        return _HARMLESS_FOR_NAMED
    # Cut off at its limit, an answer to one address has nobody twice.
    ids = [row["id"] for row in json.loads(outcome.answer.body)["data"]]
    return _HARMLESS if len(set(ids)) < len(ids) else {"duplicate_ids"}
