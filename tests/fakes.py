"""Stand-ins for the clock, the table, the origin and the secret, small enough to be read.

``FakeStore`` is kept honest by ``tests/contract/test_store_contract.py``, which asks the same of it
and of DynamoDB.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from lib.aws.heads import HEAD_MANIFEST_BYTES
from lib.clock import Time
from lib.directory import index
from lib.directory.generation import Generation
from lib.directory.head import (
    GENERATION_ATTRIBUTES,
    LONGEST_PAUSE_SECONDS,
    Head,
    HeadUpdate,
    Lease,
    Value,
    generation_of,
    head_of,
)
from lib.directory.manifest import Load, Manifest, PageRef, read
from lib.directory.pages import Page, decode, encode
from lib.directory.store import Kept
from lib.errors import (
    BrokenSnapshotError,
    ConflictError,
    LeaseLostError,
    NotFoundError,
    Reason,
    SecretError,
    StoreError,
)
from lib.origin.credential import Credential, SecretKey
from lib.origin.rate_limit import RateLimit
from lib.users import bounds
from lib.users.hiding import NOTHING_HIDDEN, HidingPolicy

CLIENT = "clientid1"
NOW = 1_800_000_000.0
"""When every test begins: the first second of a minute."""

WRITES = ("acquire", "reserve", "put", "renew", "update_held", "hold_off", "publish")

type User = dict[str, Any]


def user(user_id: int, **changes: object) -> User:
    """Return a row as the origin lists it."""
    row: User = {
        "id": user_id,
        "email": f"user{user_id}+{CLIENT}@example.com",
        "username": f"u{user_id}",
        "name": f"N{user_id}",
        "timeZone": "Europe/London",
        "createdDate": "2026-01-01T00:00:00.000Z",
    }
    return row | changes


def users(ids: Iterable[int]) -> list[User]:
    """Return one row for each of ``ids``."""
    return [user(user_id) for user_id in ids]


@dataclass(slots=True)
class Clock:
    """A clock that moves only when somebody sleeps, or when the test says so."""

    now: float = NOW
    slept: list[float] = field(default_factory=list)
    while_asleep: Callable[[], object] | None = None

    def __call__(self) -> float:
        return self.now

    def time(self, random: Callable[[], float] = lambda: 0.0) -> Time:
        """Return this clock as use cases take it."""
        return Time(self, self.sleep, random)

    def sleep(self, seconds: float) -> None:
        """Let ``seconds`` pass, then whatever others did meanwhile."""
        self.slept.append(seconds)
        self.now += seconds
        if self.while_asleep:
            self.while_asleep()


@dataclass(frozen=True, slots=True)
class _Breakdown:
    """How a call fails: ``after`` it did its work the caller never hears of it."""

    error: StoreError
    when: Literal["before", "after"]


class FakeStore:
    """The table in memory; ``calls`` counts the methods called by name.

    ``before`` is told the name of each method that is about to do its work.
    """

    def __init__(self) -> None:
        self.items: dict[str, dict[str, Value]] = {}
        self.manifests: dict[tuple[str, int], dict[str, Any]] = {}
        self.stored_pages: dict[tuple[str, str], tuple[bytes, int]] = {}
        self.calls: Counter[str] = Counter()
        self.pages_put = self.shards_put = 0
        self.before: Callable[[str], object] | None = None
        self._breakdowns: dict[str, list[_Breakdown]] = {}

    @property
    def writes(self) -> dict[str, int]:
        """How often each writing method was called."""
        return {name: self.calls[name] for name in WRITES if self.calls[name]}

    def fail(
        self, name: str, *, when: Literal["before", "after"] = "before", times: int = 1
    ) -> None:
        """Let the next calls of ``name`` raise StoreError, before or after doing their work."""
        error = StoreError("the table is down", reason=Reason.STORE_UNREACHABLE)
        self._breakdowns.setdefault(name, []).extend([_Breakdown(error, when)] * times)

    def peek(self, client_id: str = CLIENT) -> Head:
        """Return the head without counting that as a call."""
        return head_of(client_id, self._attributes(client_id))

    def put_head(self, client_id: str = CLIENT, /, **values: Value) -> None:
        """Set attributes of a head, whatever anybody holds."""
        self._change(client_id, values)

    def head(self, client_id: str) -> Head:
        """See ``lib.aws.directory_store.DirectoryStore.head``."""
        with_outcome = self._begin("head")
        head = self.peek(client_id)
        return with_outcome(head)

    def generation(self, client_id: str, number: int) -> Generation | None:
        """See ``lib.aws.directory_store.DirectoryStore.generation``."""
        with_outcome = self._begin("generation")
        manifest = self.manifests.get((client_id, number), {})
        gone = "listing" not in manifest
        return with_outcome(None if gone else generation_of(client_id, manifest))

    def modified_at(self, client_id: str, number: int) -> float | None:
        """See ``lib.aws.directory_store.DirectoryStore.modified_at``."""
        with_outcome = self._begin("modified_at")
        return with_outcome(self.manifests.get((client_id, number), {}).get("modified_at"))

    def history(self, client_id: str, numbers: Sequence[int]) -> list[Kept]:
        """See ``lib.aws.directory_store.DirectoryStore.history``."""
        with_outcome = self._begin("history")
        found = {
            n: self.manifests[client_id, n] for n in numbers if (client_id, n) in self.manifests
        }
        return with_outcome(
            [
                Kept(n, item["previous"], self._manifest_of(client_id, item))
                for n, item in sorted(found.items())
            ]
        )

    def discard(self, client_id: str, pages: Collection[str], shards: Collection[str]) -> None:
        """See ``lib.aws.directory_store.DirectoryStore.discard``."""
        with_outcome = self._begin("discard")
        for digest in (*pages, *shards):
            self.stored_pages.pop((client_id, digest), None)
        with_outcome(None)

    def bury(self, client_id: str, number: int) -> None:
        """See ``lib.aws.directory_store.DirectoryStore.bury``."""
        with_outcome = self._begin("bury")
        self.manifests.get((client_id, number), {}).pop("listing", None)
        with_outcome(None)

    def mark_announced(self, client_id: str, number: int, *, seen: int) -> bool:
        """See ``lib.aws.directory_store.DirectoryStore.mark_announced``."""
        with_outcome = self._begin("mark_announced")
        free = self.peek(client_id).announced == seen
        if free:
            self._change(client_id, {"announced": number})
        return with_outcome(free)

    def note_read(self, client_id: str, instant: float) -> None:
        """See ``lib.aws.directory_store.DirectoryStore.note_read``."""
        with_outcome = self._begin("note_read")
        self._change(client_id, {"read_at": instant})
        with_outcome(None)

    def manifest(self, generation: Generation) -> Manifest:
        """See ``lib.aws.directory_store.DirectoryStore.manifest``."""
        return read(self.root(generation), self._branches(generation.client_id))

    def _manifest_of(self, client_id: str, item: Mapping[str, Any]) -> Manifest | None:
        if "listing" not in item:
            return None
        try:
            return read(item["listing"], self._branches(client_id))
        except BrokenSnapshotError:
            return None

    def _branches(self, client_id: str) -> Load:
        return lambda digests: self.shards(client_id, digests)

    def root(self, generation: Generation) -> bytes:
        """See ``lib.aws.directory_store.DirectoryStore.root``."""
        with_outcome = self._begin("manifest")
        if generation.packed is not None:
            return with_outcome(generation.packed)
        manifest = self.manifests.get((generation.client_id, generation.number), {})
        if "listing" not in manifest:
            raise BrokenSnapshotError("a manifest is missing", reason=Reason.MISSING_MANIFEST)
        root: bytes = manifest["listing"]
        return with_outcome(root)

    def pages(self, client_id: str, refs: Sequence[PageRef]) -> Sequence[Page]:
        """See ``lib.aws.directory_store.DirectoryStore.pages``."""
        with_outcome = self._begin("pages")
        data = self._contents(client_id, [ref.digest for ref in refs])
        return with_outcome([decode(ref, each) for ref, each in zip(refs, data, strict=True)])

    def shards(self, client_id: str, digests: Sequence[str]) -> Sequence[bytes]:
        """See ``lib.aws.directory_store.DirectoryStore.shards``."""
        with_outcome = self._begin("shards")
        data = self._contents(client_id, digests)
        return with_outcome(
            [index.checked(each, digest) for each, digest in zip(data, digests, strict=True)]
        )

    def _contents(self, client_id: str, digests: Sequence[str]) -> list[bytes]:
        if not self.stored_pages.keys() >= {(client_id, digest) for digest in digests}:
            raise BrokenSnapshotError("a page or shard is missing", reason=Reason.MISSING_PAGE)
        return [self.stored_pages[client_id, digest][0] for digest in digests]

    def put(
        self, client_id: str, pages: Sequence[Page], shards: Mapping[str, bytes], *, expires_at: int
    ) -> None:
        """See ``lib.aws.directory_store.DirectoryStore.put``."""
        with_outcome = self._begin("put")
        self.pages_put += len(pages)
        self.shards_put += len(shards)
        for page in pages:
            self.stored_pages[client_id, page.ref.digest] = (encode(page), expires_at)
        for digest, shard in shards.items():
            self.stored_pages[client_id, digest] = (shard, expires_at)
        with_outcome(None)

    def renew(self, generation: Generation, manifest: Manifest, *, expires_at: int) -> None:
        """See ``lib.aws.directory_store.DirectoryStore.renew``."""
        with_outcome = self._begin("renew")
        client_id = generation.client_id
        named = [*(ref.digest for ref in manifest.pages), *manifest.shards, *manifest.branches]
        keys, published = [(client_id, digest) for digest in named], (client_id, generation.number)
        if not self.stored_pages.keys() >= set(keys) or published not in self.manifests:
            raise BrokenSnapshotError("a page is missing", reason=Reason.MISSING_PAGE)
        for key in keys:
            self.stored_pages[key] = (self.stored_pages[key][0], expires_at)
        self.manifests[published]["expires_at"] = expires_at
        self._change(client_id, {"pages_expire_at": expires_at})
        with_outcome(None)

    def acquire(self, head: Head, *, lease: Lease, now: float, update: HeadUpdate) -> bool:
        """See ``lib.aws.directory_store.DirectoryStore.acquire``."""
        with_outcome = self._begin("acquire")
        current = self.peek(head.client_id)
        free = (
            current.lease.token == head.lease.token
            and current.generation.number == head.generation.number
            and _calls(current) == _calls(head)
            and all(
                until <= now or until == seen
                for until, seen in zip(_pauses(current), _pauses(head), strict=True)
            )
        )
        if free:
            self._change(lease.client_id, update)
        return with_outcome(free)

    def reserve(self, head: Head, counters: HeadUpdate) -> bool:
        """See ``lib.aws.directory_store.DirectoryStore.reserve``."""
        with_outcome = self._begin("reserve")
        current = self.peek(head.client_id)
        free = _calls(current) == _calls(head)
        if free:
            self._change(head.client_id, counters)
        return with_outcome(free)

    def update_held(self, lease: Lease, update: HeadUpdate) -> None:
        """See ``lib.aws.directory_store.DirectoryStore.update_held``."""
        with_outcome = self._begin("update_held")
        if self._attributes(lease.client_id).get("lease_token") != lease.token:
            raise LeaseLostError("the lease was taken over", reason=Reason.LEASE_LOST)
        self._change(lease.client_id, update)
        with_outcome(None)

    def hold_off(self, client_id: str, name: str, until: float) -> None:
        """See ``lib.aws.directory_store.DirectoryStore.hold_off``."""
        with_outcome = self._begin("hold_off")
        noted = self._attributes(client_id).get(name, 0)
        if noted < until or noted > until + LONGEST_PAUSE_SECONDS:
            self._change(client_id, {name: until})
        with_outcome(None)

    def publish(
        self, lease: Lease, base: Head, update: HeadUpdate, *, number: int, root: bytes
    ) -> None:
        """See ``lib.aws.directory_store.DirectoryStore.publish``."""
        with_outcome = self._begin("publish")
        client_id, current = base.client_id, self.peek(base.client_id)
        expected = (lease.token, base.generation.number)
        moved_on = (current.lease.token, current.generation.number) != expected
        if moved_on or (client_id, number) in self.manifests:
            raise ConflictError("a condition did not hold", reason=Reason.CONFLICT)
        moved: dict[str, Value] = {**update, "generation": number, "listing": root}
        self.manifests[client_id, number] = {
            **{name: moved[name] for name in GENERATION_ATTRIBUTES if moved.get(name) is not None},
            "expires_at": update["pages_expire_at"],
            "previous": base.generation.number,
        }
        in_head = root if len(root) <= HEAD_MANIFEST_BYTES else None
        self._change(client_id, moved | {"listing": in_head})
        with_outcome(None)

    def _begin[T](self, name: str) -> Callable[[T], T]:
        """Count a call, break it down if that was asked for, and return what ends it."""
        self.calls[name] += 1
        if self.before:
            self.before(name)
        waiting = self._breakdowns.get(name)
        if not waiting:
            return _unharmed
        breakdown = waiting.pop(0)
        if breakdown.when == "before":
            raise breakdown.error

        def lose(_result: T) -> T:
            raise breakdown.error

        return lose

    def _attributes(self, client_id: str) -> dict[str, Any]:
        return dict(self.items.get(client_id, {}))

    def _change(self, client_id: str, changes: Mapping[str, Value]) -> None:
        merged = self._attributes(client_id) | {
            name: _rounded(value) for name, value in changes.items()
        }
        self.items[client_id] = {name: value for name, value in merged.items() if value is not None}


def _unharmed[T](result: T) -> T:
    return result


def _rounded(value: Value) -> Value:
    return round(value, 3) if isinstance(value, float) else value


def _pauses(head: Head) -> tuple[float, float]:
    return head.health.blocked_until, head.health.retry_at


def _calls(head: Head) -> tuple[int, int]:
    return head.counters.calls, head.counters.calls_minute


@dataclass(frozen=True, slots=True)
class FakeAnswer[T]:
    """Data with a rate limit, as the origin's adapter returns it."""

    data: T
    rate_limit: RateLimit | None


