"""Every error this service raises on purpose.

    ServiceError
    |-- RequestError                      the caller can mend it
    |   |-- InvalidRequestError      400  a parameter that does not exist or has a bad value
    |   |-- ForbiddenError           403  a webhook that nobody signed who knows the secret
    |   |-- NotFoundError            404  no such route, client or user
    |   |-- MethodNotAllowedError    405  the route exists, the method does not
    |   |-- GoneError                410  a cursor or generation that is no longer kept
    |   |-- BodyTooLargeError        413  a webhook's body that is longer than is read
    |   `-- OnlyIfCachedError        504  only-if-cached, and nothing suitable is stored
    `-- UnavailableError                  a stored snapshot is served instead, where there is one
        |-- OriginError              502  the origin answered, and the answer is not usable
        |   |-- OriginAuthError      502  401 or 403 by the API: the secret is wrong or was rotated
        |   |-- OriginServerError    502  5xx, reset or TLS failure: asking once more may help
        |   |-- OriginTimeoutError   504  no answer in time
        |   `-- OriginBlockedError   503  429: nobody may call until the block is over
        |-- UnexpectedError          500  a fault of this service, noted as any other failure
        |-- NotAskedError            503  blocked, backing off, over budget or lease held
        |-- SecretError              503  Secrets Manager is down or the secret is malformed
        `-- StoreError               503  DynamoDB refused, throttled or timed out
            |-- ConflictError        503  a condition of a write did not hold: nothing was written
            |-- LeaseLostError       503  another holder has a newer token (fencing)
            `-- BrokenSnapshotError  503  a page is missing or its digest does not match

Codes are the origin's (NestJS exception names), so that its clients need no second vocabulary.
"""

import math
from collections.abc import Mapping
from enum import StrEnum
from http import HTTPStatus
from typing import Any, ClassVar, override

CODES = {
    HTTPStatus.BAD_REQUEST: "BadRequestException",
    HTTPStatus.FORBIDDEN: "ForbiddenException",
    HTTPStatus.NOT_FOUND: "NotFoundException",
    HTTPStatus.METHOD_NOT_ALLOWED: "MethodNotAllowedException",
    HTTPStatus.GONE: "GoneException",
    HTTPStatus.CONTENT_TOO_LARGE: "PayloadTooLargeException",
    HTTPStatus.INTERNAL_SERVER_ERROR: "InternalServerErrorException",
    HTTPStatus.BAD_GATEWAY: "BadGatewayException",
    HTTPStatus.SERVICE_UNAVAILABLE: "ServiceUnavailableException",
    HTTPStatus.GATEWAY_TIMEOUT: "GatewayTimeoutException",
}


class Reason(StrEnum):
    """Why something is as it is, as logs, metrics, Cache-Status and ``lastError`` say it."""

    # The origin was asked, and its answer was not to be used.
    DEADLINE = "deadline"
    ORIGIN_5XX = "origin-5xx"
    ORIGIN_AUTH = "origin-auth"
    ORIGIN_CHALLENGE = "origin-challenge"
    ORIGIN_CONNECTION = "origin-connection"
    ORIGIN_NOT_FOUND = "origin-not-found"
    ORIGIN_STATUS = "origin-status"
    ORIGIN_TIMEOUT = "origin-timeout"
    NOT_JSON = "not-json"
    ROWS_OUT_OF_ORDER = "rows-out-of-order"
    TOO_DEEP = "too-deep"
    TOO_LARGE = "too-large"
    TOO_MANY_ROWS = "too-many-rows"
    WINDOWS_OUT_OF_ORDER = "windows-out-of-order"
    WRONG_SHAPE = "wrong-shape"
    WRONG_USER = "wrong-user"
    LOSS_DOUBTED = "loss-doubted"

    # The list of an organization is not used.
    ORGANIZATION_ANCHOR = "organization-anchor"
    ORGANIZATION_EMPTY = "organization-empty"
    ORGANIZATION_FAILING = "organization-failing"
    ORGANIZATION_ID = "organization-id"
    ORGANIZATION_REFUSED = "organization-refused"
    ORGANIZATION_UNUSABLE = "organization-unusable"

    # The origin was not asked.
    FROZEN = "frozen"
    GENERATION_AWAITED = "generation-awaited"
    LEASE_HELD = "lease-held"
    LEASE_LAPSED = "lease-lapsed"
    LOOKUP_IN_FLIGHT = "lookup-in-flight"
    ORIGIN_BACKOFF = "origin-backoff"
    ORIGIN_BLOCKED = "origin-blocked"
    ORIGIN_BUDGET = "origin-budget"
    OUT_OF_TIME = "out-of-time"
    REFRESH_FLOOR = "refresh-floor"

    # The secret could not be had, or does not name the client.
    CLIENT_NOT_CONFIGURED = "client-not-configured"
    SECRET_MALFORMED = "secret-malformed"
    SECRET_MISSING = "secret-missing"

    # AWS did not do what it was asked.
    BROKEN_HEAD = "broken-head"
    BROKEN_MANIFEST = "broken-listing"
    BROKEN_PAGE = "broken-page"
    BROKEN_SHARD = "broken-shard"
    CONFLICT = "conflict"
    EVENTS_REFUSED = "events-refused"
    INVOKE_FAILED = "invoke-failed"
    LEASE_LOST = "lease-lost"
    MISSING_MANIFEST = "missing-manifest"
    MISSING_PAGE = "missing-page"
    NEWER_FORMAT = "newer-format"
    QUEUE_REFUSED = "queue-refused"
    STORE_REFUSED = "store-refused"
    STORE_THROTTLED = "store-throttled"
    STORE_UNREACHABLE = "store-unreachable"
    STORE_UNSETTLED = "store-unsettled"

    UNEXPECTED = "unexpected"


