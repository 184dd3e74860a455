"""What is needed of the table that a directory is kept in; see ``lib.aws``.

Every method raises StoreError when the table does not do what it was asked.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

from lib.directory.generation import Generation
from lib.directory.head import Head, HeadUpdate, Lease
from lib.directory.manifest import Manifest, PageRef
from lib.directory.pages import Page
from lib.users.keys import Observation

if TYPE_CHECKING:
    from lib.directory.listing import Listing


class Kept(NamedTuple):
    """A generation that is kept: the one that it followed, and what it is made of.

    Without a manifest it is gone for whoever asks: buried, or not to be read.
    """

    number: int
    previous: int
    manifest: Manifest | None


class Contents(Protocol):
    """What generations are made of; all of it raises BrokenSnapshotError rather than miss some."""

    def manifest(self, generation: Generation) -> Manifest:
        """Return what a generation is made of."""

    def pages(self, client_id: str, refs: Sequence[PageRef]) -> Sequence[Page]:
        """Return the pages that ``refs`` name, in that order."""

    def shards(self, client_id: str, digests: Sequence[str]) -> Sequence[bytes]:
        """Return the shards of an index, or a manifest's branches, by digest and in that order."""


class Generations(Contents, Protocol):
    """Heads, and the generations they have been at."""

    def head(self, client_id: str) -> Head:
        """Return the head as it is now."""

    def generation(self, client_id: str, number: int) -> Generation | None:
        """Return a generation as it was published, None if it is gone."""

    def mark_announced(self, client_id: str, number: int, *, seen: int) -> bool:
        """Move the mark of what was announced from ``seen``, unless somebody else did."""


class Readable(Generations, Protocol):
    """What readers need: generations, and where it is noted that they are read."""

    def root(self, generation: Generation) -> bytes:
        """Return the root of a generation's manifest (``lib.directory.manifest``)."""

    def modified_at(self, client_id: str, number: int) -> float | None:
        """Return from when on everybody answered from a generation, also from one that is buried.

        None if nothing is kept of it.
        """

    def note_read(self, client_id: str, instant: float) -> None:
        """Note in the head when somebody read the directory."""


class Directory(Readable, Protocol):
    """All of a directory, for whoever may change it."""

    def acquire(self, head: Head, *, lease: Lease, now: float, update: HeadUpdate) -> bool:
        """Take the lease with ``update`` unless anything happened since ``head`` was read."""

    def reserve(self, head: Head, counters: HeadUpdate) -> bool:
        """Write the call counters unless they changed since ``head`` was read."""

    def update_held(self, lease: Lease, update: HeadUpdate) -> None:
        """Change the head as the lease's holder; raises LeaseLostError if it was overtaken."""

    def hold_off(self, client_id: str, name: str, until: float) -> None:
        """Raise ``blocked_until`` or ``retry_at``."""

    def put(
        self, client_id: str, pages: Sequence[Page], shards: Mapping[str, bytes], *, expires_at: int
    ) -> None:
        """Write pages, and shards by digest."""

    def publish(
        self, lease: Lease, base: Head, update: HeadUpdate, *, number: int, root: bytes
    ) -> None:
        """Move the head to generation ``number``, whose manifest has this ``root``.

        Raises ConflictError if it is not at ``base`` under ``lease``, or ``number`` was there once.
        """

    def renew(self, generation: Generation, manifest: Manifest, *, expires_at: int) -> None:
        """Keep what a generation is made of until ``expires_at``."""


class Hinted(Protocol):
    """Whom webhooks hinted at: look-up keys that wait to be asked for."""

    def note(self, client_id: str, keys: Sequence[str], *, now: float) -> bool:
        """Let ``keys`` wait; tell whether there was room."""

    def take(self, client_id: str, *, most: int) -> Sequence[str]:
        """Return some of those that wait, which wait on until they are settled.

        Who is hinted at again from here on waits anew.
        """

    def settle(self, client_id: str, keys: Sequence[str]) -> None:
        """Let keys that were taken wait no longer."""

    def waiting(self, client_ids: Sequence[str]) -> Collection[str]:
        """Return those clients of whom somebody waits."""


class Listings(Protocol):
    """What is known of organizations' lists."""

    def listing(self, client_id: str) -> "Listing":
        """Return what is known of one client's."""

    def put_listing(self, client_id: str, listing: "Listing") -> None:
        """Keep it."""


class Erasable(Generations, Protocol):
    """What it takes to erase somebody from generations."""

    def history(self, client_id: str, numbers: Sequence[int]) -> Sequence[Kept]:
        """Return those generations with ``numbers`` of which anything is kept."""

    def discard(self, client_id: str, pages: Collection[str], shards: Collection[str]) -> None:
        """Delete pages and shards by digest."""

    def bury(self, client_id: str, number: int) -> None:
        """Let a generation be gone: its manifest stays, without what it is made of."""


class Lookups(Protocol):
    """What look-ups found, and who waits to be adopted for it."""

    def remembered(self, client_id: str, keys: Sequence[str]) -> Mapping[str, Observation]:
        """Return what is remembered, by look-up key."""

    def remember(self, client_id: str, answers: Mapping[str, Observation]) -> None:
        """Keep answers by look-up key."""

    def begin(self, client_id: str, key: str, *, now: float, until: float) -> bool:
        """Claim to be asking until then, unless somebody is; tell whether we are."""

    def end(self, client_id: str, key: str, *, paused_until: float | None = None) -> None:
        """Be asking no longer; nobody is to ask again before ``paused_until``."""

    def paused_until(self, client_id: str, key: str) -> float:
        """Return until when nobody is to ask for ``key``, 0 if that is not said."""

    def pending_adoption(self, client_id: str) -> frozenset[int]:
        """Return the ids of users who wait to be adopted."""

    def await_adoption(self, client_id: str, ids: Sequence[int]) -> None:
        """Let users be adopted by the next revalidation."""

    def adopted(self, client_id: str, ids: Sequence[int]) -> None:
        """Let users wait no longer."""


class Forgetting(Lookups, Protocol):
    """Look-ups that can be forgotten."""

    def forget(self, client_id: str, keys: Sequence[str]) -> None:
        """Forget what is remembered by look-up key."""
