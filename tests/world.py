"""One client's service over fakes, wired as the handlers wire it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count

from lib.caching import provenance
from lib.caching.freshness import FreshnessPolicy
from lib.caching.headers import RequestDirectives
from lib.clock import Time
from lib.directory.head import Head
from lib.directory.memory import Memory
from lib.origin.budget import Refusal
from lib.reading.asking import Asking
from lib.reading.lookup import Found, Lookup
from lib.reading.proxy import Proxy
from lib.reading.representations import Representations
from lib.reading.request import Read, ReadRequest
from lib.reading.stored import Stored
from lib.revalidation.forced import ForcedRefresh, Refreshed
from lib.revalidation.hints import Hints, Worked
from lib.revalidation.observe import Observer
from lib.revalidation.outcomes import Claim, Outcome
from lib.revalidation.purpose import Purpose
from lib.revalidation.revalidation import Revalidation
from lib.revalidation.schedule import Schedule
from lib.revalidation.window import Window
from lib.users.hiding import NOTHING_HIDDEN, HidingPolicy
from lib.users.keys import UserKeys
from tests.fake_hints import FakeHinted
from tests.fake_lookups import FakeListings, FakeLookups
from tests.fakes import CLIENT, Clock, FakeOrigin, FakeSecrets, FakeStore, users

POLICY = FreshnessPolicy(max_age=120, stale_while_revalidate=600, stale_if_error=604_800)
MEMORY_BYTES = 10_000_000
KEEP_FOUND, KEEP_MISSED = 120, 60
"""How many seconds look-ups are remembered."""
SCHEDULE = Schedule(every=60, idle=600, tolerance=900)
FRESH, STALE, VERY_STALE, EXPIRED = 119, 120, 720, 604_920
"""Ages at the last moment of the first window and the first of each other."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What a reader got: users, of which generation, and what the answer says of itself."""

    value: list[bytes]
    generation: int
    status: str
    age: int | None


