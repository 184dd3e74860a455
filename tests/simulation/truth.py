"""What the origin was: every user at every moment, and when its lists were not true."""

from bisect import insort
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Any

from lib.users.document import canonical
from lib.users.hiding import HidingPolicy
from tests.fakes import User


@dataclass(slots=True)
class Version:
    """A user as he was from ``since`` to ``until``; no row: there was no such user.

    ``faces`` are the row as each deployment shows it.
    """

    since: float
    until: float
    row: User | None = None
    faces: tuple[User, ...] = ()

    def shown_as(self, row: Any, fields: Sequence[str] = ()) -> bool:  # noqa: ANN401 - a body's row
        """Return whether some deployment shows the user as ``row``, of which these are asked."""
        if not fields:
            return row in self.faces
        return any(
            row == {name: face[name] for name in fields if name in face} for face in self.faces
        )


@dataclass(frozen=True, slots=True)
class Lie:
    """A list that left out users who were there, at an instant."""

    at: float
    omitted: frozenset[int]


@dataclass(slots=True)
class Truth:
    """One client's users at the origin, now (``rows``, ``ids`` by rising id) and ever.

    ``hidings`` are what deployments hide of them.
    """

    hidings: Sequence[HidingPolicy]
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
        faces = tuple(hiding.apply(row) for hiding in self.hidings)
        self._become(user_id, Version(at, inf, row, faces))

    def remove(self, user_id: int, at: float) -> None:
        """Delete a user."""
        self.ids.remove(user_id)
        del self.rows[user_id]
        self._become(user_id, Version(at, inf))

    def window(self, offset: int, limit: int) -> list[User]:
        """Return the users at positions ``offset`` to ``offset + limit``."""
        return [self.rows[user_id] for user_id in self.ids[offset : offset + limit]]

    def everybody(self) -> Iterator[User]:
        """Yield all users by rising id."""
        return (self.rows[user_id] for user_id in self.ids)

    def between(self, user_id: int, since: float, until: float) -> Iterator[Version]:
        """Yield what a user was at any moment from ``since`` to ``until``, the last first."""
        for version in reversed(self.versions.get(user_id) or [Version(-inf, inf)]):
            if version.since <= until and version.until >= since:
                yield version
            if version.since < since:
                return

    def alive_throughout(self, since: float, until: float) -> Iterator[int]:
        """Yield who was there at every moment from ``since`` to ``until``."""
        for user_id in self.versions:
            if not self.was_absent(user_id, since, until):
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
        last = told[-1]["id"] if len(told) == limit else inf
        omitted = {id_ for id_ in self.ids[offset:] if id_ <= last} - {row["id"] for row in told}
        self.leave_out(omitted, at)

    def leave_out(self, user_ids: Collection[int], at: float) -> None:
        """Note that a list left out users who were there."""
        if user_ids:
            self.lies.append(Lie(at, frozenset(user_ids)))

    def story(self, user_id: int, now: float) -> str:
        """Return what a user was in the end, in seconds before ``now``."""
        told = (
            f"{'so' if version.row else 'gone'} since {now - version.since:.2f} s ago"
            for version in self.versions.get(user_id, [])[-3:]
        )
        return ", then ".join(told)

    def _become(self, user_id: int, version: Version) -> None:
        versions = self.versions.setdefault(user_id, [Version(-inf, inf)])
        versions[-1].until = version.since
        versions.append(version)


def shows(line: bytes, row: User, hidings: Sequence[HidingPolicy]) -> bool:
    """Return whether ``line`` is the document of ``row`` under one of ``hidings``."""
    return any(line == canonical(hiding.apply(row)) for hiding in hidings)
