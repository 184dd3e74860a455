"""The words of a read: who asks for what, and what came of it.

Pure data.
"""

from collections.abc import Callable
from http import HTTPStatus
from typing import NamedTuple

from lib.caching.headers import RequestDirectives, not_modified
from lib.caching.provenance import Forwarding, Provenance, Validators, resting_on
from lib.directory.generation import Generation
from lib.users.keys import UserKeys


class Conditions(NamedTuple):
    """The conditional header fields of a request (RFC 9110 section 13.1), None where absent."""

    if_none_match: str | None = None
    if_modified_since: str | None = None

    def met_by(self, validators: Validators) -> bool:
        """Return whether the caller has the answer with these validators already."""
        # What may have changed at any time has no date, and then none is asked for.
        since = None if validators.modified_at is None else self.if_modified_since
        return not_modified(
            if_none_match=self.if_none_match,
            if_modified_since=since,
            etag=validators.etag,
            modified_at=validators.modified_at or 0,
        )


UNCONDITIONAL = Conditions()


def everybody_in(generation: Generation) -> float:
    """Return the instant since which everybody in a generation was seen."""
    return generation.oldest_observation


class ReadRequest(NamedTuple):
    """Who asks for what, and until when an answer is of use.

    ``holder`` is unique to the invocation; ``arrived_at`` and ``deadline`` are instants. An answer
    is of ``min_generation`` or a later one. ``wanted`` are the users it is about, if not all: then
    ``no-cache`` asks the origin for them alone. ``rests_on`` tells since when all were seen on whom
    an answer from a generation rests.
    """

    client_id: str
    directives: RequestDirectives
    holder: str
    arrived_at: float
    deadline: float
    min_generation: int = 0
    conditions: Conditions = UNCONDITIONAL
    wanted: UserKeys | None = None
    rests_on: Callable[[Generation], float] = everybody_in


class Need(NamedTuple):
    """Why the origin must be asked: ``fwd`` of Cache-Status, and what may be done instead.

    ``demanded``: the caller's directives want a sweep that starts after the request arrived.
    ``broken``: the number of a generation that cannot be read, 0 if what is stored can be.
    """

    fwd: Forwarding
    demanded: bool = False
    broken: int = 0
    wanted: UserKeys | None = None


class Read[T](NamedTuple):
    """What was made of a snapshot, of which generation it was, and how that came by.

    ``exact``: the origin was asked for just the users that the answer is about.
    """

    value: T
    generation: Generation
    came_by: Provenance
    exact: bool = False

    def resting_on(self, observed_at: float) -> Provenance:
        """Return how an answer came by in which somebody was last seen at ``observed_at``."""
        return self.came_by if self.exact else resting_on(self.came_by, observed_at)


class Answer(NamedTuple):
    """An answer to a caller, ready but for its transport; the body of a 304 is empty."""

    status: HTTPStatus
    body: str
    headers: dict[str, str]
    generation: Generation
    came_by: Provenance
