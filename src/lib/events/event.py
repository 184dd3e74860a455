"""Puts changes into events: CloudEvents 1.0, with ids that a repetition does not change.

An event tells who changed and which fields, not their values, unless the deployment asks for
them: an event bus has more readers than the directory.

Pure: no clock, no I/O.
"""

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from lib.directory.diff import Change
from lib.directory.generation import Generation
from lib.users.dates import iso_date

PREFIX = "managed-users-proxy"
USER_TYPE = f"{PREFIX}.managed-user.{{kind}}.v1"
BASELINE_TYPE = f"{PREFIX}.managed-users.baseline.v1"

MAX_VALUES_BYTES = 100_000
"""What a bus can carry: longer values are left out of an event, which then says so."""

type Event = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFormat:
    """Makes events; ``with_values`` adds users as they were and are, if they are not too long."""

    with_values: bool
    max_values_bytes: int = MAX_VALUES_BYTES

    def changed(self, change: Change, *, old: Generation, new: Generation) -> Event:
        """Return the event of one user's change between two generations."""
        data: dict[str, Any] = {
            "clientId": new.client_id,
            "userId": change.user_id,
            "generation": new.number,
            "previousGeneration": old.number,
            "fields": list(change.fields),
        }
        if self.with_values:
            data |= self._values(change)
        return _event(
            USER_TYPE.format(kind=change.kind), new, subject=str(change.user_id), data=data
        )

    def _values(self, change: Change) -> dict[str, Any]:
        size = len(change.before or b"") + len(change.after or b"")
        if size > self.max_values_bytes:
            return {"valuesOmitted": True}
        return {"before": _user(change.before), "after": _user(change.after)}

    def baseline(self, new: Generation) -> Event:
        """Return the one event of a generation that has nothing to be compared with."""
        data = {
            "clientId": new.client_id,
            "generation": new.number,
            "users": new.users,
            "complete": new.complete,
            "incompleteReason": new.incomplete_reason or None,
        }
        return _event(BASELINE_TYPE, new, subject=None, data=data)


def _user(line: bytes | None) -> dict[str, Any] | None:
    return None if line is None else json.loads(line)


def _event(kind: str, new: Generation, *, subject: str | None, data: dict[str, Any]) -> Event:
    event = {
        "specversion": "1.0",
        "id": _id(kind, new, subject),
        "source": f"/v2/oauth-clients/{new.client_id}",
        "type": kind,
        "time": iso_date(new.swept_at),
        "datacontenttype": "application/json",
        "data": data,
    }
    return event | ({"subject": subject} if subject is not None else {})


def _id(kind: str, new: Generation, subject: str | None) -> str:
    named = (new.client_id, new.number, new.digest, kind, subject)
    return hashlib.sha256(repr(named).encode()).hexdigest()[:32]
