"""Puts together what is known of a directory: the window, and the users past it.

A sweep sees the window only. A user that the last generation had and the sweep has not is asked
for before it counts as deleted: by address in one call, then by id, which cannot change; whoever
could not be asked for stays listed. Users past the window, *adopted* since a look-up found them,
are asked for again in rotation.

Pure but for the calls it is given.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, Protocol

from lib import addresses
from lib.errors import NotAskedError
from lib.models import Head
from lib.origin_query import is_address
from lib.pages import canonical
from lib.sweep import Sweep

MAX_CONFIRMATIONS = 20
"""Most users asked for by id in one sweep, for each of the two reasons there are."""

type Row = Mapping[str, Any]
type Users = dict[int, bytes]


@dataclass(frozen=True, slots=True)
class FoundUser:
    """A user that a look-up found at ``observed_at``."""

    line: bytes
    observed_at: float


class Calls(Protocol):
    """The origin calls of one revalidation; see ``lib.origin_calls``."""

    def find_rows(self, emails: Sequence[str]) -> Sequence[Row]:
        """Return the rows of users with these addresses."""

    def user(self, user_id: int) -> Row | None:
        """Return one user, None if the origin has no such user."""

    def hurried(self) -> bool:
        """Return whether time is too short for calls that can wait for the next sweep."""


@dataclass(frozen=True, slots=True)
class Rotation:
    """Where the asking again of adopted users stands.

    ``next_id`` is asked for next; the running cycle began at ``began_at``, and ``seen_at`` is when
    the last full one did: every adopted user was seen since.
    """

    next_id: int = 0
    began_at: float = 0
    seen_at: float = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Census:
    """All known users by rising id, whether they are all there are, and why not."""

    users: Users
    complete: bool
    reason: str
    adopted: int
    rotation: Rotation


@dataclass(frozen=True, slots=True, kw_only=True)
class CensusTaker:
    """The rules of one census: limits of a deployment, and what was hidden."""

    calls: Calls
    show: Callable[[Row], Row]
    max_batches: int
    max_adopted: int
    now: float

    def take(
        self,
        head: Head,
        found: Sweep,
        *,
        base: Users,
        waiting: Mapping[int, FoundUser],
        loss_confirmed: bool,
    ) -> Census:
        """Return the census of ``found`` over the last generation ``base``.

        ``waiting`` are users that look-ups found. ``loss_confirmed``: whoever is missing from the
        window is known to be gone.
        """
        lost = missing(found, base)
        alive, unconfirmed = ({}, {}) if loss_confirmed else self._confirm(lost)
        beyond, rotation = self._ask_again(
            {id_: line for id_, line in base.items() if id_ not in found.users | lost}, head
        )
        new = {
            user_id: seen
            for user_id, seen in sorted(waiting.items())
            if not found.complete and user_id > found.last_id and user_id not in beyond
        }
        room = max(0, self.max_adopted - len(beyond))
        adopted = dict(islice(new.items(), room))
        if adopted:
            oldest = min(seen.observed_at for seen in adopted.values())
            rotation = replace(rotation, seen_at=min(rotation.seen_at or oldest, oldest))
        users = found.users | alive | unconfirmed | beyond
        users |= {user_id: seen.line for user_id, seen in adopted.items()}
        return Census(
            users={user_id: users[user_id] for user_id in sorted(users)},
            complete=found.complete and not unconfirmed,
            reason=_reason(found, unconfirmed=bool(unconfirmed), over_limit=len(new) > room),
            adopted=len(beyond) + len(adopted),
            rotation=rotation,
        )

    def _confirm(self, lost: Users) -> tuple[Users, Users]:
        """Return which of ``lost`` are alive after all, and which could not be asked for."""
        alive: Users = {}
        gone: set[int] = set()
        # Where the budget ends, the rest stays unconfirmed.
        with suppress(NotAskedError):
            first = next(addresses.batches(_askable(lost)), {})
            alive |= self._find(first)
            rest = [user_id for user_id in lost if user_id not in alive]
            for user_id in rest[:MAX_CONFIRMATIONS]:
                self._ask_by_id(user_id, alive, gone)
        known = alive.keys() | gone
        return alive, {user_id: line for user_id, line in lost.items() if user_id not in known}

    def _ask_again(self, beyond: Users, head: Head) -> tuple[Users, Rotation]:
        """Return the adopted users as they are now, as far as this sweep's turn goes."""
        if not beyond:
            return {}, Rotation()
        rotation = Rotation(head.rotation_id, head.cycle_began_at, head.adopted_seen_at)
        ahead = {user_id: line for user_id, line in beyond.items() if user_id >= rotation.next_id}
        if not rotation.began_at or not ahead:
            ahead, rotation = beyond, Rotation(0, self.now, rotation.seen_at or head.swept_at)
        alive, gone, asked = dict(beyond), set[int](), 0
        confirmations = MAX_CONFIRMATIONS
        with suppress(NotAskedError):
            for batch in islice(addresses.batches(_askable(ahead)), self.max_batches):
                if self.calls.hurried():
                    break
                seen = self._find(batch)
                alive |= seen
                vanished = [user_id for user_id in batch if user_id not in seen]
                for user_id in vanished[:confirmations]:
                    self._ask_by_id(user_id, alive, gone)
                confirmations -= min(confirmations, len(vanished))
                asked = max(batch)
        alive = {user_id: line for user_id, line in alive.items() if user_id not in gone}
        if not asked:
            return alive, rotation
        if any(user_id > asked for user_id in ahead):
            return alive, replace(rotation, next_id=asked + 1)
        return alive, Rotation(0, 0, rotation.began_at)

    def _find(self, batch: Mapping[int, str]) -> Users:
        """Return those of ``batch`` (addresses by id) that still have their address."""
        rows = self.calls.find_rows(list(batch.values())) if batch else ()
        return {row["id"]: canonical(self.show(row)) for row in rows if row["id"] in batch}

    def _ask_by_id(self, user_id: int, alive: Users, gone: set[int]) -> None:
        row = self.calls.user(user_id)
        if row is None:
            gone.add(user_id)
        else:
            alive[user_id] = canonical(self.show(row))


def missing(found: Sweep, base: Users) -> Users:
    """Return the users of ``base`` that the window should have shown and did not."""
    return {
        user_id: line
        for user_id, line in base.items()
        if user_id not in found.users and (found.complete or user_id <= found.last_id)
    }


def _reason(found: Sweep, *, unconfirmed: bool, over_limit: bool) -> str:
    if over_limit:
        return "adoption-limit"
    if not found.complete:
        return "window-full"
    return "unconfirmed-deletions" if unconfirmed else ""


def _askable(users: Users) -> dict[int, str]:
    """Return addresses by id, without those that would fail a whole call at the origin."""
    emails: Iterable[tuple[int, str]] = (
        (user_id, str(json.loads(line)["email"])) for user_id, line in users.items()
    )
    return {user_id: email for user_id, email in emails if is_address(email)}
