"""Remembers what an environment has read: heads for a second, immutable pages while they fit.

A remembered head may be used again for ``HEAD_SECONDS``, and longer only while the store is down:
its age is told all the same. Pages and page lists never change under their digest, so they stay
until bytes run out, least recently used first.
"""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Protocol

from lib.errors import StoreError
from lib.models import HEAD_SECONDS, Head, PageRef
from lib.pages import Page

MAX_BYTES = 48 * 1024 * 1024
"""Most bytes of pages kept in memory."""

MAX_HEADS = 256
"""Most heads and page lists kept in memory."""


class Reads(Protocol):
    """What is read through the memory; see ``lib.store``."""

    def head(self, client_id: str) -> Head:
        """Return the head as it is now."""

    def generation(self, client_id: str, number: int) -> Head | None:
        """Return what the head was at generation ``number``, None if that is gone."""

    def mark_announced(self, client_id: str, number: int, *, seen: int) -> bool:
        """Move the mark of what was announced."""

    def page_list(self, head: Head) -> Sequence[PageRef]:
        """Return the pages of the head's generation."""

    def pages(self, client_id: str, refs: Sequence[PageRef]) -> Sequence[Page]:
        """Return pages."""


class Memory:
    """A reader in front of ``store``; with ``max_bytes`` 0 it remembers nothing."""

    def __init__(
        self, store: Reads, *, clock: Callable[[], float], max_bytes: int = MAX_BYTES
    ) -> None:
        self._store = store
        self._clock = clock
        self._max_bytes = max_bytes
        self._heads: OrderedDict[str, tuple[Head, float]] = OrderedDict()
        self._generations: OrderedDict[tuple[str, int], Head] = OrderedDict()
        self._lists: OrderedDict[tuple[str, str], Sequence[PageRef]] = OrderedDict()
        self._pages: OrderedDict[tuple[str, str], Page] = OrderedDict()
        self._bytes = 0

    def head(self, client_id: str) -> Head:
        """Return the head as it is now, and remember it."""
        head = self._store.head(client_id)
        self.remember(head)
        return head

    def remember(self, head: Head) -> None:
        """Take ``head``, which was read or written just now, for the newest."""
        self._heads[head.client_id] = (head, self._clock())
        _trim(self._heads)

    def recent_head(self, client_id: str) -> Head:
        """Return the head as it was at most a second ago, or as last seen if the store is down."""
        remembered = self._heads.get(client_id) if self._max_bytes else None
        if remembered and 0 <= self._clock() - remembered[1] < HEAD_SECONDS:
            return remembered[0]
        try:
            return self.head(client_id)
        except StoreError:
            if remembered and remembered[0].published:
                return remembered[0]
            raise

    def generation(self, client_id: str, number: int) -> Head | None:
        """Return what the head was at generation ``number``, None if that is gone."""
        key = (client_id, number)
        if key not in self._generations or not self._max_bytes:
            head = self._store.generation(client_id, number)
            if head is None:
                return None
            self._generations[key] = head
            _trim(self._generations)
        return self._generations[key]

    def mark_announced(self, client_id: str, number: int, *, seen: int) -> bool:
        """Move the mark of what was announced from ``seen``, unless somebody else did."""
        return self._store.mark_announced(client_id, number, seen=seen)

    def page_list(self, head: Head) -> Sequence[PageRef]:
        """Return the pages of the head's generation."""
        key = (head.client_id, head.digest)
        if key not in self._lists or not self._max_bytes:
            self._lists[key] = self._store.page_list(head)
            _trim(self._lists)
        return self._lists[key]

    def pages(self, client_id: str, refs: Sequence[PageRef]) -> Sequence[Page]:
        """Return the pages that ``refs`` name, reading those not remembered in one batch."""
        missing = [ref for ref in refs if (client_id, ref.digest) not in self._pages]
        read = {page.ref: page for page in self._store.pages(client_id, missing)} if missing else {}
        found = [read.get(ref) or self._pages[client_id, ref.digest] for ref in refs]
        for page in found:
            self._remember(client_id, page)
        return found

    def _remember(self, client_id: str, page: Page) -> None:
        key = (client_id, page.ref.digest)
        if key not in self._pages:
            self._pages[key] = page
            self._bytes += _size(page)
        self._pages.move_to_end(key)
        while self._bytes > self._max_bytes and self._pages:
            _, oldest = self._pages.popitem(last=False)
            self._bytes -= _size(oldest)


def _size(page: Page) -> int:
    # A bytes object and an int cost about this much beside their content.
    return sum(len(line) + 100 for line in page.lines)


def _trim[K, V](entries: OrderedDict[K, V]) -> None:
    while len(entries) > MAX_HEADS:
        entries.popitem(last=False)