@dataclass(slots=True)
class FakeOrigin:
    """An origin that pages over ``rows`` by position; ``errors`` are raised first, in order."""

    rows: list[User] = field(default_factory=list)
    errors: list[Exception] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    rate_limit: RateLimit | None = None
    before_call: Callable[[], object] | None = None
    answers: Iterator[Sequence[User]] | None = None
    others: list[User] = field(default_factory=list)
    """Members of the organization who are no users of the client."""
    members: list[User] | None = None
    """What the organization's list has, if not simply everybody."""
    members_error: Exception | None = None
    deadlines: list[float] = field(default_factory=list)
    max_rows: int = 250
    hiding: HidingPolicy = NOTHING_HIDDEN

    def list_users(
        self, client_id: str, credential: Credential, *, offset: int, limit: int, deadline: float
    ) -> FakeAnswer[Sequence[bytes]]:
        """Return the rows at positions ``offset`` to ``offset + limit``."""
        assert client_id == CLIENT
        self._hear(f"list {offset}+{limit}", credential, deadline)
        rows = self.rows if self.answers is None else next(self.answers)
        return self._list(rows[offset : offset + limit])

    def find_users(
        self, client_id: str, credential: Credential, *, emails: Sequence[str], deadline: float
    ) -> FakeAnswer[Sequence[bytes]]:
        """Return the rows with these addresses."""
        assert client_id == CLIENT
        self._hear(f"find {len(emails)}", credential, deadline)
        return self._list([row for row in self.rows if row["email"] in emails])

    def list_members(
        self,
        organization_id: int,
        client_id: str,
        credential: Credential,
        *,
        skip: int,
        take: int,
        deadline: float,
    ) -> FakeAnswer[Sequence[bytes]]:
        """Return the members at positions ``skip`` to ``skip + take``."""
        assert client_id == CLIENT
        self._hear(f"members {organization_id} {skip}+{take}", credential, deadline)
        if self.members_error:
            raise self.members_error
        everybody = sorted([*self.rows, *self.others], key=lambda row: row["id"])
        rows = everybody if self.members is None else self.members
        return self._list(rows[skip : skip + take])

    def get_user(
        self, client_id: str, credential: Credential, user_id: int, *, deadline: float
    ) -> FakeAnswer[bytes | None]:
        """Return the row of one user, None if there is none."""
        assert client_id == CLIENT
        self._hear(f"get {user_id}", credential, deadline)
        found = next((row for row in self.rows if row["id"] == user_id), None)
        line = bounds.document(found, self.hiding) if found else None
        return FakeAnswer(line, self.rate_limit)

    def _list(self, rows: Sequence[User]) -> FakeAnswer[Sequence[bytes]]:
        return FakeAnswer([bounds.document(row, self.hiding) for row in rows], self.rate_limit)

    def _hear(self, call: str, credential: Credential, deadline: float) -> None:
        self.calls.append(f"{call} {credential.key.reveal()}")
        self.deadlines.append(deadline)
        if self.before_call:
            self.before_call()
        if self.errors:
            raise self.errors.pop(0)


@dataclass(slots=True)
class FakeSecrets:
    """The secret's newest version; ``fetched`` lists what each fetch was to be newer than."""

    keys: dict[str, str] = field(default_factory=lambda: {CLIENT: "key1"})
    version: str = "v1"
    down: bool = False
    fetched: list[str | None] = field(default_factory=list)
    organization_id: int | None = None

    def credential(self, client_id: str, *, newer_than: str | None = None) -> Credential:
        """Return the client's credential."""
        self.fetched.append(newer_than)
        if self.down:
            raise SecretError("Secrets Manager has no answer", reason=Reason.SECRET_MISSING)
        if client_id not in self.keys:
            raise NotFoundError(f"OAuth client with ID {client_id} not found.")
        return Credential(SecretKey(self.keys[client_id]), self.version, self.organization_id)


def head_with(client_id: str = CLIENT, /, **attributes: Value) -> Head:
    """Return a head with these attributes of its item, and defaults for the rest."""
    return head_of(client_id, attributes)


def generation_with(client_id: str = CLIENT, /, **attributes: Value) -> Generation:
    """Return a generation with these attributes of its manifest, and defaults for the rest."""
    return generation_of(client_id, attributes)
