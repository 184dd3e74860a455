"""Asks the origin again under a lease and publishes what changed.

One run: sweep, doubt, then touch the head (nothing changed) or publish a generation. A run that
fails notes why, for all: a block or a backoff holds for every environment. The lease's token
fences a holder that was overtaken; a crash anywhere leaves the old generation served.

A sweep that lost more users than is believable is quarantined: it counts as failed, and is
accepted only when a later sweep shows the same loss and the lost users, asked for one by one, are
gone.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from lib import budget, head_changes, pages, quarantine
from lib.attributes import Value
from lib.budget import Refusal
from lib.census import CensusTaker, FoundUser, missing
from lib.errors import (
    BrokenSnapshotError,
    NotFoundError,
    QuarantinedError,
    ServiceError,
    StoreError,
    UnavailableError,
)
from lib.head_changes import KEEP_SECONDS
from lib.hiding import NOTHING_HIDDEN, HidingPolicy
from lib.models import LEASE_SECONDS, Head, Lease, PageRef, Window
from lib.origin_calls import Counters, Credentials, Origin, OriginCalls
from lib.outcomes import Claim, Failed, Outcome, Published, Unchanged
from lib.pages import Draft
from lib.publication import Publication, PublicationStore
from lib.remembered import Remembered
from lib.snapshot import SnapshotReads
from lib.sweep import ListRows, Sweep, expected_calls, sweep

RENEW_SECONDS = KEEP_SECONDS // 2
"""What a head names is renewed when it would be kept for less than this."""

LEASE_MARGIN_SECONDS = 1
"""A run stops asking this long before its lease ends, to publish in time."""


EXPECTED_BATCH = 70
"""Addresses that one call carries, more or less."""

FROZEN_SECONDS = 3600
"""When a frozen deployment's callers may look again."""


class SnapshotStore(Counters, PublicationStore, Protocol):
    """What a revalidation needs of the store; see ``lib.store``."""

    def acquire(
        self, head: Head, *, lease: Lease, now: float, counters: Mapping[str, Value]
    ) -> bool:
        """Take the lease unless anything happened since ``head`` was read."""

    def renew(self, head: Head, refs: Sequence[PageRef], *, expires_at: int) -> None:
        """Keep what the head names."""

    def update_held(self, lease: Lease, changes: Mapping[str, Value]) -> None:
        """Change the head as the lease's holder."""

    def hold_off(self, client_id: str, name: str, until: float) -> None:
        """Raise ``blocked_until`` or ``retry_at``."""


