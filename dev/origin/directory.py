"""Keeps what the double serves: the clients, their secrets and their users, ids rising.

Every reader gets copies, so nothing changes a row but the methods here.
"""

import threading
import time
from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from datetime import UTC, datetime

from dev.origin.organizations import Organization, member_row
from dev.origin.rules import suffixed
from dev.origin.users import User, demo_user, demo_users, iso_instant

_ALL = slice(None)


class Directory:
    """The users of each client; safe to use from several threads.

    An unknown client or user is a `KeyError`.
    """

    def __init__(
        self,
        clients: Mapping[str, str],
        *,
        users: int = 120,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._lock = threading.RLock()
        self._clock = clock
        self._secrets = dict(clients)
        self._rows = {client_id: demo_users(client_id, users) for client_id in clients}
        self._last_id = {client_id: _highest_id(rows) for client_id, rows in self._rows.items()}

    def users(self, client_id: str) -> list[User]:
        """Return a client's current rows."""
        with self._lock:
            return deepcopy(self._rows[client_id])

    def members(self, organization: Organization, chosen: slice = _ALL) -> list[User]:
        """Return those at the places ``chosen`` of all in an organization, as it lists them."""
        with self._lock:
            rows = [row for client_id in organization.clients for row in self._rows[client_id]]
            everybody = sorted([*rows, *organization.members], key=_id_of)
            there = [row for row in everybody if row["id"] not in organization.lacking]
            return [member_row(row) for row in there[chosen]]

    def user(self, client_id: str, user_id: float) -> User:
        """Return one user's current row."""
        with self._lock:
            return deepcopy(self._row(client_id, user_id))

    def create(self, client_id: str, **fields: object) -> User:
        """Add a user and return its row: a demo user, changed by ``fields``.

        Unless ``fields`` has one, the id is above every id the client ever had. An address gets the
        client's suffix, as at the origin.
        """
        with self._lock:
            user_id = self._last_id[client_id] + 2
            row = demo_user(client_id, user_id) | {"id": user_id, "createdDate": self._now()}
            row |= _as_stored(client_id, fields)
            insort(self._rows[client_id], row, key=_id_of)
            self._last_id[client_id] = max(self._last_id[client_id], row["id"])
            return deepcopy(row)

    def update(self, client_id: str, user_id: int, **fields: object) -> User:
        """Change fields of a user and return its row; an address gets the client's suffix."""
        with self._lock:
            row = self._row(client_id, user_id)
            row |= _as_stored(client_id, fields)
            return deepcopy(row)

    def delete(self, client_id: str, user_id: int) -> None:
        """Remove a user; its id is never given again."""
        with self._lock:
            self._rows[client_id].remove(self._row(client_id, user_id))

    def replace(self, client_id: str, rows: Iterable[User]) -> None:
        """Make ``rows``, exactly as they are, all the users a client has."""
        with self._lock:
            kept = sorted(deepcopy(list(rows)), key=_id_of)
            self._last_id[client_id] = max(self._last_id[client_id], _highest_id(kept))
            self._rows[client_id] = kept

    def rotate_secret(self, client_id: str, new: str) -> None:
        """Accept ``new`` and nothing else from now on; there is no overlap."""
        with self._lock:
            if client_id not in self._secrets:
                raise KeyError(client_id)
            self._secrets[client_id] = new

    def _row(self, client_id: str, user_id: float) -> User:
        rows = self._rows[client_id]
        place = bisect_left(rows, user_id, key=_id_of)
        if place == len(rows) or rows[place]["id"] != user_id:
            raise KeyError(user_id)
        return rows[place]

    def _now(self) -> str:
        return iso_instant(datetime.fromtimestamp(self._clock(), UTC))


def _as_stored(client_id: str, fields: dict[str, object]) -> User:
    email = fields.get("email")
    return fields | {"email": suffixed(email, client_id)} if isinstance(email, str) else fields


def _id_of(row: User) -> int:
    user_id: int = row["id"]
    return user_id


def _highest_id(rows: Iterable[User]) -> int:
    return max(map(_id_of, rows), default=0)
