"""Announces every generation's changes, in order, at least once.

The head says up to which generation everything was announced. From there each next one is compared
with its predecessor, its events are sent, and only then the mark moves, by condition: whoever dies
in between is repeated by the next, with the same event ids. So a lost or poisonous wake-up costs
nothing but delay.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from lib.directory import diff
from lib.directory.head import Head
from lib.directory.snapshot import SnapshotReads, snapshot_of
from lib.errors import BrokenSnapshotError
from lib.events.event import Event, EventFormat


class Generations(SnapshotReads, Protocol):
    """What announcing needs of the store; see ``lib.aws.directory_store``."""

    def head(self, client_id: str) -> Head:
        """Return the head as it is now."""

    def generation(self, client_id: str, number: int) -> Head | None:
        """Return what the head was at generation ``number``, None if that is gone."""

    def mark_announced(self, client_id: str, number: int, *, seen: int) -> bool:
        """Move the mark from ``seen``, unless somebody else did."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcing:
    """Announcements of any client; ``send`` raises unless all events were accepted."""

    store: Generations
    send: Callable[[Sequence[Event]], None]
    event_format: EventFormat

    def catch_up(self, client_id: str) -> int:
        """Announce what has not been announced; return the number of events sent.

        Raises:
            StoreError: DynamoDB failed.
            UnavailableError: the bus did not take all events; what was taken will be sent again.
        """
        head, sent = self.store.head(client_id), 0
        while head.announced < head.generation:
            number, events = self._next(head, head.announced)
            self.send(events)
            sent += len(events)
            # If somebody else moved the mark meanwhile, the new head says from where to go on;
            # giving up here could leave the newest generation to nobody.
            self.store.mark_announced(client_id, number, seen=head.announced)
            head = self.store.head(client_id)
        return sent

    def _next(self, head: Head, announced: int) -> tuple[int, list[Event]]:
        """Return the generation to announce next, and its events."""
        client_id = head.client_id
        old = self.store.generation(client_id, announced) if announced else None
        new = self.store.generation(client_id, announced + 1)
        if old is None or new is None:
            # There is nothing to compare with: who listens must start from the directory itself.
            newest = new if not announced and new is not None else head
            return newest.generation, [self.event_format.baseline(newest)]
        if not diff.comparable(old, new):
            return new.generation, [self.event_format.baseline(new)]
        try:
            found = list(diff.changes(snapshot_of(self.store, old), snapshot_of(self.store, new)))
        except BrokenSnapshotError:
            return head.generation, [self.event_format.baseline(head)]
        return new.generation, [
            self.event_format.changed(change, old=old, new=new) for change in found
        ]