class ServiceError(Exception):
    """Base of the tree; ``message`` is safe to show to the caller and to log.

    ``fields`` are header fields that belong to the error.
    """

    status: ClassVar[HTTPStatus] = HTTPStatus.INTERNAL_SERVER_ERROR

    def __init__(self, message: str, *, fields: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.fields = fields or {}

    @property
    def code(self) -> str:
        """Name of the error in the envelope."""
        return CODES[self.status]

    @property
    def details(self) -> dict[str, Any]:
        """Body of ``error.details``, in the origin's default form."""
        told = self.status
        return {"message": self.message, "error": told.phrase, "statusCode": int(told)}

    def headers(self, *, now: float, jitter: float) -> dict[str, str]:
        """Return the header fields that belong to the error; ``jitter`` in 0..1 spreads callers."""
        del now, jitter
        return dict(self.fields)


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


class ParameterError(InvalidRequestError):
    """A 400 of one query parameter: the message tells, and ``details`` name it."""

    def __init__(self, name: str, problem: str) -> None:
        super().__init__(f"Parameter '{name}' {problem}.")
        self._details = super().details | {"parameter": name}


class ForbiddenError(RequestError):
    """A 403."""

    status = HTTPStatus.FORBIDDEN


class BodyTooLargeError(RequestError):
    """A 413."""

    status = HTTPStatus.CONTENT_TOO_LARGE


class NotFoundError(RequestError):
    """A 404; with ``Cache-Status``, where a cache had a say."""

    status = HTTPStatus.NOT_FOUND


class MethodNotAllowedError(RequestError):
    """A 405; ``allow`` is the value of the ``Allow`` header (RFC 9110 section 15.5.6)."""

    status = HTTPStatus.METHOD_NOT_ALLOWED

    def __init__(self, message: str, *, allow: str) -> None:
        super().__init__(message, fields={"Allow": allow})


class GoneError(RequestError):
    """A 410; with a ``Link`` that says where to start again, where there is such a place."""

    status = HTTPStatus.GONE


class OnlyIfCachedError(RequestError):
    """The 504 of RFC 9111 section 5.2.1.7."""

    status = HTTPStatus.GATEWAY_TIMEOUT


class UnavailableError(ServiceError):
    """No new data, for a ``reason``; asking again may help from the instant ``until`` on."""

    status = HTTPStatus.SERVICE_UNAVAILABLE

    def __init__(self, message: str, *, reason: Reason, until: float = 0) -> None:
        super().__init__(message)
        self.reason = reason
        self.until = until

    @override
    def headers(self, *, now: float, jitter: float) -> dict[str, str]:
        if self.status is not HTTPStatus.SERVICE_UNAVAILABLE and self.until <= now:
            return {}
        return {"Retry-After": str(retry_after(self.until - now, jitter=jitter))}


def retry_after(seconds: float, *, jitter: float) -> int:
    """Return delay-seconds, rounded up, at least 1, plus up to 20 % of ``jitter`` in 0..1.

    Callers that were refused at the same moment must not come back at the same moment.
    """
    return max(1, math.ceil(seconds * (1 + 0.2 * jitter)))


class OriginError(UnavailableError):
    """The origin failed; ``received`` is its status code, None when no answer came."""

    status = HTTPStatus.BAD_GATEWAY

    def __init__(self, message: str, *, reason: Reason, received: int | None = None) -> None:
        super().__init__(message, reason=reason)
        self.received = received


class OriginAuthError(OriginError):
    """The origin answered 401 or 403."""


class OriginServerError(OriginError):
    """The origin answered 5xx, or the connection failed.

    ``retry_after_seconds`` is for how long it wants to be left alone, None if it did not say.
    """

    def __init__(
        self,
        message: str,
        *,
        reason: Reason,
        received: int | None = None,
        retry_after_seconds: int | None = None,
    ) -> None:
        super().__init__(message, reason=reason, received=received)
        self.retry_after_seconds = retry_after_seconds


class OriginTimeoutError(OriginServerError):
    """The origin did not answer in time."""

    status = HTTPStatus.GATEWAY_TIMEOUT


class OriginBlockedError(OriginError):
    """The origin answered 429; ``reset_seconds`` is how long its block lasts."""

    status = HTTPStatus.SERVICE_UNAVAILABLE

    def __init__(self, message: str, *, reset_seconds: int) -> None:
        super().__init__(message, reason=Reason.ORIGIN_BLOCKED, received=429)
        self.reset_seconds = reset_seconds

    @override
    def headers(self, *, now: float, jitter: float) -> dict[str, str]:
        return {"Retry-After": str(retry_after(self.reset_seconds, jitter=jitter))}


class UnexpectedError(UnavailableError):
    """Something went wrong that nobody had thought of; the cause is the exception itself."""

    status = HTTPStatus.INTERNAL_SERVER_ERROR

    def __init__(self) -> None:
        super().__init__("a revalidation broke down", reason=Reason.UNEXPECTED)


class NotAskedError(UnavailableError):
    """The origin may not be asked now."""


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
