"""Makes sure that the directory was swept after a given moment, because a caller asked for it.

Forced sweeps of one client start at least ``FLOOR_SECONDS`` apart, successes only; within the
floor a request waits for its end. A sweep that began after the request was made serves it,
whoever started it, so any number of requests cost one sweep.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol, assert_never

from lib.caching.headers import retry_after
from lib.directory.head import FORCED_FLOOR_SECONDS, HEAD_SECONDS, Head
from lib.errors import NotAskedError
from lib.origin import budget
from lib.revalidation.outcomes import Claim, Failed, Published, Revalidator, Unchanged
from lib.revalidation.pauses import pauses


class Heads(Protocol):
    """What is needed of the store; see ``lib.aws.directory_store``."""

    def head(self, client_id: str) -> Head:
        """Return the head as it is now."""


@dataclass(frozen=True, slots=True)
class Refreshed:
    """How the directory came to be swept: by us, with or without a change, or by somebody else."""

    outcome: Literal["published", "unchanged", "joined"]
    generation: int
    calls: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ForcedRefresh:
    """Forced sweeps of any client."""

    store: Heads
    revalidation: Revalidator
    clock: Callable[[], float]
    sleep: Callable[[float], None]
    random: Callable[[], float]

    def run(
        self, client_id: str, *, holder: str, requested_at: float, deadline: float
    ) -> Refreshed:
        """Return once the directory was swept by a sweep that began after ``requested_at``.

        It returns only when every environment has forgotten the head it knew before, so that
        every later read anywhere sees what the sweep saw.

        Raises:
            NotAskedError: blocked, backing off, over budget, or no time to wait for the floor or
                for somebody else's sweep.
            UnavailableError: the sweep failed.
            NotFoundError: the secret no longer names this client.
        """
        waiting = pauses(until=deadline, clock=self.clock, sleep=self.sleep, random=self.random)
        while True:
            head = self.store.head(client_id)
            if head.published and head.swept_at >= requested_at:
                self._outlive_remembered_heads(head)
                return Refreshed("joined", head.generation, 0)
            self.refuse_if_hopeless(head)
            floor_ends = head.forced_at + FORCED_FLOOR_SECONDS
            if floor_ends > self.clock():
                self._wait_for_floor(floor_ends, deadline)
                continue
            claimed = self.revalidation.claim(head, holder=holder)
            if isinstance(claimed, Claim):
                return self._sweep(claimed, deadline)
            if claimed.reason != "lease-held" or next(waiting, _OVER) is _OVER:
                raise self._not_asked(claimed.reason, claimed.until)

    def refuse_if_hopeless(self, head: Head) -> None:
        """Refuse at once, rather than wait for an origin that may not be asked anyway.

        Raises:
            NotAskedError: blocked, backing off or over budget.
        """
        refused = budget.refusal(head, calls=1, now=self.clock())
        if refused:
            raise self._not_asked(refused.reason, refused.until)

    def _sweep(self, claim: Claim, deadline: float) -> Refreshed:
        outcome = self.revalidation.run(claim, deadline=deadline, forced=True)
        match outcome:
            case Published(head=head, calls=calls):
                self._outlive_remembered_heads(head)
                return Refreshed("published", head.generation, calls)
            case Unchanged(head=head, calls=calls):
                return Refreshed("unchanged", head.generation, calls)
            case Failed(error=error):
                raise error
            case _:
                assert_never(outcome)

    def _wait_for_floor(self, floor_ends: float, deadline: float) -> None:
        if floor_ends >= deadline:
            raise self._not_asked("refresh-floor", floor_ends)
        self.sleep(floor_ends - self.clock())

    def _outlive_remembered_heads(self, head: Head) -> None:
        self.sleep(max(0.0, head.validated_at + HEAD_SECONDS - self.clock()))

    def _not_asked(self, reason: str, until: float) -> NotAskedError:
        return NotAskedError(
            "The origin may not be asked now.",
            reason=reason,
            retry_after=retry_after(until - self.clock(), jitter=self.random()),
        )


_OVER = object()
