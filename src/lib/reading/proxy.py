"""Answers reads: from the snapshot whenever that is allowed, asking the origin only when it must.

``freshness.plan`` decides; this module carries the decision out. A reader never waits for an
origin that is known to be down, a failure never takes away a usable snapshot, and whatever is
served says how old it is and why.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple, assert_never

from lib.caching import freshness
from lib.caching.freshness import Freshness, FreshnessPolicy, Plan
from lib.caching.provenance import (
    Collapsed,
    FailedOver,
    Forwarded,
    Forwarding,
    Hit,
    Provenance,
)
from lib.clock import Time
from lib.directory.generation import Generation
from lib.directory.head import SKEW_SECONDS, Head, Health
from lib.directory.memory import Memory
from lib.directory.snapshot import Snapshot, snapshot_of
from lib.errors import (
    BrokenSnapshotError,
    GoneError,
    InvalidRequestError,
    NotAskedError,
    NotFoundError,
    OnlyIfCachedError,
    OriginError,
    Reason,
    ServiceError,
    StoreError,
    UnavailableError,
)
from lib.origin.budget import Refusal
from lib.reading.request import Read, ReadRequest
from lib.revalidation import health
from lib.revalidation.outcomes import Claim, Failed, Published, Unchanged
from lib.revalidation.pauses import follow
from lib.revalidation.purpose import Purpose
from lib.users.hiding import NOTHING_HIDDEN, HidingPolicy
from lib.users.keys import UserKeys

if TYPE_CHECKING:
    from lib.revalidation.revalidation import Revalidation

FOLLOW_SECONDS = 10.0
"""Longest wait for another invocation's revalidation."""

FOLLOW_MARGIN_SECONDS = 2.0
"""What a follower leaves of its own time to answer in."""

AWAIT_SECONDS = 2.0
"""Longest wait for a generation that a caller has been told of and is not published yet."""

_NOTHING_SUITABLE = "Nothing suitable is stored, and only-if-cached was asked."


@dataclass(frozen=True, slots=True, kw_only=True)
class _Need:
    """Why the origin must be asked: ``fwd`` of Cache-Status, and what may be done instead.

    ``demanded``: the caller's directives want a sweep that starts after the request arrived.
    ``broken``: the number of a generation that cannot be read, 0 if what is stored can be.
    """

    fwd: Forwarding
    demanded: bool = False
    broken: int = 0
    wanted: UserKeys | None = None


