"""Reads of which moment an answer must be: the newest, not before one, or exactly one of the past.

Pure: no I/O.
"""

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from lib.errors import InvalidRequestError
from lib.queries.cursor import Cursor
from lib.queries.origin_parameters import Params
from lib.queries.parameters import read_instant, read_number, refuse

AS_OF = "asOf"


class AsOf(NamedTuple):
    """A moment of the past: the number of a generation or, if that is 0, an epoch second."""

    number: int = 0
    instant: float = 0


class Moment(NamedTuple):
    """Of which generation an answer must be: not before one, exactly a cursor's, or a past one."""

    min_generation: int = 0
    cursor: Cursor | None = None
    as_of: AsOf | None = None

    @property
    def pinned(self) -> bool:
        """Whether no other generation than one will do."""
        return self.cursor is not None or self.as_of is not None


NEWEST = Moment()
"""The newest generation, whichever that is."""


def parse_moment(params: Params, read_cursor: Callable[[str], Cursor]) -> Moment:
    """Return of which generation an answer must be; ``read_cursor`` is ``Cursors.read``.

    Raises:
        InvalidRequestError: naming parameter, reason and what is allowed.
        StoreError: a cursor cannot be read now.
    """
    if "cursor" in params:
        for other in ("offset", "min_generation", AS_OF):
            if other in params:
                refuse(other, "says nothing beside a cursor", allowed=("limit",))
        return Moment(cursor=read_cursor(",".join(params["cursor"])))
    if AS_OF in params:
        if "min_generation" in params:
            refuse("min_generation", f"says nothing beside {AS_OF}", allowed=(AS_OF,))
        return Moment(as_of=_read_as_of(AS_OF, params[AS_OF]))
    if "min_generation" in params:
        return Moment(min_generation=read_number("min_generation", params["min_generation"]))
    return NEWEST


def _read_as_of(name: str, values: Sequence[str]) -> AsOf:
    """Return a moment of the past; digits alone are a generation's number."""
    if re.fullmatch(r"[0-9]{1,15}", values[0]) and int(values[0]):
        return AsOf(number=read_number(name, values))
    try:
        return AsOf(instant=read_instant(name, values))
    except InvalidRequestError:
        refuse(
            name,
            "is neither a generation nor one date",
            allowed=("1", "2", "…", "2026-01-31", "2026-01-31T12:00:00.000Z"),
        )
