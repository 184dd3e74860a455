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
from dataclasses import dataclass, fields, replace
from typing import Any, Protocol

from lib import budget, pages, quarantine
from lib.attributes import Value
from lib.budget import Refusal
from lib.errors import (
    BrokenSnapshotError,
    LeaseLostError,
    NotFoundError,
    OriginBlockedError,
    QuarantinedError,
    ServiceError,
    StoreError,
    UnavailableError,
)
from lib.models import CLIENT_NOT_CONFIGURED, LEASE_SECONDS, Head, Lease, PageRef, Window
from lib.origin_calls import Counters, Credentials, Origin, OriginCalls
from lib.outcomes import Claim, Failed, Outcome, Published, Unchanged
from lib.pages import Page
from lib.sweep import Sweep, expected_calls, sweep

KEEP_SECONDS = 30 * 24 * 3600
"""How long what a head names is kept before it must be renewed."""

RENEW_SECONDS = KEEP_SECONDS // 2
"""What a head names is renewed when it would be kept for less than this."""

LEASE_MARGIN_SECONDS = 1
"""A run stops asking this long before its lease ends, to publish in time."""


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

    def claim(self, head: Head, *, holder: str) -> Claim | Refusal:
        """Take the lease and reserve the calls of a sweep, in one write, or tell why not.

        ``holder`` must be unique to the invocation. Acquiring *is* the claim: many who try at
        once start one revalidation.
        """
        now = self.clock()
        if self.frozen:
            return Refusal("frozen", now + RENEW_SECONDS)
        for _ in range(3):
            if head.leased(now):
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
            taken = self.store.acquire(head, lease=lease, now=now, counters=counters)
            # A write that was refused may be the repetition of one that went through.
            head = _changed(head, counters) if taken else self.store.head(head.client_id)
            if taken or (head.lease_holder, head.lease_token) == (holder, lease.token):
                return Claim(lease, head, calls)
        return Refusal("lease-held", max(head.lease_expires_at, now + 1))

    def resume(self, lease: Lease) -> Claim | None:
        """Return the claim that another invocation made for this one, if it still stands."""
        head = self.store.head(lease.client_id)
        still_mine = (head.lease_holder, head.lease_token) == (lease.holder, lease.token)
        if not still_mine or not head.leased(self.clock()):
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
        started = self.clock()
        try:
            found = sweep(calls.list_rows, self.window, last_users=claim.head.window_users)
            success = self._success(found, calls, started=started, forced=forced)
            return self._store(claim, found, calls, success, repair=repair)
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

    def _store(
        self,
        claim: Claim,
        found: Sweep,
        calls: OriginCalls,
        success: dict[str, Value],
        *,
        repair: bool,
    ) -> Outcome:
        head, cut = claim.head, pages.cut(list(found.users.values()))
        refs = [page.ref for page in cut]
        reason = "" if found.complete else "window-full"
        digest = pages.snapshot_digest(refs, complete=found.complete, reason=reason)
        if head.published and digest == head.digest and not repair:
            self.store.update_held(claim.lease, success)
            return Unchanged(_changed(head, success), calls.made)
        base = () if repair else self._base(head)
        self._believe(head, found, calls, [ref for ref in base if ref not in refs])
        new = [page for page in cut if page.ref not in base]
        kept_until = int(self.clock()) + KEEP_SECONDS
        self.store.put_pages(head.client_id, new, expires_at=kept_until)
        if len(new) < len(cut):
            kept_until = min(kept_until, head.pages_expire_at)
        success |= {
            "digest": digest,
            "users": len(found.users),
            "complete": found.complete,
            "incomplete_reason": reason or None,
            "pages_expire_at": kept_until,
            # It must rise, for dates have seconds and two generations may share one.
            "modified_at": max(int(float(success["swept_at"] or 0)), head.modified_at + 1),
        }
        return Published(self._publish(claim, success, pages.pack(refs)), calls.made)

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
        try:
            old = self.store.pages(head.client_id, replaced) if replaced else ()
        except BrokenSnapshotError:
            return
        lost = {user_id for page in old for user_id in page.ids} - found.users.keys()
        now = self.clock()
        doubt = quarantine.doubt(head, lost=lost, left=len(found.users), now=now)
        if doubt is None:
            return
        since = doubt.since
        if doubt.sample:
            calls.reserve(len(doubt.sample))
            if all(calls.user(user_id) is None for user_id in doubt.sample):
                return
            since = now
        raise QuarantinedError(
            f"{len(lost)} of {head.users} users are missing", loss=doubt.loss, since=since
        )

    def _publish(self, claim: Claim, success: Mapping[str, Value], packed: bytes) -> Head:
        """Move the head, and settle by reading what an unanswered write did.

        Raises:
            LeaseLostError: somebody has taken the lease since.
            StoreError: DynamoDB failed.
        """
        base, last_error = claim.head, StoreError("never tried", reason="store")
        for _ in range(2):
            try:
                self.store.publish(claim.lease, base, success, pages=packed)
            except StoreError as error:
                last_error = error
            head = self.store.head(base.client_id)
            if head.generation > base.generation and head.digest == success["digest"]:
                return head
            if head.lease_token != claim.lease.token:
                raise LeaseLostError(
                    "the lease was taken over", reason="lease-lost"
                ) from last_error
        raise last_error

    def _success(
        self, found: Sweep, calls: OriginCalls, *, started: float, forced: bool
    ) -> dict[str, Value]:
        changes: dict[str, Value] = {
            **_RELEASED,
            **_rate_limit(calls),
            "swept_at": started,
            "validated_at": self.clock(),
            "window_users": len(found.users),
            "last_error": None,
            "failures": None,
            "quarantine": None,
            "quarantined_at": None,
        }
        return changes | ({"forced_at": started} if forced else {})

    def _note_failure(self, claim: Claim, calls: OriginCalls, error: ServiceError) -> None:
        head, changes = claim.head, {**_RELEASED, **_rate_limit(calls)}
        with suppress(StoreError):
            if not isinstance(error, StoreError):
                name, until = self._hold_off(head, error)
                self.store.hold_off(head.client_id, name, until)
                changes["failures"] = head.failures + 1
                changes["last_error"] = (
                    error.reason if isinstance(error, UnavailableError) else CLIENT_NOT_CONFIGURED
                )
            if isinstance(error, QuarantinedError):
                changes |= {"quarantine": error.loss, "quarantined_at": error.since}
            self.store.update_held(claim.lease, changes)

    def _hold_off(self, head: Head, error: ServiceError) -> tuple[str, float]:
        now, jitter = self.clock(), self.random()
        if isinstance(error, OriginBlockedError):
            until = budget.block_until(reset_seconds=error.reset_seconds, now=now, jitter=jitter)
            return "blocked_until", until
        if isinstance(error, QuarantinedError):
            return "retry_at", error.since + quarantine.WAIT_SECONDS
        return "retry_at", budget.backoff_until(failures=head.failures + 1, now=now, jitter=jitter)


_RELEASED: dict[str, Value] = {"lease_holder": None, "lease_expires_at": None}
_DEFAULTS = {field.name: field.default for field in fields(Head)}


def _rate_limit(calls: OriginCalls) -> dict[str, Value]:
    told = calls.rate_limit
    if told is None:
        return {}
    return {
        "rate_limit": told.limit,
        "rate_remaining": told.remaining,
        "rate_reset_at": told.reset_at,
    }


def _changed(head: Head, changes: Mapping[str, Value]) -> Head:
    """Return the head as it is after an update, which removes what is None."""
    values: dict[str, Any] = {
        name: _DEFAULTS[name] if value is None else value for name, value in changes.items()
    }
    return replace(head, **values)
