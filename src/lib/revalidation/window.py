"""Lists everything that paging can reach at the origin, so that no deletion can hide a user.

The origin pages by position. Walking forward, a user deleted between two calls shifts the next
window and hides a live user; walking backward, it shows one twice, and the later observation
wins. Rows must come by rising id, which the origin does without promising it: anything else
fails the sweep rather than being guessed at.

Pure but for the callable that lists.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from lib.errors import OriginError, Reason
from lib.users.document import id_of

type Users = dict[int, bytes]
"""Documents by rising id."""

type ListUsers = Callable[[int, int], Sequence[bytes]]

MAX_CALLS = 12
"""Most list calls of one sweep: at a second each they end within a lease, and a minute's budget
(60 % of 120 calls, over two minutes) has room for three such sweeps."""

WINDOW_FULL = "window-full"
"""The reason of a directory that may have users past the window."""

SINGLE_CALL_USERS = 200
"""A window that held fewer users last time is asked for in one call first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """What paging can reach at the origin: ``max_offset + max_limit`` users.

    Raises:
        ValueError: a sweep of it would take more than ``MAX_CALLS`` calls.
    """

    max_limit: int = 250
    max_offset: int = 250

    def __post_init__(self) -> None:
        if len(self.offsets) > MAX_CALLS:
            raise ValueError(
                f"ORIGIN_MAX_OFFSET must be at most {MAX_CALLS - 1} times ORIGIN_MAX_LIMIT: "
                f"a sweep of {len(self.offsets)} calls does not end before its lease does"
            )

    @property
    def size(self) -> int:
        """Number of users that paging can reach."""
        return self.max_offset + self.max_limit

    @property
    def offsets(self) -> tuple[int, ...]:
        """Offsets that cover the window, highest first: a sweep goes backward."""
        steps = set(range(0, self.max_offset, self.max_limit)) | {self.max_offset}
        return tuple(sorted(steps, reverse=True))


class Reach(NamedTuple):
    """Which part of a longer list was swept: ids from ``first_id`` on, below ``end_id`` if given.

    The whole list has ``rows`` rows. ``strays`` are users whom it is known not to tell of. In the
    other parts somebody may be gone who was last seen ``unconfirmed_since``, 0 if nobody may.
    """

    rows: int
    first_id: int = 0
    end_id: int | None = None
    strays: frozenset[int] = frozenset()
    unconfirmed_since: float = 0

    def holds(self, user_id: int) -> bool:
        """Return whether a user with this id has its place in that part."""
        above = self.end_id is not None and user_id >= self.end_id
        return self.first_id <= user_id and not above

    def covers(self, user_id: int) -> bool:
        """Return whether a user with this id would have been seen."""
        return self.holds(user_id) and user_id not in self.strays


class Sweep(NamedTuple):
    """The users of a list, and whether these are all.

    With a ``reach`` it is not the window that was swept, and ``reason`` says why that is not all.
    """

    users: Users
    complete: bool
    reach: Reach | None = None
    reason: str = WINDOW_FULL

    @property
    def last_id(self) -> int:
        """The largest id in the window, 0 if it is empty."""
        return max(self.users, default=0)

    @property
    def rows(self) -> int:
        """How many rows the list has, as far as it can be seen."""
        return self.reach.rows if self.reach else len(self.users)

    def covers(self, user_id: int) -> bool:
        """Return whether the list should have shown a user with this id."""
        if self.reach:
            return self.reach.covers(user_id)
        return self.complete or user_id <= self.last_id

    def is_left(self, user_id: int) -> bool:
        """Return whether a user has its place in a part of the list that was not swept."""
        return self.reach is not None and not self.reach.holds(user_id)

    def may_lack(self, user_id: int) -> bool:
        """Return whether a user may be there although the list does not show him."""
        if self.reach:
            return user_id not in self.users
        return not self.complete and user_id > self.last_id

    def missing(self, base: Users) -> Users:
        """Return the users of ``base`` that the list should have shown and did not."""
        return {
            user_id: line
            for user_id, line in base.items()
            if user_id not in self.users and self.covers(user_id)
        }


def expected_calls(window: Window, *, last_users: int) -> int:
    """Return the calls that a sweep will most likely make; ``last_users`` is -1 if unknown."""
    return 1 if _fits_one_call(window, last_users) else len(window.offsets)


def sweep(list_users: ListUsers, window: Window, *, last_users: int) -> Sweep:
    """Return the window's users, asking ``list_users(offset, limit)`` from the far end backward.

    Raises:
        OriginError: rows repeat or do not rise by id.
    """
    if _fits_one_call(window, last_users):
        lines = list_users(0, window.max_limit)
        if len(lines) < window.max_limit:
            return Sweep(rising(lines), complete=True)
    far_end = list_users(window.offsets[0], window.max_limit)
    users = rising(far_end)
    for offset in window.offsets[1:]:
        users = joined(rising(list_users(offset, window.max_limit)), users)
    # Not told from their number: a deletion between two calls makes it smaller than the window.
    return Sweep(users, complete=len(far_end) < window.max_limit)


def _fits_one_call(window: Window, last_users: int) -> bool:
    return 0 <= last_users < min(SINGLE_CALL_USERS, window.max_limit)


def rising(lines: Sequence[bytes]) -> Users:
    """Return documents by their rising ids.

    Raises:
        OriginError: they repeat or do not rise.
    """
    users = {id_of(line): line for line in lines}
    if len(users) < len(lines) or any(low >= high for low, high in pairwise(users)):
        raise OriginError("the origin's rows are out of order", reason=Reason.ROWS_OUT_OF_ORDER)
    return users


def joined(lower: Users, higher: Users) -> Users:
    """Return two runs of a list, both by rising id, as one; ``lower`` was seen later.

    Raises:
        OriginError: they do not follow each other.
    """
    if not (lower and higher):
        return lower or higher
    first_higher = next(iter(higher))
    if next(reversed(lower)) < first_higher:
        return {**lower, **higher}
    if any(user_id >= first_higher and user_id not in higher for user_id in lower):
        raise OriginError(
            "the origin's windows are out of order", reason=Reason.WINDOWS_OUT_OF_ORDER
        )
    both = higher | lower
    return {user_id: both[user_id] for user_id in sorted(both)}
