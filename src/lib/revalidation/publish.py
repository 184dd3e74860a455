"""Publishes a generation: pages and index first, then manifest and head at once.

All of it is fenced by the lease. A crash anywhere leaves the old generation served. A write whose
outcome is unknown is settled by reading.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

from lib.clock import Time
from lib.directory import index
from lib.directory.generation import Generation
from lib.directory.head import Head
from lib.directory.manifest import Manifest
from lib.directory.pages import Draft
from lib.directory.store import Contents, Directory
from lib.directory.users_digest import MODULUS
from lib.errors import ConflictError, LeaseLostError, Reason, StoreError
from lib.revalidation import head_updates
from lib.revalidation.head_updates import KEEP_SECONDS, Update
from lib.revalidation.outcomes import Claim

PAUSE_SECONDS = 0.2
"""Mean pause before a move that failed is tried again."""


@dataclass(frozen=True, slots=True)
class Publication:
    """Publishes drafts of any client."""

    store: Directory
    contents: Contents
    time: Time

    def publish(self, claim: Claim, draft: Draft, update: Update, *, stored: Manifest) -> Head:
        """Return the head after it moved to ``draft``.

        ``update`` goes to the head beside that of the generation itself; what ``stored`` names is
        there already.

        Raises:
            LeaseLostError: somebody has taken the lease since.
            StoreError: DynamoDB failed.
        """
        shards = _index(draft, claim.head.client_id)
        manifest = Manifest(draft.refs, tuple(shards))
        kept_until = self._put(claim.head, draft, {**shards, **manifest.branches}, stored)
        moved = head_updates.moved(claim.head, draft, now=self.time.now(), kept_until=kept_until)
        moved |= head_updates.summed(draft, self._total(claim.head.generation, draft, stored))
        return self._move(claim, draft, {**update, **moved}, manifest)

    def _total(self, base: Generation, draft: Draft, stored: Manifest) -> int:
        """Return the digest of a draft's users, from that of the last generation where it can be.

        Then only pages that differ are looked at.
        """
        known, there = base.users_total, set(stored.pages)
        if known is not None and there:
            gone = [ref for ref in stored.pages if ref not in set(draft.refs)]
            with suppress(StoreError):
                known -= sum(page.total for page in self.contents.pages(base.client_id, gone))
                known += sum(page.total for page in draft.pages if page.ref not in there)
                return known % MODULUS
        return draft.total

    def _put(self, head: Head, draft: Draft, shards: Mapping[str, bytes], stored: Manifest) -> int:
        """Write what is not stored yet; return until when all of it is kept."""
        kept_until = int(self.time.now()) + KEEP_SECONDS
        there = {*stored.pages, *stored.shards, *stored.branches}
        pages = [page for page in draft.pages if page.ref not in there]
        changed = {digest: shard for digest, shard in shards.items() if digest not in there}
        self.store.put(head.client_id, pages, changed, expires_at=kept_until)
        all_new = len(pages) == len(draft.pages) and len(changed) == len(shards)
        return kept_until if all_new else min(kept_until, head.pages_expire_at)

    def _move(self, claim: Claim, draft: Draft, update: Update, manifest: Manifest) -> Head:
        """Move the head, and settle by reading what an unanswered write did.

        Raises:
            LeaseLostError: somebody has taken the lease since.
            StoreError: DynamoDB failed.
        """
        base, number = claim.head, claim.head.generation.number + 1
        failure = StoreError("the head did not move", reason=Reason.STORE_UNSETTLED)
        for last in (False, True):
            try:
                self.store.publish(claim.lease, base, update, number=number, root=manifest.root)
            except StoreError as error:
                failure = error
            head = self.store.head(base.client_id)
            if _moved(base.generation, head.generation, draft):
                return head
            if head.lease.token != claim.lease.token:
                raise LeaseLostError(
                    "the lease was taken over", reason=Reason.LEASE_LOST
                ) from failure
            if not last:
                if isinstance(failure, ConflictError):
                    number, update = self._beyond(update)
                self.time.sleep(PAUSE_SECONDS * (0.5 + self.time.random()))
        raise failure

    def _beyond(self, update: Update) -> tuple[int, Update]:
        """Return the number to publish under, and what that changes, where the next one is taken.

        If the head was lost or restored, its numbers began again, and what callers and events know
        under the next one is something else. From the time of day in milliseconds on none was ever
        used. Changes are announced from there, too: as a baseline, for want of a generation before.
        """
        number = int(self.time.now() * 1000)
        return number, {**update, "announced": number - 1}


def _moved(base: Generation, now: Generation, draft: Draft) -> bool:
    return now.number > base.number and now.digest == draft.digest


def _index(draft: Draft, client_id: str) -> dict[str, bytes]:
    """Return the shards of a draft's index by digest, in the index's order."""
    lines = (line for page in draft.pages for line in page.lines)
    return {index.digest_of(shard): shard for shard in index.build(lines, client_id)}
