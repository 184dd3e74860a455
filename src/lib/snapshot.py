"""Reads runs of users out of one snapshot, loading only the pages that a run touches.

Pure but for the loader it is given.
"""

import json
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from heapq import merge
from typing import Protocol

from lib.hiding import HidingPolicy
from lib.models import Head, PageRef
from lib.pages import Page, canonical


class SnapshotReads(Protocol):
    """What a snapshot is read through; see ``lib.memory`` and ``lib.store``."""

    def page_list(self, head: Head) -> Sequence[PageRef]:
        """Return the pages of the head's generation."""

    def pages(self, client_id: str, refs: Sequence[PageRef]) -> Sequence[Page]:
        """Return pages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """All known users of one client at one moment.

    ``refs`` gives the page list and ``load`` the pages of some of them, in the order asked for;
    both raise BrokenSnapshotError rather than leave anything out.
    """

    head: Head
    refs: Callable[[], Sequence[PageRef]]
    load: Callable[[Sequence[PageRef]], Sequence[Page]]

    extra: Mapping[int, bytes] = field(default_factory=dict)
    """Users beside the snapshot's own, found by a look-up; they win over older ones."""

    def window(self, *, offset: int, limit: int) -> list[bytes]:
        """Return the documents at positions ``offset`` to ``offset + limit`` in id order."""
        wanted: list[PageRef] = []
        first = position = 0
        for ref in self.refs():
            end = position + ref.count
            if position < offset + limit and end > offset:
                if not wanted:
                    first = position
                wanted.append(ref)
            position = end
        lines = [line for page in self.load(wanted) for line in page.lines] if wanted else []
        return lines[max(0, offset - first) :][:limit] if lines else []

    def lines(self) -> Iterator[bytes]:
        """Yield every document in id order."""
        own = (
            (user_id, line)
            for page in self.load(self.refs())
            for user_id, line in zip(page.ids, page.lines, strict=True)
            if user_id not in self.extra
        )
        for _, line in merge(own, sorted(self.extra.items())):
            yield line

    def find(self, user_id: int) -> bytes | None:
        """Return the document of ``user_id``, or None if the snapshot does not hold it."""
        if user_id in self.extra:
            return self.extra[user_id]
        refs = self.refs()
        position = bisect_right([ref.first_id for ref in refs], user_id) - 1
        if position < 0:
            return None
        (page,) = self.load([refs[position]])
        return dict(zip(page.ids, page.lines, strict=True)).get(user_id)


def snapshot_of(
    store: SnapshotReads, head: Head, *, hiding: HidingPolicy | None = None
) -> Snapshot:
    """Return the snapshot that ``head`` names, read through ``store`` as far as it is asked for.

    Users published before ``hiding`` was the policy are shown as it wants them all the same.
    """

    def load(refs: Sequence[PageRef]) -> Sequence[Page]:
        read = store.pages(head.client_id, refs)
        if hiding is None or hiding.digest == head.policy:
            return read
        return [
            replace(page, lines=tuple(canonical(hiding.apply(json.loads(x))) for x in page.lines))
            for page in read
        ]

    return Snapshot(head=head, refs=lambda: store.page_list(head), load=load)
