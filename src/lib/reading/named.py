"""Answers reads that name users, looking beyond the snapshot for those it cannot tell of.

A snapshot that is complete and fresh tells of everybody. Else who is missing from it may be past
the origin's window or newer than the last sweep, so the origin is asked for just them.
"""

from collections.abc import Callable
from copy import replace
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lib.caching.freshness import FreshnessPolicy, acceptable
from lib.caching.provenance import Forwarded, Hit, Provenance
from lib.directory.snapshot import Snapshot
from lib.reading.proxy import Proxy
from lib.reading.request import Read, ReadRequest
from lib.users.document import id_of
from lib.users.keys import UserKeys

if TYPE_CHECKING:
    from lib.reading.lookup import Found, Lookup


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class NamedReads:
    """Reads of named users of any client."""

    proxy: Proxy
    lookup: Callable[[], "Lookup"]
    policy: FreshnessPolicy

    def read[T](
        self,
        request: ReadRequest,
        *,
        missing: Callable[[Snapshot], UserKeys],
        view: Callable[[Snapshot, "Found | None"], T],
    ) -> tuple[Read[T], "Found | None"]:
        """Return what ``view`` makes of the snapshot, and the look-up that was made for it.

        ``missing`` tells whom a snapshot does not hold. Those found beyond it are in the snapshot
        that ``view`` gets.

        Raises:
            ServiceError: as ``Proxy.read``.
        """

        def look(snapshot: Snapshot) -> tuple[Snapshot, UserKeys, T | None]:
            if self._tells_all(snapshot):
                return snapshot, UserKeys(), view(snapshot, None)
            return snapshot, missing(snapshot), None

        read = self.proxy.read(request, look)
        snapshot, wanted, seen = read.value
        # Whoever was just asked for by name is there or is nobody.
        if read.exact or not wanted.keys:
            return _with(read, view(snapshot, None) if seen is None else seen), None
        silent = self.policy.frozen or request.directives.only_if_cached
        found = self.lookup().find(
            request.client_id,
            wanted,
            deadline=request.deadline,
            silent=silent,
            acceptable=lambda age: (
                self.policy.frozen or acceptable(self.policy, request.directives, age=age)
            ),
        )
        extra = {id_of(line): line for line in found.lines}
        value = view(replace(snapshot, extra=extra), found)
        return _with(read, value), found

    def _tells_all(self, snapshot: Snapshot) -> bool:
        """Return whether who is not in the snapshot is nobody.

        Where nobody is ever asked again, whoever is missing from a complete one is as good as that.
        A list that is known not to tell of somebody may not tell of others.
        """
        generation = snapshot.generation
        tells = self.proxy.stored.is_fresh(generation) and not generation.adopted
        return generation.holds_everybody and (tells or self.policy.frozen)


def _with[S, T](read: Read[S], value: T) -> Read[T]:
    return Read(value=value, generation=read.generation, came_by=read.came_by, exact=read.exact)


def looked_up(came_by: Provenance, found: "Found | None", *, alone: bool = False) -> Provenance:
    """Return how an answer came by for which a look-up was made as well.

    ``alone``: it rests on the look-up and on nothing of the snapshot.
    """
    if found is None or (found.observed_at is None and not found.calls):
        return came_by
    seen_at = came_by.observed_at if found.observed_at is None else found.observed_at
    observed_at = seen_at if alone else min(came_by.observed_at, seen_at)
    if found.calls and not isinstance(came_by, Forwarded):
        return Forwarded(
            fwd="miss",
            observed_at=observed_at,
            asked_at=found.asked_at if alone else None,
            received=found.received,
            stored=found.observed_at is not None,
            detail="look-up",
        )
    told = came_by._replace(observed_at=observed_at)
    return told._replace(detail="look-up") if isinstance(told, Hit) else told
