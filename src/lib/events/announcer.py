"""Announces every generation's changes, in order, at least once.

The head says up to which generation everything was announced. From there each next one is compared
with its predecessor, its events are sent, and only then the mark moves, by condition: whoever dies
in between is repeated by the next, with the same event ids. So a lost or poisonous wake-up costs
nothing but delay.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lib.directory import diff
from lib.directory.generation import Generation
from lib.directory.snapshot import snapshot_of
from lib.directory.store import Generations
from lib.errors import BrokenSnapshotError
from lib.events.event import Event, EventFormat
from lib.users.hiding import NOTHING_HIDDEN, HidingPolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcing:
    """Announcements of any client; ``send`` raises unless all events were accepted.

    A generation announced late may be from before something was hidden: both sides of a comparison
    are seen as ``hiding`` wants them now, so that no change tells of what is hidden.
    """

    store: Generations
    send: Callable[[Sequence[Event]], None]
    event_format: EventFormat
    hiding: HidingPolicy = NOTHING_HIDDEN

    def catch_up(self, client_id: str) -> int:
        """Announce what has not been announced; return the number of events sent.

        Raises:
            StoreError: DynamoDB failed.
            UnavailableError: the bus did not take all events; what was taken will be sent again.
        """
        head, sent = self.store.head(client_id), 0
        while head.announced < head.generation.number:
            number, events = self._next(head.generation, head.announced)
            self.send(events)
            sent += len(events)
            # If somebody else moved the mark meanwhile, the new head says from where to go on;
            # giving up here could leave the newest generation to nobody.
            self.store.mark_announced(client_id, number, seen=head.announced)
            head = self.store.head(client_id)
        return sent

    def _next(self, newest: Generation, announced: int) -> tuple[int, list[Event]]:
        """Return the generation to announce next, and its events."""
        client_id = newest.client_id
        old = self.store.generation(client_id, announced) if announced else None
        new = self.store.generation(client_id, announced + 1)
        if old is None or new is None:
            # There is nothing to compare with: who listens must start from the directory itself.
            base = new if not announced and new is not None else newest
            return base.number, [self.event_format.baseline(base)]
        if not diff.comparable(old, new):
            return new.number, [self.event_format.baseline(new)]
        try:
            before, after = (snapshot_of(self.store, g, hiding=self.hiding) for g in (old, new))
            found = list(diff.changes(before, after))
        except BrokenSnapshotError:
            return newest.number, [self.event_format.baseline(newest)]
        return new.number, [self.event_format.changed(change, old=old, new=new) for change in found]
