"""Answers a question about the directory from a snapshot: which rows, out of how many.

Pure: no clock; reads pages through the snapshot alone.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from lib.origin_query import stored_form
from lib.pages import canonical
from lib.query import ListQuery
from lib.snapshot import Snapshot

type User = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Canonical documents of one window, and how many the whole view has.

    ``not_found`` are the addresses asked for, as they were asked for, that nobody has.
    """

    lines: Sequence[bytes]
    total: int
    not_found: tuple[str, ...] | None = None


def select(snapshot: Snapshot, query: ListQuery) -> Rows:
    """Return the rows that ``query`` asks for."""
    if not query.filtered:
        lines = snapshot.window(offset=query.offset, limit=query.limit)
        return Rows(lines=_project(lines, query.fields), total=snapshot.head.users)
    wanted = _wanted_addresses(query, snapshot.head.client_id)
    users = [
        user
        for user in map(json.loads, snapshot.lines())
        if (wanted is None or user["email"] in wanted)
        and (not query.time_zones or user.get("timeZone") in query.time_zones)
    ]
    window = _sorted(users, query.sort)[query.offset : query.offset + query.limit]
    return Rows(
        lines=[canonical(_only(user, query.fields)) for user in window],
        total=len(users),
        not_found=_not_found(snapshot, wanted, users, query),
    )


def project(line: bytes, fields: tuple[str, ...]) -> bytes:
    """Return the document with ``fields`` alone (empty: the whole document)."""
    return canonical(_only(json.loads(line), fields)) if fields else line


def _project(lines: Sequence[bytes], fields: tuple[str, ...]) -> Sequence[bytes]:
    return [project(line, fields) for line in lines] if fields else lines


def _only(user: User, fields: tuple[str, ...]) -> User:
    return {name: user[name] for name in fields if name in user} if fields else user


def _wanted_addresses(query: ListQuery, client_id: str) -> dict[str, str] | None:
    if query.emails is None:
        return None
    return {stored_form(address, client_id): address for address in query.emails}


def _not_found(
    snapshot: Snapshot, wanted: dict[str, str] | None, found: Sequence[User], query: ListQuery
) -> tuple[str, ...] | None:
    if wanted is None:
        return None
    # Another filter may have hidden a user who does have the address.
    users = map(json.loads, snapshot.lines()) if query.time_zones else found
    known = {user["email"] for user in users}
    return tuple(address for stored, address in wanted.items() if stored not in known)


def _sorted(users: Sequence[User], sort: str) -> Sequence[User]:
    """Return ``users`` (by rising id) in the order asked for; null values come last."""
    name = sort.removeprefix("-")
    valued = [user for user in users if user.get(name) is not None]
    valued.sort(key=_sort_key(name), reverse=sort.startswith("-"))
    return valued + [user for user in users if user.get(name) is None]


def _sort_key(name: str) -> Callable[[User], Any]:
    if name == "id":
        return lambda user: user["id"]
    return lambda user: str(user[name]).casefold()
