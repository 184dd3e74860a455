"""Answers reads: from the snapshot whenever that is allowed, asking the origin only when it must.

``freshness.plan`` decides; this module carries the decision out. A reader never waits for an
origin that is known to be down, a failure never takes away a usable snapshot, and whatever is
served says how old it is and why.
"""

from collections.abc import Callable
from contextlib import suppress
from copy import replace
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, assert_never

from lib.caching import freshness
from lib.caching.freshness import Plan
from lib.caching.provenance import PINNED, Hit
from lib.clock import Time
from lib.directory.generation import Generation
from lib.directory.head import Head
from lib.directory.memory import Memory
from lib.directory.snapshot import Snapshot, snapshot_of
from lib.errors import (
    BrokenSnapshotError,
    GoneError,
    NotAskedError,
    OnlyIfCachedError,
    ParameterError,
    Reason,
    StoreError,
    UnavailableError,
)
from lib.reading.request import Need, Read, ReadRequest
from lib.reading.stored import Served, Stored
from lib.revalidation.pauses import follow
from lib.revalidation.schedule import Schedule
from lib.users.hiding import NOTHING_HIDDEN, HidingPolicy

if TYPE_CHECKING:
    from lib.queries.moment import AsOf
    from lib.reading.asking import Asking

AWAIT_SECONDS = 2.0
"""Longest wait for a generation that a caller has been told of and is not published yet."""

