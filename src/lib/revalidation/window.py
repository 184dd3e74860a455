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

from lib.errors import OriginError, Reason
from lib.users.document import id_of

type Users = dict[int, bytes]
"""Documents by rising id."""

type ListUsers = Callable[[int, int], Sequence[bytes]]

MAX_CALLS = 12
"""Most list calls of one sweep: at a second each they end within a lease, and a minute's budget
(60 % of 120 calls, over two minutes) has room for three such sweeps."""

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


@dataclass(frozen=True, slots=True)
class Sweep:
    """The window's users, and whether these are all."""

    users: Users
    complete: bool

    @property
    def last_id(self) -> int:
        """The largest id in the window, 0 if it is empty."""
        return max(self.users, default=0)

    def missing(self, base: Users) -> Users:
        """Return the users of ``base`` that the window should have shown and did not."""
        return {
            user_id: line
            for user_id, line in base.items()
            if user_id not in self.users and (self.complete or user_id <= self.last_id)
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
            return Sweep(_rising(lines), complete=True)
    far_end = list_users(window.offsets[0], window.max_limit)
    users = _rising(far_end)
    for offset in window.offsets[1:]:
        users = _join(_rising(list_users(offset, window.max_limit)), users)
    # Not told from their number: a deletion between two calls makes it smaller than the window.
    return Sweep(users, complete=len(far_end) < window.max_limit)


def _fits_one_call(window: Window, last_users: int) -> bool:
    return 0 <= last_users < min(SINGLE_CALL_USERS, window.max_limit)


def _rising(lines: Sequence[bytes]) -> Users:
    users = {id_of(line): line for line in lines}
    if len(users) < len(lines) or any(low >= high for low, high in pairwise(users)):
        raise OriginError("the origin's rows are out of order", reason=Reason.ROWS_OUT_OF_ORDER)
    return users


def _join(lower: Users, higher: Users) -> Users:
    """Return both windows by rising id; where they overlap, ``lower`` was seen later."""
    first_higher = next(iter(higher), None)
    if first_higher is not None and any(
        user_id >= first_higher and user_id not in higher for user_id in lower
    ):
        raise OriginError(
            "the origin's windows are out of order", reason=Reason.WINDOWS_OUT_OF_ORDER
        )
    joined = higher | lower
    return {user_id: joined[user_id] for user_id in sorted(joined)}
