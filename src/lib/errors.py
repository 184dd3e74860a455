"""Every error this service raises on purpose.

    ServiceError
    |-- RequestError                      the caller can mend it
    |   |-- InvalidRequestError      400  a parameter that does not exist or has a bad value
    |   |-- NotFoundError            404  no such route, client or user
    |   |-- MethodNotAllowedError    405  the route exists, the method does not
    |   |-- GoneError                410  a cursor or generation that is no longer kept
    |   `-- OnlyIfCachedError        504  only-if-cached, and nothing suitable is stored
    `-- UnavailableError                  a stored snapshot is served instead, where there is one
        |-- OriginError              502  the origin answered, and the answer is not usable
        |   |-- OriginAuthError      502  401 or 403: the secret is wrong or was rotated
        |   |-- OriginServerError    502  5xx, reset or TLS failure: asking once more may help
        |   |-- OriginTimeoutError   504  no answer in time
        |   `-- OriginBlockedError   503  429: nobody may call until the block is over
        |-- QuarantinedError         502  the answer lost too many users to be believed at once
        |-- NotAskedError            503  blocked, backing off, over budget or lease held
        |-- SecretError              503  Secrets Manager is down or the secret is malformed
        `-- StoreError               503  DynamoDB refused, throttled or timed out
            |-- ConflictError        503  a condition of a write did not hold: nothing was written
            |-- LeaseLostError       503  another holder has a newer token (fencing)
            `-- BrokenSnapshotError  503  a page is missing or its digest does not match

Codes are the origin's (NestJS exception names), so that its clients need no second vocabulary.
"""

from http import HTTPStatus
from typing import Any, ClassVar, override

CODES = {
    HTTPStatus.BAD_REQUEST: "BadRequestException",
    HTTPStatus.NOT_FOUND: "NotFoundException",
    HTTPStatus.METHOD_NOT_ALLOWED: "MethodNotAllowedException",
    HTTPStatus.GONE: "GoneException",
    HTTPStatus.INTERNAL_SERVER_ERROR: "InternalServerErrorException",
    HTTPStatus.BAD_GATEWAY: "BadGatewayException",
    HTTPStatus.SERVICE_UNAVAILABLE: "ServiceUnavailableException",
    HTTPStatus.GATEWAY_TIMEOUT: "GatewayTimeoutException",
}


class ServiceError(Exception):
    """Base of the tree; ``message`` is safe to show to the caller and to log."""

    status: ClassVar[HTTPStatus] = HTTPStatus.INTERNAL_SERVER_ERROR

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message

    @property
    def code(self) -> str:
        """Name of the error in the envelope."""
        return CODES[self.status]

    @property
    def details(self) -> dict[str, Any]:
        """Body of ``error.details``, in the origin's default form."""
        return {
            "message": self.message,
            "error": self.status.phrase,
            "statusCode": int(self.status),
        }


class RequestError(ServiceError):
    """The request, not the service, is at fault; its message may echo the caller's own input."""


class InvalidRequestError(RequestError):
    """A 400; ``details`` and ``code`` replace the default ones where given."""

    status = HTTPStatus.BAD_REQUEST

    def __init__(
        self, message: str, *, details: dict[str, Any] | None = None, code: str | None = None
    ) -> None:
        super().__init__(message)
        self._details = details
        self._code = code

    @property
    @override
    def code(self) -> str:
        return self._code or super().code

    @property
    @override
    def details(self) -> dict[str, Any]:
        return super().details if self._details is None else self._details


class NotFoundError(RequestError):
    """A 404."""

    status = HTTPStatus.NOT_FOUND


class MethodNotAllowedError(RequestError):
    """A 405; ``allow`` is the value of the ``Allow`` header (RFC 9110 section 15.5.6)."""

    status = HTTPStatus.METHOD_NOT_ALLOWED

    def __init__(self, message: str, *, allow: str) -> None:
        super().__init__(message)
        self.allow = allow


class GoneError(RequestError):
    """A 410; ``link`` is the value of the ``Link`` header that says where to start again."""

    status = HTTPStatus.GONE

    def __init__(self, message: str, *, link: str = "") -> None:
        super().__init__(message)
        self.link = link


class OnlyIfCachedError(RequestError):
    """The 504 of RFC 9111 section 5.2.1.7."""

    status = HTTPStatus.GATEWAY_TIMEOUT


class UnavailableError(ServiceError):
    """No new data; ``reason`` is the token that logs, metrics and Cache-Status carry."""

    status = HTTPStatus.SERVICE_UNAVAILABLE

    def __init__(self, message: str, *, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


class OriginError(UnavailableError):
    """The origin failed; ``received`` is its status code, None when no answer came."""

    status = HTTPStatus.BAD_GATEWAY

    def __init__(self, message: str, *, reason: str, received: int | None = None) -> None:
        super().__init__(message, reason=reason)
        self.received = received


class OriginAuthError(OriginError):
    """The origin answered 401 or 403."""


class OriginServerError(OriginError):
    """The origin answered 5xx, or the connection failed."""


class OriginTimeoutError(OriginServerError):
    """The origin did not answer in time."""

    status = HTTPStatus.GATEWAY_TIMEOUT


class OriginBlockedError(OriginError):
    """The origin answered 429; ``reset_seconds`` is how long its block lasts."""

    status = HTTPStatus.SERVICE_UNAVAILABLE

    def __init__(self, message: str, *, reset_seconds: int) -> None:
        super().__init__(message, reason="origin-blocked", received=429)
        self.reset_seconds = reset_seconds


class QuarantinedError(UnavailableError):
    """A sweep lost more users than is believed without a second, agreeing sweep.

    ``loss`` identifies the set of lost users, ``since`` is when it was first seen.
    """

    status = HTTPStatus.BAD_GATEWAY

    def __init__(self, message: str, *, loss: str, since: float) -> None:
        super().__init__(message, reason="quarantined")
        self.loss = loss
        self.since = since


class NotAskedError(UnavailableError):
    """The origin may not be asked now; ``retry_after`` is in seconds, at least 1."""

    def __init__(self, message: str, *, reason: str, retry_after: int) -> None:
        super().__init__(message, reason=reason)
        self.retry_after = retry_after


class SecretError(UnavailableError):
    """The client's secret cannot be had."""


class StoreError(UnavailableError):
    """DynamoDB did not do what was asked; whether a write happened may be unknown."""


class ConflictError(StoreError):
    """A write's condition did not hold."""


class LeaseLostError(StoreError):
    """The lease's token is no longer the newest: whoever holds this must stop."""


class BrokenSnapshotError(StoreError):
    """A stored page is missing or altered; it is never served around."""
