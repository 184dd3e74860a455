"""The service with one thing broken on purpose: the simulation must find each of these.

Each replaces a part of an environment, or the table, by one that is the same but for one thing.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from copy import copy, replace
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, cast, override

from lib.directory.generation import Generation
from lib.directory.head import Head, HeadUpdate, Lease
from lib.directory.manifest import PageRef
from lib.directory.memory import Memory
from lib.directory.pages import Page
from lib.directory.snapshot import Snapshot
from lib.errors import NotFoundError, Reason
from lib.events.announcer import Announcing
from lib.events.history import History, Step
from lib.origin.budget import Refusal
from lib.origin.calls import OriginCalls
from lib.queries.moment import AsOf
from lib.reading.named import NamedReads
from lib.reading.proxy import Proxy
from lib.reading.request import Read
from lib.revalidation.forced import ForcedRefresh, Refreshed
from lib.revalidation.last_generation import LastGeneration
from lib.revalidation.observe import Observed, Observer
from lib.revalidation.outcomes import Claim
from lib.revalidation.purpose import Purpose
from lib.revalidation.reconcile import Loss
from lib.revalidation.revalidation import Revalidation
from lib.revalidation.window import Sweep, Users
from lib.users.hiding import NOTHING_HIDDEN
from lib.users.keys import UserKeys
from tests.fakes import CLIENT, FakeStore
from tests.simulation.environment import Environment
from tests.simulation.simulation import Kind
from tests.simulation.stores import WiredStore

if TYPE_CHECKING:
    from lib.aws.directory_store import DirectoryStore

_FOR_EVER = 10**9


def _like[T](kind: type[T], part: Any) -> T:  # noqa: ANN401 - a dataclass that ``kind`` refines
    """Return a ``kind`` with the same fields as ``part``."""
    return kind(**{each.name: getattr(part, each.name) for each in fields(part) if each.init})


# ---- The table ----


class _WithoutFencing(FakeStore):
    """Writes do not depend on the lease's token."""

    @override
    def update_held(self, lease: Lease, update: HeadUpdate) -> None:
        super().update_held(self.peek(lease.client_id).lease, update)

    @override
    def publish(
        self, lease: Lease, base: Head, update: HeadUpdate, *, number: int, root: bytes
    ) -> None:
        now = self.peek(lease.client_id).lease
        super().publish(now, base, update, number=number, root=root)


class _LeaseAlwaysGranted(FakeStore):
    @override
    def acquire(self, head: Head, *, lease: Lease, now: float, update: HeadUpdate) -> bool:
        self.put_head(lease.client_id, **update)
        return True


class _BlockNotNoted(FakeStore):
    @override
    def hold_off(self, client_id: str, name: str, until: float) -> None:
        if name != "blocked_until":
            super().hold_off(client_id, name, until)


class _BackoffNotSeen(FakeStore):
    @override
    def peek(self, client_id: str = CLIENT) -> Head:
        head = super().peek(client_id)
        return replace(head, health=replace(head.health, retry_at=0, last_error="", failures=0))


class _CallsNotCounted(FakeStore):
    @override
    def reserve(self, head: Head, counters: HeadUpdate) -> bool:
        return True


class _AgeFromPublication(FakeStore):
    @override
    def publish(
        self, lease: Lease, base: Head, update: HeadUpdate, *, number: int, root: bytes
    ) -> None:
        if "validated_at" in update:
            update = {**update, "swept_at": update["validated_at"]}
        super().publish(lease, base, update, number=number, root=root)


class _DoubtMakesNothingOlder(FakeStore):
    @override
    def publish(
        self, lease: Lease, base: Head, update: HeadUpdate, *, number: int, root: bytes
    ) -> None:
        update = {**update, "unconfirmed_since": None}
        super().publish(lease, base, update, number=number, root=root)


class _PagesAfterHead(WiredStore):
    """Keeps pages back until the head names them."""

    _kept: tuple[Sequence[Page], Mapping[str, bytes], int] = ((), {}, 0)

    @override
    def put(
        self, client_id: str, pages: Sequence[Page], shards: Mapping[str, bytes], *, expires_at: int
    ) -> None:
        self._kept = (pages, shards, expires_at)

    @override
    def publish(
        self, lease: Lease, base: Head, update: HeadUpdate, *, number: int, root: bytes
    ) -> None:
        super().publish(lease, base, update, number=number, root=root)
        pages, shards, expires_at = self._kept
        super().put(lease.client_id, pages, shards, expires_at=expires_at)


def _pages_after_head(environment: Environment) -> None:
    outside = environment.outside
    store = _PagesAfterHead(outside.store, environment.wire, outside.ledger)
    environment.store = cast("DirectoryStore", store)


# ---- What is remembered ----


class _LongMemory(Memory):
    _long: Head | None = None
    _since: float = 0

    @override
    def recent_head(self, client_id: str) -> Head:
        now = self._clock()
        if self._long is None or now - self._since >= 30:
            self._long, self._since = super().recent_head(client_id), now
        return self._long


