"""Asks the origin again under a lease and publishes what changed.

One run: sweep, doubt, then touch the head (nothing changed) or publish a generation. A run that
fails notes why, for all: a block or a backoff holds for every environment. The lease's token
fences a holder that was overtaken; a crash anywhere leaves the old generation served.

A sweep that lost more users than is believable is quarantined: it counts as failed, and is
accepted only when a later sweep shows the same loss and the lost users, asked for one by one, are
gone.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from lib import budget, head_changes, pages, quarantine
from lib.attributes import Value
from lib.budget import Refusal
from lib.errors import (
    BrokenSnapshotError,
    LeaseLostError,
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
from lib.pages import Draft, Page
from lib.sweep import ListRows, Sweep, expected_calls, sweep

RENEW_SECONDS = KEEP_SECONDS // 2
"""What a head names is renewed when it would be kept for less than this."""

LEASE_MARGIN_SECONDS = 1
"""A run stops asking this long before its lease ends, to publish in time."""


FROZEN_SECONDS = 3600
"""When a frozen deployment's callers may look again."""


class SnapshotStore(Counters, Protocol):
    """What a revalidation needs of the store; see ``lib.store``."""

    def acquire(
        self, head: Head, *, lease: Lease, now: float, counters: Mapping[str, Value]
    ) -> bool:
        """Take the lease unless anything happened since ``head`` was read."""

    def page_list(self, head: Head) -> Sequence[PageRef]:
        """Return the pages of the head's generation."""

    def pages(self, client_id: str, refs: Sequence[PageRef]) -> Sequence[Page]:
        """Return pages."""

    def put_pages(self, client_id: str, pages: Sequence[Page], *, expires_at: int) -> None:
        """Write pages."""

    def renew(self, head: Head, refs: Sequence[PageRef], *, expires_at: int) -> None:
        """Keep what the head names."""

    def update_held(self, lease: Lease, changes: Mapping[str, Value]) -> None:
        """Change the head as the lease's holder."""

    def hold_off(self, client_id: str, name: str, until: float) -> None:
        """Raise ``blocked_until`` or ``retry_at``."""

    def publish(
        self, lease: Lease, base: Head, changes: Mapping[str, Value], *, pages: bytes
    ) -> None:
        """Move the head to its next generation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Revalidation:
    """Claims and runs revalidations; ``frozen`` means that the origin is never asked again."""

    store: SnapshotStore
    origin: Callable[[], Origin]
    credentials: Callable[[], Credentials]
    window: Window
    clock: Callable[[], float]
    sleep: Callable[[float], None]
    random: Callable[[], float]
    frozen: bool = False
    hiding: HidingPolicy = NOTHING_HIDDEN

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
            calls = expected_calls(self.window, last_users=head.window_users)
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
        return Claim(lease, head, expected_calls(self.window, last_users=head.window_users))

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
        refs = self.store.page_list(head)
        self.store.renew(head, refs, expires_at=int(now) + KEEP_SECONDS)
        return True

    def _revalidate(
        self, claim: Claim, calls: OriginCalls, *, forced: bool, repair: bool
    ) -> Published | Unchanged:
        head, started = claim.head, self.clock()
        found = sweep(self._hiding(calls), self.window, last_users=head.window_users)
        draft = pages.draft(
            list(found.users.values()), complete=found.complete, policy=self.hiding.digest
        )
        changes = head_changes.released(calls.rate_limit) | head_changes.validated(
            started=started, now=self.clock(), window_users=len(found.users), forced=forced
        )
        if head.published and draft.digest == head.digest and not repair:
            self.store.update_held(claim.lease, changes)
            return Unchanged(head_changes.apply(head, changes), calls.made)
        base = self._base(head)
        self._believe(head, found, calls, [ref for ref in base if ref not in draft.refs])
        kept_until = self._put(head, draft, () if repair else base)
        changes |= head_changes.moved(head, draft, started=started, kept_until=kept_until)
        changes |= head_changes.released(calls.rate_limit)
        return Published(self._publish(claim, draft, changes), calls.made)

    def _hiding(self, calls: OriginCalls) -> ListRows:
        return lambda offset, limit: [
            self.hiding.apply(row) for row in calls.list_rows(offset, limit)
        ]

    def _put(self, head: Head, draft: Draft, stored: Sequence[PageRef]) -> int:
        """Write the pages that are not stored yet; return until when all of them are kept."""
        kept_until = int(self.clock()) + KEEP_SECONDS
        new = [page for page in draft.pages if page.ref not in stored]
        self.store.put_pages(head.client_id, new, expires_at=kept_until)
        return kept_until if len(new) == len(draft.pages) else min(kept_until, head.pages_expire_at)

    def _base(self, head: Head) -> Sequence[PageRef]:
        """Return the pages that are stored already; a broken list counts as none."""
        if not head.published:
            return ()
        try:
            return self.store.page_list(head)
        except BrokenSnapshotError:
            return ()

    def _believe(
        self, head: Head, found: Sweep, calls: OriginCalls, replaced: Sequence[PageRef]
    ) -> None:
        """Check what is lost; only a page about to be replaced can hold a user that is gone.

        Raises:
            QuarantinedError: the loss is too large and not yet confirmed.
        """
        lost: set[int] = set()
        # Where a page cannot be read, how many are missing must do.
        with suppress(BrokenSnapshotError):
            old = self.store.pages(head.client_id, replaced)
            lost = {user_id for page in old for user_id in page.ids} - found.users.keys()
        now = self.clock()
        doubt = quarantine.doubt(head, lost=lost, left=len(found.users), now=now)
        if doubt is None:
            return
        since = doubt.since
        if doubt.ripe:
            calls.reserve(len(doubt.sample))
            if all(calls.user(user_id) is None for user_id in doubt.sample):
                return
            since = now
        raise QuarantinedError("too many users are missing", loss=doubt.loss, since=since)

    def _publish(self, claim: Claim, draft: Draft, changes: Mapping[str, Value]) -> Head:
        """Move the head, and settle by reading what an unanswered write did.

        Raises:
            LeaseLostError: somebody has taken the lease since.
            StoreError: DynamoDB failed.
        """
        base, failure = claim.head, StoreError("the head did not move", reason="store-unsettled")
        for _ in range(2):
            try:
                self.store.publish(claim.lease, base, changes, pages=pages.pack(draft.refs))
            except StoreError as error:
                failure = error
            head = self.store.head(base.client_id)
            if head.generation > base.generation and head.digest == draft.digest:
                return head
            if head.lease_token != claim.lease.token:
                raise LeaseLostError("the lease was taken over", reason="lease-lost") from failure
        raise failure

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
