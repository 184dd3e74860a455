"""Answers reads that name users, looking beyond the snapshot for those it cannot tell of.

A snapshot that is complete and fresh tells of everybody. Else who is missing from it may be past
the origin's window or newer than the last sweep, so the origin is asked for just them.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from lib.caching.freshness import FreshnessPolicy, age_of
from lib.caching.headers import CacheStatus
from lib.directory.snapshot import Snapshot
from lib.reading.request import Answer, ReadRequest, Served
from lib.users.document import id_of
from lib.users.wanted import Wanted


class Found(Protocol):
    """What came of a look-up; see ``lib.reading.lookup``."""

    @property
    def lines(self) -> tuple[bytes, ...]:
        """Documents of the users found."""

    @property
    def observed_at(self) -> float | None:
        """The oldest observation used."""

    @property
    def calls(self) -> int:
        """How many origin calls were made for it."""

    @property
    def received(self) -> int | None:
        """The status that the last of them got."""


class LooksUp[F: Found](Protocol):
    """What is needed of look-ups; see ``lib.reading.lookup``."""

    def find(self, client_id: str, wanted: Wanted, *, deadline: float, silent: bool) -> F:
        """Return the users in ``wanted``, as far as they can be had; ``silent``: are remembered."""


class Reads(Protocol):
    """What is needed of reads; see ``lib.reading.proxy``."""

    def read[T](self, request: ReadRequest, view: Callable[[Snapshot], T]) -> Answer[T]:
        """Return what ``view`` makes of the snapshot."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedReads[F: Found]:
    """Reads of named users of any client."""

    reads: Reads
    lookup: Callable[[], LooksUp[F]]
    policy: FreshnessPolicy
    clock: Callable[[], float]

    def read[T](
        self,
        request: ReadRequest,
        *,
        missing: Callable[[Snapshot], Wanted],
        view: Callable[[Snapshot, F | None], T],
    ) -> tuple[Answer[T], F | None]:
        """Return what ``view`` makes of the snapshot, and the look-up that was made for it.

        ``missing`` tells whom a snapshot does not hold. Those found beyond it are in the snapshot
        that ``view`` gets.

        Raises:
            ServiceError: as ``Proxy.read``.
        """

        def look(snapshot: Snapshot) -> tuple[Snapshot, Wanted, T | None]:
            if self._tells_all(snapshot):
                return snapshot, Wanted(), view(snapshot, None)
            return snapshot, missing(snapshot), None

        answer = self.reads.read(request, look)
        (snapshot, wanted, seen), served = answer.value, answer.served
        if not wanted.keys or self.just_asked(request, served):
            return Answer(view(snapshot, None) if seen is None else seen, served), None
        silent = self.policy.frozen or request.directives.only_if_cached
        found = self.lookup().find(
            request.client_id, wanted, deadline=request.deadline, silent=silent
        )
        extra = {id_of(line): line for line in found.lines}
        seen = view(replace(snapshot, extra=extra), found)
        return Answer(seen, self._looked_up(served, found)), found

    def just_asked(self, request: ReadRequest, served: Served) -> bool:
        """Return whether no-cache has asked for just these users, and could keep whom it found.

        Any other sweep tells nothing of users past the window.
        """
        asked = request.directives.no_cache and served.status.fwd == "request"
        kept = served.head.incomplete_reason != "adoption-limit"
        return asked and kept and served.age is None

    def _tells_all(self, snapshot: Snapshot) -> bool:
        """Return whether who is not in the snapshot is nobody."""
        head = snapshot.head
        return head.complete and age_of(head.swept_at, now=self.clock()) < self.policy.max_age

    def _looked_up(self, served: Served, found: Found) -> Served:
        """Return how the answer was come by, the look-up included."""
        age = served.age
        if found.observed_at is not None:
            age = max(age or 0, age_of(found.observed_at, now=self.clock())) or age
        status = served.status
        if served.age is not None and found.calls:
            stored = found.observed_at is not None
            status = CacheStatus(
                fwd="miss", fwd_status=found.received, stored=stored, detail="look-up"
            )
        elif age is not None and found.observed_at is not None and served.age is not None:
            status = CacheStatus(ttl=self.policy.max_age - age, detail="look-up")
        return Served(served.head, age, status)
