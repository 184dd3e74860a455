"""Names what a generation is made of: its pages by rising first id, and the shards of its index.

Pure: no clock, no I/O.
"""

import struct
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, pairwise

from lib.errors import BrokenSnapshotError, Reason

_COUNT = struct.Struct(">H")
_PAGE = struct.Struct(">20sQH")
_SHARD = struct.Struct(">20s")


@dataclass(frozen=True, slots=True)
class PageRef:
    """Names one immutable page: hex digest, smallest user id in it, number of users."""

    digest: str
    first_id: int
    count: int


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

    def pack(self) -> bytes:
        """Return 2 bytes of page count, 30 a page (digest, first id, users) and 20 a shard."""
        pages = (_PAGE.pack(bytes.fromhex(p.digest), p.first_id, p.count) for p in self.pages)
        shards = (_SHARD.pack(bytes.fromhex(shard)) for shard in self.shards)
        return b"".join((_COUNT.pack(len(self.pages)), *pages, *shards))

    @cached_property
    def _first_ids(self) -> list[int]:
        return [page.first_id for page in self.pages]

    @cached_property
    def _ends(self) -> list[int]:
        return list(accumulate(page.count for page in self.pages))


def unpack(data: bytes) -> Manifest:
    """Return the manifest that was packed into ``data``.

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
    out_of_order = any(low.first_id >= high.first_id for low, high in pairwise(pages))
    if out_of_order or len(pages) != count:
        raise BrokenSnapshotError("a manifest is inconsistent", reason=Reason.BROKEN_MANIFEST)
    return Manifest(pages, shards)
