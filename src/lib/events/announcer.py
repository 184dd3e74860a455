"""Announces every generation's changes, in order, at least once.

The head says up to which generation everything was announced. From there each next one is compared
with its predecessor, its events are sent, and only then the mark moves, by condition: whoever dies
in between is repeated by the next, with the same event ids. So a lost or poisonous wake-up costs
nothing but delay.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lib.events.event import Event
from lib.events.history import History


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcing:
    """Announcements of any client; ``send`` raises unless all events were accepted."""

    history: History
    send: Callable[[Sequence[Event]], None]

    def catch_up(self, client_id: str) -> int:
        """Announce what has not been announced; return the number of events sent.

        Raises:
            StoreError: DynamoDB failed.
            UnavailableError: the bus did not take all events; what was taken will be sent again.
        """
        store = self.history.store
        head, sent = store.head(client_id), 0
        while head.announced < head.generation.number:
            step = self.history.step(head.generation, head.announced)
            self.send(step.events)
            sent += len(step.events)
            # If somebody else moved the mark meanwhile, the new head says from where to go on;
            # giving up here could leave the newest generation to nobody.
            store.mark_announced(client_id, step.to.number, seen=head.announced)
            head = store.head(client_id)
        return sent
