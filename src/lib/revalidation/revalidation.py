"""Asks the origin again under a lease and publishes what changed.

One run: observe, then touch the head (nothing changed) or publish a generation. No failure passes
unnoted: whatever goes wrong in a run becomes health (``lib.revalidation.health``), for all, and a
holder who is never heard of again counts as failed once his lease has lapsed. The lease's token
fences a holder that was overtaken; a crash anywhere leaves the old generation served.
"""

from collections.abc import Callable
from contextlib import suppress
from copy import replace
from dataclasses import dataclass

from lib.clock import Time
from lib.directory.head import (
    LEASE_SECONDS,
    PART,
    WHOLE,
    Head,
    HeadUpdate,
    Lease,
    attributes_of,
    updated,
)
from lib.directory.manifest import Manifest
from lib.directory.store import Directory
from lib.errors import (
    LeaseLostError,
    NotFoundError,
    OriginBlockedError,
    Reason,
    ServiceError,
    StoreError,
    UnavailableError,
    UnexpectedError,
)
from lib.origin import budget
from lib.origin.budget import Refusal
from lib.origin.calls import Credentials, Origin, OriginCalls
from lib.revalidation import head_updates, health, members
from lib.revalidation.head_updates import HISTORY_SECONDS, KEEP_SECONDS
from lib.revalidation.observe import Observed, Observer
from lib.revalidation.outcomes import Claim, Failed, Outcome, Published, Unchanged, Unfinished
from lib.revalidation.publish import Publication
from lib.revalidation.purpose import ROUTINE, Purpose
from lib.revalidation.wanted import least_calls
from lib.revalidation.window import MAX_CALLS, expected_calls
from lib.users.keys import UserKeys

LEASE_MARGIN_SECONDS = 1
"""A run stops asking this long before its lease ends, to publish in time."""

EXPECTED_BATCH = 70
"""Addresses that one call carries, more or less."""

