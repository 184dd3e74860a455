"""Every error this client raises on purpose.

ManagedUsersError
|-- ConnectionFailedError     no answer came at all
`-- AnswerError               an answer that is an error
    |-- InvalidRequestError   400, 405
    |-- ForbiddenError        401, 403
    |-- NotFoundError         404
    |-- GoneError             410: a cursor or a generation that is no longer kept
    `-- UnavailableError      429, 5xx: later, the same request may succeed
"""

from collections.abc import Mapping
from typing import Any

_BAD_REQUEST, _UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND, _NOT_ALLOWED = 400, 401, 403, 404, 405
_GONE, _TOO_MANY, _SERVER = 410, 429, 500


class ManagedUsersError(Exception):
    """The request has no result."""


class ConnectionFailedError(ManagedUsersError):
    """The service could not be reached."""


class AnswerError(ManagedUsersError):
    """The service answered with an error: its status, code and request id, and its own words."""

    def __init__(self, status: int, body: Mapping[str, Any]) -> None:
        error = body.get("error") or {}
        self.status = status
        self.code = str(error.get("code") or "")
        self.details: Mapping[str, Any] = error.get("details") or {}
        self.request_id = str(body.get("requestId") or "")
        message = error.get("message") or body.get("message") or f"status {status}"
        super().__init__(str(message))


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


def of(status: int, body: Mapping[str, Any]) -> AnswerError:
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
    return kind(status, body)
