"""The table as one process has it: the fakes that contract tests hold to DynamoDB, over a wire."""

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from lib.directory.generation import Generation
from lib.directory.head import Head, HeadUpdate, Lease
from lib.directory.listing import Listing
from lib.directory.manifest import Manifest, PageRef
from lib.directory.pages import Page
from lib.directory.store import Kept
from lib.users.keys import Observation
from tests.fake_lookups import FakeListings, FakeLookups
from tests.fakes import FakeStore
from tests.simulation.wire import Wire

if TYPE_CHECKING:
    from tests.simulation.ledger import Ledger


class WiredStore:
    """A ``lib.directory.store.Directory`` over a wire; the ledger is told what was done."""

    def __init__(self, store: FakeStore, wire: Wire, ledger: "Ledger") -> None:
        self._store = store
        self._wire = wire
        self._ledger = ledger

    def head(self, client_id: str) -> Head:
        def work() -> Head:
            self._wire.running.gate_at = self._wire.scheduler.now
            return self._store.head(client_id)

        return self._wire.ask("head", work)

    def generation(self, client_id: str, number: int) -> Generation | None:
        return self._wire.ask("generation", lambda: self._store.generation(client_id, number))

    def mark_announced(self, client_id: str, number: int, *, seen: int) -> bool:
        return self._wire.ask(
            "mark_announced",
            lambda: self._store.mark_announced(client_id, number, seen=seen),
            told=f"{seen} to {number} ",
        )

    def note_read(self, client_id: str, instant: float) -> None:
        self._wire.ask("note_read", lambda: self._store.note_read(client_id, instant))

    def manifest(self, generation: Generation) -> Manifest:
        return self._wire.ask("manifest", lambda: self._store.manifest(generation))

    def root(self, generation: Generation) -> bytes:
        return self._wire.ask("manifest", lambda: self._store.root(generation))

    def pages(self, client_id: str, refs: Sequence[PageRef]) -> Sequence[Page]:
        return self._wire.ask("pages", lambda: self._store.pages(client_id, refs))

    def shards(self, client_id: str, digests: Sequence[str]) -> Sequence[bytes]:
        return self._wire.ask("shards", lambda: self._store.shards(client_id, digests))

    def put(
        self, client_id: str, pages: Sequence[Page], shards: Mapping[str, bytes], *, expires_at: int
    ) -> None:
        self._wire.ask(
            "put",
            lambda: self._store.put(client_id, pages, shards, expires_at=expires_at),
            told=f"{len(pages)} pages ",
        )

    def renew(self, generation: Generation, manifest: Manifest, *, expires_at: int) -> None:
        self._wire.ask(
            "renew", lambda: self._store.renew(generation, manifest, expires_at=expires_at)
        )

    def acquire(self, head: Head, *, lease: Lease, now: float, update: HeadUpdate) -> bool:
        def work() -> bool:
            before = self._store.peek(head.client_id)
            done = self._store.acquire(head, lease=lease, now=now, update=update)
            if done:
                self._ledger.acquired(self._wire.running, before, lease, now=now)
            return done

        return self._wire.ask("acquire", work, told=f"{lease.token} ")

    def modified_at(self, client_id: str, number: int) -> float | None:
        return self._wire.ask("modified_at", lambda: self._store.modified_at(client_id, number))

    def history(self, client_id: str, numbers: Sequence[int]) -> Sequence[Kept]:
        return self._wire.ask("history", lambda: self._store.history(client_id, numbers))

    def discard(self, client_id: str, pages: Collection[str], shards: Collection[str]) -> None:
        self._wire.ask(
            "discard",
            lambda: self._store.discard(client_id, pages, shards),
            told=f"{len(pages)} pages ",
        )

    def bury(self, client_id: str, number: int) -> None:
        self._wire.ask("bury", lambda: self._store.bury(client_id, number), told=f"{number} ")

    def reserve(self, head: Head, counters: HeadUpdate) -> bool:
        return self._wire.ask("reserve", lambda: self._store.reserve(head, counters))

    def update_held(self, lease: Lease, update: HeadUpdate) -> None:
        def work() -> None:
            self._store.update_held(lease, update)
            self._ledger.updated(self._wire.running, update)

        self._wire.ask("update_held", work, told=f"{lease.token} {_told(update)}")

    def hold_off(self, client_id: str, name: str, until: float) -> None:
        def work() -> None:
            self._store.hold_off(client_id, name, until)
            self._ledger.held_off()

        self._wire.ask("hold_off", work, told=f"{name} ")

    def publish(
        self, lease: Lease, base: Head, update: HeadUpdate, *, number: int, root: bytes
    ) -> None:
        def work() -> None:
            before = self._store.peek(base.client_id)
            self._store.publish(lease, base, update, number=number, root=root)
            self._ledger.published(self._wire.running, before)

        self._wire.ask("publish", work, told=f"{lease.token} {_told(update)}")


