"""Writes the Link field (RFC 8288) of lists.

Pure: no clock, no I/O.
"""

from collections.abc import Callable
from urllib.parse import urlencode

from lib.queries.list_query import ListQuery


def links(query: ListQuery, cursor_at: Callable[[int], str | None], *, end: int, total: int) -> str:
    """Return the Link field (RFC 8288) of a window that ends before position ``end``.

    References are query-only, so any base path will do. ``cursor_at`` gives the cursor of a
    position in this very generation, None where there is none; ``first`` starts over with the
    newest.
    """
    beside = f"limit={query.limit}"
    if asked := query.parameters():
        beside += "&" + urlencode(asked, errors="backslashreplace")

    def at(position: int) -> str:
        cursor = cursor_at(position)
        return f"<?{beside}&{f'cursor={cursor}' if cursor else f'offset={position}'}>"

    targets = {"first": f"<?{beside}>"}
    if query.offset > 0:
        # Behind the end, what comes before is the last window.
        targets["prev"] = at(max(0, min(query.offset, total) - query.limit))
    if end < total:
        targets["next"] = at(end)
    return ", ".join(f'{target}; rel="{name}"' for name, target in targets.items())


def first_link(query: ListQuery) -> str:
    """Return the reference to the first window of the same view, of the newest generation."""
    parameters = [("limit", str(query.limit)), *query.parameters()]
    return f"<?{urlencode(parameters, errors='backslashreplace')}>"
