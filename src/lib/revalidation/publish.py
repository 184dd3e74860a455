"""Publishes a generation: pages and index first, then manifest and head at once.

All of it is fenced by the lease. A crash anywhere leaves the old generation served. A write whose
outcome is unknown is settled by reading.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from lib.directory import index
from lib.directory.head import Head, Lease, Value
from lib.directory.manifest import Listing
from lib.directory.pages import Draft, Page
from lib.errors import LeaseLostError, StoreError
from lib.revalidation import head_updates
from lib.revalidation.head_updates import KEEP_SECONDS
from lib.revalidation.outcomes import Claim


class PublicationStore(Protocol):
    """What publishing needs of the store; see ``lib.aws.directory_store``."""

    def head(self, client_id: str) -> Head:
        """Return the head as it is now."""

    def put(
        self, client_id: str, pages: Sequence[Page], shards: Mapping[str, bytes], *, expires_at: int
    ) -> None:
        """Write pages, and shards by digest."""

    def publish(
        self, lease: Lease, base: Head, changes: Mapping[str, Value], *, listing: bytes
    ) -> None:
        """Move the head to its next generation."""


@dataclass(frozen=True, slots=True)
class Publication:
    """Publishes drafts of any client."""

    store: PublicationStore
    clock: Callable[[], float]

    def publish(
        self,
        claim: Claim,
        draft: Draft,
        changes: Mapping[str, Value],
        *,
        started: float,
        stored: Listing,
    ) -> Head:
        """Return the head after it moved to ``draft``, which was begun at ``started``.

        ``changes`` go to the head beside those of the generation itself; what ``stored`` lists is
        there already.

        Raises:
            LeaseLostError: somebody has taken the lease since.
            StoreError: DynamoDB failed.
        """
        shards = _index(draft, claim.head.client_id)
        kept_until = self._put(claim.head, draft, shards, stored)
        moved = head_updates.moved(claim.head, draft, started=started, kept_until=kept_until)
        return self._move(claim, draft, {**changes, **moved}, Listing(draft.refs, tuple(shards)))

    def _put(self, head: Head, draft: Draft, shards: Mapping[str, bytes], stored: Listing) -> int:
        """Write what is not stored yet; return until when all of it is kept."""
        kept_until = int(self.clock()) + KEEP_SECONDS
        there = {*stored.pages, *stored.shards}
        pages = [page for page in draft.pages if page.ref not in there]
        changed = {digest: shard for digest, shard in shards.items() if digest not in there}
        self.store.put(head.client_id, pages, changed, expires_at=kept_until)
        all_new = len(pages) == len(draft.pages) and len(changed) == len(shards)
        return kept_until if all_new else min(kept_until, head.pages_expire_at)

    def _move(
        self, claim: Claim, draft: Draft, changes: Mapping[str, Value], listing: Listing
    ) -> Head:
        """Move the head, and settle by reading what an unanswered write did.

        Raises:
            LeaseLostError: somebody has taken the lease since.
            StoreError: DynamoDB failed.
        """
        base, failure = claim.head, StoreError("the head did not move", reason="store-unsettled")
        for _ in range(2):
            try:
                self.store.publish(claim.lease, base, changes, listing=listing.pack())
            except StoreError as error:
                failure = error
            head = self.store.head(base.client_id)
            if head.generation > base.generation and head.digest == draft.digest:
                return head
            if head.lease_token != claim.lease.token:
                raise LeaseLostError("the lease was taken over", reason="lease-lost") from failure
        raise failure


def _index(draft: Draft, client_id: str) -> dict[str, bytes]:
    """Return the shards of a draft's index by digest, in the index's order."""
    lines = (line for page in draft.pages for line in page.lines)
    return {index.digest_of(shard): shard for shard in index.build(lines, client_id)}
