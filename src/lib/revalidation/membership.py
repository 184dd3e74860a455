"""Tells which rows of an organization's list are users of one OAuth client.

Whoever was in the last generation or was looked up since is; so is whoever a part of the window
shows, to which the list is held (``anchor``). The others are asked for once (``verdicts``).

Pure but for the calls it is given.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Protocol

from lib.directory.head import Head
from lib.directory.listing import Listing
from lib.revalidation.anchor import Anchor, cast
from lib.revalidation.members import MemberCalls, Walk
from lib.revalidation.verdicts import (
    VerdictCalls,
    Verdicts,
    as_known,
    decide,
    is_of_another_client,
)
from lib.revalidation.window import Reach, Users, Window

ANEW_TURNS = 60
"""In one of so many sweeps, what was found out about the list is found out anew."""


class Remembered(Protocol):
    """Tells what the last generation was."""

    def __call__(self, users: Users, *, whole: bool) -> Users | None:
        """Return its users; None where it has exactly ``users``, if these can be the ``whole``."""


class Calls(MemberCalls, VerdictCalls, Protocol):
    """The origin calls of one revalidation; see ``lib.origin.calls``."""

    @property
    def client_id(self) -> str:
        """Whose users are asked for."""

    @property
    def organization_id(self) -> int | None:
        """The client's organization; None: there is none; 0: what should name it does not."""

    def users(self, offset: int, limit: int) -> Sequence[bytes]:
        """Return the users of one window."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a walk has told of one client.

    ``users`` by rising id; ``known`` are those of the last generation, None where nothing has
    changed. Of ``strays`` the list tells nothing that could be used; ``others`` are members who are
    no users.
    """

    users: Users
    known: Users | None
    strays: frozenset[int]
    others: frozenset[int]
    verdicts: Verdicts = field(default_factory=Verdicts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    """Who of an organization's members are users of one client.

    ``found`` are users that look-ups found since the last sweep; ``turn`` is another number for
    each sweep.
    """

    calls: Calls
    window: Window
    listing: Listing
    found: Users
    remembered: Remembered
    turn: int

    def of(self, walk: Walk, reach: Reach, *, in_one_go: bool) -> Told | None:
        """Return what ``walk`` has told; None if that is not what the window has.

        Raises:
            OriginError: the origin fails for the list of managed users, or blocks.
            NotAskedError: there is no time or budget to hold the list to it.
        """
        rows = {
            user_id: line
            for user_id, line in walk.users.items()
            if user_id not in self.listing.others
            and not is_of_another_client(line, self.calls.client_id)
        }
        anchor = self._anchor(len(rows)) if walk.finished else Anchor()
        candidates = {user_id: line for user_id, line in rows.items() if not anchor.denies(user_id)}
        again = self._again(walk)
        whole = in_one_go and not again
        known = self.remembered(_by_id(candidates | anchor.users), whole=whole)
        odd = frozenset(user_id for user_id in anchor.odd(walk.users) if reach.holds(user_id))
        if anchor.contradicts(walk.users, odd - reach.strays, known=known):
            return None
        if known is None:
            users = _by_id(candidates | anchor.users)
            return Told(users=users, known=None, strays=odd, others=self.listing.others)
        strays = self._still(reach, rows, known)
        for user_id in strays & candidates.keys():
            del candidates[user_id]
        denied = {user_id: line for user_id, line in rows.items() if anchor.denies(user_id)}
        users, verdicts = self._decided(candidates, denied, anchor, known, again)
        there = walk.users.keys() if in_one_go else self.listing.others
        others = (self.listing.others & there | verdicts.others) - users.keys()
        return Told(users=users, known=known, strays=strays | odd, others=others, verdicts=verdicts)

    def _still(self, reach: Reach, rows: Users, known: Users) -> frozenset[int]:
        """Return of whom the list still tells nothing, or otherwise than is known."""
        return frozenset(
            user_id
            for user_id in reach.strays
            if not reach.holds(user_id)
            or user_id not in rows
            or (user_id in known and as_known(rows[user_id], known[user_id]) != known[user_id])
        )

    def _anchor(self, users: int) -> Anchor:
        self.calls.gain_time()
        return cast(self.calls.users, self.window, turn=self.turn, users=users)

    def _again(self, walk: Walk) -> Sequence[int]:
        """Return whom of those who were no users to ask for again, if anybody."""
        there = sorted(self.listing.others & walk.users.keys())
        due = there and self.turn % ANEW_TURNS == 0
        return [there[self.turn // ANEW_TURNS % len(there)]] if due else []

    def _decided(
        self,
        candidates: Users,
        denied: Users,
        anchor: Anchor,
        known: Users,
        again: Sequence[int],
    ) -> tuple[Users, Verdicts]:
        """Return who of ``candidates`` are users, and what was found out for it."""
        users = dict(anchor.users)
        # Whoever was known and is denied may be gone, which is not decided here.
        unknown = {user_id: line for user_id, line in denied.items() if user_id not in known}
        for user_id, line in candidates.items():
            if user_id in users:
                continue
            before = known.get(user_id, self.found.get(user_id))
            if before is not None:
                users[user_id] = as_known(line, before)
            else:
                unknown[user_id] = line
        verdicts = decide(self.calls, unknown, again=again, turn=self.turn)
        return _by_id(users | verdicts.ours), verdicts


def turn_of(head: Head) -> int:
    """Return a number that is another one for each sweep, whatever tokens are skipped."""
    token = b"%d" % head.lease.token
    return int.from_bytes(blake2b(token, digest_size=4).digest())


def _by_id(users: Users) -> Users:
    return {user_id: users[user_id] for user_id in sorted(users)}
