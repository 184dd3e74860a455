"""Reads an organization's list page by page, from its end backward, as far as time and budget go.

The list has no wall, no total and no cursor. From where its end was last time a walk goes up until
a page is not full, then down to the beginning: a user deleted on the way down is seen twice and
hides nobody. On the way up one would, so there each page begins with the row that the one before
ended with; where it does not, all of that is seen again on the way down. A page that is too much
for the origin, or for its network, is asked for in halves.

Pure but for the calls it is given.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from lib.errors import (
    NotAskedError,
    OriginAuthError,
    OriginBlockedError,
    OriginError,
    OriginServerError,
    Reason,
)
from lib.revalidation.window import Users, joined, rising

SIZES = (1000, 500, 250)
"""Rows to ask for at once, as many as the origin allows, and what to go on with if they are too
many."""

PATIENCE_SECONDS = 20.0
"""What must be left of a run to ask for a page once more: it may take half of it."""

REST_SECONDS = 15.0
"""What must be left of a run to ask for a further page: for the page, for its anchor, and to ask
for those who are new in it or missing from it."""

_CUT_OFF = frozenset({Reason.NOT_JSON, Reason.TOO_LARGE})


class MemberCalls(Protocol):
    """The origin calls of one revalidation; see ``lib.origin.calls``."""

    def members(self, organization_id: int, skip: int, take: int) -> Sequence[bytes]:
        """Return some members."""

    def hurried(self) -> bool:
        """Return whether time is too short for calls that can wait."""

    def gain_time(self) -> None:
        """Let the lease last for another call."""

    def has_time(self, seconds: float) -> bool:
        """Return whether the run has so much time."""


@dataclass(slots=True, kw_only=True)
class Walk:
    """A walk through one organization's list; ``take`` rows are asked for at once.

    What was seen are ``users``: the rows at positions ``low`` to ``high``, which is the end of the
    list where it has ``ended``.
    """

    calls: MemberCalls
    organization_id: int
    take: int
    low: int = 0
    high: int = 0
    ended: bool = False
    users: Users = field(default_factory=dict)
    _asked: bool = False
    _gap: bool = False

    @property
    def finished(self) -> bool:
        """Whether nothing is left to be seen."""
        return self.ended and not self.low

    def from_the_end(self, *, guess: int) -> None:
        """See the whole list, which had about ``guess`` rows, or as much of it as can be.

        Raises:
            OriginError: it cannot be trusted, or not be had.
            NotAskedError: there was no time or budget for any of it.
        """
        self.low = self.high = guess // self.take * self.take
        self._go(up=True)

    def below(self, position: int) -> None:
        """See what was left by an earlier walk, which saw everything from ``position`` on.

        Raises:
            OriginError: it cannot be trusted, or not be had.
            NotAskedError: there was no time or budget for any of it.
        """
        self.low = self.high = position
        self.ended = True
        self._go(up=False)

    def _go(self, *, up: bool) -> None:
        try:
            while up and not self.ended:
                size, page = self._page(up=True)
                self._step_up(rising(page))
                self.ended = len(page) < size
            if self._gap:
                self.low, self.users = self.high, {}
            while self.low:
                size, page = self._page(up=False)
                self.users = joined(rising(page), self.users)
                self.low -= size
        except NotAskedError:
            if not self._asked:
                raise

    def _step_up(self, page: Users) -> None:
        last_id, overlap = max(self.users, default=None), self._overlap
        self._gap = self._gap or (last_id is not None and last_id not in page)
        self.users = joined(self.users, page) if not self._gap else self.users | page
        self.high += max(0, len(page) - overlap)

    @property
    def _overlap(self) -> int:
        return 1 if self.users else 0

    def _page(self, *, up: bool) -> tuple[int, Sequence[bytes]]:
        """Return the next rows, and how many they could have been.

        Raises:
            NotAskedError: there is no time or budget for it.
        """
        while True:
            self.calls.gain_time()
            size = self.take if up else min(self.take, self.low)
            if self._asked and (self.calls.hurried() or not self.calls.has_time(REST_SECONDS)):
                raise NotAskedError("there is no time for more", reason=Reason.OUT_OF_TIME)
            try:
                skip = self.high - self._overlap if up else self.low - size
                page = self.calls.members(self.organization_id, skip, size)
            except OriginError as error:
                self._shrink(error)
            else:
                self._asked = True
                return size, page

    def _shrink(self, error: OriginError) -> None:
        """Make pages smaller, if that may help against ``error``.

        Raises:
            OriginError: it does not.
            NotAskedError: there is no time to try it, and something was seen before.
        """
        smaller = [size for size in SIZES if size < self.take]
        failing = isinstance(error, OriginServerError) and not error.retry_after_seconds
        refused = isinstance(error, OriginAuthError | OriginBlockedError)
        if refused or not smaller or not (failing or error.reason in _CUT_OFF):
            raise error
        self.take = smaller[0]
        if self.calls.has_time(PATIENCE_SECONDS):
            return
        if not self._asked:
            raise error
        raise NotAskedError("there is no time for more", reason=Reason.OUT_OF_TIME) from error


def expected_calls(rows: int) -> int:
    """Return the calls that a sweep of a list of about ``rows`` rows makes, its anchor included."""
    return max(0, rows) // SIZES[0] + 2
