"""The words of a read: who asks for what, and how the answer was come by.

Pure data.
"""

from dataclasses import dataclass

from lib.caching.headers import CacheStatus, RequestDirectives
from lib.directory.head import Head
from lib.users.wanted import Wanted


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadRequest:
    """Who asks for what, and until when an answer is of use.

    ``holder`` is unique to the invocation; ``arrived_at`` and ``deadline`` are instants. An answer
    is of ``min_generation`` or a later one. ``wanted`` are the users it is about, if not all: then
    ``no-cache`` asks the origin for them alone.
    """

    client_id: str
    directives: RequestDirectives
    holder: str
    arrived_at: float
    deadline: float
    min_generation: int = 0
    wanted: Wanted | None = None


@dataclass(frozen=True, slots=True)
class Served:
    """The head to answer from; ``age`` is None if the origin was asked for this very request."""

    head: Head
    age: int | None
    status: CacheStatus


@dataclass(frozen=True, slots=True)
class Answer[T]:
    """What was made of the snapshot, and how the snapshot was come by."""

    value: T
    served: Served
