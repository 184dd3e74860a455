"""Stored items of another day: put into a table as if that day were today."""

import json
from base64 import b64decode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from tests.integration.service import INSTANTS, Json, Service

type Item = Mapping[str, Any]

_INSTANTS = frozenset({*INSTANTS, "expires_at", "observed_at", "asking_until"})


@dataclass(frozen=True)
class Stored:
    """The items of a table at the instant ``taken_at``."""

    items: Sequence[Item]
    taken_at: float

    @classmethod
    def of(cls, service: Service) -> Self:
        """Return what is in a service's table now."""
        return cls(service.items(), service.clock.now)

    def put(self, service: Service) -> None:
        """Make this all that a service finds in its table, and start a new environment."""
        client, table = service.table.client, service.table.name
        for item in service.items():
            client.delete_item(TableName=table, Key={name: item[name] for name in ("pk", "sk")})
        for item in moved(self.items, service.clock.now - self.taken_at):
            client.put_item(TableName=table, Item=item)
        service.forget()


def moved(items: Iterable[Item], seconds: float) -> list[Item]:
    """Return items with every instant in them moved on."""
    return [{name: _moved(name, typed, seconds) for name, typed in item.items()} for item in items]


def _moved(name: str, typed: Item, seconds: float) -> Item:
    if name == "calls_minute":
        return {"N": str(int(typed["N"]) + round(seconds / 60))}
    if name not in _INSTANTS:
        return typed
    instant = typed["N"]
    later = float(instant) + seconds if "." in instant else int(instant) + round(seconds)
    return {"N": str(round(later, 3))}


def read(path: Path) -> tuple[Stored, Json]:
    """Return the items in a file, and the rows that the origin had then."""
    told = json.loads(path.read_bytes())
    items = [{name: _binary(typed) for name, typed in item.items()} for item in told["items"]]
    return Stored(items, told["taken_at"]), told["origin"]


def _binary(typed: Item) -> Item:
    return {"B": b64decode(typed["B"])} if "B" in typed else typed
