"""Names what a generation is made of: its pages by rising first id, and the shards of its index.

A long manifest is stored as a tree: its *root* names branches by digest, and each of these lists a
run of pages or of shards. A branch ends after a page whose first id hashes to a boundary. So a
changed user changes the root and two or three branches, however many users there are.

Pure: no clock, no I/O.
"""

import struct
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, batched, chain, pairwise
from typing import NamedTuple
from zlib import crc32

from lib.directory import index
from lib.errors import BrokenSnapshotError, Reason

MOST_LISTED = 300
"""Pages and shards that are listed without branches: 9 KB, of some 20,000 users."""

BRANCH = 64
"""How many pages or shards a branch lists on average: less than 2 KB."""

MAX_BRANCH = 4 * BRANCH
"""Most pages in a branch."""

_COUNT = struct.Struct(">H")
_PAGE = struct.Struct(">20sQH")
_SHARD = struct.Struct(">20s")
_TREE = b"\xff\xff"
"""In place of a count. No item is long enough for so many pages."""

type Load = Callable[[Sequence[str]], Sequence[bytes]]
"""Gives branches by digest; raises BrokenSnapshotError where one is missing."""


class PageRef(NamedTuple):
    """Names one immutable page: hex digest, smallest user id in it, number of users."""

    digest: str
    first_id: int
    users: int


@dataclass(frozen=True)
class Manifest:
    """``shards`` are digests in the order of the index; there are none without one."""

    pages: tuple[PageRef, ...] = ()
    shards: tuple[str, ...] = ()

    def page_of(self, user_id: int) -> PageRef | None:
        """Return the one page that can hold ``user_id``, None if none can."""
        position = bisect_right(self._first_ids, user_id) - 1
        return self.pages[position] if position >= 0 else None

    def run(self, offset: int, limit: int) -> tuple[Sequence[PageRef], int]:
        """Return the pages with positions ``offset`` to ``offset + limit`` in id order.

        Beside them stands how many users of the first of these pages come before ``offset``.
        """
        first = bisect_right(self._ends, offset)
        last = bisect_right(self._ends, offset + limit - 1)
        return self.pages[first : last + 1], offset - (self._ends[first - 1] if first else 0)

    @cached_property
    def branches(self) -> Mapping[str, bytes]:
        """What it is stored in beside its root, by digest; nothing while it is short."""
        if len(self.pages) + len(self.shards) <= MOST_LISTED:
            return {}
        runs = chain(
            map(Manifest, _runs(self.pages)),
            (Manifest((), shards) for shards in batched(self.shards, BRANCH, strict=False)),
        )
        return {index.digest_of(packed): packed for packed in map(Manifest.pack, runs)}

    @property
    def root(self) -> bytes:
        """What is stored of it with the generation: all of it, or 20 bytes a branch."""
        named = map(bytes.fromhex, self.branches)
        return b"".join((_TREE, *named)) if self.branches else self.pack()

    def pack(self) -> bytes:
        """Return 2 bytes of page count, 30 a page (digest, first id, users) and 20 a shard."""
        pages = (_PAGE.pack(bytes.fromhex(p.digest), p.first_id, p.users) for p in self.pages)
        shards = (_SHARD.pack(bytes.fromhex(shard)) for shard in self.shards)
        return b"".join((_COUNT.pack(len(self.pages)), *pages, *shards))

    @cached_property
    def _first_ids(self) -> list[int]:
        return [page.first_id for page in self.pages]

    @cached_property
    def _ends(self) -> list[int]:
        return list(accumulate(page.users for page in self.pages))


def _runs(pages: Sequence[PageRef]) -> Iterator[tuple[PageRef, ...]]:
    first = 0
    for end, page in enumerate(pages, 1):
        ends = crc32(b"%d" % page.first_id) % BRANCH == 0
        if ends or end - first == MAX_BRANCH or end == len(pages):
            yield tuple(pages[first:end])
            first = end


def read(root: bytes, load: Load) -> Manifest:
    """Return the manifest that was stored as ``root``.

    Raises:
        BrokenSnapshotError: that, or what ``load`` gives, is no manifest with rising ids.
    """
    if not root.startswith(_TREE):
        return unpack(root)
    runs = [unpack(branch) for branch in load(_branches_of(root))]
    pages = tuple(chain.from_iterable(run.pages for run in runs))
    shards = tuple(chain.from_iterable(run.shards for run in runs))
    return _checked(Manifest(pages, shards), len(pages))


def well_formed(root: bytes) -> bool:
    """Return whether what is stored as a root can be one."""
    try:
        read(root, lambda _: ())
    except BrokenSnapshotError:
        return False
    return True


def _branches_of(root: bytes) -> Sequence[str]:
    try:
        return [digest.hex() for (digest,) in _SHARD.iter_unpack(root[len(_TREE) :])]
    except struct.error as error:
        raise BrokenSnapshotError(
            "a manifest cannot be read", reason=Reason.BROKEN_MANIFEST
        ) from error


def unpack(data: bytes) -> Manifest:
    """Return the manifest, or the run of one, that was packed into ``data``.

    Raises:
        BrokenSnapshotError: the bytes are no manifest with rising ids.
    """
    try:
        (count,) = _COUNT.unpack_from(data)
        end = _COUNT.size + count * _PAGE.size
        listed = _PAGE.iter_unpack(data[_COUNT.size : end])
        pages = tuple(PageRef(digest.hex(), *rest) for digest, *rest in listed)
        shards = tuple(digest.hex() for (digest,) in _SHARD.iter_unpack(data[end:]))
    except struct.error as error:
        raise BrokenSnapshotError(
            "a manifest cannot be read", reason=Reason.BROKEN_MANIFEST
        ) from error
    return _checked(Manifest(pages, shards), count)


def _checked(manifest: Manifest, count: int) -> Manifest:
    pages = manifest.pages
    out_of_order = any(low.first_id >= high.first_id for low, high in pairwise(pages))
    if out_of_order or len(pages) != count:
        raise BrokenSnapshotError("a manifest is inconsistent", reason=Reason.BROKEN_MANIFEST)
    return manifest
