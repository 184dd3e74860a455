"""Keeps heads, manifests, pages and the index in one DynamoDB table.

Every access is by full key. The head is changed by updates of named attributes only; whatever a
lease holder writes is conditional on its token, so a holder that was overtaken can change nothing
(fencing). ``expires_at`` is rubbish collection, never freshness: expiry is computed on read.
"""

from collections.abc import Collection, Mapping, Sequence
from functools import partial

from lib.aws import items
from lib.aws.heads import HEAD_MANIFEST_BYTES, Heads, Report, manifest_key
from lib.aws.items import Item
from lib.aws.table import Table
from lib.directory import index
from lib.directory.generation import Generation
from lib.directory.head import (
    FORMAT,
    GENERATION_ATTRIBUTES,
    LONGEST_PAUSE_SECONDS,
    Head,
    HeadUpdate,
    Lease,
    Value,
)
from lib.directory.manifest import Manifest, PageRef, read, well_formed
from lib.directory.pages import Page, decode, encode
from lib.directory.store import Kept
from lib.errors import BrokenSnapshotError, ConflictError, LeaseLostError, Reason


class DirectoryStore:
    """The directories in ``table``.

    Every method raises StoreError when DynamoDB does not do what it was asked.
    """

    def __init__(self, table: Table, *, report: Report) -> None:
        self._table = table
        self._heads = Heads(table, report)

    def head(self, client_id: str) -> Head:
        """Return the head as it is now; generation 0 if nothing was ever published."""
        return self._heads.read(client_id)

    def heads(self, client_ids: Sequence[str]) -> list[Head]:
        """Return those heads that can be read as they are; any other needs ``head``."""
        return self._heads.read_all(client_ids)

    def generation(self, client_id: str, number: int) -> Generation | None:
        """Return a generation as it was published, None if it is gone or cannot be read."""
        return self._heads.generation(client_id, number)

    def modified_at(self, client_id: str, number: int) -> float | None:
        """Return ``modified_at`` of a generation, of a buried one too; None if nothing is kept."""
        return self._heads.modified_at(client_id, number)

    def history(self, client_id: str, numbers: Sequence[int]) -> list[Kept]:
        """Return those generations with ``numbers`` of which anything is kept, by number."""
        return self._heads.history(client_id, numbers, partial(self.shards, client_id))

    def bury(self, client_id: str, number: int) -> None:
        """Let a generation be gone: its manifest stays, without what it is made of."""
        self._heads.bury(client_id, number)

    def discard(self, client_id: str, pages: Collection[str], shards: Collection[str]) -> None:
        """Delete pages and shards by digest."""
        keys = [_page_key(client_id, digest) for digest in sorted(pages)]
        self._table.delete_all(keys + [_shard_key(client_id, digest) for digest in sorted(shards)])

    def mark_announced(self, client_id: str, number: int, *, seen: int) -> bool:
        """Note that everything up to ``number`` was announced, unless the mark is not ``seen``."""
        try:
            self._heads.change(
                client_id,
                {"announced": number},
                condition=_unchanged("announced", seen),
                values={"announced_seen": seen},
            )
        except ConflictError:
            return False
        return True

    def note_read(self, client_id: str, instant: float) -> None:
        """Note in the head when somebody read the directory."""
        self._heads.change(client_id, {"read_at": instant})

    def manifest(self, generation: Generation) -> Manifest:
        """Return what a generation is made of.

        Raises:
            BrokenSnapshotError: the manifest is missing or unreadable.
        """
        return read(self.root(generation), partial(self.shards, generation.client_id))

    def root(self, generation: Generation) -> bytes:
        """Return the root of a generation's manifest, as it came with it or from its item.

        Raises:
            BrokenSnapshotError: it is missing.
        """
        # If what the head carries cannot be read, the item itself may be sound.
        if generation.packed is not None and well_formed(generation.packed):
            return generation.packed
        stored = self.generation(generation.client_id, generation.number)
        if stored is None or stored.packed is None:
            raise BrokenSnapshotError("a manifest is missing", reason=Reason.MISSING_MANIFEST)
        return stored.packed

    def pages(self, client_id: str, refs: Sequence[PageRef]) -> list[Page]:
        """Return the pages that ``refs`` name, in that order.

        Raises:
            BrokenSnapshotError: a page is missing or is not what its digest says.
        """
        data = self._contents([_page_key(client_id, ref.digest) for ref in refs])
        return [decode(ref, each) for ref, each in zip(refs, data, strict=True)]

    def shards(self, client_id: str, digests: Sequence[str]) -> list[bytes]:
        """Return the shards of an index, or a manifest's branches, by digest and in that order.

        Raises:
            BrokenSnapshotError: one is missing or is not what its digest says.
        """
        data = self._contents([_shard_key(client_id, digest) for digest in digests])
        return [index.checked(each, digest) for each, digest in zip(data, digests, strict=True)]

    def _contents(self, keys: Sequence[Item]) -> list[bytes]:
        read = map(items.decode, self._table.get_all(keys))
        found = {item["pk"]: item.get("data") for item in read}
        data = [found.get(key["pk"]["S"]) for key in keys]
        there = [each for each in data if isinstance(each, bytes)]
        if len(there) < len(keys):
            raise BrokenSnapshotError("a page or shard is missing", reason=Reason.MISSING_PAGE)
        return there

    def put(
        self, client_id: str, pages: Sequence[Page], shards: Mapping[str, bytes], *, expires_at: int
    ) -> None:
        """Write pages, and shards and branches by digest; what is there already is renewed."""
        contents = [(_page_key(client_id, page.ref.digest), encode(page)) for page in pages]
        contents += [(_shard_key(client_id, digest), shard) for digest, shard in shards.items()]
        self._table.put_all(
            [key | items.encode({"data": data, "expires_at": expires_at}) for key, data in contents]
        )

    def renew(self, generation: Generation, manifest: Manifest, *, expires_at: int) -> None:
        """Keep everything that ``generation`` is made of until ``expires_at``.

        Raises:
            BrokenSnapshotError: some of it is gone already.
        """
        client_id = generation.client_id
        keys = [_page_key(client_id, ref.digest) for ref in manifest.pages]
        shards = (*manifest.shards, *manifest.branches)
        keys += [_shard_key(client_id, digest) for digest in shards]
        keys.append(manifest_key(client_id, generation.number))
        try:
            for key in keys:
                self._table.update(
                    key, {"expires_at": expires_at}, condition="attribute_exists(#pk)"
                )
        except ConflictError as error:
            raise BrokenSnapshotError("a page is missing", reason=Reason.MISSING_PAGE) from error
        self._heads.change(client_id, {"pages_expire_at": expires_at})

    def acquire(self, head: Head, *, lease: Lease, now: float, update: HeadUpdate) -> bool:
        """Take the lease, unless anything happened since ``head`` was read; tell whether we did.

        ``update`` writes the lease, and the call counters with the calls the holder is to make.
        """
        try:
            self._heads.change(
                lease.client_id,
                {**update, "format": FORMAT},
                condition=" AND ".join(
                    (
                        _unchanged("lease_token", head.lease.token),
                        _unchanged("generation", head.generation.number),
                        _not_called_since(head),
                        _no_new("blocked_until"),
                        _no_new("retry_at"),
                    )
                ),
                values={
                    **_seen(head),
                    "lease_token_seen": head.lease.token,
                    "generation_seen": head.generation.number,
                    "blocked_until_seen": head.health.blocked_until,
                    "retry_at_seen": head.health.retry_at,
                    "now": now,
                },
            )
        except ConflictError:
            return False
        return True

    def reserve(self, head: Head, counters: HeadUpdate) -> bool:
        """Count calls about to be made, unless others did since; tell whether we did."""
        try:
            self._heads.change(
                head.client_id,
                counters,
                condition=_not_called_since(head),
                values=_seen(head),
            )
        except ConflictError:
            return False
        return True

    def update_held(self, lease: Lease, update: HeadUpdate) -> None:
        """Change the head as the holder of ``lease``.

        Raises:
            LeaseLostError: somebody has taken the lease since.
        """
        try:
            self._heads.change(
                lease.client_id,
                update,
                condition="#lease_token = :mine",
                values={"mine": lease.token},
            )
        except ConflictError as error:
            raise LeaseLostError("the lease was taken over", reason=Reason.LEASE_LOST) from error

    def hold_off(self, client_id: str, name: str, until: float) -> None:
        """Raise ``blocked_until`` or ``retry_at``; they only rise, so no lease is needed.

        What is further ahead than any pause is a wrong clock's word, and makes way.
        """
        never_set, earlier = f"attribute_not_exists(#{name})", f"#{name} < :set_{name}"
        try:
            self._heads.change(
                client_id,
                {name: until},
                condition=f"({never_set} OR {earlier} OR #{name} > :beyond)",
                values={"beyond": until + LONGEST_PAUSE_SECONDS},
            )
        except ConflictError:
            return

    def publish(
        self, lease: Lease, base: Head, update: HeadUpdate, *, number: int, root: bytes
    ) -> None:
        """Move the head from ``base`` to generation ``number``, and write its manifest with it.

        ``update`` are the head's new attributes, of which the manifest repeats what it needs. The
        ``root`` goes into both, into the head only while it is short.

        Raises:
            ConflictError: the lease was taken over, the head is not at ``base``, or ``number`` was
                published before.
        """
        moved = {**update, "generation": number, "listing": root, "format": FORMAT}
        manifest = {name: moved.get(name) for name in (*GENERATION_ATTRIBUTES, "format")} | {
            "previous": base.generation.number,
            "expires_at": update["pages_expire_at"],
        }
        in_head = root if len(root) <= HEAD_MANIFEST_BYTES else None
        self._heads.move(
            base.client_id,
            manifest,
            moved | {"listing": in_head},
            condition="#lease_token = :mine AND "
            + _unchanged("generation", base.generation.number),
            values={"mine": lease.token, "generation_seen": base.generation.number},
        )


def _page_key(client_id: str, digest: str) -> Item:
    return items.encode({"pk": f"page#{client_id}#{digest}", "sk": "page"})


def _shard_key(client_id: str, digest: str) -> Item:
    return items.encode({"pk": f"index#{client_id}#{digest}", "sk": "index"})


def _unchanged(name: str, seen: int) -> str:
    """Return the condition that ``name`` still is what was read; 0 may stand for never set."""
    same, never_set = f"#{name} = :{name}_seen", f"attribute_not_exists(#{name})"
    return same if seen else f"({never_set} OR {same})"


def _no_new(name: str) -> str:
    """Return the condition that no pause was noted since the head was read, or none that lasts."""
    return f"(attribute_not_exists(#{name}) OR #{name} <= :now OR #{name} = :{name}_seen)"


def _not_called_since(head: Head) -> str:
    counters = head.counters
    calls = _unchanged("calls", counters.calls)
    return f"{calls} AND {_unchanged('calls_minute', counters.calls_minute)}"


def _seen(head: Head) -> dict[str, Value]:
    return {
        "calls_seen": head.counters.calls,
        "calls_minute_seen": head.counters.calls_minute,
    }
