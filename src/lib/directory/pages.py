"""Cuts a directory of users into immutable, content-addressed pages and reads them back.

A user is one canonical JSON document on one line: the origin's fields in the origin's order,
unknown ones after them, nested keys sorted. The same directory always gives the same pages,
whatever came before it, and one created or deleted user changes one page: a page ends after a
user whose id hashes to a boundary. A run that is too long or too heavy before one comes ends after
the smallest hash in its later half, which seldom moves when a user comes or goes.

Pure: no clock, no I/O.
"""

import hashlib
import zlib
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from lib.directory.manifest import Manifest, PageRef
from lib.errors import BrokenSnapshotError, Reason
from lib.users.document import id_of
from lib.users.row import Row, rows_of

MAX_USERS = 250
"""Most users in a page."""

MAX_BYTES = 300_000
"""Most compressed bytes in a page: three quarters of DynamoDB's limit of 400 KB an item."""

BOUNDARY = 128
"""One id in this many ends a page."""

_LIGHT = MAX_BYTES // MAX_USERS


@dataclass(frozen=True)
class Page:
    """A run of users by rising id; ``lines[i]`` is the canonical document of ``ids[i]``."""

    ref: PageRef
    ids: tuple[int, ...]
    lines: tuple[bytes, ...]

    @cached_property
    def rows(self) -> tuple[Row, ...]:
        """The users as filters and orders see them, parsed once however often they are asked."""
        return tuple(rows_of(self.lines))

    @cached_property
    def total(self) -> int:
        """The digest of its users as a number (``lib.directory.users_digest``)."""
        from lib.directory.users_digest import total_of  # noqa: PLC0415 - a hit does not need it

        return total_of(self.lines)

    def users(self) -> Iterator[tuple[int, bytes]]:
        """Return the ids with their documents."""
        return zip(self.ids, self.lines, strict=True)

    def find(self, user_id: int) -> bytes | None:
        """Return the document of ``user_id``, None if it is not here."""
        position = bisect_left(self.ids, user_id)
        found = position < len(self.ids) and self.ids[position] == user_id
        return self.lines[position] if found else None


@dataclass(frozen=True)
class Draft:
    """A snapshot to be stored: its pages, what is known to be missing, and what was hidden."""

    pages: Sequence[Page]
    complete: bool
    reason: str
    hiding_digest: str

    @cached_property
    def refs(self) -> tuple[PageRef, ...]:
        """What names its pages."""
        return tuple(page.ref for page in self.pages)

    @property
    def users(self) -> int:
        """How many users it holds."""
        return sum(ref.users for ref in self.refs)

    @property
    def total(self) -> int:
        """The digest of its users as a number (``lib.directory.users_digest``)."""
        from lib.directory.users_digest import MODULUS  # noqa: PLC0415 - a hit does not need it

        return sum(page.total for page in self.pages) % MODULUS

    @cached_property
    def digest(self) -> str:
        """What names the snapshot: all that an answer can depend on."""
        known = f"{self.complete} {self.reason} {self.hiding_digest}"
        return _digest(Manifest(self.refs).pack(), known.encode())


def draft(
    lines: Sequence[bytes], *, complete: bool, reason: str = "", hiding_digest: str = ""
) -> Draft:
    """Return the snapshot of a directory given as canonical documents by rising id."""
    return Draft(cut(lines), complete, reason, hiding_digest)


def cut(lines: Sequence[bytes]) -> list[Page]:
    """Return the pages of a directory given as canonical documents by rising id."""
    return [_page(run) for run in _runs(lines)]


def _runs(lines: Iterable[bytes]) -> Iterator[list[bytes]]:
    run: list[bytes] = []
    weights: list[int] = []
    for line in lines:
        run.append(line)
        weights.append(_weight(line))
        while len(run) > 1 and (len(run) > MAX_USERS or sum(weights) > MAX_BYTES):
            end = _forced_end(run)
            yield run[:end]
            del run[:end], weights[:end]
        if _ends_page(id_of(line)):
            yield run
            run, weights = [], []
    if run:
        yield run


def _forced_end(run: Sequence[bytes]) -> int:
    """Return how many users of an overfull run make a page.

    It ends after the smallest hash in the later half of those that fit. Cut at a fixed number, one
    deleted user would move this cut and with it every page up to the next boundary.
    """
    fitting = len(run) - 1
    ends = range((fitting + 1) // 2, fitting + 1)
    return min(ends, key=lambda end: _hash(id_of(run[end - 1])))


def _weight(line: bytes) -> int:
    # Users this light cannot fill a page by bytes, so their compressed size is not worth knowing.
    return len(line) if len(line) <= _LIGHT else len(zlib.compress(line))


def _ends_page(user_id: int) -> bool:
    return _hash(user_id)[0] % BOUNDARY == 0


def _hash(user_id: int) -> bytes:
    return hashlib.blake2b(b"%d" % user_id, digest_size=8).digest()


def _page(run: Sequence[bytes]) -> Page:
    ids = tuple(map(id_of, run))
    return Page(PageRef(_digest(b"\n".join(run)), ids[0], len(ids)), ids, tuple(run))


def _digest(*parts: bytes) -> str:
    return hashlib.blake2b(b"\0".join(parts), digest_size=20).hexdigest()


def encode(page: Page) -> bytes:
    """Return the stored bytes of a page."""
    return zlib.compress(b"\n".join(page.lines))


def decode(ref: PageRef, data: bytes) -> Page:
    """Return the page that ``ref`` names.

    Raises:
        BrokenSnapshotError: the bytes are not those that the digest was made from, or the digest
            is of another page.
    """
    try:
        text = zlib.decompress(data)
    except zlib.error as error:
        raise BrokenSnapshotError("a page cannot be read", reason=Reason.BROKEN_PAGE) from error
    if _digest(text) != ref.digest:
        raise BrokenSnapshotError("a page was altered", reason=Reason.BROKEN_PAGE)
    lines = tuple(text.split(b"\n"))
    ids = tuple(map(id_of, lines))
    if (ids[0], len(ids)) != (ref.first_id, ref.users):
        raise BrokenSnapshotError("a page is another one", reason=Reason.BROKEN_PAGE)
    return Page(ref, ids, lines)