@dataclass(slots=True, kw_only=True)
class World:
    """Fakes and the use cases over them; ``random`` is always ``jitter``."""

    clock: Clock = field(default_factory=Clock)
    store: FakeStore = field(default_factory=FakeStore)
    origin: FakeOrigin = field(default_factory=lambda: FakeOrigin(rows=users(range(1, 21))))
    lookups: FakeLookups = field(default_factory=FakeLookups)
    hinted: FakeHinted = field(default_factory=FakeHinted)
    listings: FakeListings = field(default_factory=FakeListings)
    secrets: FakeSecrets = field(default_factory=FakeSecrets)
    policy: FreshnessPolicy = POLICY
    window: Window = field(default_factory=Window)
    observer: type[Observer] = Observer
    hiding: HidingPolicy = NOTHING_HIDDEN
    adopted_calls: int = 20
    max_adopted: int = 2_000
    updated_at: bool = False
    jitter: float = 0.0
    handed_over: list[Claim] = field(default_factory=list)
    reported: list[Outcome] = field(default_factory=list)
    invocations: Iterator[int] = field(default_factory=count)
    representations: Representations = field(default_factory=Representations)
    time: Time = field(init=False)
    memory: Memory = field(init=False)
    revalidation: Revalidation = field(init=False)
    lookup: Lookup = field(init=False)
    asking: Asking = field(init=False)
    proxy: Proxy = field(init=False)
    forced_refresh: ForcedRefresh = field(init=False)
    hints: Hints = field(init=False)

    def __post_init__(self) -> None:
        self.time = self.clock.time(lambda: self.jitter)
        self.origin.hiding = self.hiding
        self.memory = Memory(self.store, clock=self.clock, max_bytes=MEMORY_BYTES)
        self.revalidation = Revalidation(
            store=self.store,
            origin=lambda: self.origin,
            credentials=lambda: self.secrets,
            observer=self.observer(
                contents=self.store,
                lookups=self.lookups,
                listings=self.listings,
                window=self.window,
                time=self.time,
                hiding=self.hiding,
                adopted_calls=self.adopted_calls,
                max_adopted=self.max_adopted,
                updated_at=self.updated_at,
            ),
            time=self.time,
            report=lambda _claim, outcome, _took: self.reported.append(outcome),
            frozen=self.policy.frozen,
        )
        self.lookup = Lookup(
            store=self.store,
            answers=self.lookups,
            origin=lambda: self.origin,
            credentials=lambda: self.secrets,
            keep_found=KEEP_FOUND,
            keep_missed=KEEP_MISSED,
            time=self.time,
        )
        stored = Stored(policy=self.policy, time=self.time)
        self.asking = Asking(
            store=self.memory,
            stored=stored,
            revalidation=lambda: self.revalidation,
            hand_over=self.handed_over.append,
            time=self.time,
        )
        self.proxy = Proxy(
            store=self.memory,
            require_client=self.secrets.credential,
            stored=stored,
            asking=lambda: self.asking,
            time=self.time,
            schedule=SCHEDULE,
            hiding=self.hiding,
        )
        self.forced_refresh = ForcedRefresh(
            store=self.store,
            lookups=self.lookups,
            revalidation=self.revalidation,
            time=self.time,
        )
        self.hints = Hints(
            hinted=self.hinted,
            lookups=self.lookups,
            store=self.store,
            revalidation=self.revalidation,
            schedule=SCHEDULE,
            time=self.time,
        )

    @property
    def head(self) -> Head:
        """The head as it is stored."""
        return self.store.peek()

    def claim(self, holder: str = "me") -> Claim:
        """Take the lease, which must be free."""
        claimed = self.revalidation.claim(self.head, holder=holder)
        assert isinstance(claimed, Claim), claimed
        return claimed

    def refused(self, holder: str = "me") -> Refusal:
        """Ask for the lease, which must be refused."""
        claimed = self.revalidation.claim(self.head, holder=holder)
        assert isinstance(claimed, Refusal), claimed
        return claimed

    def revalidate(
        self, *, forced: bool = False, repair: bool = False, believed: bool = False
    ) -> Outcome:
        """Claim and run one revalidation."""
        return self.run(self.claim(), forced=forced, repair=repair, believed=believed)

    def run(
        self,
        claim: Claim,
        *,
        forced: bool = False,
        repair: bool = False,
        believed: bool = False,
        wanted: UserKeys | None = None,
    ) -> Outcome:
        """Run one revalidation under ``claim``."""
        purpose = Purpose(forced=forced, repair=repair, believed=believed, wanted=wanted)
        return self.revalidation.run(claim, deadline=self.clock.now + 25, purpose=purpose)

    def look_up(self, wanted: UserKeys, *, seconds: float = 25) -> Found:
        """Ask for users that the snapshot does not hold."""
        return self.lookup.find(CLIENT, wanted, deadline=self.clock.now + seconds)

    def publish(self, *, age: float = 0) -> None:
        """Publish what the origin has, let ``age`` seconds pass and forget how that went."""
        self.revalidate()
        self.clock.now += age
        self.forget()

    def forget(self) -> None:
        """Forget what was called, counted and slept so far."""
        self.store.calls.clear()
        self.store.pages_put = self.store.shards_put = 0
        self.origin.calls.clear()
        self.secrets.fetched.clear()
        self.clock.slept.clear()

    def read(self, cache_control: str | None = None, *, seconds: float = 25) -> Seen:
        """Read all users, with ``seconds`` left to answer in."""
        request = ReadRequest(
            client_id=CLIENT,
            directives=RequestDirectives.parse(cache_control),
            holder=f"reader {next(self.invocations)}",
            arrived_at=self.clock.now,
            deadline=self.clock.now + seconds,
        )
        return self.seen(self.proxy.read(request, lambda snapshot: list(snapshot.lines())))

    def seen(self, read: Read[list[bytes]]) -> Seen:
        """Return what the answer to a read says of itself now."""
        came_by = read.resting_on(read.generation.oldest_observation)
        status = provenance.cache_status(came_by, self.policy, now=self.clock.now)
        return Seen(
            read.value,
            read.generation.number,
            str(status).removeprefix("managed-users; "),
            provenance.age(came_by, now=self.clock.now),
        )

    def refresh(self, *, seconds: float = 25, believed: bool = False) -> Refreshed:
        """Force a sweep, with ``seconds`` left to answer in."""
        return self.forced_refresh.run(
            CLIENT,
            holder=f"caller {next(self.invocations)}",
            requested_at=self.clock.now,
            deadline=self.clock.now + seconds,
            believed=believed,
        )

    def hint_at(self, *keys: str) -> bool:
        """Take a webhook in that hints at ``keys``; tell whether a worker is to be started."""
        assert self.hinted.note(CLIENT, keys, now=self.clock.now)
        return self.hints.begin(CLIENT)

    def work(self, *, seconds: float = 55) -> Worked:
        """Work hints off in an invocation with ``seconds`` left."""
        holder = f"worker {next(self.invocations)}"
        return self.hints.work(CLIENT, holder=holder, deadline=self.clock.now + seconds)


def said(seen: Seen) -> tuple[str, int | None]:
    """Return what an answer says of itself: Cache-Status without the name, and Age."""
    return seen.status, seen.age
