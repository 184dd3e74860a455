"""One routed request on its way through a handler."""

from typing import Any, NamedTuple

from handlers.gateway import Request, Route


class Call(NamedTuple):
    """A request, where it goes, and until when its answer is of use (an instant).

    ``holder`` is unique to the invocation. ``line`` is the log line of this request, to be added
    to as more is known.
    """

    request: Request
    route: Route
    holder: str
    arrived_at: float
    deadline: float
    line: dict[str, Any]
