"""Tells a caller what changed since a generation it knows.

Pure but for the store it is given.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from lib.directory import diff
from lib.directory.diff import Change
from lib.directory.generation import Generation
from lib.directory.snapshot import snapshot_of
from lib.directory.store import Generations
from lib.errors import BrokenSnapshotError, GoneError, ParameterError
from lib.users.hiding import NOTHING_HIDDEN, HidingPolicy


class Changes(NamedTuple):
    """What changed, by name; ``lines`` are the documents of those who are there, if asked for."""

    named: dict[str, Any]
    lines: Sequence[bytes] | None = None


@dataclass(frozen=True, slots=True)
class ChangeLog:
    """Changes of any client, from the generations that ``store`` still keeps.

    Users are compared as ``hiding`` shows them, so that no change tells of what is hidden.
    """

    store: Generations
    hiding: HidingPolicy = NOTHING_HIDDEN

    def since(self, newest: Generation, since: int, *, values: bool = False) -> Changes:
        """Return what changed between generation ``since`` and ``newest``: user ids by kind.

        With ``values`` come those users as they are now.

        Raises:
            ParameterError: there is no such generation yet.
            GoneError: it is no longer kept, or something else was hidden then.
        """
        if since > newest.number:
            raise ParameterError("since", f"is above the newest generation, {newest.number}")
        found = self._changes(newest, since)
        named = {
            "since": since,
            "generation": newest.number,
            "usersDigest": newest.users_digest(self.hiding.digest),
            **_by_kind(found),
        }
        lines = [change.after for change in found if change.after is not None]
        return Changes(named, lines if values else None)

    def _changes(self, newest: Generation, since: int) -> list[Change]:
        if since == newest.number:
            return []
        old = self.store.generation(newest.client_id, since)
        if old is None or not diff.comparable(old, newest):
            raise GoneError(f"Generation {since} cannot be compared with any more.")
        try:
            before, after = (snapshot_of(self.store, g, hiding=self.hiding) for g in (old, newest))
            return list(diff.changes(before, after))
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
