"""Asks the origin again under a lease and publishes what changed.

One run: sweep, doubt, then touch the head (nothing changed) or publish a generation. A run that
fails notes why, for all: a block or a backoff holds for every environment. The lease's token
fences a holder that was overtaken; a crash anywhere leaves the old generation served.

A sweep that lost more users than is believable is quarantined: it counts as failed, and is
accepted only when a later sweep shows the same loss and the lost users, asked for one by one, are
gone.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from lib.directory.head import LEASE_SECONDS, Head, Lease, Value
from lib.directory.manifest import Listing
from lib.errors import NotAskedError, NotFoundError, ServiceError, StoreError, UnavailableError
from lib.origin import budget
from lib.origin.budget import Refusal
from lib.origin.calls import Counters, Credentials, Origin, OriginCalls
from lib.revalidation import head_updates
from lib.revalidation.head_updates import KEEP_SECONDS
from lib.revalidation.observe import Survey, Surveyor, least_calls
from lib.revalidation.outcomes import Claim, Failed, Outcome, Published, Unchanged
from lib.revalidation.publish import Publication, PublicationStore
from lib.revalidation.window import expected_calls
from lib.users.wanted import Wanted

RENEW_SECONDS = KEEP_SECONDS // 2
"""What a head names is renewed when it would be kept for less than this."""

LEASE_MARGIN_SECONDS = 1
"""A run stops asking this long before its lease ends, to publish in time."""


EXPECTED_BATCH = 70
"""Addresses that one call carries, more or less."""

FROZEN_SECONDS = 3600
"""When a frozen deployment's callers may look again."""


