"""Every error this client raises on purpose.

ManagedUsersError
|-- ConnectionFailedError     no answer came at all
|-- NotAskedError             all that is known was told, and some users could not be asked for
`-- AnswerError               an answer that is an error
    |-- InvalidRequestError   400, 405
    |-- ForbiddenError        401, 403
    |-- NotFoundError         404
    |-- GoneError             410: a cursor or a generation that is no longer kept
    `-- UnavailableError      429, 5xx: later, the same request may succeed
"""

from collections.abc import Mapping, Sequence
from typing import Any

_BAD_REQUEST, _UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND, _NOT_ALLOWED = 400, 401, 403, 404, 405
_GONE, _TOO_MANY, _SERVER = 410, 429, 500


class ManagedUsersError(Exception):
    """The request has no result."""


class ConnectionFailedError(ManagedUsersError):
    """The service could not be reached; ``lasting``: nor can it be by trying again."""

    def __init__(self, message: str, *, lasting: bool = False) -> None:
        super().__init__(message)
        self.lasting = lasting


class NotAskedError(ManagedUsersError):
    """Some users may exist, and the origin could not be asked about them: ``names``, as given."""

    def __init__(self, names: Sequence[str | int]) -> None:
        super().__init__(f"the origin could not be asked about {len(names)} of them")
        self.names = names


class AnswerError(ManagedUsersError):
    """The service answered with an error: its status, code and request id, and its own words.

    ``retry_after`` is in how many seconds it wants to be asked again, None if it did not say.
    """

    def __init__(
        self, status: int, body: Mapping[str, Any], *, retry_after: float | None = None
    ) -> None:
        error = body.get("error") or {}
        self.status = status
        self.code = str(error.get("code") or "")
        self.details: Mapping[str, Any] = error.get("details") or {}
        self.request_id = str(body.get("requestId") or "")
        self.retry_after = retry_after
        said = error.get("message") or body.get("message") or f"status {status}"
        super().__init__(_reason(self.details) or str(said))


class InvalidRequestError(AnswerError):
    """The request can never succeed as it is; ``details`` names the parameter."""


class ForbiddenError(AnswerError):
    """The request is not signed, or its signer may not do this."""


class NotFoundError(AnswerError):
    """The client has no such user, or the deployment does not know the client."""


class GoneError(AnswerError):
    """What a cursor or ``since`` names is no longer kept."""


class UnavailableError(AnswerError):
    """The service cannot answer now."""


def _reason(details: Mapping[str, Any]) -> str:
    """Return what is wrong in particular; the origin's envelopes have it in their details alone.

    >>> _reason({"errors": [{"constraints": {"max": "limit must not be greater than 250"}}]})
    'limit must not be greater than 250'
    """
    told = details.get("message")
    if not told:
        broken = [error.get("constraints", {}) for error in details.get("errors", ())]
        told = [text for constraints in broken for text in constraints.values()]
    return "; ".join(map(str, told)) if isinstance(told, list) else str(told)


def of(status: int, body: Mapping[str, Any], *, retry_after: float | None = None) -> AnswerError:
    """Return the error for an answer."""
    kinds: Mapping[int, type[AnswerError]] = {
        _BAD_REQUEST: InvalidRequestError,
        _NOT_ALLOWED: InvalidRequestError,
        _UNAUTHORIZED: ForbiddenError,
        _FORBIDDEN: ForbiddenError,
        _NOT_FOUND: NotFoundError,
        _GONE: GoneError,
        _TOO_MANY: UnavailableError,
    }
    kind = kinds.get(status, UnavailableError if status >= _SERVER else AnswerError)
    return kind(status, body, retry_after=retry_after)
