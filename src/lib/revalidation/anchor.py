"""Holds an organization's list to the list of managed users, which vouches for what it shows.

One half of the window is enough for a sweep, the halves in turn. Whoever is there must be in the
organization's list, with the same values; a few who changed in between, or whom that list does not
tell of, are believed to be that. If there are many, it is not the same directory.

Pure but for the callable that lists.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import inf

from lib.revalidation.doubt import handful
from lib.revalidation.verdicts import as_known
from lib.revalidation.window import Users, Window, rising


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchor:
    """The ``users`` of a part of the window, and which ids that part covers; by default none."""

    users: Users = field(default_factory=dict)
    first_id: float = inf
    last_id: float = -inf

    def denies(self, user_id: int) -> bool:
        """Return whether the window should have shown a user, and has not."""
        return self.first_id <= user_id <= self.last_id and user_id not in self.users

    def odd(self, rows: Users) -> frozenset[int]:
        """Return who is told otherwise in ``rows``, or not at all although he was there before."""
        last_id = max(rows, default=0)
        return frozenset(
            user_id
            for user_id, line in self.users.items()
            if (as_known(rows[user_id], line) != line if user_id in rows else user_id < last_id)
        )

    def contradicts(self, rows: Users, odd: frozenset[int], *, known: Users | None) -> bool:
        """Return whether those who are ``odd`` are too many to be believed.

        Whoever is in ``rows`` as he was known may have changed since; ``known`` is None where
        everybody is in the window as he was known.
        """
        changed = {
            user_id
            for user_id in odd & rows.keys()
            if known
            and user_id in known
            and as_known(rows[user_id], known[user_id]) == known[user_id]
        }
        return len(odd - changed) > handful(len(self.users))


def cast(
    list_users: Callable[[int, int], Sequence[bytes]], window: Window, *, turn: int, users: int
) -> Anchor:
    """List a part of the window that can hold some of about ``users`` users.

    Raises:
        OriginError: the origin failed, or its rows are out of order.
    """
    offsets = [offset for offset in sorted(window.offsets) if offset < users] or [0]
    offset = offsets[turn % len(offsets)]
    shown = rising(list_users(offset, window.max_limit))
    full = len(shown) == window.max_limit
    return Anchor(
        users=shown,
        first_id=min(shown, default=inf) if offset else 0,
        last_id=max(shown) if full else inf,
    )
