"""The history of a client's directory: the events that lead from each generation to the next.

Whoever pushes events and whoever is asked for them takes them from here, so both tell the same.

Pure but for the store it is given.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from lib.directory import diff
from lib.directory.generation import Generation
from lib.directory.snapshot import snapshot_of
from lib.directory.store import Generations
from lib.errors import BrokenSnapshotError
from lib.events.event import Event, EventFormat
from lib.users.hiding import NOTHING_HIDDEN, HidingPolicy


class Step(NamedTuple):
    """The generation that comes next, and the events that lead to it, in the order to be told."""

    to: Generation
    events: Sequence[Event]


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """The history of any client, as far as ``store`` keeps its generations.

    A generation told late may be from before something was hidden: both sides of a comparison are
    seen as ``hiding`` wants them now, so that no change tells of what is hidden.
    """

    store: Generations
    event_format: EventFormat
    hiding: HidingPolicy = NOTHING_HIDDEN

    def step(self, newest: Generation, told: int) -> Step:
        """Return the step after generation ``told``, which is below ``newest``; 0: the first one.

        Raises:
            StoreError: DynamoDB failed.
        """
        client_id = newest.client_id
        old = self.store.generation(client_id, told) if told else None
        new = self.store.generation(client_id, told + 1)
        if old is None or new is None:
            # There is nothing to compare with: who listens must start from the directory itself.
            return self.baseline(new if not told and new is not None else newest)
        if not diff.comparable(old, new):
            return self.baseline(new)
        try:
            before, after = (snapshot_of(self.store, g, hiding=self.hiding) for g in (old, new))
            found = list(diff.changes(before, after))
        except BrokenSnapshotError:
            return self.baseline(newest)
        return Step(new, [self.event_format.changed(c, old=old, new=new) for c in found])

    def baseline(self, generation: Generation) -> Step:
        """Return the step of who starts over from the directory itself."""
        return Step(generation, [self.event_format.baseline(generation)])
