"""Reads runs of users out of one snapshot, loading only the pages that a run touches.

Pure but for the loader it is given.
"""

import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from copy import replace
from itertools import chain, islice
from types import MappingProxyType
from typing import NamedTuple

from lib.directory import index
from lib.directory.generation import Generation
from lib.directory.manifest import Manifest, PageRef
from lib.directory.pages import Page
from lib.directory.store import Contents
from lib.users.document import canonical
from lib.users.hiding import HidingPolicy
from lib.users.row import Row, row_of


class Snapshot(NamedTuple):
    """All known users of one client at one moment.

    ``manifest`` tells what it is made of; ``load`` and ``load_shards`` give some of that, in the
    order asked for. All raise BrokenSnapshotError rather than leave anything out.
    """

    generation: Generation
    manifest: Callable[[], Manifest]
    load: Callable[[Sequence[PageRef]], Sequence[Page]]
    load_shards: Callable[[Sequence[str]], Sequence[bytes]]

    extra: Mapping[int, bytes] = MappingProxyType({})
    """Users beside the snapshot's own, found by a look-up; they win over older ones."""

    def slice(self, *, offset: int, limit: int) -> Sequence[bytes]:
        """Return the documents at positions ``offset`` to ``offset + limit`` in id order."""
        refs, skipped = self.manifest().run(offset, limit)
        if not refs:
            return []
        pages = self.load(refs)
        lines = chain.from_iterable(page.lines for page in pages)
        return list(islice(lines, skipped, skipped + limit))

    def rows(self) -> list[Row]:
        """Return every user by rising id."""
        return self._with_extra(row for page in self._all_pages() for row in page.rows)

    def rows_named(self, *, ids: Collection[int], keys: Collection[str]) -> list[Row]:
        """Return by rising id at least those users that have one of ``ids`` or ``keys``.

        Keys are those of the index. What more there is must be sorted out by who asks.
        """
        manifest = self.manifest()
        if keys and not manifest.shards:
            return self.rows()
        question = index.Question(keys, self.generation.client_id, len(manifest.shards) or 1)
        shards = self.load_shards([manifest.shards[n] for n in question.shards]) if keys else ()
        wanted = sorted(question.find(shards) | set(ids))
        refs = {user_id: ref for user_id in wanted if (ref := manifest.page_of(user_id))}
        named = list(dict.fromkeys(refs.values()))
        pages = dict(zip(named, self.load(named), strict=True))
        found = (pages[ref].find(user_id) for user_id, ref in refs.items())
        return self._with_extra(row_of(line) for line in found if line)

    def lines(self) -> list[bytes]:
        """Return every document in id order."""
        lines = {
            user_id: line for page in self._all_pages() for user_id, line in page.users()
        } | dict(self.extra)
        return [lines[user_id] for user_id in sorted(lines)]

    def find(self, user_id: int) -> bytes | None:
        """Return the document of ``user_id``, or None if the snapshot does not hold it."""
        if user_id in self.extra:
            return self.extra[user_id]
        ref = self.manifest().page_of(user_id)
        if ref is None:
            return None
        (page,) = self.load([ref])
        return page.find(user_id)

    def _all_pages(self) -> Sequence[Page]:
        return self.load(self.manifest().pages)

    def _with_extra(self, rows: Iterable[Row]) -> list[Row]:
        """Return ``rows`` and those found beside the snapshot, by rising id."""
        if not self.extra:
            return list(rows)
        own = (row for row in rows if row.id not in self.extra)
        return sorted([*own, *map(row_of, self.extra.values())], key=lambda row: row.id)


def snapshot_of(
    contents: Contents, generation: Generation, *, hiding: HidingPolicy | None = None
) -> Snapshot:
    """Return the snapshot of a generation, read through ``contents`` as far as it is asked for.

    Users published before ``hiding`` was the policy are shown as it wants them all the same.
    """

    def load(refs: Sequence[PageRef]) -> Sequence[Page]:
        read = contents.pages(generation.client_id, refs)
        if hiding is None or hiding.digest == generation.hiding_digest:
            return read
        return [
            replace(page, lines=tuple(canonical(hiding.apply(json.loads(x))) for x in page.lines))
            for page in read
        ]

    return Snapshot(
        generation=generation,
        manifest=lambda: contents.manifest(generation),
        load=load,
        load_shards=lambda digests: contents.shards(generation.client_id, digests),
    )
