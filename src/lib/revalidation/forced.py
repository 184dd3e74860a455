"""Makes sure that the directory was swept after a given moment, because a caller asked for it.

Forced sweeps of one client start at least ``FORCED_FLOOR_SECONDS`` apart, successes only; within
the floor a request waits for its end. A sweep that began after the request was made serves it,
whoever started it, so any number of requests cost one sweep.
"""

from contextlib import suppress
from dataclasses import dataclass
from typing import Literal, assert_never

from lib.clock import Time
from lib.directory.head import HEAD_SECONDS, Head
from lib.directory.store import Directory, Lookups
from lib.errors import NotAskedError, Reason, StoreError
from lib.origin import budget
from lib.origin.budget import Refusal
from lib.revalidation import health
from lib.revalidation.outcomes import Claim, Failed, Published, Unchanged, Unfinished
from lib.revalidation.pauses import follow
from lib.revalidation.purpose import Purpose
from lib.revalidation.revalidation import Revalidation

WAITING = 2
"""How many callers of one client may wait for a forced sweep at the same time."""


@dataclass(frozen=True, slots=True)
class Refreshed:
    """How the directory came to be swept: by us, with or without a change, or by somebody else."""

    outcome: Literal["published", "unchanged", "joined"]
    generation: int
    calls: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ForcedRefresh:
    """Forced sweeps of any client."""

    store: Directory
    lookups: Lookups
    revalidation: Revalidation
    time: Time

    def run(
        self,
        client_id: str,
        *,
        holder: str,
        requested_at: float,
        deadline: float,
        believed: bool = False,
    ) -> Refreshed:
        """Return once every environment answers from a sweep that began after ``requested_at``.

        Raises:
            NotAskedError: blocked, backing off, over budget, or no time or place to wait for the
                floor or for somebody else's sweep.
            UnavailableError: the sweep failed.
            NotFoundError: the secret no longer names this client.
        """
        place = _Place(self.lookups, client_id, self.time, until=deadline)
        try:
            return self._run(
                client_id, place, holder=holder, requested_at=requested_at, believed=believed
            )
        finally:
            place.leave()

    def _run(
        self, client_id: str, place: "_Place", *, holder: str, requested_at: float, believed: bool
    ) -> Refreshed:
        refused, deadline = Refusal(Reason.LEASE_HELD, self.time.now() + 1), place.until
        for head in follow(lambda: self.store.head(client_id), until=deadline, time=self.time):
            since = head.swept_since(requested_at, now=self.time.now())
            if since and not believed:
                return self._seen_everywhere(Refreshed("joined", head.generation.number, 0))
            self.refuse_if_hopeless(head, believed=believed)
            floor_ends = head.floor_ends(self.time.now())
            if floor_ends is not None:
                if floor_ends >= deadline or not place.take():
                    raise _not_asked(Refusal(Reason.REFRESH_FLOOR, floor_ends))
                self.time.sleep(floor_ends - self.time.now())
                continue
            claimed = self.revalidation.claim(head, holder=holder, believed=believed)
            if isinstance(claimed, Claim):
                return self._sweep(claimed, deadline, Purpose(forced=True, believed=believed))
            refused = claimed
            if refused.reason is not Reason.LEASE_HELD or not place.take():
                break
        raise _not_asked(refused)

    def refuse_if_hopeless(self, head: Head, *, believed: bool = False) -> None:
        """Refuse at once, rather than wait for an origin that may not be asked anyway.

        Raises:
            NotAskedError: blocked, backing off or over budget.
        """
        now = self.time.now()
        known = health.as_seen(head, now=now)
        if believed:
            known = health.believed(known)
        refused = budget.pause(known, now=now) or budget.refusal(head.counters, calls=1, now=now)
        if refused:
            raise _not_asked(refused)

    def _sweep(self, claim: Claim, deadline: float, purpose: Purpose) -> Refreshed:
        outcome = self.revalidation.run(claim, deadline=deadline, purpose=purpose)
        match outcome:
            case Published(head=head, calls=calls):
                refreshed = Refreshed("published", head.generation.number, calls)
            case Unchanged(head=head, calls=calls):
                refreshed = Refreshed("unchanged", head.generation.number, calls)
            case Unfinished():
                # What began now is gone on with by whoever sweeps next.
                raise _not_asked(Refusal(Reason.OUT_OF_TIME, self.time.now() + 1))
            case Failed(error=error):
                raise error
            case _:
                assert_never(outcome)
        return self._seen_everywhere(refreshed)

    def _seen_everywhere(self, refreshed: Refreshed) -> Refreshed:
        """Wait until nobody may answer from a head any longer that was read before."""
        self.time.sleep(HEAD_SECONDS)
        return refreshed


class _Place:
    """A place among those who wait: whoever has none is answered at once.

    Every waiting request holds an environment that could answer readers. A place that is not left
    lapses at ``until``.
    """

    def __init__(self, lookups: Lookups, client_id: str, time: Time, *, until: float) -> None:
        self._lookups = lookups
        self._client_id = client_id
        self._time = time
        self.until = until
        self._taken = ""

    def take(self) -> bool:
        """Take one of ``WAITING`` places, unless taken before; tell whether there was one."""
        for name in (f"refresh {number}" for number in range(WAITING)):
            if not self._taken and self._lookups.begin(
                self._client_id, name, now=self._time.now(), until=self.until
            ):
                self._taken = name
        return bool(self._taken)

    def leave(self) -> None:
        """Leave the place to somebody else."""
        if self._taken:
            with suppress(StoreError):
                self._lookups.end(self._client_id, self._taken)


def _not_asked(refused: Refusal) -> NotAskedError:
    return NotAskedError(
        "The origin may not be asked now.", reason=refused.reason, until=refused.until
    )