class WiredLookups:
    """A ``lib.directory.store.Lookups`` over a wire, for a process that hides what it hides."""

    def __init__(self, lookups: FakeLookups, wire: Wire, hiding_digest: str) -> None:
        self._shared = lookups
        self._wire = wire
        self._hiding_digest = hiding_digest

    @property
    def _lookups(self) -> FakeLookups:
        self._shared.hiding_digest = self._hiding_digest
        return self._shared

    def remembered(self, client_id: str, keys: Sequence[str]) -> Mapping[str, Observation]:
        return self._wire.ask("remembered", lambda: self._lookups.remembered(client_id, keys))

    def remember(self, client_id: str, answers: Mapping[str, Observation]) -> None:
        self._wire.ask("remember", lambda: self._lookups.remember(client_id, answers))

    def begin(self, client_id: str, key: str, *, now: float, until: float) -> bool:
        return self._wire.ask(
            "begin", lambda: self._lookups.begin(client_id, key, now=now, until=until)
        )

    def end(self, client_id: str, key: str, *, paused_until: float | None = None) -> None:
        self._wire.ask("end", lambda: self._lookups.end(client_id, key, paused_until=paused_until))

    def paused_until(self, client_id: str, key: str) -> float:
        return self._wire.ask("paused_until", lambda: self._lookups.paused_until(client_id, key))

    def pending_adoption(self, client_id: str) -> frozenset[int]:
        return self._wire.ask("pending_adoption", lambda: self._lookups.pending_adoption(client_id))

    def forget(self, client_id: str, keys: Sequence[str]) -> None:
        self._wire.ask("forget", lambda: self._lookups.forget(client_id, keys))

    def await_adoption(self, client_id: str, ids: Sequence[int]) -> None:
        self._wire.ask("await_adoption", lambda: self._lookups.await_adoption(client_id, ids))

    def adopted(self, client_id: str, ids: Sequence[int]) -> None:
        self._wire.ask("adopted", lambda: self._lookups.adopted(client_id, ids))


class WiredListings:
    """A ``lib.directory.store.Listings`` over a wire."""

    def __init__(self, listings: FakeListings, wire: Wire) -> None:
        self._listings = listings
        self._wire = wire

    def listing(self, client_id: str) -> Listing:
        return self._wire.ask("listing", lambda: self._listings.listing(client_id))

    def put_listing(self, client_id: str, listing: Listing) -> None:
        self._wire.ask("put_listing", lambda: self._listings.put_listing(client_id, listing))


class WiredCursorKey:
    """What cursors are signed with, read once by each process."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._key: bytes | None = None

    def __call__(self) -> bytes:
        if self._key is None:
            self._key = self._wire.ask("cursor_key", lambda: b"the key of all cursors")
        return self._key


def _told(update: HeadUpdate) -> str:
    told = ("digest", "swept_at", "last_error", "doubted_since", "incomplete_reason")
    return "".join(f"{name}={str(update[name])[:14]} " for name in told if update.get(name))
