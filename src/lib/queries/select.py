"""Answers a question about the directory from a snapshot: which rows, out of how many.

Pure: no clock; reads pages through the snapshot alone.
"""

import json
from collections.abc import Callable, Collection, Sequence
from heapq import nlargest, nsmallest
from itertools import islice
from operator import attrgetter
from typing import Any, NamedTuple

from lib.directory.index import folded_key
from lib.directory.snapshot import Snapshot
from lib.queries.list_query import ListQuery
from lib.queries.parameters import MAX_MEMBERS
from lib.users.address import stored_form
from lib.users.document import OMITTED, UPDATED_AT, canonical, omitted_from
from lib.users.keys import username_key
from lib.users.row import Row

_FEW = 16
"""Of so many times as many rows the first are found sooner than all are sorted."""


class Slice(NamedTuple):
    """Canonical documents of one window, and how many the whole view has.

    ``not_found`` are the addresses, ids and usernames asked for, as they were asked for, that no
    known user has; None if none were asked for. ``ids`` are those of the whole view, if it is a
    filtered one and they are few enough to be asked for.
    """

    lines: Sequence[bytes]
    total: int
    not_found: tuple[str | int, ...] | None = None
    ids: tuple[int, ...] = ()


def select(snapshot: Snapshot, query: ListQuery) -> Slice:
    """Return the rows that ``query`` asks for."""
    if not query.filtered:
        lines = snapshot.slice(offset=query.offset, limit=query.limit)
        return Slice(lines=_projected(lines, query.fields), total=snapshot.generation.users)
    named = _Named(query, snapshot.generation.client_id)
    rows = named.of(snapshot) if named else snapshot.rows()
    for meets in query.conditions():
        rows = [row for row in rows if meets(row)]
    end = min(query.offset + query.limit, len(rows))
    window = _first(end, rows, query.sort)[query.offset :]
    return Slice(
        lines=_projected([row.line for row in window], query.fields),
        total=len(rows),
        not_found=named.not_found() if named else None,
        ids=tuple(row.id for row in rows) if len(rows) <= MAX_MEMBERS else (),
    )


def _projected(lines: Sequence[bytes], fields: tuple[str, ...]) -> Sequence[bytes]:
    return [project(line, fields) for line in lines] if fields else lines


def project(line: bytes, fields: tuple[str, ...]) -> bytes:
    """Return the document with ``fields`` alone (empty: the whole document).

    Which of them were too much to be kept is said as well.
    """
    if not fields:
        return line
    user = json.loads(line)
    shown = {name: user[name] for name in fields if name in user}
    omitted = [name for name in omitted_from(line) if name in fields]
    return canonical({**shown, OMITTED: omitted} if omitted else shown)


class _Named:
    """The users that a question names, by any of its three lists, and which of them were met.

    False if it names none.
    """

    def __init__(self, query: ListQuery, client_id: str) -> None:
        self._ids = query.ids or ()
        self._keys = {username_key(name) for name in query.usernames or ()}
        self._asked: list[tuple[Callable[[Row], Any], dict[str | int, Any]]] = []
        # From what was asked to what users have: two texts may well mean the same address.
        self._forms: dict[str | int, Any] = {}
        self._fold = str.casefold if query.email_match == "folded" else str
        if query.emails is not None:
            # The client's suffix in an address may be folded, too.
            client_id = self._fold(client_id)
            self._forms = {text: stored_form(self._fold(text), client_id) for text in query.emails}
            self._keys |= {folded_key(text) for text in (*query.emails, *self._forms.values())}
            self._asked.append((lambda row: self._fold(row.email or ""), self._forms))
        if query.ids is not None:
            self._asked.append((attrgetter("id"), {id_: id_ for id_ in query.ids}))
        if query.usernames is not None:
            self._asked.append((attrgetter("username"), {name: name for name in query.usernames}))
        self._met: list[set[Any]] = [set() for _ in self._asked]

    def __bool__(self) -> bool:
        return bool(self._asked)

    def of(self, snapshot: Snapshot) -> list[Row]:
        """Return the users whom every list names."""
        rows = snapshot.rows_named(ids=self._ids, keys=self._keys)
        self._mean_plain_addresses({self._fold(row.email or "") for row in rows})
        wanted = [set(asked.values()) for _, asked in self._asked]
        return [row for row in rows if self._has(row, wanted)]

    def _mean_plain_addresses(self, had: Collection[str]) -> None:
        """Let an address mean a user who has it without suffix, where nobody has it with one.

        The origin would find the one with the suffix, and nobody else.
        """
        for text, form in self._forms.items():
            plain = self._fold(str(text))
            if form not in had and plain in had:
                self._forms[text] = plain

    def _has(self, row: Row, wanted: Sequence[Collection[Any]]) -> bool:
        """Return whether every list names the user; note each that does."""
        named = True
        for (key_of, _), keys, met in zip(self._asked, wanted, self._met, strict=True):
            key = key_of(row)
            if key in keys:
                met.add(key)
            else:
                named = False
        return named

    def not_found(self) -> tuple[str | int, ...]:
        """Return what was asked for and met nobody, in the order asked."""
        return tuple(
            asked
            for (_, wanted), met in zip(self._asked, self._met, strict=True)
            for asked, key in wanted.items()
            if key not in met
        )


def _first(number: int, rows: Sequence[Row], sort: str) -> Sequence[Row]:
    """Return the first of ``rows`` (by rising id) in the order asked for; null values come last."""
    if sort == "id":
        return rows[:number]
    attribute, key = _ORDERS[sort.removeprefix("-")]
    valued = (row for row in rows if attribute(row) is not None)
    if number * _FEW <= len(rows):
        first = (nlargest if sort.startswith("-") else nsmallest)(number, valued, key=key)
    else:
        first = sorted(valued, key=key, reverse=sort.startswith("-"))[:number]
    nulls = (row for row in rows if attribute(row) is None)
    return [*first, *islice(nulls, number - len(first))]


_ORDERS: dict[str, tuple[Callable[[Row], Any], Callable[[Row], Any]]] = {
    "id": (attrgetter("id"), attrgetter("id")),
    "createdDate": (attrgetter("created_date"), attrgetter("created_date")),
    UPDATED_AT: (attrgetter("updated_at"), attrgetter("updated_at")),
    "name": (attrgetter("name"), lambda row: row.texts[0]),
    "email": (attrgetter("email"), lambda row: row.texts[2]),
}
"""By what to order: what may be null, and what is compared."""
