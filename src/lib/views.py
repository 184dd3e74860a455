"""Answers a question about the directory from a snapshot: which rows, out of how many.

Pure: no clock; reads pages through the snapshot alone.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lib.origin_query import stored_form
from lib.pages import canonical
from lib.query import ListQuery
from lib.snapshot import Snapshot

type User = dict[str, Any]
type Test = Callable[[User], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Canonical documents of one window, and how many the whole view has.

    ``not_found`` are the addresses, ids and usernames asked for, as they were asked for, that no
    known user has; None if none were asked for.
    """

    lines: Sequence[bytes]
    total: int
    not_found: tuple[str | int, ...] | None = None


def select(snapshot: Snapshot, query: ListQuery) -> Rows:
    """Return the rows that ``query`` asks for."""
    if not query.filtered:
        lines = snapshot.window(offset=query.offset, limit=query.limit)
        return Rows(
            lines=[project(line, query.fields) for line in lines], total=snapshot.head.users
        )
    client_id = snapshot.head.client_id
    named = _Named(query, client_id)
    tests = list(_tests(query))
    users = [
        user
        for user in map(json.loads, snapshot.lines())
        if named.has(user) and all(test(user) for test in tests)
    ]
    window = _sorted(users, query.sort)[query.offset : query.offset + query.limit]
    return Rows(
        lines=[canonical(_only(user, query.fields)) for user in window],
        total=len(users),
        not_found=named.not_found(),
    )


def project(line: bytes, fields: tuple[str, ...]) -> bytes:
    """Return the document with ``fields`` alone (empty: the whole document)."""
    return canonical(_only(json.loads(line), fields)) if fields else line


def _only(user: User, fields: tuple[str, ...]) -> User:
    return {name: user[name] for name in fields if name in user} if fields else user


class _Named:
    """The users that a question names, by any of its three lists, and which of them were met."""

    def __init__(self, query: ListQuery, client_id: str) -> None:
        fold = str.casefold if query.email_match == "folded" else str
        self._asked: list[tuple[Callable[[User], Any], dict[str | int, Any]]] = []
        # From what was asked to what users have: two texts may well mean the same address.
        if query.emails is not None:
            # The client's suffix in an address may be folded, too.
            forms: dict[str | int, Any] = {
                text: stored_form(fold(text), fold(client_id)) for text in query.emails
            }
            self._asked.append((lambda user: fold(user["email"]), forms))
        if query.ids is not None:
            self._asked.append((lambda user: user["id"], {id_: id_ for id_ in query.ids}))
        if query.usernames is not None:
            self._asked.append((lambda user: user.get("username"), {n: n for n in query.usernames}))
        self._wanted = [set(wanted.values()) for _, wanted in self._asked]
        self._met: list[set[Any]] = [set() for _ in self._asked]

    def has(self, user: User) -> bool:
        """Return whether every list names ``user``; note each that does."""
        named = True
        for (key_of, _), wanted, met in zip(self._asked, self._wanted, self._met, strict=True):
            key = key_of(user)
            if key in wanted:
                met.add(key)
            else:
                named = False
        return named

    def not_found(self) -> tuple[str | int, ...] | None:
        """Return what was asked for and met nobody, in the order asked."""
        if not self._asked:
            return None
        return tuple(
            asked
            for (_, wanted), met in zip(self._asked, self._met, strict=True)
            for asked, key in wanted.items()
            if key not in met
        )


def _tests(query: ListQuery) -> Iterator[Test]:
    if query.q:
        yield lambda user: any(
            query.q in str(user.get(name) or "").casefold()
            for name in ("name", "username", "email")
        )
    if query.time_zones:
        yield lambda user: user.get("timeZone") in query.time_zones
    if query.locales:
        yield lambda user: user.get("locale") in query.locales
    if query.created_after is not None:
        after = query.created_after
        yield lambda user: _created(user) >= after
    if query.created_before is not None:
        before = query.created_before
        yield lambda user: _created(user) < before
    for key, values in query.metadata:
        yield _has_metadata(key, values)


def _created(user: User) -> float:
    """Return when the user was created; an unreadable date is no date at all."""
    try:
        return datetime.fromisoformat(user["createdDate"]).timestamp()
    except (KeyError, TypeError, ValueError):
        return float("nan")


def _has_metadata(key: str, values: Sequence[str]) -> Test:
    return lambda user: _metadata_text(user, key) in values


def _metadata_text(user: User, key: str) -> str | None:
    """Return a metadata value as a query can write it: a string itself, anything else as JSON."""
    metadata = user.get("metadata")
    if not isinstance(metadata, dict) or key not in metadata:
        return None
    value = metadata[key]
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))


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
