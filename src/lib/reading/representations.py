"""Remembers the representations of lists that were asked for last.

Under one entity tag the bytes never differ (RFC 9110 section 8.8.1), so who asks the same again,
without a condition, is given what was made for the one before.

Pure: no clock, no I/O.
"""

from collections import OrderedDict
from typing import NamedTuple

from lib.queries.select import Slice

MAX_KEPT = 128
"""Most representations kept."""

MAX_CHARACTERS = 64 * 1024
"""The longest body kept; one of 50 users has about 20,000."""


class Representation(NamedTuple):
    """The users of an answer, and the body that shows them."""

    rows: Slice
    body: str


class Representations:
    """At most ``most`` representations, by client and entity tag, least recently used first."""

    def __init__(self, *, most: int = MAX_KEPT) -> None:
        self._most = most
        self._kept: OrderedDict[tuple[str, str], Representation] = OrderedDict()

    def get(self, client_id: str, etag: str) -> Representation | None:
        """Return what is kept under a tag."""
        kept = self._kept.get((client_id, etag))
        if kept is not None:
            self._kept.move_to_end((client_id, etag))
        return kept

    def keep(self, client_id: str, etag: str, representation: Representation) -> None:
        """Keep what is known under a tag from now on, unless it is too long."""
        if len(representation.body) > MAX_CHARACTERS:
            return
        self._kept[client_id, etag] = representation
        while len(self._kept) > self._most:
            self._kept.popitem(last=False)