class _NewestOnly(Memory):
    @override
    def generation(self, client_id: str, number: int) -> Generation | None:
        return self.head(client_id).generation


def _remembering(kind: type[Memory]) -> Callable[[Environment], None]:
    def change(environment: Environment) -> None:
        most = environment.settings.memory_cache_bytes
        environment.memory = kind(environment.store, clock=environment.time.now, max_bytes=most)

    return change


def _misses_kept_for_ever(environment: Environment) -> None:
    environment.lookup = replace(environment.lookup, keep_missed=_FOR_EVER)


def _served_for_ever(environment: Environment) -> None:
    proxy = environment.proxy
    policy = replace(proxy.stored.policy, stale_if_error=_FOR_EVER)
    stored = replace(proxy.stored, policy=policy)
    environment.asking = replace(environment.asking, stored=stored)
    environment.proxy = replace(proxy, stored=stored)


# ---- What is hidden ----


def _look_ups_hide_nothing(environment: Environment) -> None:
    origin: Any = copy(environment.origin)
    origin.hiding = NOTHING_HIDDEN
    environment.lookup = replace(environment.lookup, origin=lambda: origin)


def _old_generations_hide_nothing(environment: Environment) -> None:
    environment.proxy = replace(environment.proxy, hiding=NOTHING_HIDDEN)


# ---- Sweeps ----


class _StartIsEnd(Observer):
    @override
    def everyone(self, head: Head, calls: OriginCalls, purpose: Purpose) -> Observed:
        seen = super().everyone(head, calls, purpose)
        return replace(seen, update={**seen.update, "swept_at": self.time.now()})


class _DoubtWithoutEnd(Observer):
    @override
    def _judge(self, head: Head, swept: Sweep, base: Users, purpose: Purpose) -> tuple[Loss, float]:
        loss, since = super()._judge(head, swept, base, purpose)
        return (Loss.DOUBTED if since else loss), since


class _EveryLossBelieved(Observer):
    @override
    def _judge(self, head: Head, swept: Sweep, base: Users, purpose: Purpose) -> tuple[Loss, float]:
        return Loss.BELIEVED, 0


class _LastHidesNothing(LastGeneration):
    @override
    def read(self, refs: Sequence[PageRef]) -> Users:
        read = self.contents.pages(self.head.client_id, refs)
        return {user_id: line for page in read for user_id, line in page.users()}


class _BaseHidesNothing(Observer):
    @override
    def _last(self, head: Head) -> LastGeneration:
        return _LastHidesNothing(contents=self.contents, head=head, hiding=self.hiding)


@dataclass(slots=True)
class _OtherCalls:
    """The calls of a run, of which some are made in another way."""

    calls: OriginCalls

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the calls can do
        return getattr(self.calls, name)


class _NobodyByIdCalls(_OtherCalls):
    def user(self, user_id: int) -> None:
        del user_id


@dataclass(slots=True)
class _ForwardCalls(_OtherCalls):
    """Asks for the nearer windows first, and answers in the order that it is asked in."""

    nearer: list[tuple[int, Sequence[bytes]]]

    def users(self, offset: int, limit: int) -> Sequence[bytes]:
        if not self.nearer and offset:
            for start in range(0, offset, limit):
                self.nearer.append((start, self.calls.users(start, limit)))
            return self.calls.users(offset, limit)
        kept = dict(self.nearer)
        return kept[offset] if offset in kept else self.calls.users(offset, limit)


class _NobodyAskedById(Observer):
    @override
    def everyone(self, head: Head, calls: OriginCalls, purpose: Purpose) -> Observed:
        return super().everyone(head, cast("OriginCalls", _NobodyByIdCalls(calls)), purpose)


class _Forward(Observer):
    @override
    def everyone(self, head: Head, calls: OriginCalls, purpose: Purpose) -> Observed:
        return super().everyone(head, cast("OriginCalls", _ForwardCalls(calls, [])), purpose)


def _observing(kind: type[Observer]) -> Callable[[Environment], None]:
    def change(environment: Environment) -> None:
        sound = environment.revalidation
        environment.revalidation = replace(sound, observer=_like(kind, sound.observer))

    return change


class _NotReadAgain(Revalidation):
    """Claims for a head that the caller has not decided on."""

    @override
    def claim(
        self,
        head: Head,
        *,
        holder: str,
        wanted: UserKeys | None = None,
        believed: bool = False,
    ) -> Claim | Refusal:
        newest = self.store.head(head.client_id)
        return super().claim(newest, holder=holder, wanted=wanted, believed=believed)


class _ResumedByAnybody(Revalidation):
    @override
    def resume(self, lease: Lease, *, holder: str) -> Claim | None:
        head = self.store.head(lease.client_id)
        return Claim(lease, head, self._expected_calls(head))


def _revalidating(kind: type[Revalidation]) -> Callable[[Environment], None]:
    def change(environment: Environment) -> None:
        environment.revalidation = _like(kind, environment.revalidation)

    return change


class _AnsweredAtOnce(ForcedRefresh):
    @override
    def _seen_everywhere(self, refreshed: Refreshed) -> Refreshed:
        return refreshed