_NOT_KEPT = "This generation is no longer kept."
_NOTHING_SUITABLE = "Nothing suitable is stored, and only-if-cached was asked."


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Proxy:
    """Reads of any client; ``require_client`` raises NotFoundError for one not configured."""

    store: Memory
    require_client: Callable[[str], object]
    stored: Stored
    asking: Callable[[], "Asking"]
    time: Time
    schedule: Schedule
    hiding: HidingPolicy = NOTHING_HIDDEN

    def read[T](self, request: ReadRequest, view: Callable[[Snapshot], T]) -> Read[T]:
        """Return what ``view`` makes of the snapshot that the request may be answered from.

        Raises:
            NotFoundError: the client is not configured.
            ParameterError: nobody can have been told of ``min_generation`` yet.
            OnlyIfCachedError: ``only-if-cached`` cannot be met.
            UnavailableError: nothing usable is stored and no new data could be had.
        """
        head = self.store.recent_head(request.client_id)
        self.require_known(head)
        self.note_read(head, request.arrived_at)
        if head.generation.published and head.generation.number < request.min_generation:
            head = self._await(request)
        served = self._serve(request, head)
        if served.generation.number < request.min_generation:
            # What was remembered was from before anything was published.
            raise _not_yet(request.min_generation, newest=served.generation.number)
        with suppress(BrokenSnapshotError):
            return self._viewed(served, view)
        try:
            mended = self._mend(request, served.generation)
        except UnavailableError:
            # A repair that failed, this one or another's, may have put the pages all the same.
            with suppress(BrokenSnapshotError):
                return self._viewed(served, view)
            raise
        return self._viewed(mended, view)

    def read_pinned[T](self, client_id: str, number: int, view: Callable[[Snapshot], T]) -> Read[T]:
        """Return what ``view`` makes of exactly one generation; nothing is ever revalidated.

        Raises:
            NotFoundError: the client is not configured.
            GoneError: the generation is no longer kept.
        """
        head = self.store.recent_head(client_id)
        self.require_known(head)
        self.note_read(head, self.time.now())
        return self._pinned(client_id, number, view)

    def read_as_of[T](
        self, client_id: str, as_of: "AsOf", view: Callable[[Snapshot], T]
    ) -> Read[T]:
        """Return what ``view`` makes of the directory as it was; nothing is ever revalidated.

        Raises:
            NotFoundError: the client is not configured.
            ParameterError: at that moment there was nothing yet.
            GoneError: what there was is no longer kept.
        """
        # Imported here, since few ask for what is past.
        from lib.reading import past  # noqa: PLC0415

        # As it is now: with what is remembered, the newest moments could be told wrongly.
        head, now = self.store.head(client_id), self.time.now()
        self.require_known(head)
        self.note_read(head, now)
        number = past.number_of(
            as_of, head.generation, modified_at=partial(self.store.modified_at, client_id), now=now
        )
        return self._pinned(client_id, number, view)

    def require_known(self, head: Head) -> None:
        """Make sure that the head's client is configured; a hit needs no secret for that.

        A client that was not when the origin was last to be asked is looked for again.

        Raises:
            NotFoundError: it is not.
            SecretError: nobody knows.
        """
        left_out = head.health.last_error == Reason.CLIENT_NOT_CONFIGURED
        if left_out or not head.generation.published:
            self.require_client(head.client_id)

    def note_read(self, head: Head, now: float) -> None:
        """Let the schedule know that somebody reads the head's client."""
        if self.schedule.unnoted(head, now=now):
            self.store.note_read(head, now)

    def _viewed[T](self, served: Served, view: Callable[[Snapshot], T]) -> Read[T]:
        snapshot = snapshot_of(self.store, served.generation, hiding=self.hiding)
        if served.seen:
            snapshot = replace(snapshot, extra=served.seen)
        return Read(view(snapshot), served.generation, served.came_by, served.seen is not None)

    def _pinned[T](self, client_id: str, number: int, view: Callable[[Snapshot], T]) -> Read[T]:
        generation = self.store.generation(client_id, number)
        if generation is None:
            raise GoneError(_NOT_KEPT)
        came_by = Hit(observed_at=generation.swept_at, detail=PINNED)
        try:
            return self._viewed(Served(generation, came_by), view)
        except BrokenSnapshotError as error:
            raise GoneError(_NOT_KEPT) from error

    def _await(self, request: ReadRequest) -> Head:
        """Return a head of the least generation asked for, waiting a moment for the very next one.

        Raises:
            ParameterError: nobody can have been told of it yet.
            NotAskedError: it has not been published in time.
        """
        until, newest = min(request.deadline, self.time.now() + AWAIT_SECONDS), 0
        for head in follow(lambda: self.store.head(request.client_id), until=until, time=self.time):
            newest = head.generation.number
            if newest >= request.min_generation:
                return head
            if request.min_generation > newest + 1:
                break
        raise _not_yet(request.min_generation, newest=newest)

    def _serve(self, request: ReadRequest, head: Head) -> Served:
        plan = self.stored.plan(request, head)
        match plan:
            case Plan.SERVE:
                return self.stored.hit(head)
            case Plan.SERVE_AND_REVALIDATE:
                self.asking().elsewhere(request, head)
                return self.stored.hit(head)
            case Plan.REFUSE:
                raise OnlyIfCachedError(_NOTHING_SUITABLE)
            case Plan.FETCH:
                return self.asking().here(request, Need(fwd="uri-miss"))
            case Plan.REVALIDATE:
                return self._revalidate_or_serve(request, head)
            case _:
                assert_never(plan)

    def _revalidate_or_serve(self, request: ReadRequest, head: Head) -> Served:
        try:
            return self.asking().here(request, self._stale_need(request, head))
        except StoreError:
            # What this environment remembers is better than nothing, and says its age.
            return self.stored.hit(head, detail="store-error")

    def _stale_need(self, request: ReadRequest, head: Head) -> Need:
        told = self.stored.answer_age(request, head.generation)
        accepted = freshness.acceptable(self.stored.policy, request.directives, age=told)
        return Need(
            fwd="stale" if accepted else "request",
            demanded=not accepted,
            wanted=request.wanted if request.directives.no_cache else None,
        )

    def _mend(self, request: ReadRequest, broken: Generation) -> Served:
        """Return a generation to answer from in place of one whose pages cannot be read.

        Raises:
            OnlyIfCachedError: there is none, and the origin is not to be asked.
            UnavailableError: there is none, and no new data could be had.
        """
        newest = self.store.head(request.client_id)
        if newest.generation.number != broken.number:
            return self._serve(request, newest)
        if request.directives.only_if_cached:
            raise OnlyIfCachedError(_NOTHING_SUITABLE)
        return self.asking().here(request, Need(fwd="uri-miss", broken=broken.number))


def _not_yet(wanted: int, *, newest: int) -> ParameterError | NotAskedError:
    """Return what is said of a generation that is not there: only the next one may be awaited."""
    if wanted > newest + 1:
        return ParameterError(
            "min_generation", f"is above the newest generation, {newest}, and the next"
        )
    return NotAskedError("This generation is not published yet.", reason=Reason.GENERATION_AWAITED)