class SnapshotStore(Counters, PublicationStore, Protocol):
    """What a revalidation needs of the store; see ``lib.aws.directory_store``."""

    def acquire(
        self, head: Head, *, lease: Lease, now: float, counters: Mapping[str, Value]
    ) -> bool:
        """Take the lease unless anything happened since ``head`` was read."""

    def renew(self, head: Head, listing: Listing, *, expires_at: int) -> None:
        """Keep what the head names."""

    def update_held(self, lease: Lease, changes: Mapping[str, Value]) -> None:
        """Change the head as the lease's holder."""

    def hold_off(self, client_id: str, name: str, until: float) -> None:
        """Raise ``blocked_until`` or ``retry_at``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Revalidation:
    """Claims and runs revalidations; ``frozen`` means that the origin is never asked again."""

    store: SnapshotStore
    origin: Callable[[], Origin]
    credentials: Callable[[], Credentials]
    surveyor: Surveyor
    clock: Callable[[], float]
    sleep: Callable[[float], None]
    random: Callable[[], float]
    frozen: bool = False

    def claim(self, head: Head, *, holder: str, wanted: Wanted | None = None) -> Claim | Refusal:
        """Take the lease and reserve the calls of a sweep, in one write, or tell why not.

        The calls for some users only, those in ``wanted``, come out of the look-ups' share.
        ``holder`` must be unique to the invocation. Acquiring *is* the claim: many who try at
        once start one revalidation.
        """
        now, seen = self.clock(), head
        if self.frozen:
            return Refusal("frozen", now + FROZEN_SECONDS)
        for _ in range(3):
            # ``head`` may have been remembered: a sweep that succeeded since has met the need.
            if head.leased(now) or head.swept_at > seen.swept_at:
                break
            lookup = wanted is not None
            calls = self._expected_calls(head) if wanted is None else least_calls(wanted)
            refused = budget.refusal(head, calls=calls, now=now, lookup=lookup)
            if refused:
                return refused
            counters = budget.counters(head, calls=calls, now=now, lookup=lookup)
            lease = Lease(
                client_id=head.client_id,
                holder=holder,
                token=head.lease_token + 1,
                expires_at=now + LEASE_SECONDS,
            )
            head = self._acquire(head, lease, now=now, counters=counters)
            if (head.lease_holder, head.lease_token) == (holder, lease.token):
                return Claim(lease, head, calls)
        return Refusal("lease-held", max(head.lease_expires_at, now + 1))

    def _acquire(
        self, head: Head, lease: Lease, *, now: float, counters: Mapping[str, Value]
    ) -> Head:
        """Return the head after trying to take the lease.

        Raises:
            StoreError: the write was not answered, and a read shows that it was not done.
        """
        unanswered: StoreError | None = None
        try:
            if self.store.acquire(head, lease=lease, now=now, counters=counters):
                taken: dict[str, Value] = {
                    "lease_holder": lease.holder,
                    "lease_token": lease.token,
                    "lease_expires_at": lease.expires_at,
                }
                return head_updates.apply(head, taken | dict(counters))
        except StoreError as error:
            unanswered = error
        # A write that was refused may be the repetition of one that went through.
        head = self.store.head(head.client_id)
        if unanswered and (head.lease_holder, head.lease_token) != (lease.holder, lease.token):
            raise unanswered
        return head

    def resume(self, lease: Lease) -> Claim | None:
        """Return the claim that another invocation made for this one, if it still stands.

        It does not once the origin blocks: an earlier holder may have found out since.
        """
        head, now = self.store.head(lease.client_id), self.clock()
        still_mine = (head.lease_holder, head.lease_token) == (lease.holder, lease.token)
        # The claim has reserved its calls already, so only blocks and backoff count.
        if not still_mine or not head.leased(now) or budget.refusal(head, calls=0, now=now):
            return None
        return Claim(lease, head, self._expected_calls(head))

    def run(
        self,
        claim: Claim,
        *,
        deadline: float,
        forced: bool = False,
        repair: bool = False,
        wanted: Wanted | None = None,
    ) -> Outcome:
        """Revalidate under ``claim``, which is released whatever happens.

        ``forced`` arms the floor between forced sweeps; ``repair`` publishes anew although
        nothing changed, because what is stored is broken; ``wanted`` asks for some users only.
        """
        head = claim.head
        calls = OriginCalls(
            client_id=head.client_id,
            reserved=claim.reserved,
            lookup=wanted is not None,
            deadline=min(deadline, claim.lease.expires_at - LEASE_MARGIN_SECONDS),
            origin=self.origin(),
            credentials=self.credentials(),
            store=self.store,
            clock=self.clock,
            sleep=self.sleep,
            random=self.random,
        )
        try:
            if wanted is not None:
                survey = self.surveyor.named(head, calls, wanted)
            else:
                survey = self.surveyor.everyone(head, calls, forced=forced, repair=repair)
            outcome = self._conclude(claim, calls, survey, repair=repair)
        except (UnavailableError, NotFoundError) as error:
            self._note_failure(claim, calls, error)
            return Failed(error, calls.made)
        if survey.waited:
            # If this fails, the next revalidation finds them adopted already.
            with suppress(StoreError):
                self.surveyor.lookups.adopted(head.client_id, survey.waited)
        return outcome

    def renew(self, head: Head) -> bool:
        """Renew what ``head`` names if it is due, so that the last good snapshot never rots.

        Raises:
            StoreError: DynamoDB failed, or something named is gone.
        """
        now = self.clock()
        if not head.published or head.pages_expire_at - now > RENEW_SECONDS:
            return False
        listing = self.surveyor.snapshots.listing(head)
        self.store.renew(head, listing, expires_at=int(now) + KEEP_SECONDS)
        return True

    def _expected_calls(self, head: Head) -> int:
        batches = -(-head.adopted // EXPECTED_BATCH)
        asked_again = min(batches, self.surveyor.adopted_calls)
        window = self.surveyor.window
        return expected_calls(window, last_users=head.window_users) + asked_again

    def _conclude(
        self, claim: Claim, calls: OriginCalls, survey: Survey, *, repair: bool
    ) -> Published | Unchanged:
        """Store what a survey found, if it is new."""
        head = claim.head
        changes = survey.changes | head_updates.released(calls.rate_limit)
        if survey.draft.digest == head.digest and not repair:
            self.store.update_held(claim.lease, changes)
            return Unchanged(head_updates.apply(head, changes), calls.made)
        moved = Publication(self.store, self.clock).publish(
            claim,
            survey.draft,
            changes,
            started=survey.started,
            stored=Listing() if repair else survey.stored,
        )
        return Published(moved, calls.made)

    def _note_failure(self, claim: Claim, calls: OriginCalls, error: ServiceError) -> None:
        """Tell everybody, and let the lease go; if even that fails, the lease expires."""
        head, changes = claim.head, head_updates.released(calls.rate_limit)
        # That a look-up's share is used up keeps no sweep from asking.
        out_of_share = calls.lookup and isinstance(error, NotAskedError)
        with suppress(StoreError):
            if not isinstance(error, StoreError) and not out_of_share:
                attribute, until = head_updates.hold_off(
                    head, error, now=self.clock(), jitter=self.random()
                )
                self.store.hold_off(head.client_id, attribute, until)
                changes |= head_updates.failed(head, error)
            self.store.update_held(claim.lease, changes)
