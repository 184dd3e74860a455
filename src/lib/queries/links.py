"""Writes the Link field (RFC 8288) of lists.

Callers read headers into buffers of 8 or 16 KB, and a question alone may be longer than that. So a
link carries the whole question only where there is room for it. Where there is not, it names the
users that answer the question, by id; and where they are too many, it carries nothing but the
cursor, which is refused beside any question but its own.

Pure: no clock, no I/O.
"""

from collections.abc import Callable, Iterator, Sequence

from lib.queries.list_query import ListQuery

MAX_BYTES = 3_000
"""The longest Link field: with all other fields, API Gateway's too, headers stay below 4 KB."""

type CursorAt = Callable[[int, ListQuery | None], str | None]
"""Gives the cursor of a position in a view, or in the one asked for; None if there can be none."""


def links(
    query: ListQuery,
    cursor_at: CursorAt,
    *,
    end: int,
    total: int,
    ids: Sequence[int] = (),
    within: str = "",
) -> str:
    """Return the Link field of a window that ends before position ``end``, at most ``MAX_BYTES``.

    References are query-only, so any base path will do; ``first`` starts over with the newest
    generation. ``ids`` are those of all users that the question has, if it may be asked by them.
    ``within`` is the parameter that names the generation, where the question is about that one.
    """
    places = {}
    if end < total:
        places["next"] = end
    if query.offset > 0:
        # Behind the end, what comes before is the last window.
        places["prev"] = max(0, min(query.offset, total) - query.limit)
    within = f"&{within}" if within else ""
    found, room = {}, MAX_BYTES
    for name, position in places.items():
        for text in _forms(query, cursor_at, position, ids, within):
            link = _link(text, name)
            if len(link) <= room:
                found[name] = link
                room -= len(link) + len(", ")
                break
    first = _link(query.question + within, "first")
    shown = (first if len(first) <= room else "", found.get("prev"), found.get("next"))
    return ", ".join(link for link in shown if link)


def first_link(query: ListQuery) -> str:
    """Return the Link field that leads to the newest generation alone, empty if it is too long."""
    link = _link(query.question, "first")
    return link if len(link) <= MAX_BYTES else ""


def _forms(
    query: ListQuery, cursor_at: CursorAt, position: int, ids: Sequence[int], within: str
) -> Iterator[str]:
    """Yield references to the window at ``position``, from the whole question to the shortest."""
    yield f"{query.question}{within}&{_place(cursor_at(position, None), position)}"
    if ids:
        # The other filters have done their work.
        by_ids = ListQuery(limit=query.limit, ids=tuple(ids), fields=query.fields, sort=query.sort)
        yield f"{by_ids.question}{within}&{_place(cursor_at(position, by_ids), position)}"
    # Without a cursor this would be another question.
    if cursor := cursor_at(position, None):
        yield f"limit={query.limit}&{_place(cursor, position)}"


def _place(cursor: str | None, position: int) -> str:
    return f"cursor={cursor}" if cursor else f"offset={position}"


def _link(reference: str, name: str) -> str:
    return f'<?{reference}>; rel="{name}"'
