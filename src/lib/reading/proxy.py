"""Answers reads: from the snapshot whenever that is allowed, asking the origin only when it must.

``freshness.plan`` decides; this module carries the decision out. A reader never waits for an
origin that is known to be down, a failure never takes away a usable snapshot, and whatever is
served says how old it is and why.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, assert_never

from lib.caching import freshness
from lib.caching.freshness import Freshness, FreshnessPolicy, Plan
from lib.caching.headers import CacheStatus, retry_after
from lib.directory.head import CLIENT_NOT_CONFIGURED, FORCED_FLOOR_SECONDS, Head, Lease
from lib.directory.snapshot import Snapshot, SnapshotReads, snapshot_of
from lib.errors import (
    BrokenSnapshotError,
    GoneError,
    InvalidRequestError,
    NotAskedError,
    NotFoundError,
    OnlyIfCachedError,
    OriginError,
    ServiceError,
    StoreError,
)
from lib.origin.budget import Refusal
from lib.reading.awaiting import await_generation
from lib.reading.request import Answer, ReadRequest, Served
from lib.revalidation.outcomes import Claim, Failed, Published, Revalidator, Unchanged
from lib.revalidation.pauses import pauses
from lib.users.hiding import NOTHING_HIDDEN, HidingPolicy
from lib.users.wanted import Wanted

FOLLOW_SECONDS = 10.0
"""Longest wait for another invocation's revalidation."""

FOLLOW_MARGIN_SECONDS = 2.0
"""What a follower leaves of its own time to answer in."""


