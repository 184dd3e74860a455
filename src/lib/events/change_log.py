"""Tells a caller what changed since a generation it knows.

Pure but for the store it is given.
"""

from dataclasses import dataclass
from typing import Any, Protocol

from lib.directory import diff
from lib.directory.diff import Change
from lib.directory.head import Head
from lib.directory.snapshot import SnapshotReads, snapshot_of
from lib.errors import BrokenSnapshotError, GoneError, InvalidRequestError


class Generations(SnapshotReads, Protocol):
    """What is needed of the store; see ``lib.directory.memory``."""

    def generation(self, client_id: str, number: int) -> Head | None:
        """Return what the head was at generation ``number``, None if that is gone."""


@dataclass(frozen=True, slots=True)
class ChangeLog:
    """Changes of any client, from the generations that ``store`` still keeps."""

    store: Generations

    def since(self, head: Head, since: int) -> dict[str, Any]:
        """Return what changed between generation ``since`` and ``head``: user ids by kind.

        Raises:
            InvalidRequestError: there is no such generation yet.
            GoneError: it is no longer kept, or something else was hidden then.
        """
        if since > head.generation:
            raise InvalidRequestError(
                f"Parameter 'since' is above the newest generation, {head.generation}."
            )
        return {
            "since": since,
            "generation": head.generation,
            **_by_kind(self._changes(head, since)),
        }

    def _changes(self, head: Head, since: int) -> list[Change]:
        if since == head.generation:
            return []
        old = self.store.generation(head.client_id, since)
        if old is None or not diff.comparable(old, head):
            raise GoneError(f"Generation {since} cannot be compared with any more.")
        try:
            return list(diff.changes(snapshot_of(self.store, old), snapshot_of(self.store, head)))
        except BrokenSnapshotError as error:
            raise GoneError(f"Generation {since} cannot be compared with any more.") from error


def _by_kind(found: list[Change]) -> dict[str, list[Any]]:
    return {
        "created": [change.user_id for change in found if change.kind == "created"],
        "discovered": [change.user_id for change in found if change.kind == "discovered"],
        "updated": [
            {"id": change.user_id, "fields": list(change.fields)}
            for change in found
            if change.kind == "updated"
        ],
        "deleted": [change.user_id for change in found if change.kind == "deleted"],
    }
