"""Asks the origin for users one would like to know more of: by address, or by id.

A user's address can change, and his id cannot; many are found by address in one call, and by id
one a call. Pure but for the calls it is given.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from lib.errors import NotAskedError, OriginBlockedError, OriginError, OriginServerError
from lib.revalidation.window import Users
from lib.users.document import address_of, id_of

MAX_FAILURES = 3
"""So many calls for one user each that fail in a row are taken for all that would follow."""


class Calls(Protocol):
    """The origin calls of one revalidation; see ``lib.origin.calls``."""

    def batches[K](self, stored: Mapping[K, str]) -> Iterator[dict[K, str]]:
        """Yield what to ask ``find`` for stored addresses, in a run for each call."""

    def find(self, addresses: Iterable[str]) -> Sequence[bytes]:
        """Return the users whom it finds."""

    def user(self, user_id: int) -> bytes | None:
        """Return one user, None if the origin has no such user."""

    def hurried(self) -> bool:
        """Return whether time is too short for calls that can wait for the next sweep."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Whom ``calls`` were asked for, by what they said: a document, 404, or nothing of use."""

    calls: Calls
    alive: dict[int, bytes] = field(default_factory=dict)
    gone: set[int] = field(default_factory=set)
    failed: set[int] = field(default_factory=set)

    def batches(self, users: Users) -> Iterator[dict[int, str]]:
        """Yield the addresses of ``users`` by id, in a run for each call of ``find``."""
        return self.calls.batches({user_id: address_of(line) for user_id, line in users.items()})

    def find(self, batch: Mapping[int, str]) -> Sequence[int]:
        """Ask for ``batch`` (addresses by id); return who has not that address any more.

        If the origin fails, it has found nobody, and they are to be asked for by id.

        Raises:
            NotAskedError: nobody may be asked for any more.
            OriginBlockedError: so the origin says.
        """
        try:
            found = {id_of(line): line for line in self.calls.find(batch.values())}
        except OriginError as error:
            _require_going_on(error)
            found = {}
        self.alive.update({user_id: line for user_id, line in found.items() if user_id in batch})
        return [user_id for user_id in batch if user_id not in found]

    def by_id(self, ids: Sequence[int], most: int) -> int:
        """Ask for ``most`` of ``ids``; return for how many there was time.

        One user for whom the origin fails keeps nobody else from being asked for.

        Raises:
            NotAskedError: nobody may be asked for any more.
            OriginBlockedError: so the origin says.
        """
        failures = 0
        for done, user_id in enumerate(ids[:most]):
            if failures == MAX_FAILURES or self.calls.hurried():
                return done
            try:
                line = self.calls.user(user_id)
            except OriginError as error:
                _require_going_on(error)
                self.failed.add(user_id)
                failures += 1
                continue
            failures = 0
            if line is None:
                self.gone.add(user_id)
            else:
                self.alive[user_id] = line
        return min(most, len(ids))


def _require_going_on(error: OriginError) -> None:
    """Make sure that an origin that failed for one user may be asked for others.

    Raises:
        NotAskedError: it wants to be left alone for a while.
        OriginBlockedError: it blocks.
    """
    if isinstance(error, OriginBlockedError):
        raise error
    if isinstance(error, OriginServerError) and error.retry_after_seconds:
        raise NotAskedError("the origin wants a pause", reason=error.reason) from error
