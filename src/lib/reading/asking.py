"""Asks the origin for a reader: here, or in another invocation; or waits for who asks already.

Concurrent readers make one sweep (RFC 9211 section 2.2.6 calls their requests collapsed).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, assert_never

from lib.caching.freshness import Plan
from lib.caching.provenance import Collapsed, FailedOver, Forwarded
from lib.clock import Time
from lib.directory.generation import Generation
from lib.directory.head import Head
from lib.directory.memory import Memory
from lib.errors import (
    NotAskedError,
    NotFoundError,
    OriginError,
    Reason,
    ServiceError,
    StoreError,
    UnavailableError,
)
from lib.origin.budget import Refusal
from lib.reading.request import Need, ReadRequest
from lib.reading.stored import Served, Stored
from lib.revalidation.outcomes import Claim, Failed, Published, Unchanged, Unfinished
from lib.revalidation.pauses import follow
from lib.revalidation.purpose import Purpose

if TYPE_CHECKING:
    from lib.revalidation.revalidation import Revalidation

FOLLOW_SECONDS = 10.0
"""Longest wait for another invocation's revalidation."""

ROUNDED_SECONDS = 1
"""How exactly it is told how old an answer is."""

FOLLOW_MARGIN_SECONDS = 2.0
"""What a follower leaves of its own time to answer in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """Asks for readers of any client.

    ``hand_over`` lets another invocation revalidate under a claim, or raises UnavailableError.
    """

    store: Memory
    stored: Stored
    revalidation: Callable[[], "Revalidation"]
    hand_over: Callable[[Claim], None]
    time: Time

    def elsewhere(self, request: ReadRequest, head: Head) -> None:
        """Start a revalidation in another invocation, unless one is under way or not allowed."""
        asked_at = self.time.now()
        try:
            claimed = self.revalidation().claim(head, holder=request.holder)
        except StoreError:
            # The reader has its answer; whoever reads next will try again.
            return
        if not isinstance(claimed, Claim):
            return
        # Whoever reads next here sees the lease, rather than try to take it in vain.
        self.store.remember(claimed.head, since=asked_at)
        try:
            self.hand_over(claimed)
        except UnavailableError as error:
            self.revalidation().abandon(claimed, error)

    def here(self, request: ReadRequest, need: Need) -> Served:
        """Return a generation to answer from that meets ``need``, or else one that is usable.

        Raises:
            UnavailableError: neither can be had.
        """
        # What decided so far may be a remembered head; from here on only the newest counts.
        until = min(request.deadline - FOLLOW_MARGIN_SECONDS, self.time.now() + FOLLOW_SECONDS)
        heads = follow(lambda: self.store.head(request.client_id), until=until, time=self.time)
        head = first = next(heads)
        while True:
            if need.broken and head.generation.number != need.broken:
                # Somebody has mended it: from here on, this is a request like any other.
                asked_anew = self.stored.plan(request, head) is Plan.REVALIDATE
                need = Need(fwd=need.fwd, demanded=asked_anew)
            if self._settled(request, need, head):
                return self._followed(need, head, waited=head is not first)
            whole = need.demanded and need.wanted is None
            if whole and head.floor_ends(self.time.now()) is not None:
                return self.stored.hit(head, detail=Reason.REFRESH_FLOOR)
            claimed = self.revalidation().claim(head, holder=request.holder, wanted=need.wanted)
            if isinstance(claimed, Claim):
                return self._asked(request, need, claimed)
            following = need.fwd != "stale" and claimed.reason is Reason.LEASE_HELD
            newer = next(heads, None) if following else None
            if newer is None:
                return self._refused(request, need, head, claimed)
            head = newer

    def _settled(self, request: ReadRequest, need: Need, head: Head) -> bool:
        """Return whether somebody else's revalidation has met the need."""
        if need.broken:
            return False
        if head.swept_since(request.arrived_at, now=self.time.now()):
            return True
        serve = {Plan.SERVE, Plan.SERVE_AND_REVALIDATE}
        return not need.demanded and self.stored.plan(request, head) in serve

    def _followed(self, need: Need, head: Head, *, waited: bool) -> Served:
        if not waited:
            return self.stored.hit(head)
        came_by = Collapsed(fwd=need.fwd, observed_at=head.generation.swept_at)
        return Served(head.generation, came_by)

    def _asked(self, request: ReadRequest, need: Need, claim: Claim) -> Served:
        asked_at = self.time.now()
        outcome = self.revalidation().run(
            claim,
            deadline=request.deadline,
            purpose=Purpose(
                forced=need.demanded and need.wanted is None,
                repair=need.broken > 0,
                wanted=need.wanted,
            ),
        )
        match outcome:
            case Published(head=head, seen=seen) | Unchanged(head=head, seen=seen):
                self.store.remember(head, since=asked_at)
                since = head.generation.swept_at if seen is None else asked_at
                return Served(head.generation, _forwarded(need, since, asked_at), seen)
            case Unfinished(head=head):
                self.store.remember(head, since=asked_at)
                since = head.generation.swept_at
                # What was broken is mended, however much of the list was seen for it.
                if need.broken or (not need.demanded and self.stored.is_fresh(head.generation)):
                    return Served(head.generation, _forwarded(need, since, asked_at))
                return self._failed(need, head.generation, _unfinished())
            case Failed(error=error):
                return self._failed(need, claim.head.generation, error)
            case _:
                assert_never(outcome)

    def _failed(self, need: Need, generation: Generation, error: ServiceError) -> Served:
        # Asking took its time: what was usable then may not be any longer.
        if need.broken or isinstance(error, NotFoundError) or not self.stored.usable(generation):
            raise error
        fresh = self.stored.is_fresh(generation)
        came_by = FailedOver(
            fwd=need.fwd,
            received=error.received if isinstance(error, OriginError) else None,
            observed_at=generation.swept_at,
            detail="origin-error" if fresh else "stale-if-error",
        )
        return Served(generation, came_by)

    def _refused(self, request: ReadRequest, need: Need, head: Head, refusal: Refusal) -> Served:
        if need.fwd == "uri-miss":
            # This process may have been stopped for long, and others have stored something.
            head = self.store.head(request.client_id)
        mended = head.generation.number != need.broken
        if mended and self.stored.usable(head.generation):
            return self.stored.hit(head, detail=refusal.reason)
        raise NotAskedError(
            "Nothing usable is stored, and the origin may not be asked now.",
            reason=refusal.reason,
            until=refusal.until,
        )


def _forwarded(need: Need, since: float, asked_at: float) -> Forwarded:
    """Return how an answer came by for which the origin was asked at ``asked_at``.

    What an earlier sweep had begun rests on what was stored, too.
    """
    earlier = since < asked_at - ROUNDED_SECONDS
    return Forwarded(fwd=need.fwd, observed_at=since, asked_at=None if earlier else since)


def _unfinished() -> NotAskedError:
    return NotAskedError("There was no time for all of the list.", reason=Reason.OUT_OF_TIME)