def _answered_at_once(environment: Environment) -> None:
    environment.forced_refresh = _like(_AnsweredAtOnce, environment.forced_refresh)


# ---- Answers and events ----


class _StaleTellsAll(NamedReads):
    @override
    def _tells_all(self, snapshot: Snapshot) -> bool:
        return snapshot.generation.complete


def _stale_tells_all(environment: Environment) -> None:
    lists, single = environment.list_reads, environment.single_reads
    environment.list_reads = replace(lists, named=_like(_StaleTellsAll, lists.named))
    environment.single_reads = replace(single, named=_like(_StaleTellsAll, single.named))


class _LeftOutForEver(Proxy):
    @override
    def require_known(self, head: Head) -> None:
        if head.health.last_error == Reason.CLIENT_NOT_CONFIGURED:
            raise NotFoundError(f"OAuth client with ID {head.client_id} not found.")
        super().require_known(head)


def _left_out_for_ever(environment: Environment) -> None:
    environment.proxy = _like(_LeftOutForEver, environment.proxy)


class _MarkedTooEarly(Announcing):
    @override
    def catch_up(self, client_id: str) -> int:
        store = self.history.store
        head = store.head(client_id)
        while head.announced < head.generation.number:
            step = self.history.step(head.generation, head.announced)
            store.mark_announced(client_id, step.to.number, seen=head.announced)
            self.send(step.events)
            head = store.head(client_id)
        return 0


def _marked_too_early(environment: Environment) -> None:
    environment.announcing = _like(_MarkedTooEarly, environment.announcing)


class _CutShort(History):
    @override
    def step(self, newest: Generation, told: int) -> Step:
        step = super().step(newest, told)
        return step._replace(events=step.events[:1])


def _feed_cut_short(environment: Environment) -> None:
    feed = environment.feed
    environment.feed = replace(feed, history=_like(_CutShort, feed.history))


# ---- The past ----


class _StampedAnew(Observer):
    @override
    def _stamped(self, users: Users, base: Users, generation: Generation, *, at: float) -> Users:
        return super()._stamped(users, {}, generation, at=at)


class _PastIsNow(Proxy):
    @override
    def read_as_of[T](self, client_id: str, as_of: AsOf, view: Callable[[Snapshot], T]) -> Read[T]:
        return self.read_pinned(client_id, self.store.head(client_id).generation.number, view)


def _past_is_now(environment: Environment) -> None:
    environment.proxy = _like(_PastIsNow, environment.proxy)


class _NothingDiscarded(FakeStore):
    @override
    def discard(self, client_id: str, pages: Collection[str], shards: Collection[str]) -> None:
        return

    @override
    def bury(self, client_id: str, number: int) -> None:
        return


MUTATIONS: Mapping[str, Kind] = {
    "fencing off": Kind(store=_WithoutFencing),
    "lease always granted": Kind(store=_LeaseAlwaysGranted),
    "block not noted": Kind(store=_BlockNotNoted),
    "backoff ignored": Kind(store=_BackoffNotSeen),
    "calls not counted": Kind(store=_CallsNotCounted),
    "age counted from publication": Kind(store=_AgeFromPublication),
    "doubted users make nothing older": Kind(store=_DoubtMakesNothingOlder),
    "head moved before its pages": Kind(broken=_pages_after_head),
    "memory of 30 s": Kind(broken=_remembering(_LongMemory)),
    "a cursor's generation is the newest": Kind(broken=_remembering(_NewestOnly)),
    "misses kept for ever": Kind(broken=_misses_kept_for_ever),
    "served for ever": Kind(broken=_served_for_ever),
    "look-ups hide nothing": Kind(broken=_look_ups_hide_nothing),
    "old generations hide nothing": Kind(broken=_old_generations_hide_nothing),
    "the last generation is carried over unhidden": Kind(broken=_observing(_BaseHidesNothing)),
    "a sweep's start is its end": Kind(broken=_observing(_StartIsEnd)),
    "doubt without end": Kind(broken=_observing(_DoubtWithoutEnd)),
    "every loss believed": Kind(broken=_observing(_EveryLossBelieved)),
    "nobody confirmed by id": Kind(broken=_observing(_NobodyAskedById)),
    "sweeps go forward": Kind(broken=_observing(_Forward)),
    "not read again before a claim": Kind(broken=_revalidating(_NotReadAgain)),
    "a claim resumed by anybody": Kind(broken=_revalidating(_ResumedByAnybody)),
    "a refresh answers at once": Kind(broken=_answered_at_once),
    "a stale directory tells of everybody": Kind(broken=_stale_tells_all),
    "a client left out stays out": Kind(broken=_left_out_for_ever),
    "announced before it is sent": Kind(broken=_marked_too_early),
    "the feed tells one event a generation": Kind(broken=_feed_cut_short),
    "each sweep stamps everybody": Kind(broken=_observing(_StampedAnew)),
    "the past is the present": Kind(broken=_past_is_now),
    "who is erased stays": Kind(store=_NothingDiscarded),
}
"""By what is broken."""