class _Served(NamedTuple):
    """The generation to answer from, how that came by, and users seen beside it just now."""

    generation: Generation
    came_by: Provenance
    seen: Mapping[int, bytes] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxy:
    """Reads of any client; ``require_client`` raises NotFoundError for one not configured.

    ``hand_over`` lets another invocation revalidate under a claim, or raises UnavailableError.
    """

    store: Memory
    require_client: Callable[[str], object]
    revalidation: Callable[[], "Revalidation"]
    hand_over: Callable[[Claim], None]
    policy: FreshnessPolicy
    time: Time
    hiding: HidingPolicy = NOTHING_HIDDEN

    def read[T](self, request: ReadRequest, view: Callable[[Snapshot], T]) -> Read[T]:
        """Return what ``view`` makes of the snapshot that the request may be answered from.

        Raises:
            NotFoundError: the client is not configured.
            InvalidRequestError: nobody can have been told of ``min_generation`` yet.
            OnlyIfCachedError: ``only-if-cached`` cannot be met.
            UnavailableError: nothing usable is stored and no new data could be had.
        """
        head = self.store.recent_head(request.client_id)
        self.require_known(head)
        if head.generation.published and head.generation.number < request.min_generation:
            head = self._await(request)
        served = self._serve(request, head)
        if served.generation.number < request.min_generation:
            raise InvalidRequestError("Parameter 'min_generation' is above the first generation.")
        try:
            return self._viewed(served, view)
        except BrokenSnapshotError:
            return self._viewed(self._mend(request, served.generation), view)

    def read_pinned[T](self, client_id: str, number: int, view: Callable[[Snapshot], T]) -> Read[T]:
        """Return what ``view`` makes of exactly one generation; nothing is ever revalidated.

        Raises:
            NotFoundError: the client is not configured.
            GoneError: the generation is no longer kept.
        """
        self.require_known(self.store.recent_head(client_id))
        generation = self.store.generation(client_id, number)
        if generation is None:
            raise GoneError("This generation is no longer kept.")
        came_by = Hit(observed_at=generation.swept_at, detail="pinned")
        try:
            return self._viewed(_Served(generation, came_by), view)
        except BrokenSnapshotError as error:
            raise GoneError("This generation is no longer kept.") from error

    def require_known(self, head: Head) -> None:
        """Make sure that the head's client is configured; a hit needs no secret for that.

        A client that was not when the origin was last to be asked is looked for again.

        Raises:
            NotFoundError: it is not.
            SecretError: nobody knows.
        """
        left_out = head.health.last_error == Reason.CLIENT_NOT_CONFIGURED
        if left_out or not head.generation.published:
            self.require_client(head.client_id)

    def _viewed[T](self, served: _Served, view: Callable[[Snapshot], T]) -> Read[T]:
        snapshot = snapshot_of(self.store, served.generation, hiding=self.hiding)
        if served.seen:
            snapshot = replace(snapshot, extra=served.seen)
        return Read(view(snapshot), served.generation, served.came_by, served.seen is not None)

    def _await(self, request: ReadRequest) -> Head:
        """Return a head of the least generation asked for, waiting a moment for the very next one.

        Raises:
            InvalidRequestError: nobody can have been told of it yet.
            NotAskedError: it has not been published in time.
        """
        until = min(request.deadline, self.time.now() + AWAIT_SECONDS)
        for head in follow(lambda: self.store.head(request.client_id), until=until, time=self.time):
            newest = head.generation.number
            if newest >= request.min_generation:
                return head
            if request.min_generation > newest + 1:
                raise InvalidRequestError(
                    f"Parameter 'min_generation' is above the newest generation, {newest}, "
                    "and the next."
                )
        raise NotAskedError(
            "This generation is not published yet.", reason=Reason.GENERATION_AWAITED
        )

    def _plan(self, request: ReadRequest, head: Head) -> Plan:
        generation = head.generation
        age = self.age(generation) if generation.published else None
        return freshness.plan(
            self.policy,
            request.directives,
            age=age,
            answer_age=self._answer_age(request, generation),
            failing=bool(self._health(head).last_error),
        )

    def _answer_age(self, request: ReadRequest, generation: Generation) -> int:
        return freshness.age_of(request.rests_on(generation), now=self.time.now())

    def age(self, generation: Generation) -> int:
        """Return how old the last sweep is; a wrong clock's word of it makes nothing fresh."""
        now = self.time.now()
        if generation.swept_at > now + SKEW_SECONDS:
            return self.policy.max_age
        return freshness.age_of(generation.swept_at, now=now)

    def _usable(self, generation: Generation) -> bool:
        """Return whether a generation may still be served, although nothing newer can be had."""
        expired = freshness.assess(self.policy, age=self.age(generation)) is Freshness.EXPIRED
        return generation.published and (self.policy.frozen or not expired)

    def _health(self, head: Head) -> Health:
        return health.as_seen(head, now=self.time.now())

    def _serve(self, request: ReadRequest, head: Head) -> _Served:
        plan = self._plan(request, head)
        match plan:
            case Plan.SERVE:
                return self._hit(head)
            case Plan.SERVE_AND_REVALIDATE:
                self._revalidate_elsewhere(request, head)
                return self._hit(head)
            case Plan.REFUSE:
                raise OnlyIfCachedError(_NOTHING_SUITABLE)
            case Plan.FETCH:
                return self._revalidate(request, _Need(fwd="uri-miss"))
            case Plan.REVALIDATE:
                return self._revalidate_or_serve(request, head)
            case _:
                assert_never(plan)

    def _revalidate_or_serve(self, request: ReadRequest, head: Head) -> _Served:
        try:
            return self._revalidate(request, self._stale_need(request, head))
        except StoreError:
            # What this environment remembers is better than nothing, and says its age.
            return self._hit(head, detail="store-error")

    def _stale_need(self, request: ReadRequest, head: Head) -> _Need:
        told = self._answer_age(request, head.generation)
        accepted = freshness.acceptable(self.policy, request.directives, age=told)
        return _Need(
            fwd="stale" if accepted else "request",
            demanded=not accepted,
            wanted=request.wanted if request.directives.no_cache else None,
        )

    def _hit(self, head: Head, *, detail: str | None = None) -> _Served:
        generation = head.generation
        age = self.age(generation)
        if detail is None and (age >= self.policy.max_age or self.policy.frozen):
            detail = freshness.stale_detail(
                self.policy, self._health(head), age=age, now=self.time.now()
            )
        return _Served(generation, Hit(observed_at=generation.swept_at, detail=detail))

    def _revalidate_elsewhere(self, request: ReadRequest, head: Head) -> None:
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

    def _mend(self, request: ReadRequest, broken: Generation) -> _Served:
        """Return a generation to answer from in place of one whose pages cannot be read.

        Raises:
            OnlyIfCachedError: there is none, and the origin is not to be asked.
            UnavailableError: there is none, and no new data could be had.
        """
        newest = self.store.head(request.client_id)
        if newest.generation.number != broken.number:
            return self._serve(request, newest)
        if request.directives.only_if_cached:
            raise OnlyIfCachedError(_NOTHING_SUITABLE)
        return self._revalidate(request, _Need(fwd="uri-miss", broken=broken.number))

    def _revalidate(self, request: ReadRequest, need: _Need) -> _Served:
        # What decided so far may be a remembered head; from here on only the newest counts.
        until = min(request.deadline - FOLLOW_MARGIN_SECONDS, self.time.now() + FOLLOW_SECONDS)
        heads = follow(lambda: self.store.head(request.client_id), until=until, time=self.time)
        head = first = next(heads)
        while True:
            if self._settled(request, need, head):
                return self._followed(need, head, waited=head is not first)
            whole = need.demanded and need.wanted is None
            if whole and head.floor_ends(self.time.now()) is not None:
                return self._hit(head, detail=Reason.REFRESH_FLOOR)
            claimed = self.revalidation().claim(head, holder=request.holder, wanted=need.wanted)
            if isinstance(claimed, Claim):
                return self._asked(request, need, claimed)
            following = need.fwd != "stale" and claimed.reason is Reason.LEASE_HELD
            newer = next(heads, None) if following else None
            if newer is None:
                return self._refused(need, head, claimed)
            head = newer

    def _settled(self, request: ReadRequest, need: _Need, head: Head) -> bool:
        """Return whether somebody else's revalidation has met the need."""
        if need.broken:
            return head.generation.number != need.broken
        if head.swept_since(request.arrived_at, now=self.time.now()):
            return True
        serve = {Plan.SERVE, Plan.SERVE_AND_REVALIDATE}
        return not need.demanded and self._plan(request, head) in serve

    def _followed(self, need: _Need, head: Head, *, waited: bool) -> _Served:
        if not waited:
            return self._hit(head)
        came_by = Collapsed(fwd=need.fwd, observed_at=head.generation.swept_at)
        return _Served(head.generation, came_by)

    def _asked(self, request: ReadRequest, need: _Need, claim: Claim) -> _Served:
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
                came_by = Forwarded(fwd=need.fwd, observed_at=since, asked_at=since)
                return _Served(head.generation, came_by, seen)
            case Failed(error=error):
                return self._failed(need, claim.head.generation, error)
            case _:
                assert_never(outcome)

    def _failed(self, need: _Need, generation: Generation, error: ServiceError) -> _Served:
        # Asking took its time: what was usable then may not be any longer.
        if need.broken or isinstance(error, NotFoundError) or not self._usable(generation):
            raise error
        fresh = freshness.assess(self.policy, age=self.age(generation)) is Freshness.FRESH
        came_by = FailedOver(
            fwd=need.fwd,
            received=error.received if isinstance(error, OriginError) else None,
            observed_at=generation.swept_at,
            detail="origin-error" if fresh else "stale-if-error",
        )
        return _Served(generation, came_by)

    def _refused(self, need: _Need, head: Head, refusal: Refusal) -> _Served:
        if not need.broken and self._usable(head.generation):
            return self._hit(head, detail=refusal.reason)
        raise NotAskedError(
            "Nothing usable is stored, and the origin may not be asked now.",
            reason=refusal.reason,
            until=refusal.until,
        )
