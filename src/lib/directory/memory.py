"""Remembers what an environment has read: heads for a second, immutable pages while they fit.

A remembered head may be used again for ``HEAD_SECONDS``, and longer only while the store is down:
its age is told all the same. Pages, shards and manifests never change under their name, so they
stay until bytes run out, least recently used first. That a generation is there is believed for
``GENERATION_SECONDS``.
"""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import suppress
from copy import replace
from functools import partial
from threading import Lock
from typing import Any

from lib.directory.generation import Generation
from lib.directory.head import HEAD_SECONDS, Head
from lib.directory.manifest import Manifest, PageRef, read
from lib.directory.pages import Page
from lib.directory.store import Readable
from lib.errors import StoreError

MAX_HEADS = 256
"""Most heads and manifests kept in memory."""


GENERATION_SECONDS = 60
"""How long a generation of the past is remembered: it may be buried, when somebody is erased."""


class Memory:
    """A reader in front of ``store``.

    It keeps at most ``max_bytes`` of pages and shards, and if that is 0 nothing at all.
    """

    def __init__(self, store: Readable, *, clock: Callable[[], float], max_bytes: int) -> None:
        self._store = store
        self._clock = clock
        self._max_bytes = max_bytes
        self._heads: OrderedDict[str, tuple[Head, float]] = OrderedDict()
        self._generations: OrderedDict[tuple[str, int], tuple[Generation, float]] = OrderedDict()
        self._instants: OrderedDict[tuple[str, int], float] = OrderedDict()
        self._manifests: OrderedDict[tuple[str, str], Manifest] = OrderedDict()
        self._contents = _Contents(max_bytes)

    def head(self, client_id: str) -> Head:
        """Return the head as it is now, and remember it."""
        # The answer may be long on its way, and others go on meanwhile.
        asked_at = self._clock()
        head = self._store.head(client_id)
        self.remember(head, since=asked_at)
        return head

    def remember(self, head: Head, *, since: float) -> None:
        """Take ``head``, read or written at the instant ``since`` or later, for the newest."""
        self._heads[head.client_id] = (head, since)
        _trim(self._heads)

    def recent_head(self, client_id: str) -> Head:
        """Return the head as it was at most a second ago, or as last seen if the store is down."""
        remembered = self._heads.get(client_id) if self._max_bytes else None
        if remembered and 0 <= self._clock() - remembered[1] < HEAD_SECONDS:
            return remembered[0]
        try:
            return self.head(client_id)
        except StoreError:
            if remembered and remembered[0].generation.published:
                return remembered[0]
            raise

    def generation(self, client_id: str, number: int) -> Generation | None:
        """Return a generation as it was published, None if it is gone."""
        key = (client_id, number)
        remembered = self._generations.get(key) if self._max_bytes else None
        asked_at = self._clock()
        if remembered and 0 <= asked_at - remembered[1] < GENERATION_SECONDS:
            return remembered[0]
        generation = self._store.generation(client_id, number)
        if generation is not None:
            self._generations[key] = (generation, asked_at)
            _trim(self._generations)
        return generation

    def modified_at(self, client_id: str, number: int) -> float | None:
        """Return from when on everybody answered from a generation, None if nothing is kept."""
        key = (client_id, number)
        instant = self._instants.get(key) if self._max_bytes else None
        if instant is None:
            instant = self._store.modified_at(client_id, number)
            if instant is not None:
                self._instants[key] = instant
                _trim(self._instants)
        return instant

    def mark_announced(self, client_id: str, number: int, *, seen: int) -> bool:
        """Move the mark of what was announced from ``seen``, unless somebody else did."""
        return self._store.mark_announced(client_id, number, seen=seen)

    def note_read(self, head: Head, instant: float) -> None:
        """Note in the head when somebody read the directory; a failure is no reader's concern."""
        asked_at = self._heads.get(head.client_id, (head, 0.0))[1]
        self.remember(replace(head, read_at=instant), since=asked_at)
        with suppress(StoreError):
            self._store.note_read(head.client_id, instant)

    def manifest(self, generation: Generation) -> Manifest:
        """Return what a generation is made of."""
        key = (generation.client_id, generation.digest)
        manifest = self._manifests.get(key) if self._max_bytes else None
        if manifest is None:
            root = self._store.root(generation)
            branches = partial(self.shards, generation.client_id)
            manifest = self._manifests[key] = read(root, branches)
            _trim(self._manifests)
        return manifest

    def pages(self, client_id: str, refs: Sequence[PageRef]) -> Sequence[Page]:
        """Return the pages that ``refs`` name, reading those not remembered in one batch."""
        return self._contents.get(
            [(client_id, ref.digest) for ref in refs],
            lambda missing: self._store.pages(client_id, [refs[position] for position in missing]),
            page_size,
        )

    def shards(self, client_id: str, digests: Sequence[str]) -> Sequence[bytes]:
        """Return the shards, or branches, that ``digests`` name, reading those not remembered.

        That takes one batch.
        """
        return self._contents.get(
            [(client_id, digest) for digest in digests],
            lambda missing: self._store.shards(client_id, [digests[n] for n in missing]),
            len,
        )


class _Contents:
    """Immutable contents by client and digest, in at most ``max_bytes``.

    The schedule revalidates several clients side by side, so it may be asked by several threads.
    """

    def __init__(self, max_bytes: int) -> None:
        self._lock = Lock()
        self._max_bytes = max_bytes
        self._bytes = 0
        self._kept: OrderedDict[tuple[str, str], tuple[Any, int]] = OrderedDict()

    def get[T](
        self,
        keys: Sequence[tuple[str, str]],
        read: Callable[[Sequence[int]], Sequence[T]],
        size_of: Callable[[T], int],
    ) -> Sequence[T]:
        """Return what ``keys`` name; ``read`` gives those at positions that are not kept."""
        with self._lock:
            missing = {key: position for position, key in enumerate(keys) if key not in self._kept}
            new = read(list(missing.values())) if missing else ()
            for key, content in zip(missing, new, strict=True):
                self._kept[key] = (content, size_of(content))
                self._bytes += self._kept[key][1]
            for key in keys:
                self._kept.move_to_end(key)
            found = [self._kept[key][0] for key in keys]
            while self._bytes > self._max_bytes:
                _, (_, size) = self._kept.popitem(last=False)
                self._bytes -= size
            return found


def page_size(page: Page) -> int:
    """Return about how many bytes a page takes, its rows included, which may be parsed later."""
    return sum(map(len, page.lines)) * 2 + len(page.lines) * 700


def _trim[K, V](entries: OrderedDict[K, V]) -> None:
    while len(entries) > MAX_HEADS:
        entries.popitem(last=False)
