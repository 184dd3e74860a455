"""Publishes a generation: pages first, then manifest and head at once, fenced by the lease.

A crash anywhere leaves the old generation served. A write whose outcome is unknown is settled by
reading.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from lib import head_changes, pages
from lib.attributes import Value
from lib.errors import LeaseLostError, StoreError
from lib.head_changes import KEEP_SECONDS
from lib.models import Head, Lease, PageRef
from lib.outcomes import Claim
from lib.pages import Draft, Page


class PublicationStore(Protocol):
    """What publishing needs of the store; see ``lib.store``."""

    def head(self, client_id: str) -> Head:
        """Return the head as it is now."""

    def put_pages(self, client_id: str, pages: Sequence[Page], *, expires_at: int) -> None:
        """Write pages."""

    def publish(
        self, lease: Lease, base: Head, changes: Mapping[str, Value], *, pages: bytes
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
        stored: Sequence[PageRef],
    ) -> Head:
        """Return the head after it moved to ``draft``, which was begun at ``started``.

        ``changes`` go to the head beside those of the generation itself; pages in ``stored`` are
        there already.

        Raises:
            LeaseLostError: somebody has taken the lease since.
            StoreError: DynamoDB failed.
        """
        kept_until = self._put(claim.head, draft, stored)
        moved = head_changes.moved(claim.head, draft, started=started, kept_until=kept_until)
        return self._move(claim, draft, {**changes, **moved})

    def _put(self, head: Head, draft: Draft, stored: Sequence[PageRef]) -> int:
        """Write the pages that are not stored yet; return until when all of them are kept."""
        kept_until = int(self.clock()) + KEEP_SECONDS
        new = [page for page in draft.pages if page.ref not in stored]
        self.store.put_pages(head.client_id, new, expires_at=kept_until)
        return kept_until if len(new) == len(draft.pages) else min(kept_until, head.pages_expire_at)

    def _move(self, claim: Claim, draft: Draft, changes: Mapping[str, Value]) -> Head:
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
