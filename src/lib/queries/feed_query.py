"""Turns query parameters into a question about a client's history: the events after some place.

Pure but for the key that cursors are signed with.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import urlencode

from lib.errors import ParameterError
from lib.queries.cursor import Signed
from lib.queries.origin_parameters import Params
from lib.queries.parameters import read_include, read_number, refuse, refuse_unknown

DEFAULT_LIMIT = 100
MAX_LIMIT = 1_000

FEED_NAMES = ("after", "limit", "include")
"""Every parameter that the feed understands."""


class Place(NamedTuple):
    """A place in a client's history, for a cursor; digests are short and name, nothing more.

    All events up to ``generation`` were told, and of the step that follows the first ``told``.
    ``digest`` names that generation, since a restored table may use a number again. ``toward``
    names what the step's events were made of; empty where none was told.
    """

    client_id: str
    generation: int
    told: int
    digest: str
    toward: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedQuery:
    """At most ``limit`` events after a place or a generation, or from the newest one on (None)."""

    after: Place | int | None = None
    limit: int = DEFAULT_LIMIT
    values: bool = False

    def question(self, after: str | None = None) -> str:
        """Return the query string that asks the same after another place."""
        asked = [("limit", str(self.limit))]
        asked += [("include", "values")] if self.values else []
        return urlencode(asked + ([("after", after)] if after else []))


def feed_cursors(key: Callable[[], bytes]) -> Signed[Place]:
    """Return the cursors of feeds."""
    return Signed(key, kind=Place, form=b"feed 1 ", parameter="after")


def parse_feed(params: Params, client_id: str, read_cursor: Callable[[str], Place]) -> FeedQuery:
    """Return what is asked of the history of ``client_id``.

    Raises:
        InvalidRequestError: naming parameter, reason and what is allowed.
        StoreError: a cursor cannot be read now.
    """
    refuse_unknown(params, names=FEED_NAMES)
    return FeedQuery(
        after=_after(params["after"], client_id, read_cursor) if "after" in params else None,
        limit=_limit(params["limit"]) if "limit" in params else DEFAULT_LIMIT,
        values=read_include(params),
    )


def _after(
    values: Sequence[str], client_id: str, read_cursor: Callable[[str], Place]
) -> Place | int:
    # No cursor is as short as a number may be long.
    if re.fullmatch(r"[0-9]{0,15}", values[0]):
        return read_number("after", values)
    place = read_cursor(",".join(values))
    if place.client_id != client_id:
        raise ParameterError("after", "is the cursor of another client")
    return place


def _limit(values: Sequence[str]) -> int:
    text = values[0]
    if len(values) > 1 or not re.fullmatch(r"[0-9]{1,4}", text) or not 0 < int(text) <= MAX_LIMIT:
        refuse("limit", "is not one number of events", allowed=(f"1 to {MAX_LIMIT}",))
    return int(text)
