"""Erases one person from what is kept: from every generation but the newest, and from look-ups.

Whoever is still there, in the newest generation or at the origin, cannot be erased: the next sweep
would bring him back. Pages are found from the newest manifest back; one that holds him is deleted
with his shards of the index, and then the generations that named it are buried. They are gone for
everybody, as if their time were over. A crash leaves less than there was, and another run ends it.

Pure but for what it is wired to.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from lib.clock import Time
from lib.directory import index
from lib.directory.generation import Generation
from lib.directory.manifest import Manifest, PageRef
from lib.directory.store import Erasable, Forgetting, Kept
from lib.errors import BrokenSnapshotError, InvalidRequestError, NotAskedError, Reason
from lib.users.document import address_of
from lib.users.keys import UserKeys, address_key, id_key

if TYPE_CHECKING:
    from lib.reading.lookup import Lookup

BATCH = 100
"""Manifests that are read at once."""

MOST_EMPTY_BATCHES = 10
"""After so many batches without any manifest, no older one is looked for."""

MARGIN_SECONDS = 5.0
"""What is kept of an invocation's time for the batch that is under way."""


class Erased(NamedTuple):
    """What was deleted; ``next`` is the generation to go on with, 0 when all have been seen."""

    generations: int
    pages: int
    next: int


@dataclass(slots=True)
class _Progress:
    """What has been found: by page digest his document, b"" where a page cannot be read."""

    judged: dict[str, bytes | None] = field(default_factory=dict)
    generations: int = 0
    pages: set[str] = field(default_factory=set)

    @property
    def lines(self) -> set[bytes]:
        return {line for line in self.judged.values() if line}


class _Holding(NamedTuple):
    """A generation that holds him, or may: its page and its shards that do."""

    number: int
    page: str
    shards: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """Erases from any client's directory; ``frozen``: the origin is never asked again."""

    store: Erasable
    lookups: Forgetting
    lookup: Callable[[], "Lookup"]
    time: Time
    frozen: bool = False

    def run(self, client_id: str, user_id: int, *, start: int, deadline: float) -> Erased:
        """Erase ``user_id`` from generation ``start`` back, 0 from the newest, while there is time.

        Raises:
            InvalidRequestError: he is still there, or nothing is stored at all.
            UnavailableError: it cannot be found out whether he is, or DynamoDB failed.
        """
        newest = self.store.head(client_id).generation
        if not newest.published:
            raise InvalidRequestError("clientId must be of a client of whom something is stored")
        self._require_gone(newest, user_id, deadline=deadline)
        progress = _Progress()
        number = min(start or newest.number, newest.number - 1)
        empty = 0
        while number > 0 and empty < MOST_EMPTY_BATCHES:
            first = max(1, number - BATCH + 1)
            kept = self.store.history(client_id, range(first, number + 1))
            self._erase(client_id, user_id, kept, progress)
            empty = 0 if kept else empty + 1
            # Numbers that began anew far above lead back by the one before them.
            number = min([first - 1, *(one.previous for one in kept)])
            if self.time.now() + MARGIN_SECONDS > deadline:
                break
        self._forget(client_id, user_id, progress.lines)
        ended = empty == MOST_EMPTY_BATCHES
        return Erased(progress.generations, len(progress.pages), 0 if ended else number)

    def _require_gone(self, newest: Generation, user_id: int, *, deadline: float) -> None:
        """Make sure that nobody will bring ``user_id`` back.

        Raises:
            InvalidRequestError: he is still there.
            UnavailableError: that is not known.
        """
        ref = self.store.manifest(newest).page_of(user_id)
        if ref and self.store.pages(newest.client_id, [ref])[0].find(user_id):
            raise InvalidRequestError(
                "userId must be of somebody who is gone: he is in the newest generation, "
                f"{newest.number}"
            )
        if self.frozen:
            return
        found = self.lookup().find(newest.client_id, UserKeys(ids=(user_id,)), deadline=deadline)
        if found.lines:
            raise InvalidRequestError(
                "userId must be of somebody who is gone: the origin has him still"
            )
        if found.unanswered:
            raise found.failure or NotAskedError(
                "the origin could not be asked", reason=Reason.LOOKUP_IN_FLIGHT
            )

    def _erase(
        self, client_id: str, user_id: int, kept: Iterable[Kept], progress: _Progress
    ) -> None:
        holding = []
        for number, _, manifest in kept:
            ref = manifest.page_of(user_id) if manifest else None
            if manifest is None or ref is None:
                continue
            line = self._line(client_id, user_id, ref, progress)
            if line is not None:
                shards = _shards_of(line, manifest, client_id)
                holding.append(_Holding(number, ref.digest, shards))
        pages = {one.page for one in holding} - progress.pages
        self.store.discard(client_id, pages, {digest for one in holding for digest in one.shards})
        # Last, so that whoever is interrupted finds again what is left.
        for one in holding:
            self.store.bury(client_id, one.number)
        progress.generations += len(holding)
        progress.pages |= pages

    def _line(
        self, client_id: str, user_id: int, ref: PageRef, progress: _Progress
    ) -> bytes | None:
        """Return his document in a page, empty if it cannot be read, None if he is not there."""
        if ref.digest not in progress.judged:
            try:
                (page,) = self.store.pages(client_id, [ref])
                progress.judged[ref.digest] = page.find(user_id)
            except BrokenSnapshotError:
                progress.judged[ref.digest] = b""
        return progress.judged[ref.digest]

    def _forget(self, client_id: str, user_id: int, lines: set[bytes]) -> None:
        by_id = id_key(user_id)
        seen = self.lookups.remembered(client_id, [by_id]).get(by_id)
        known = lines | ({seen.line} if seen and seen.line else set())
        addresses = {address_key(address_of(line)) for line in known}
        self.lookups.forget(client_id, sorted({by_id, *addresses}))
        if user_id in self.lookups.pending_adoption(client_id):
            self.lookups.adopted(client_id, [user_id])


def _shards_of(line: bytes, manifest: Manifest, client_id: str) -> list[str]:
    """Return the shards of a generation's index that lead to the user of a document."""
    if not line or not manifest.shards:
        return []
    positions = index.positions(line, client_id, len(manifest.shards))
    return [manifest.shards[position] for position in positions]
