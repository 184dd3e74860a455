"""What the origin was: every user at every moment, and when its lists were not true."""

from bisect import insort
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from math import inf

from tests.fakes import User


@dataclass(slots=True)
class Version:
    """A user as he was from ``since`` to ``until``; no row: there was no such user."""

    since: float
    until: float
    row: User | None


@dataclass(frozen=True, slots=True)
class Lie:
    """A list that left out users who were there, at an instant."""

    at: float
    omitted: frozenset[int]


@dataclass(slots=True)
class Truth:
    """One client's users at the origin, now (``rows``, ``ids`` by rising id) and ever."""

    rows: dict[int, User] = field(default_factory=dict)
    ids: list[int] = field(default_factory=list)
    versions: dict[int, list[Version]] = field(default_factory=dict)
    lies: list[Lie] = field(default_factory=list)

    def put(self, row: User, at: float) -> None:
        """Create or change a user."""
        user_id = row["id"]
        if user_id not in self.rows:
            insort(self.ids, user_id)
        self.rows[user_id] = row
        self._become(user_id, row, at)

    def remove(self, user_id: int, at: float) -> None:
        """Delete a user."""
        self.ids.remove(user_id)
        del self.rows[user_id]
        self._become(user_id, None, at)

    def window(self, offset: int, limit: int) -> list[User]:
        """Return the users at positions ``offset`` to ``offset + limit``."""
        return [self.rows[user_id] for user_id in self.ids[offset : offset + limit]]

    def between(self, user_id: int, since: float, until: float) -> Iterator[Version]:
        """Yield what a user was at any moment from ``since`` to ``until``."""
        versions = self.versions.get(user_id) or [Version(-inf, inf, None)]
        for version in reversed(versions):
            if version.since <= until and version.until >= since:
                yield version
            if version.since < since:
                return

    def alive_throughout(self, since: float, until: float) -> Iterator[int]:
        """Yield who was there at every moment from ``since`` to ``until``."""
        for user_id in self.versions:
            if all(version.row is not None for version in self.between(user_id, since, until)):
                yield user_id

    def was_absent(self, user_id: int, since: float, until: float) -> bool:
        """Return whether there was a moment without this user."""
        return any(version.row is None for version in self.between(user_id, since, until))

    def omitted(self, since: float, until: float) -> Collection[int]:
        """Return whom lists left out who were there, from ``since`` to ``until``."""
        found: set[int] = set()
        for lie in reversed(self.lies):
            if lie.at < since:
                break
            if lie.at <= until:
                found |= lie.omitted
        return found

    def lie(self, told: Sequence[User], offset: int, limit: int, at: float) -> None:
        """Note that a list told less than there was; a short one ends the directory."""
        there = self.ids[offset : offset + limit if len(told) == limit else None]
        omitted = set(there) - {row["id"] for row in told}
        if omitted:
            self.lies.append(Lie(at, frozenset(omitted)))

    def _become(self, user_id: int, row: User | None, at: float) -> None:
        versions = self.versions.setdefault(user_id, [Version(-inf, inf, None)])
        versions[-1].until = at
        versions.append(Version(at, inf, row))