FROZEN_SECONDS = 3600
"""When a frozen deployment's callers may look again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Revalidation:
    """Claims and runs revalidations; ``frozen`` means that the origin is never asked again.

    ``report`` is told of every run: its claim, its outcome and how many seconds it took.
    """

    store: Directory
    origin: Callable[[], Origin]
    credentials: Callable[[], Credentials]
    observer: Observer
    time: Time
    report: Callable[[Claim, Outcome, float], None]
    frozen: bool = False

    def claim(
        self,
        head: Head,
        *,
        holder: str,
        wanted: UserKeys | None = None,
        believed: bool = False,
    ) -> Claim | Refusal:
        """Take the lease and reserve the calls of a sweep, in one write, or tell why not.

        The calls for some users only, those in ``wanted``, come out of the look-ups' share.
        ``holder`` must be unique to the invocation. Acquiring *is* the claim: many who try at
        once start one revalidation. Backoff holds nobody off who has ``believed`` what it is for.
        """
        now, seen, lookup = self.time.now(), head, wanted is not None
        if self.frozen:
            return Refusal(Reason.FROZEN, now + FROZEN_SECONDS)
        for _ in range(3):
            # ``head`` may have been remembered: a sweep that succeeded since has met the need.
            if head.lease.held(now) or head.generation.swept_at > seen.generation.swept_at:
                break
            calls = (
                self._expected_calls(head)
                if wanted is None
                else least_calls(wanted, self.observer.window)
            )
            known = health.as_seen(head, now=now)
            refused = budget.pause(
                health.believed(known) if believed else known, now=now
            ) or budget.refusal(head.counters, calls=calls, now=now, lookup=lookup)
            if refused:
                return refused
            lease = Lease(
                client_id=head.client_id,
                holder=holder,
                token=head.lease.token + 1,
                expires_at=now + LEASE_SECONDS,
            )
            counters = budget.reserved(head.counters, calls=calls, now=now, lookup=lookup)
            head = self._acquire(
                head, lease, now=now, update=head_updates.taken(lease, counters, known)
            )
            if head.lease.is_of(lease):
                return Claim(lease, head, calls)
        return Refusal(Reason.LEASE_HELD, max(head.lease.expires_at, now + 1))

    def _acquire(self, head: Head, lease: Lease, *, now: float, update: HeadUpdate) -> Head:
        """Return the head after trying to take the lease.

        Raises:
            StoreError: the write was not answered, and a read shows that it was not done.
        """
        unanswered: StoreError | None = None
        try:
            if self.store.acquire(head, lease=lease, now=now, update=update):
                return updated(head, update)
        except StoreError as error:
            unanswered = error
        # A write that was refused may be the repetition of one that went through.
        head = self.store.head(head.client_id)
        if unanswered and not head.lease.is_of(lease):
            raise unanswered
        return head

    def resume(self, lease: Lease, *, holder: str) -> Claim | None:
        """Take over the claim that another invocation made for this one, if it still stands.

        Of several who were handed the same claim one takes it over. Nobody does once the origin
        blocks: an earlier holder may have found out since. Then it is given back, or its end would
        count as the end of a holder who was never heard of again.

        Raises:
            StoreError: DynamoDB failed.
        """
        head, now = self.store.head(lease.client_id), self.time.now()
        mine = replace(lease, holder=holder, token=lease.token + 1)
        for _ in range(3):
            if not head.lease.is_of(lease) or not head.lease.held(now):
                return None
            # The claim has reserved its calls already, so only blocks and backoff count.
            if budget.pause(head.health, now=now):
                break
            head = self._acquire(head, mine, now=now, update=attributes_of(mine))
            if head.lease.is_of(mine):
                return Claim(mine, head, self._expected_calls(head))
        with suppress(StoreError):
            self.store.update_held(lease, head_updates.released(None))
        return None

    def run(self, claim: Claim, *, deadline: float, purpose: Purpose = ROUTINE) -> Outcome:
        """Revalidate under ``claim``, which is released whatever happens."""
        started, head = self.time.now(), claim.head
        calls: OriginCalls | None = None
        try:
            calls = self._calls(claim, deadline, purpose)
            if purpose.wanted is not None:
                observed = self.observer.named(head, calls, purpose.wanted)
            else:
                observed = self.observer.everyone(head, calls, purpose)
            outcome: Outcome = self._conclude(claim, calls, observed, repair=purpose.repair)
        except (UnavailableError, NotFoundError) as error:
            outcome = self._failed(claim, error, calls)
        except Exception as error:  # noqa: BLE001 - a fault of ours must not keep the lease, nor all from reading
            unexpected = UnexpectedError()
            unexpected.__cause__ = error
            outcome = self._failed(claim, unexpected, calls)
        self.report(claim, outcome, self.time.now() - started)
        return outcome

    def _calls(self, claim: Claim, deadline: float, purpose: Purpose) -> OriginCalls:
        return OriginCalls(
            client_id=claim.head.client_id,
            reserved=claim.reserved,
            lookup=purpose.wanted is not None,
            deadline=min(deadline, claim.lease.expires_at - LEASE_MARGIN_SECONDS),
            ends_at=deadline,
            renew=lambda: self._renew_lease(claim.lease),
            origin=self.origin(),
            credentials=self.credentials(),
            store=self.store,
            time=self.time,
        )

    def _renew_lease(self, lease: Lease) -> float:
        """Hold a lease for longer; return until when calls may be made under it.

        Raises:
            StoreError: DynamoDB failed, or somebody has taken the lease since.
        """
        expires_at = self.time.now() + LEASE_SECONDS
        self.store.update_held(lease, {"lease_expires_at": expires_at})
        return expires_at - LEASE_MARGIN_SECONDS

    def abandon(self, claim: Claim, error: UnavailableError) -> None:
        """Give up a claim that nobody could run, for the reason ``error``."""
        self._failed(claim, error)

    def renew(self, head: Head) -> bool:
        """Renew what ``head`` names if it is due, so that the last good snapshot never rots.

        Raises:
            StoreError: DynamoDB failed, or something named is gone.
        """
        generation, now = head.generation, self.time.now()
        if not generation.published or head.pages_expire_at - now > HISTORY_SECONDS:
            return False
        manifest = self.observer.contents.manifest(generation)
        self.store.renew(generation, manifest, expires_at=int(now) + KEEP_SECONDS)
        return True

    def _expected_calls(self, head: Head) -> int:
        batches = -(-head.generation.adopted // EXPECTED_BATCH)
        asked_again = min(batches, self.observer.adopted_calls)
        if head.source in {PART, WHOLE}:
            return min(members.expected_calls(head.window_users), MAX_CALLS) + asked_again
        return expected_calls(self.observer.window, last_users=head.window_users) + asked_again

    def _conclude(
        self, claim: Claim, calls: OriginCalls, observed: Observed, *, repair: bool
    ) -> Published | Unchanged | Unfinished:
        """Store what was observed, if it is new."""
        head = claim.head
        update = observed.update | head_updates.released(calls.rate_limit)
        draft = observed.draft
        if draft is None or (draft.digest == head.generation.digest and not repair):
            if draft and head.generation.users_total is None:
                # It was published by a version that knew nothing of it.
                update |= head_updates.summed(draft, draft.total)
            self.store.update_held(claim.lease, update)
            concluded: Published | Unchanged = Unchanged(
                updated(head, update),
                calls.made,
                observed.seen,
                calls.omitted,
                observed.refused,
            )
        else:
            stored = Manifest() if repair else observed.stored
            publication = Publication(self.store, self.observer.contents, self.time)
            moved = publication.publish(claim, draft, update, stored=stored)
            concluded = Published(moved, calls.made, observed.seen, calls.omitted, observed.refused)
        if observed.adopted:
            # If this fails, the next revalidation finds them adopted already.
            with suppress(StoreError):
                self.observer.lookups.adopted(head.client_id, observed.adopted)
        if observed.listing:
            # If this fails, the next one finds all of it out again.
            with suppress(StoreError):
                self.observer.listings.put_listing(head.client_id, observed.listing)
        if observed.finished:
            return concluded
        return Unfinished(concluded.head, concluded.calls, concluded.omitted)

    def _failed(
        self, claim: Claim, error: ServiceError, calls: OriginCalls | None = None
    ) -> Failed:
        """Tell everybody, and let the lease go; if even that fails, the lease lapses.

        What a run for some users only met concerns nobody else, but for a block. Who was overtaken
        has nothing to tell.
        """
        head, told = claim.head, calls.rate_limit if calls else None
        update = head_updates.released(told)
        alone = calls is not None and calls.lookup
        concerns_all = not alone or isinstance(error, OriginBlockedError)
        if concerns_all and not isinstance(error, LeaseLostError):
            now, jitter = self.time.now(), self.time.random()
            noted = health.failed(head.health, error, now=now, jitter=jitter)
            update |= head_updates.failed(noted)
            if isinstance(error, UnavailableError):
                # Who asked is told, as everybody after him, when asking again may help.
                error.until = max(error.until, noted.retry_at, noted.blocked_until)
            for name in ("blocked_until", "retry_at"):
                until = getattr(noted, name)
                if until > getattr(head.health, name):
                    try:
                        self.store.hold_off(head.client_id, name, until)
                    except StoreError:
                        # One failed write must not lose a block: the next one carries it, too.
                        update[name] = until
        with suppress(StoreError):
            self.store.update_held(claim.lease, update)
        return Failed(error, calls.made if calls else 0)