class Waiting(Protocol):
    """Users that look-ups found past the window; see ``lib.lookup_store``."""

    def waiting(self, client_id: str) -> Collection[int]:
        """Return the ids of users who wait to be adopted."""

    def remembered(self, client_id: str, keys: Sequence[str]) -> Mapping[str, Remembered]:
        """Return what is remembered of look-up keys."""

    def adopted(self, client_id: str, ids: Sequence[int]) -> None:
        """Let ``ids`` wait no longer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Revalidation:
    """Claims and runs revalidations; ``frozen`` means that the origin is never asked again.

    A sweep asks again for adopted users in at most ``adopted_calls`` calls, and keeps at most
    ``max_adopted`` of them.
    """

    store: SnapshotStore
    origin: Callable[[], Origin]
    credentials: Callable[[], Credentials]
    window: Window
    clock: Callable[[], float]
    sleep: Callable[[float], None]
    random: Callable[[], float]
    lookups: Waiting
    snapshots: SnapshotReads
    frozen: bool = False
    hiding: HidingPolicy = NOTHING_HIDDEN
    adopted_calls: int = 20
    max_adopted: int = 2_000

    def claim(self, head: Head, *, holder: str) -> Claim | Refusal:
        """Take the lease and reserve the calls of a sweep, in one write, or tell why not.

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
            calls = self._expected_calls(head)
            refused = budget.refusal(head, calls=calls, now=now)
            if refused:
                return refused
            counters = budget.counters(head, calls=calls, now=now)
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
                return head_changes.apply(head, taken | dict(counters))
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
        self, claim: Claim, *, deadline: float, forced: bool = False, repair: bool = False
    ) -> Outcome:
        """Revalidate under ``claim``, which is released whatever happens.

        ``forced`` arms the floor between forced sweeps; ``repair`` publishes anew although
        nothing changed, because what is stored is broken.
        """
        calls = OriginCalls(
            client_id=claim.head.client_id,
            reserved=claim.reserved,
            deadline=min(deadline, claim.lease.expires_at - LEASE_MARGIN_SECONDS),
            origin=self.origin(),
            credentials=self.credentials(),
            store=self.store,
            clock=self.clock,
            sleep=self.sleep,
            random=self.random,
        )
        try:
            return self._revalidate(claim, calls, forced=forced, repair=repair)
        except (UnavailableError, NotFoundError) as error:
            self._note_failure(claim, calls, error)
            return Failed(error, calls.made)

    def renew(self, head: Head) -> bool:
        """Renew what ``head`` names if it is due, so that the last good snapshot never rots.

        Raises:
            StoreError: DynamoDB failed, or something named is gone.
        """
        now = self.clock()
        if not head.published or head.pages_expire_at - now > RENEW_SECONDS:
            return False
        refs = self.snapshots.page_list(head)
        self.store.renew(head, refs, expires_at=int(now) + KEEP_SECONDS)
        return True

    def _revalidate(
        self, claim: Claim, calls: OriginCalls, *, forced: bool, repair: bool
    ) -> Published | Unchanged:
        head, started = claim.head, self.clock()
        found = sweep(self._hiding(calls), self.window, last_users=head.window_users)
        waiting = self._waiting(head.client_id)
        draft = self._draft(found.users, found.complete, "" if found.complete else "window-full")
        changes = head_changes.validated(
            started=started, now=self.clock(), found=found, forced=forced
        )
        stored = self._stored(head)
        if waiting or repair or draft.digest != head.digest:
            replaced = [ref for ref in stored if head.adopted or ref not in draft.refs]
            base = self._users(head, replaced)
            confirmed = self._believe(head, found, calls, missing(found, base))
            census = self._census_taker(calls, started).take(
                head, found, base=base, waiting=waiting, loss_confirmed=confirmed
            )
            draft = self._draft(census.users, census.complete, census.reason)
            changes |= head_changes.counted(census, found)
        changes |= head_changes.released(calls.rate_limit)
        publication = Publication(self.store, self.clock)
        outcome: Published | Unchanged
        if draft.digest == head.digest and not repair:
            self.store.update_held(claim.lease, changes)
            outcome = Unchanged(head_changes.apply(head, changes), calls.made)
        else:
            known = () if repair else stored
            moved = publication.publish(claim, draft, changes, started=started, stored=known)
            outcome = Published(moved, calls.made)
        if waiting:
            self.lookups.adopted(head.client_id, list(waiting))
        return outcome

    def _expected_calls(self, head: Head) -> int:
        batches = -(-head.adopted // EXPECTED_BATCH)
        asked_again = min(batches, self.adopted_calls)
        return expected_calls(self.window, last_users=head.window_users) + asked_again

    def _hiding(self, calls: OriginCalls) -> ListRows:
        return lambda offset, limit: [
            self.hiding.apply(row) for row in calls.list_rows(offset, limit)
        ]

    def _waiting(self, client_id: str) -> dict[int, FoundUser]:
        """Return the users that look-ups found past the window since the last revalidation."""
        keys = {user_id: f"id:{user_id}" for user_id in self.lookups.waiting(client_id)}
        known = self.lookups.remembered(client_id, list(keys.values())) if keys else {}
        return {
            user_id: FoundUser(seen.line, seen.observed_at)
            for user_id, key in keys.items()
            if (seen := known.get(key)) and seen.line is not None
        }

    def _draft(self, users: Mapping[int, bytes], complete: bool, reason: str) -> Draft:  # noqa: FBT001 - a draft's own fields
        return pages.draft(
            list(users.values()), complete=complete, reason=reason, policy=self.hiding.digest
        )

    def _census_taker(self, calls: OriginCalls, started: float) -> CensusTaker:
        return CensusTaker(
            calls=calls,
            show=self.hiding.apply,
            max_batches=self.adopted_calls,
            max_adopted=self.max_adopted,
            now=started,
        )

    def _stored(self, head: Head) -> Sequence[PageRef]:
        """Return the pages that are stored already; a broken list counts as none."""
        if not head.published:
            return ()
        try:
            return self.snapshots.page_list(head)
        except BrokenSnapshotError:
            return ()

    def _users(self, head: Head, refs: Sequence[PageRef]) -> dict[int, bytes]:
        """Return the users in pages of the last generation; broken pages have none."""
        try:
            read = self.snapshots.pages(head.client_id, refs)
        except BrokenSnapshotError:
            return {}
        return {
            user_id: line
            for page in read
            for user_id, line in zip(page.ids, page.lines, strict=True)
        }

    def _believe(
        self, head: Head, found: Sweep, calls: OriginCalls, lost: Mapping[int, bytes]
    ) -> bool:
        """Return whether a large loss was confirmed; a small one is nobody's worry.

        Raises:
            QuarantinedError: the loss is too large and not yet confirmed.
        """
        now = self.clock()
        doubt = quarantine.doubt(head, lost=lost.keys(), left=len(found.users), now=now)
        if doubt is None:
            return False
        since = doubt.since
        if doubt.ripe:
            calls.reserve(len(doubt.sample))
            if all(calls.user(user_id) is None for user_id in doubt.sample):
                return True
            since = now
        raise QuarantinedError("too many users are missing", loss=doubt.loss, since=since)

    def _note_failure(self, claim: Claim, calls: OriginCalls, error: ServiceError) -> None:
        """Tell everybody, and let the lease go; if even that fails, the lease expires."""
        head, changes = claim.head, head_changes.released(calls.rate_limit)
        with suppress(StoreError):
            if not isinstance(error, StoreError):
                attribute, until = head_changes.hold_off(
                    head, error, now=self.clock(), jitter=self.random()
                )
                self.store.hold_off(head.client_id, attribute, until)
                changes |= head_changes.failed(head, error)
            self.store.update_held(claim.lease, changes)