class Reads(SnapshotReads, Protocol):
    """What a read needs of the store; see ``lib.directory.memory``."""

    def head(self, client_id: str) -> Head:
        """Return the head as it is now."""

    def recent_head(self, client_id: str) -> Head:
        """Return the head as it was at most a second ago."""

    def remember(self, head: Head) -> None:
        """Take ``head`` for the newest."""

    def generation(self, client_id: str, number: int) -> Head | None:
        """Return what the head was at generation ``number``, None if that is gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Need:
    """Why the origin must be asked: ``fwd`` of Cache-Status, and what may be done instead.

    ``demanded``: the caller's directives want a sweep that starts after the request arrived.
    ``usable``: what is stored may be served if the origin cannot be asked.
    """

    fwd: str
    demanded: bool = False
    usable: bool = False
    repair: bool = False
    wanted: Wanted | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxy:
    """Reads of any client; ``require_client`` raises NotFoundError for one not configured."""

    store: Reads
    require_client: Callable[[str], object]
    revalidation: Callable[[], Revalidator]
    hand_over: Callable[[Lease], None]
    policy: FreshnessPolicy
    clock: Callable[[], float]
    sleep: Callable[[float], None]
    random: Callable[[], float]
    hiding: HidingPolicy = NOTHING_HIDDEN

    def read[T](self, request: ReadRequest, view: Callable[[Snapshot], T]) -> Answer[T]:
        """Return what ``view`` makes of the snapshot that the request may be answered from.

        Raises:
            NotFoundError: the client is not configured.
            InvalidRequestError: nobody can have been told of ``min_generation`` yet.
            OnlyIfCachedError: ``only-if-cached`` cannot be met.
            UnavailableError: nothing usable is stored and no new data could be had.
        """
        head = self.store.recent_head(request.client_id)
        self.require_known(head)
        if head.published and head.generation < request.min_generation:
            head = await_generation(
                lambda: self.store.head(request.client_id),
                request.min_generation,
                deadline=request.deadline,
                clock=self.clock,
                sleep=self.sleep,
                random=self.random,
            )
        served = self._serve(request, head)
        if served.head.generation < request.min_generation:
            raise InvalidRequestError("Parameter 'min_generation' is above the first generation.")
        try:
            return Answer(view(self._snapshot(served.head)), served)
        except BrokenSnapshotError:
            served = self._mend(request, served.head)
            return Answer(view(self._snapshot(served.head)), served)

    def read_pinned[T](
        self, client_id: str, generation: int, view: Callable[[Snapshot], T]
    ) -> Answer[T]:
        """Return what ``view`` makes of exactly ``generation``; nothing is ever revalidated.

        Raises:
            NotFoundError: the client is not configured.
            GoneError: the generation is no longer kept.
        """
        self.require_known(self.store.recent_head(client_id))
        head = self.store.generation(client_id, generation)
        if head is None:
            raise GoneError("This generation is no longer kept.")
        try:
            return Answer(view(self._snapshot(head)), self._hit(head, detail="pinned"))
        except BrokenSnapshotError as error:
            raise GoneError("This generation is no longer kept.") from error

    def require_known(self, head: Head) -> None:
        """Make sure that the head's client is configured; a hit needs no secret for that.

        Raises:
            NotFoundError: it is not.
            SecretError: nobody knows.
        """
        if not head.published:
            self.require_client(head.client_id)
        elif head.last_error == CLIENT_NOT_CONFIGURED:
            raise NotFoundError(f"OAuth client with ID {head.client_id} not found.")

    def _snapshot(self, head: Head) -> Snapshot:
        return snapshot_of(self.store, head, hiding=self.hiding)

    def _plan(self, request: ReadRequest, head: Head) -> Plan:
        return freshness.plan(
            self.policy, request.directives, age=self._age(head), failing=bool(head.last_error)
        )

    def _age(self, head: Head) -> int | None:
        return freshness.age_of(head.swept_at, now=self.clock()) if head.published else None

    def _serve(self, request: ReadRequest, head: Head) -> Served:
        plan = self._plan(request, head)
        match plan:
            case Plan.SERVE:
                return self._hit(head)
            case Plan.SERVE_AND_REVALIDATE:
                self._revalidate_elsewhere(request, head)
                return self._hit(head)
            case Plan.REFUSE:
                raise OnlyIfCachedError("Nothing suitable is stored, and only-if-cached was asked.")
            case Plan.FETCH:
                return self._revalidate(request, _Need(fwd="uri-miss"))
            case Plan.REVALIDATE:
                return self._revalidate_or_serve(request, head)
            case _:
                assert_never(plan)

    def _revalidate_or_serve(self, request: ReadRequest, head: Head) -> Served:
        try:
            return self._revalidate(request, self._stale_need(request, head))
        except StoreError:
            # What this environment remembers is better than nothing, and says its age.
            return self._hit(head, detail="store-error")

    def _stale_need(self, request: ReadRequest, head: Head) -> _Need:
        accepted = freshness.acceptable(self.policy, request.directives, age=self._age(head) or 0)
        return _Need(
            fwd="stale" if accepted else "request",
            demanded=not accepted,
            usable=True,
            wanted=request.wanted if request.directives.no_cache else None,
        )

    def _hit(self, head: Head, *, detail: str | None = None) -> Served:
        age = self._age(head) or 0
        status = CacheStatus(
            ttl=self.policy.max_age - age,
            detail=detail or freshness.stale_detail(self.policy, head, age=age, now=self.clock()),
        )
        return Served(head, age, status)

    def _revalidate_elsewhere(self, request: ReadRequest, head: Head) -> None:
        """Start a revalidation in another invocation, unless one is under way or not allowed."""
        try:
            claimed = self.revalidation().claim(head, holder=request.holder)
        except StoreError:
            # The reader has its answer; whoever reads next will try again.
            return
        if isinstance(claimed, Claim):
            # Whoever reads next here sees the lease, rather than try to take it in vain.
            self.store.remember(claimed.head)
            self.hand_over(claimed.lease)

    def _mend(self, request: ReadRequest, broken: Head) -> Served:
        """Return a head to answer from in place of one whose pages cannot be read."""
        newest = self.store.head(request.client_id)
        if newest.generation != broken.generation:
            return self._serve(request, newest)
        return self._revalidate(request, _Need(fwd="uri-miss", repair=True))

    def _revalidate(self, request: ReadRequest, need: _Need) -> Served:
        # What decided so far may be a remembered head; from here on only the newest counts.
        head = first = self.store.head(request.client_id)
        until = min(request.deadline - FOLLOW_MARGIN_SECONDS, self.clock() + FOLLOW_SECONDS)
        waiting = pauses(until=until, clock=self.clock, sleep=self.sleep, random=self.random)
        while True:
            if self._settled(request, need, head, first):
                return self._followed(need, head, waited=head is not first)
            in_floor = self.clock() - head.forced_at < FORCED_FLOOR_SECONDS
            if need.demanded and need.wanted is None and in_floor:
                return self._hit(head, detail="refresh-floor")
            claimed = self.revalidation().claim(head, holder=request.holder, wanted=need.wanted)
            if isinstance(claimed, Claim):
                return self._asked(request, need, claimed)
            following = need.fwd != "stale" and claimed.reason == "lease-held"
            if not following or next(waiting, _OVER) is _OVER:
                return self._refused(need, head, claimed)
            head = self.store.head(request.client_id)

    def _settled(self, request: ReadRequest, need: _Need, head: Head, first: Head) -> bool:
        """Return whether somebody else's revalidation has met the need."""
        if need.repair:
            return head.generation > first.generation
        if need.demanded:
            return head.published and head.swept_at >= request.arrived_at
        return self._plan(request, head) in {Plan.SERVE, Plan.SERVE_AND_REVALIDATE}

    def _followed(self, need: _Need, head: Head, *, waited: bool) -> Served:
        self.store.remember(head)
        if not waited:
            return self._hit(head)
        return Served(head, self._age(head), CacheStatus(fwd=need.fwd, collapsed=True))

    def _asked(self, request: ReadRequest, need: _Need, claim: Claim) -> Served:
        outcome = self.revalidation().run(
            claim,
            deadline=request.deadline,
            forced=need.demanded and need.wanted is None,
            repair=need.repair,
            wanted=need.wanted,
        )
        match outcome:
            case Published(head=head) | Unchanged(head=head):
                self.store.remember(head)
                status = CacheStatus(fwd=need.fwd, fwd_status=200, stored=True)
                return Served(head, None, status)
            case Failed(error=error):
                return self._failed(need, claim.head, error)
            case _:
                assert_never(outcome)

    def _failed(self, need: _Need, head: Head, error: ServiceError) -> Served:
        if not need.usable or isinstance(error, NotFoundError):
            raise error
        age = self._age(head) or 0
        fresh = freshness.assess(self.policy, age=age) is Freshness.FRESH
        status = CacheStatus(
            fwd=need.fwd,
            fwd_status=error.received if isinstance(error, OriginError) else None,
            ttl=self.policy.max_age - age,
            detail="origin-error" if fresh else "stale-if-error",
        )
        return Served(head, age, status)

    def _refused(self, need: _Need, head: Head, refusal: Refusal) -> Served:
        if need.usable:
            return self._hit(head, detail=refusal.reason)
        raise NotAskedError(
            "Nothing usable is stored, and the origin may not be asked now.",
            reason=refusal.reason,
            retry_after=retry_after(refusal.until - self.clock(), jitter=self.random()),
        )


_OVER = object()
